//! The facts of a notice about a schedule, and whether a person must decide about it.

use jiff::Timestamp;

use crate::{
    operation::{Operation, ids::OperationId},
    schedule::{Schedule, State, notice::Notice, pruning::Candidate, run::Run},
    store::ScheduleSnapshot,
};

/// The facts of a notice about one schedule.
pub struct NoticeFacts<'t> {
    /// The schedule.
    pub schedule: &'t Schedule,
    /// The notice.
    pub notice: &'t Notice,
    /// The operations that failed, if any.
    pub operations: &'t [Operation],
    /// The run of a group that it is about, if still known.
    pub run: Option<&'t Run>,
    /// The Snapshots of the schedule, if people are asked about some of them.
    pub asked: Option<InQuestion<'t>>,
}

/// The facts for a decision about Snapshots.
#[derive(Clone, Copy, Debug)]
pub struct InQuestion<'t> {
    /// All Snapshots of the schedule, newest first.
    pub snapshots: &'t [ScheduleSnapshot],
    /// The price of a Snapshot in dollars per GB and month.
    pub price_per_gb: f64,
}

impl NoticeFacts<'_> {
    /// Whether a decision about the much smaller Snapshot of this operation is still needed.
    pub(super) fn is_doubtful(&self, operation: OperationId) -> bool {
        let candidates = |asked: InQuestion<'_>| asked.snapshots.iter().map(ScheduleSnapshot::candidate).collect();
        let candidates: Option<Vec<Candidate>> = self.asked.map(candidates);
        let is_newest = candidates.is_none_or(|candidates| self.schedule.is_doubtful(&candidates, operation));
        is_newest && !self.schedule.watched.relied_on.contains(&operation) && self.schedule.state != State::Removed
    }

    /// Whether there are Snapshots that were planned after this moment.
    pub(super) fn has_others_after(&self, moment: Timestamp) -> bool {
        self.asked.is_some_and(|asked| asked.snapshots.iter().any(|snapshot| snapshot.planned > Some(moment)))
    }
}

/// Whether this question of a schedule waits for an answer.
pub(super) fn asks(schedule: &Schedule, question: u32) -> bool {
    schedule.watched.deletions.asks(question) && schedule.state != State::Removed
}
