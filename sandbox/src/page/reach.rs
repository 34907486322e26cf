//! From where the page can be reached.

/// From where the page can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Only from this machine.
    Loopback,
    /// From every machine that can reach its address. Only on request.
    Network,
}
