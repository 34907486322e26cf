//! Runs of groups that persons have just begun and that begin no member before their answer has left.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use crate::operation::ids::RunId;

/// Those runs. Kept in memory alone: after a restart each goes on.
#[derive(Debug, Default)]
pub(super) struct HeldRuns(Mutex<BTreeSet<RunId>>);

impl HeldRuns {
    /// Holds a run.
    pub(super) fn hold(&self, run: RunId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(run);
    }

    /// Lets a run go on.
    pub(super) fn release(&self, run: RunId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&run);
    }

    /// Whether a run is held.
    pub(super) fn holds(&self, run: RunId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&run)
    }
}
