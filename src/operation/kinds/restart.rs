//! A Droplet whose power is cut and restored at once, which helps where a shutdown hung and left the services stopped.

use serde::{Deserialize, Serialize};

use super::{Plan, SnapshotRef};
use crate::operation::step::Work;

/// A Droplet restarted.
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
