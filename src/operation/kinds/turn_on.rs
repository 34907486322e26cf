//! A Droplet turned on that is off, and not because of us. What is done for power back is done for it too: it is tried until it is on.

use serde::{Deserialize, Serialize};

use super::{Plan, SnapshotRef};
use crate::operation::step::Work;

/// A Droplet turned on.
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
