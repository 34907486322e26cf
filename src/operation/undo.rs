//! Undoing a restore: how long that is offered, with which Snapshot, and how a safety Snapshot is recognised by its name.
//!
//! An undo is just another restore, of the safety Snapshot, which takes a new one first. The Discord front end offers it.

use jiff::{SignedDuration, Timestamp};

use super::{
    Operation,
    backoff::later,
    kinds::{Kind, Restore, SAFETY, Safety},
    reading::{Failure, SnapshotReading},
    step::{State, Step, Task},
};

/// How long after its end a restore can be undone by a press.
pub const UNDO_WINDOW: SignedDuration = SignedDuration::from_hours(24);

impl Operation {
    /// The Snapshot of what was on the disk before this restore began to overwrite it.
    pub fn safety_snapshot(&self) -> Option<&SnapshotReading> {
        let Kind::Restore(Restore { safety: Safety::Snapshot, .. }) = &self.kind else { return None };
        self.snapshot.as_ref().filter(|_| self.may_have_overwritten())
    }

    /// Whether a restore may have changed the disk: its command was sent, and not simply refused.
    pub fn may_have_overwritten(&self) -> bool {
        let touched = |step: &Step| match &step.state {
            State::Failed { why, .. } => match why {
                Failure::ActionErrored
                | Failure::ActionVanished
                | Failure::RestoreUnclear
                | Failure::Internal
                // A command that was refused with these has not begun, but a look refused with these may have followed one that has.
                | Failure::Unauthorized
                | Failure::OtherAccount
                | Failure::Forbidden { .. } => true,
                Failure::DropletGone
                | Failure::SnapshotGone
                | Failure::DropletUnusable { .. }
                | Failure::TagRemoved { .. }
                | Failure::Refused { .. }
                | Failure::Hung
                | Failure::PowerFirst
                | Failure::TooOld
                | Failure::ChangedMeanwhile
                | Failure::NotKnown
                | Failure::NotListed
                | Failure::NotWarned => false,
            },
            State::Waiting(_) | State::Intended { .. } | State::Running(_) | State::Done { .. } | State::Skipped => {
                true
            }
        };
        self.steps.iter().any(|step| step.task() == Task::Restore && step.began.is_some() && touched(step))
    }

    /// Whether a Snapshot of ours may exist that the bot can no longer see.
    pub fn may_have_left_a_snapshot(&self) -> bool {
        let is_out_of_sight = |state: &State| match state {
            State::Failed { why, .. } => matches!(
                why,
                Failure::Unauthorized
                    | Failure::OtherAccount
                    | Failure::Forbidden { .. }
                    | Failure::ActionVanished
                    | Failure::NotListed
                    | Failure::Internal
            ),
            State::Waiting(_) | State::Intended { .. } | State::Running(_) | State::Done { .. } | State::Skipped => {
                false
            }
        };
        let unseen =
            |step: &Step| step.task() == Task::Snapshot && step.began.is_some() && is_out_of_sight(&step.state);
        self.snapshot.is_none() && self.steps.iter().any(unseen)
    }

    /// Whether a new Droplet of ours may exist that the bot never saw: the answer to its creation was lost, and the operation failed before
    /// a look found it.
    pub fn may_have_left_a_droplet(&self) -> bool {
        let unseen =
            |step: &Step| step.task() == Task::Create && step.answer_lost && matches!(step.state, State::Failed { .. });
        self.launched.is_none() && self.steps.iter().any(unseen)
    }

    /// Until when this restore can be undone by a press; `None` if there is no Snapshot to go back to, or not yet.
    pub fn undo_until(&self) -> Option<Timestamp> {
        self.safety_snapshot()?;
        self.ended.map(|ended| later(ended, UNDO_WINDOW))
    }
}

/// Whether a Snapshot's name is that of a safety Snapshot of ours: `<droplet>-safety-YYYYMMDD-HHMM-<operation>`.
pub fn is_safety_name(name: &str) -> bool {
    let mut parts = name.rsplitn(5, '-');
    let id = parts.next().is_some_and(|id| id.parse::<super::ids::OperationId>().is_ok());
    let digits = |part: Option<&str>, length| {
        part.is_some_and(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    id && digits(parts.next(), 4) && digits(parts.next(), 8) && parts.next() == Some(SAFETY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_safety_snapshot_is_told_by_its_name() {
        assert!(is_safety_name("web-1-safety-20261122-1740-7f3kq2xa"));
        for other in ["web-1-20261122-1740-7f3kq2xa", "safety", "web-safety-20261122-1740-7f3kq2xl", "", "-safety---"] {
            assert!(!is_safety_name(other), "{other}");
        }
    }
}
