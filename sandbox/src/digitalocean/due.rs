//! What is going to happen by itself.

use super::{fault::Quirk, http_types::Request};

/// Something that is going to happen.
#[derive(Clone, Debug)]
pub(super) enum Due {
    /// An Action ends.
    ActionEnds(u64),
    /// A Droplet goes off, unless it was turned on again since.
    TurnsOff { droplet: u64, boots: u32 },
    /// A Droplet comes on.
    TurnsOn { droplet: u64 },
    /// A postponed request is executed.
    Execute { request: Box<Request>, quirk: Option<Quirk> },
    /// Nothing but that lists look different from now on.
    Appears,
}
