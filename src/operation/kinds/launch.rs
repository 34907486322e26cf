//! Creating a new Droplet from a Snapshot.

use serde::{Deserialize, Serialize};

use super::{Plan, SnapshotRef};
use crate::operation::{effect::NewDroplet, ids::OperationId, launch_tag, step::Work};

/// An operation that creates a Droplet from a Snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Launch {
    /// The Snapshot to create it from.
    pub snapshot: SnapshotRef,
    /// The Droplet to create.
    pub droplet: NewDroplet,
}

impl Default for Launch {
    fn default() -> Self {
        let snapshot = SnapshotRef::UNKNOWN;
        let droplet = NewDroplet {
            name: String::new(),
            region: String::new(),
            size: String::new(),
            image: snapshot.id,
            tags: Vec::new(),
            ssh_keys: Vec::new(),
        };
        Self { snapshot, droplet }
    }
}

impl Plan for Launch {
    fn word(&self) -> &'static str {
        "launch"
    }

    fn works(&self) -> Vec<Work> {
        vec![Work::Create(self.droplet.clone())]
    }

    fn snapshot(&self) -> Option<&SnapshotRef> {
        Some(&self.snapshot)
    }

    fn needs_a_sure_answer(&self) -> bool {
        true
    }

    fn mark(&mut self, operation: OperationId) {
        let own = launch_tag(operation);
        if !self.droplet.tags.contains(&own) {
            self.droplet.tags.push(own);
        }
    }
}
