//! The consequences of a commit apart from the state itself: messages, events, owed power, and durations of steps.

use jiff::Timestamp;

use super::event::Event;
use crate::operation::{kinds::SnapshotRef, report::ReportKind, step::Task};

/// What a commit writes apart from the state itself.
pub(super) struct Consequences {
    pub(super) rescued: bool,
    pub(super) heard_up_to: Option<i64>,
    pub(super) power: bool,
    /// Questions and calls whose text has become outdated.
    pub(super) outdated: Vec<ReportKind>,
    pub(super) reports: Vec<ReportKind>,
    /// The Snapshot that is deleted now: its announcement no longer offers anything, and no schedule holds it.
    pub(super) deleted: Option<SnapshotRef>,
    pub(super) durations: Vec<(Task, i64)>,
    pub(super) events: Vec<Event>,
    pub(super) at: Timestamp,
}

impl Consequences {
    /// Whether there is nothing to write except the state.
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
