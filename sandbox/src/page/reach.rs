//! From where the page may be reached.

/// From where the page may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// From this machine.
    Loopback,
    /// From wherever its address can be reached. Somebody asked for that.
    Network,
}
