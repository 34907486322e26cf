//! How an operation of a schedule ended, and what that means for its slot and for notices.

use crate::{
    operation::{
        Operation, Outcome,
        reading::{Failure, FailureKind},
        step::{State, Task},
        trigger::Trigger,
    },
    schedule::{
        hung_shutdowns::Shutdown,
        slot::{Failed, Missed, SlotState},
    },
};

/// The state of a slot, by how its operation ended.
pub(super) fn state(operation: &Operation, is_taken: bool) -> SlotState {
    match &operation.outcome {
        _ if is_taken => SlotState::Ran,
        // Before it begins it only looks, and if it has seen the Droplet once, DigitalOcean has answered.
        _ if is_too_late(operation) && operation.power.last_seen().is_none() => SlotState::Missed(Missed::Outage),
        _ if is_too_late(operation) => SlotState::Missed(Missed::Busy),
        Some(Outcome::Cancelled) => SlotState::Failed(Failed::Cancelled),
        _ if hung(operation) => SlotState::Failed(Failed::Hung),
        Some(Outcome::Completed | Outcome::Failed(_)) | None => SlotState::Failed(Failed::Operation),
    }
}

/// Whether it did not begin in time.
pub(super) fn is_too_late(operation: &Operation) -> bool {
    operation.outcome == Some(Outcome::Failed(Failure::TooOld))
        && operation.steps.iter().all(|step| step.began.is_none())
}

/// A word for the reason, equal for equal reasons.
pub(super) fn why(operation: &Operation, state: SlotState) -> String {
    match (&operation.outcome, state) {
        (Some(Outcome::Failed(why)), SlotState::Failed(Failed::Operation)) => format!("{:?}", FailureKind::from(why)),
        _ => state.words().1.to_owned(),
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
