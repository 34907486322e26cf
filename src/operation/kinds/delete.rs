//! Deleting a Snapshot.

use serde::{Deserialize, Serialize};

use super::{Plan, SnapshotRef};
use crate::operation::step::Work;

/// An operation that deletes a Snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delete {
    /// The Snapshot to delete.
    pub snapshot: SnapshotRef,
}

impl Default for Delete {
    fn default() -> Self {
        Self { snapshot: SnapshotRef::UNKNOWN }
    }
}

impl Plan for Delete {
    fn word(&self) -> &'static str {
        "delete"
    }

    fn works(&self) -> Vec<Work> {
        vec![Work::Delete(self.snapshot.id)]
    }

    fn snapshot(&self) -> Option<&SnapshotRef> {
        Some(&self.snapshot)
    }

    fn needs_a_sure_answer(&self) -> bool {
        true
    }

    fn deletes(&self) -> bool {
        true
    }
}
