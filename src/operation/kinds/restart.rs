//! Restarting a Droplet by cutting its power and restoring it immediately, which helps after a hung shutdown that left the services
//! stopped.

use serde::{Deserialize, Serialize};

use super::{Plan, SnapshotRef};
use crate::operation::step::Work;

/// An operation that restarts a Droplet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {}

impl Plan for Restart {
    fn word(&self) -> &'static str {
        "restart"
    }

    fn works(&self) -> Vec<Work> {
        vec![Work::Restart]
    }

    fn snapshot(&self) -> Option<&SnapshotRef> {
        None
    }

    fn needs_a_sure_answer(&self) -> bool {
        true
    }
}
