//! Turning on a Droplet that is off, and not because of us. Like any Droplet that the bot turns back on, it is retried until the Droplet is
//! on.

use serde::{Deserialize, Serialize};

use super::{Plan, SnapshotRef};
use crate::operation::step::Work;

/// An operation that turns a Droplet on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnOn {}

impl Plan for TurnOn {
    fn word(&self) -> &'static str {
        "turn_on"
    }

    fn works(&self) -> Vec<Work> {
        Vec::new()
    }

    fn snapshot(&self) -> Option<&SnapshotRef> {
        None
    }

    fn needs_a_sure_answer(&self) -> bool {
        false
    }

    fn owes_power(&self) -> bool {
        true
    }
}
