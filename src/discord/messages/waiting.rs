//! The line of the step that is under way: since when, how long it usually takes, and what it waits for.

use jiff::{SignedDuration, Timestamp};

use super::{
    failure,
    text::{name, plain, vendors},
    units::{ago, clock, guess, usually},
};
use crate::operation::{
    Blocker, Obstacle, Operation,
    reading::Failure,
    step::{Doubt, Run, State, Step, Task},
    warning::Warned,
};

/// The step that is under way: since when, how long it usually takes, what it waits for.
pub(super) fn active(verb: &str, step: &Step, operation: &Operation, now: Timestamp) -> String {
    if let Some(Warned::Ahead { at: Some(at), .. }) = operation.warned().filter(|_| step.task() == Task::ShutDown) {
        let channel = operation.warning.map_or(operation.requester.channel, |warning| warning.warn.channel);
        return format!("⏳ {verb} {}; <#{channel}> is warned", ago(at));
    }
    if let (Task::PowerOff, Some(Obstacle { what: Blocker::Event(_) | Blocker::Locked, since })) =
        (step.task(), &operation.obstacle)
    {
        let since = ago(*since);
        return format!(
            "⚠️ {verb} — DigitalOcean hasn't finished the shutdown yet ({since}); I'll cut the power as soon as it lets me"
        );
    }
    if let Some(obstacle) = &operation.obstacle {
        return format!("⚠️ {verb} — {}, waiting since {}", blocker(&obstacle.what), clock(obstacle.since));
    }
    if step.task() == Task::ShutDown && operation.question.is_some() {
        return format!("⚠️ {verb} — {}", failure::short(&Failure::Hung));
    }
    match (&step.state, step.began) {
        (State::Intended { doubt: Some(Doubt { refused: Some(_), .. }), .. }, _) => {
            format!("🔄 {verb} — DigitalOcean refused; checking whether it was carried out all the same")
        }
        (State::Intended { doubt: Some(_), .. }, _) => {
            format!("🔄 {verb} — DigitalOcean's answer got lost; checking whether it was carried out")
        }
        (State::Running(Run { completed: Some(_), .. }), Some(began)) if step.task() == Task::Snapshot => {
            format!("🔄 {verb} — started {}, taken; waiting for DigitalOcean to list it", ago(began))
        }
        (_, Some(began)) => {
            let waits = if now.duration_since(began) > BRIEF { waits_for(step, operation) } else { "" };
            format!("🔄 {verb} — started {}{}{waits}", ago(began), pace(step.task(), began, operation, now))
        }
        (_, None) if step.task() == Task::PowerOn && operation.power.failures() > 0 => {
            format!("🔄 {verb}{}", waits_for(step, operation))
        }
        (_, None) => format!("🔄 {verb}"),
    }
}

/// After this time, the line says what the step waits for.
const BRIEF: SignedDuration = SignedDuration::from_secs(30);

/// What a long step waits for, to follow its duration.
fn waits_for(step: &Step, operation: &Operation) -> &'static str {
    let is_over = step.run().is_some_and(Run::ended);
    match step.task() {
        Task::ShutDown => "; waiting for its system to stop",
        Task::PowerOff => "; waiting for DigitalOcean to cut the power",
        Task::PowerOn if operation.power.failures() > 0 => "; it didn't come on yet, so I try again within 2 min",
        Task::PowerOn | Task::Restart => "; waiting for DigitalOcean to show it on",
        Task::Snapshot => "; DigitalOcean is copying the disk",
        Task::Restore if is_over => "; waiting for DigitalOcean to unlock it",
        Task::Restore => "; DigitalOcean is writing the disk",
        Task::Create => "; waiting for DigitalOcean to start it",
        Task::Delete | Task::EnableBackups | Task::ChangeBackups | Task::DisableBackups | Task::KeepBackup => {
            "; waiting for DigitalOcean to finish"
        }
    }
}

/// How long the step usually takes, and that it is slower this time.
fn pace(task: Task, began: Timestamp, operation: &Operation, now: Timestamp) -> String {
    match operation.typical.of(task) {
        Some(typical) if now.duration_since(began) > typical * 3 / 2 => {
            format!(", {}: slower than usual", usually(typical))
        }
        Some(typical) => format!(", {}", usually(typical)),
        None if matches!(task, Task::Snapshot | Task::Restore) => {
            format!(", {}", guess(operation.target.disk_gb))
        }
        None => String::new(),
    }
}

pub(super) fn blocker(what: &Blocker) -> String {
    match what {
        Blocker::Event(Some(kind)) => format!("another Action, {}, is in progress", vendors(kind)),
        Blocker::Event(None) => "another Action is in progress".to_owned(),
        Blocker::Locked => "the Droplet is locked while DigitalOcean works on it".to_owned(),
        Blocker::Unsettled(status) => format!("the Droplet is {}", name(&plain(status, 40))),
        Blocker::Outage => "DigitalOcean isn't responding".to_owned(),
        Blocker::Throttled => "DigitalOcean's request limit is reached".to_owned(),
        Blocker::Turn => "other operations come first".to_owned(),
    }
}
