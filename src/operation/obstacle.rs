//! What an operation waits for, apart from its own Action.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that an operation waits for, apart from its own Action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obstacle {
    /// The kind of obstacle.
    pub what: Blocker,
    /// Since when it has existed.
    pub since: Timestamp,
}

/// What may block an operation for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Blocker {
    /// Another Action of the Droplet is in progress; its kind if known.
    Event(Option<String>),
    /// The Droplet is locked.
    Locked,
    /// The Droplet is neither on nor off; DigitalOcean's word for its state.
    Unsettled(String),
    /// DigitalOcean does not answer, or its answer cannot be read.
    Outage,
    /// DigitalOcean's request limit is reached.
    Throttled,
    /// Other operations have precedence within the request limit.
    Turn,
}
