//! Runs of groups that people have just started, and that begin no member before the answer to the person is known to have arrived.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use super::Store;
use crate::operation::ids::RunId;

/// The held runs. They are kept only in memory: after a restart each run continues.
#[derive(Debug, Default)]
pub(super) struct HeldRuns(Mutex<BTreeSet<RunId>>);

impl HeldRuns {
    /// Holds back a run.
    pub(super) fn hold(&self, run: RunId) {
        self.0.lock().insert(run);
    }

    /// Lets a held run continue.
    pub(super) fn release(&self, run: RunId) {
        self.0.lock().remove(&run);
    }

    /// Whether a run is held.
    pub(super) fn holds(&self, run: RunId) -> bool {
        self.0.lock().contains(&run)
    }
}

impl Store {
    /// Whether a run begins no member yet, because the person who started it has not been answered. Only this process knows that: after a
    /// restart the run continues, as a take does.
    pub fn is_held(&self, run: RunId) -> bool {
        self.held_runs.holds(run)
    }

    /// Lets a run continue after the person who started it was answered or the run was stopped.
    pub fn release_run(&self, run: RunId) {
        self.held_runs.release(run);
        self.ring_groups();
    }
}
