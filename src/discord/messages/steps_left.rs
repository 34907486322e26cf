//! The progress of an operation, and what of it can still be stopped.

use jiff::SignedDuration;

use super::units::ago;
use crate::operation::{
    Operation,
    step::{State, Task},
};

/// The number of characters of the bar.
const BAR: u32 = 6;

/// The progress: ``Step 2 of 3``, and with a history a bar and the expected end. It changes with the steps, not with time.
pub(super) fn progress_line(operation: &Operation) -> Option<String> {
    if operation.outcome.is_some() || operation.question.is_some() || operation.cancelled.is_some() {
        return None;
    }
    let turns_on = operation.steps.iter().any(|step| step.task().turns_off());
    let count = operation.steps.len() + usize::from(turns_on);
    let at = operation.steps.iter().position(|step| !step.is_over()).unwrap_or(operation.steps.len());
    // The line of a single step already tells its state.
    let step = (count > 1).then(|| format!("Step {} of {count}", at + 1));
    let began = operation.current().and_then(|step| step.began);
    let Some((began, rest)) = began.zip(rest_of(operation)) else { return step };
    let parts = u32::try_from(count).unwrap_or(u32::MAX);
    let full = (u32::try_from(at).unwrap_or(0) * BAR + BAR / 2) / parts;
    let bar: String = (0..BAR).map(|place| if place < full.max(1) { '▰' } else { '▱' }).collect();
    let done = began.saturating_add(rest).unwrap_or(began);
    let step = step.map(|step| format!(" {step} ·")).unwrap_or_default();
    Some(format!("{bar}{step} due {}", ago(done)))
}

/// The expected time from the beginning of the present step to the end of the operation, by history.
fn rest_of(operation: &Operation) -> Option<SignedDuration> {
    let mut rest = SignedDuration::ZERO;
    for step in operation.steps.iter().filter(|step| !step.is_over()) {
        rest += operation.typical.of(step.task())?;
    }
    let back = operation.steps.iter().any(|step| step.task().turns_off());
    Some(rest + if back { operation.typical.of(Task::PowerOn)? } else { SignedDuration::ZERO })
}

/// What *Cancel* can still stop.
pub(super) enum Stoppable {
    Now,
    SnapshotIsKept,
    No,
}

/// DigitalOcean does not stop an Action that it has accepted. A request that may have arrived counts as accepted.
pub(super) fn stoppable(operation: &Operation) -> Stoppable {
    let Some(step) = operation.current() else { return Stoppable::Now };
    let is_sent = matches!(step.state, State::Intended { .. } | State::Running(_));
    match step.task() {
        // After a shutdown, the operation can still turn the Droplet on and end.
        Task::ShutDown | Task::PowerOff | Task::PowerOn => Stoppable::Now,
        _ if !is_sent => Stoppable::Now,
        Task::Snapshot => Stoppable::SnapshotIsKept,
        Task::Restart
        | Task::Restore
        | Task::Create
        | Task::Delete
        | Task::EnableBackups
        | Task::ChangeBackups
        | Task::DisableBackups
        | Task::KeepBackup => Stoppable::No,
    }
}
