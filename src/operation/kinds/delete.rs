//! A Snapshot deleted.

use serde::{Deserialize, Serialize};

use super::{Plan, SnapshotRef};
use crate::operation::step::Work;

/// A Snapshot deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delete {
    /// Which one.
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
