//! What follows from a commit next to the state itself: messages, events, what is owed, how long steps took.

use jiff::Timestamp;

use super::event::Event;
use crate::operation::{kinds::SnapshotRef, report::ReportKind, step::Task};

/// What a commit writes besides the state itself.
pub(super) struct Consequences {
    pub(super) rescued: bool,
    pub(super) heard_up_to: Option<i64>,
    pub(super) power: bool,
    /// Questions and calls that say something else by now.
    pub(super) outdated: Vec<ReportKind>,
    pub(super) reports: Vec<ReportKind>,
    /// The Snapshot that is deleted now: the announcement of the operation that took it offers nothing any more, and no schedule has it.
    pub(super) deleted: Option<SnapshotRef>,
    pub(super) durations: Vec<(Task, i64)>,
    pub(super) events: Vec<Event>,
    pub(super) at: Timestamp,
}

impl Consequences {
    /// Whether the state is all that there is to write.
    pub(super) fn are_none(&self) -> bool {
        !self.rescued
            && self.heard_up_to.is_none()
            && !self.power
            && self.outdated.is_empty()
            && self.reports.is_empty()
            && self.deleted.is_none()
            && self.durations.is_empty()
            && self.events.is_empty()
    }
}
