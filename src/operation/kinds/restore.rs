//! Restoring a Snapshot onto its Droplet, after a safety Snapshot of the present disk.

use serde::{Deserialize, Serialize};

use super::{Plan, SnapshotRef};
use crate::operation::{ids::ActionId, step::Work};

/// The word before the date in the name of a safety Snapshot.
pub(in crate::operation) const SAFETY: &str = "safety";

/// An operation that restores a Snapshot onto its Droplet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Restore {
    /// The Snapshot to restore.
    pub snapshot: SnapshotRef,
    /// Whether the present disk is kept as a Snapshot first.
    pub safety: Safety,
    /// The Actions that had already rewritten the Droplet's disk when somebody was asked; absent if they could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewrites: Option<Vec<ActionId>>,
}

/// Whether a restore keeps the present disk first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Safety {
    /// Take a Snapshot of what will be overwritten.
    Snapshot,
    /// Overwrite immediately.
    None,
}

impl Default for Restore {
    fn default() -> Self {
        Self { snapshot: SnapshotRef::UNKNOWN, safety: Safety::Snapshot, rewrites: None }
    }
}

impl Plan for Restore {
    fn word(&self) -> &'static str {
        "restore"
    }

    fn works(&self) -> Vec<Work> {
        let restore = Work::Restore(self.snapshot.id);
        match self.safety {
            Safety::Snapshot => vec![Work::ShutDown, Work::Snapshot, restore],
            Safety::None => vec![Work::ShutDown, restore],
        }
    }

    fn snapshot(&self) -> Option<&SnapshotRef> {
        Some(&self.snapshot)
    }

    fn needs_a_sure_answer(&self) -> bool {
        true
    }

    fn rewrites(&self) -> Option<&[ActionId]> {
        self.rewrites.as_deref()
    }

    fn snapshot_stem(&self, target: &str) -> String {
        format!("{target}-{SAFETY}")
    }
}
