//! Events that are going to happen without a request.

use super::{fault::Quirk, http_types::Request};

/// An event that is going to happen.
#[derive(Clone, Debug)]
pub(super) enum Due {
    /// An Action ends.
    ActionEnds(u64),
    /// A Droplet goes off, unless it has been turned on again since.
    TurnsOff { droplet: u64, boots: u32 },
    /// A Droplet comes on.
    TurnsOn { droplet: u64 },
    /// A postponed request is executed.
    Execute { request: Box<Request>, quirk: Option<Quirk> },
    /// Only the contents of lists change.
    Appears,
}
