//! How an operation of a schedule ended, and what that means for its slot and for notices.

use crate::{
    operation::{
        Operation, Outcome,
        reading::{Failure, FailureKind},
        step::{State, Task},
        trigger::Trigger,
    },
    schedule::{
        hangs::Shutdown,
        slot::{Failed, Fate, Missed},
    },
};

/// The fate of a slot, by how its operation ended.
pub(super) fn fate(operation: &Operation, is_taken: bool) -> Fate {
    match &operation.verdict {
        _ if is_taken => Fate::Ran,
        // Before it begins it only looks, and if it has seen the Droplet once, DigitalOcean has answered.
        _ if is_too_late(operation) && operation.power.last_seen().is_none() => Fate::Missed(Missed::Outage),
        _ if is_too_late(operation) => Fate::Missed(Missed::Busy),
        Some(Outcome::Cancelled) => Fate::Failed(Failed::Cancelled),
        _ if hung(operation) => Fate::Failed(Failed::Hung),
        Some(Outcome::Completed | Outcome::Failed(_)) | None => Fate::Failed(Failed::Operation),
    }
}

/// Whether it did not begin in time.
pub(super) fn is_too_late(operation: &Operation) -> bool {
    operation.verdict == Some(Outcome::Failed(Failure::TooOld))
        && operation.steps.iter().all(|step| step.began.is_none())
}

/// A word for the reason, equal for equal reasons.
pub(super) fn why(operation: &Operation, fate: Fate) -> String {
    match (&operation.verdict, fate) {
        (Some(Outcome::Failed(why)), Fate::Failed(Failed::Operation)) => format!("{:?}", FailureKind::from(why)),
        _ => fate.words().1.to_owned(),
    }
}

/// How its shutdown went; `None` if it had none, or the outcome is unclear.
pub(super) fn shutdown(operation: &Operation) -> Option<Shutdown> {
    let is_done =
        |task| operation.steps.iter().any(|step| step.task() == task && matches!(step.state, State::Done { .. }));
    if hung(operation) { Some(Shutdown::Hung) } else { is_done(Task::ShutDown).then_some(Shutdown::Done) }
}

fn hung(operation: &Operation) -> bool {
    operation.steps.iter().any(|step| matches!(step.state, State::Failed { why: Failure::Hung, .. }))
}

/// Whether it takes the Snapshot of one Droplet of a group.
pub(super) fn is_member(operation: &Operation) -> bool {
    matches!(operation.trigger, Some(Trigger::Member { .. }))
}
