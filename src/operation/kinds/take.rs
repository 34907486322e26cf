//! Taking a Snapshot of a Droplet.

use serde::{Deserialize, Serialize};

use super::{IfHung, Plan, SnapshotRef};
use crate::operation::step::Work;

/// An operation that takes a Snapshot of a Droplet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Take {
    /// Whether the Droplet may be turned off for it.
    pub power: Downtime,
    /// What to do when the shutdown hangs.
    pub if_hung: IfHung,
}

/// Whether a Droplet may be turned off for its Snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Downtime {
    /// Shut it down, for a consistent disk.
    PowerOff,
    /// Leave it running: the disk is as after a power cut.
    None,
}

impl Default for Take {
    fn default() -> Self {
        Self { power: Downtime::PowerOff, if_hung: IfHung::Ask }
    }
}

impl Plan for Take {
    fn word(&self) -> &'static str {
        "take"
    }

    fn works(&self) -> Vec<Work> {
        match self.power {
            Downtime::PowerOff => vec![Work::ShutDown, Work::Snapshot],
            Downtime::None => vec![Work::Snapshot],
        }
    }

    fn snapshot(&self) -> Option<&SnapshotRef> {
        None
    }

    fn needs_a_sure_answer(&self) -> bool {
        false
    }

    fn may_leave_on(&self) -> bool {
        true
    }

    fn if_hung(&self) -> IfHung {
        self.if_hung
    }
}
