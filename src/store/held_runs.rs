//! Runs of groups that persons have just begun and that begin no member before their answer has left.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use super::Store;
use crate::operation::ids::RunId;

/// Those runs. Kept in memory alone: after a restart each goes on.
#[derive(Debug, Default)]
pub(super) struct HeldRuns(Mutex<BTreeSet<RunId>>);

impl HeldRuns {
    /// Holds a run.
    pub(super) fn hold(&self, run: RunId) {
        self.0.lock().insert(run);
    }

    /// Lets a run go on.
    pub(super) fn release(&self, run: RunId) {
        self.0.lock().remove(&run);
    }

    /// Whether a run is held.
    pub(super) fn holds(&self, run: RunId) -> bool {
        self.0.lock().contains(&run)
    }
}

impl Store {
    /// Whether a run begins no member yet, because the person who began it awaits an answer. Known to this process alone: what a process began
    /// that has died goes on, like a take.
    pub fn is_held(&self, run: RunId) -> bool {
        self.held_runs.holds(run)
    }

    /// The person who began a run was answered, or it was stopped.
    pub fn release_run(&self, run: RunId) {
        self.held_runs.release(run);
        self.ring_groups();
    }
}
