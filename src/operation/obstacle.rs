//! What an operation waits for, where that is not its own Action.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that an operation waits for, other than its own Action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obstacle {
    /// What.
    pub what: Blocker,
    /// Since when.
    pub since: Timestamp,
}

/// What may stand in an operation's way for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Blocker {
    /// Another Action of the Droplet is in progress; its kind where known.
    Event(Option<String>),
    /// The Droplet is locked.
    Locked,
    /// The Droplet is neither on nor off: DigitalOcean's word for it.
    Unsettled(String),
    /// DigitalOcean does not answer, or not readably.
    Outage,
    /// DigitalOcean's request limit is reached.
    Throttled,
    /// Other operations come first, within the request limit.
    Turn,
}
