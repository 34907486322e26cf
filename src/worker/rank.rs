//! Which of an operation's requests goes first when the budget is short, and how fresh a reading must be.

use jiff::Timestamp;

use crate::{
    digitalocean::{budget::Priority, watcher},
    operation::{
        Operation,
        step::{State, Step, Task},
    },
};

/// The rank of an operation's next request: power back first, then what a lost answer left open, then Droplets that are off.
pub(super) fn priority(operation: &Operation) -> Priority {
    let Some(step) = operation.active_step() else { return Priority::Poll };
    let is_down = operation.power.owed.is_some() && !operation.power.parked;
    match (step.task, &step.state) {
        (Task::PowerOn, _) => Priority::PowerOn,
        (_, State::Intended { .. }) => Priority::LookUp,
        (_, State::Running(_)) => Priority::Poll,
        (_, State::Waiting(_)) if is_down => Priority::SnapshotOff,
        (Task::ShutDown, State::Waiting(_)) => Priority::Shutdown,
        (_, State::Waiting(_) | State::Done { .. } | State::Skipped | State::Failed { .. }) => Priority::Person,
    }
}

/// What a shared reading must be good for: after a command, nothing from before it; before one, nothing but the present.
pub(super) fn freshness(operation: &Operation, now: Timestamp) -> watcher::Look {
    let priority = priority(operation);
    let since = match operation.active_step() {
        Some(Step { state: State::Running(run), began, .. }) => run.completed.or(run.broken).or(*began).unwrap_or(now),
        Some(_) | None => now,
    };
    watcher::Look { priority, since }
}
