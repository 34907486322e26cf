//! The progress message: one embed with the most important facts first, a line for each step, and the present buttons.
//!
//! It is rendered from the operation after each change. The reader's own client counts elapsed times.

use jiff::{SignedDuration, Timestamp};

use super::{
    Wording, capitalised, failure,
    kinds::words,
    lengths,
    message::{Button, Colour, Embed, Message, Style},
    steps_left,
    text::{name, plain, shorten, vendors},
    units::{ago, clock, duration, roughly},
    waiting::active,
};
use crate::{
    discord::press::{Act, Press},
    operation::{
        FirstAnswer, Operation, Outcome,
        power::{Released, Status},
        reading::{Failure, PowerState},
        step::{State, Step, Task},
        trigger::Trigger,
        warning::Warned,
    },
};

/// The message as it should read at `now`.
pub fn progress(operation: &Operation, wording: &Wording, now: Timestamp) -> Message {
    let mut lines: Vec<String> = steps_left::progress_line(operation).into_iter().collect();
    lines.extend(steps(operation, now));
    if operation.ended.is_some() && operation.outcome == Some(Outcome::Completed) {
        lines.extend(words(&operation.kind).result(operation, wording));
    }
    if operation.question.is_some() {
        lines.push(String::new());
        lines.push("❓ I'm waiting for an answer to the question below.".to_owned());
    }
    lines.extend(withdrawn(operation).into_iter().flat_map(|why| [String::new(), why]));
    lines.push(String::new());
    lines.push(asked(operation));
    Message {
        embeds: vec![Embed { description: lines.join("\n"), ..frame(operation) }],
        buttons: buttons(operation),
        ..Message::default()
    }
}

/// An embed about an operation with its title, color and footer, and an empty description.
pub(super) fn frame(operation: &Operation) -> Embed {
    let phase = Phase::of(operation);
    Embed {
        title: shorten(&title(operation, phase), lengths::TITLE),
        description: String::new(),
        footer: footer(operation),
        colour: phase.colour(),
    }
}

/// The state at a glance, the subject, and the one fact that readers want most.
fn title(operation: &Operation, phase: Phase) -> String {
    let words = words(&operation.kind);
    let target = &operation.target.name;
    let what = match phase {
        Phase::Working if operation.cancelled.is_none() => words.doing(target, &name),
        _ => capitalised(&words.titled(target, &name)),
    };
    let sign = phase.sign().map(|sign| format!("{sign} ")).unwrap_or_default();
    match phase.words(operation) {
        how if how.is_empty() => format!("{sign}{what}"),
        how => format!("{sign}{what} · {how}"),
    }
}

/// A line for each step, including turning the Droplet back on.
pub(super) fn steps(operation: &Operation, now: Timestamp) -> Vec<String> {
    let steps = operation.steps.iter().map(|step| line(step, operation, now));
    steps.chain(power_line(operation, now)).collect()
}

/// The line of the step that is under way; `None` if all steps have ended.
pub(super) fn under_way(operation: &Operation, now: Timestamp) -> Option<String> {
    let step = operation.active_step()?;
    match step.task() {
        Task::PowerOn => power_line(operation, now),
        Task::ShutDown
        | Task::PowerOff
        | Task::Snapshot
        | Task::Restart
        | Task::Restore
        | Task::Create
        | Task::Delete
        | Task::EnableBackups
        | Task::ChangeBackups
        | Task::DisableBackups
        | Task::KeepBackup => Some(line(step, operation, now)),
    }
}

/// The state of an operation in its title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Working,
    Asking,
    PowerBack,
    Stuck,
    Completed,
    Failed,
    Cancelled,
    Withdrawn,
}

impl Phase {
    fn of(operation: &Operation) -> Self {
        if operation.power.stuck().is_some() {
            return Self::Stuck;
        }
        if operation.question.is_some() {
            return Self::Asking;
        }
        match &operation.outcome {
            None => Self::Working,
            Some(_) if operation.ended.is_none() => Self::PowerBack,
            Some(Outcome::Completed) => Self::Completed,
            Some(Outcome::Failed(_)) => Self::Failed,
            Some(Outcome::Cancelled) if operation.is_withdrawn() => Self::Withdrawn,
            Some(Outcome::Cancelled) => Self::Cancelled,
        }
    }

    fn words(self, operation: &Operation) -> String {
        match self {
            Self::Working => outlook(operation),
            Self::Asking => "shutdown is stuck, decide below".to_owned(),
            Self::PowerBack if operation.kind.owes_power() => "powering on".to_owned(),
            Self::PowerBack => "powering back on".to_owned(),
            Self::Stuck => "still off".to_owned(),
            // A title with "ready" and "cancelled" at once would be confusing.
            Self::Completed if operation.cancelled.is_some() => "too late to cancel".to_owned(),
            Self::Completed => words(&operation.kind).done().to_owned(),
            Self::Failed => "failed".to_owned(),
            Self::Cancelled => "cancelled".to_owned(),
            Self::Withdrawn => "withdrawn, nothing was done".to_owned(),
        }
    }

    fn sign(self) -> Option<&'static str> {
        match self {
            Self::Working | Self::PowerBack => None,
            Self::Asking | Self::Stuck => Some("⚠️"),
            Self::Completed => Some("✅"),
            Self::Failed => Some("❌"),
            Self::Cancelled | Self::Withdrawn => Some("⏭️"),
        }
    }

    fn colour(self) -> Colour {
        match self {
            Self::Working | Self::PowerBack => Colour::Working,
            Self::Asking => Colour::Asking,
            Self::Stuck | Self::Failed => Colour::Failed,
            Self::Completed => Colour::Done,
            Self::Cancelled | Self::Withdrawn => Colour::Stopped,
        }
    }
}

/// What readers want to know first: how long the Droplet will be down.
fn outlook(operation: &Operation) -> String {
    match (operation.cancelled.is_some(), operation.power.downtime().is_some()) {
        (true, _) => return stopping(operation).to_owned(),
        (false, true) => return "back online".to_owned(),
        (false, false) => {}
    }
    if !operation.steps.iter().any(|step| step.task().traits().yields_to_power) {
        return String::new();
    }
    if operation.power.before() == Some(PowerState::Off) {
        return "off before, stays off".to_owned();
    }
    // A shutdown that was given up turns nothing off any more, unless it is forced.
    let may_turn_off = |step: &Step| step.task().traits().may_turn_off && !matches!(step.state, State::Failed { .. });
    if !operation.steps.iter().any(may_turn_off) {
        return "no downtime".to_owned();
    }
    if matches!(operation.warned(), Some(Warned::Ahead { .. })) {
        return "still on, going down soon".to_owned();
    }
    match downtime(operation) {
        Some(expected) => format!("offline ≈ {}", roughly(expected)),
        None => "offline until it is done".to_owned(),
    }
}

/// What happens to a cancelled operation: DigitalOcean stops nothing that it has begun.
fn stopping(operation: &Operation) -> &'static str {
    let Some(step) = operation.current() else { return "stopping" };
    let is_begun = match step.state {
        State::Running(_) | State::Intended { doubt: None, .. } => true,
        State::Intended { doubt: Some(_), .. }
        | State::Waiting(_)
        | State::Done { .. }
        | State::Skipped
        | State::Failed { .. } => false,
    };
    match step.task() {
        Task::Snapshot if is_begun => words(&operation.kind).taking().stopping,
        Task::Restart
        | Task::Restore
        | Task::Create
        | Task::Delete
        | Task::EnableBackups
        | Task::ChangeBackups
        | Task::DisableBackups
        | Task::KeepBackup
            if is_begun =>
        {
            "too late to stop"
        }
        Task::Snapshot
        | Task::Restart
        | Task::Restore
        | Task::Create
        | Task::Delete
        | Task::ShutDown
        | Task::PowerOff
        | Task::PowerOn
        | Task::EnableBackups
        | Task::ChangeBackups
        | Task::DisableBackups
        | Task::KeepBackup => "stopping",
    }
}

/// The expected time from the shutdown until the Droplet is on again, by history; `None` without a history of the longest part.
pub fn downtime(operation: &Operation) -> Option<SignedDuration> {
    let typical = |task| operation.typical.of(task);
    let longest = operation.steps.iter().filter(|step| !step.task().turns_off());
    let mut sum = SignedDuration::ZERO;
    for step in longest {
        sum += typical(step.task())?;
    }
    let around = [Task::ShutDown, Task::PowerOn].into_iter().filter_map(typical);
    Some(around.fold(sum, |sum, part| sum + part))
}

/// The name of a task when it is not under way, and when it is.
fn called(task: Task, operation: &Operation) -> (&'static str, &'static str) {
    match task {
        Task::ShutDown => ("Shut down", "Shutting down"),
        Task::PowerOff => ("Force power off", "Forcing power off"),
        Task::Snapshot => words(&operation.kind).taking().step,
        Task::Restart => ("Restart", "Restarting"),
        Task::Restore => ("Restore", "Restoring"),
        Task::Create => ("Create", "Creating"),
        Task::Delete => ("Delete", "Deleting"),
        Task::PowerOn => ("Power on", "Powering on"),
        Task::EnableBackups => ("Turn Backups on", "Turning Backups on"),
        Task::ChangeBackups => ("Change Backups", "Changing Backups"),
        Task::DisableBackups => ("Turn Backups off", "Turning Backups off"),
        Task::KeepBackup => ("Keep Backup", "Keeping the Backup"),
    }
}

fn line(step: &Step, operation: &Operation, now: Timestamp) -> String {
    let (noun, verb) = called(step.task(), operation);
    match &step.state {
        State::Done { .. } => match step.took() {
            Some(took) => format!("✅ {noun} — {}", duration(took)),
            None => format!("✅ {noun}"),
        },
        State::Skipped if operation.outcome.as_ref().is_some_and(|outcome| *outcome != Outcome::Completed) => {
            format!("⏭️ {noun} — not started")
        }
        State::Skipped => format!("⏭️ {noun} — not needed"),
        State::Failed { why: Failure::Hung, .. } => format!("⚠️ {noun} — {}", failure::short(&Failure::Hung)),
        State::Failed { why, .. } => format!("❌ {noun} — {}", failure::short(why)),
        State::Waiting(_) | State::Intended { .. } | State::Running(_) => {
            let run = step.run().filter(|run| step.task() == Task::Snapshot && run.ended());
            if operation.active_step() == Some(step) {
                active(verb, step, operation, now)
            } else if let Some(run) = run {
                // An Action that has ended does not mean that the Snapshot exists: the Action may have failed, or may not have been read.
                let is_taken = run.completed.is_some() && run.broken.is_none() && !run.concluded;
                let state = if is_taken {
                    "taken; I turn the Droplet on first"
                } else {
                    "I check it once the Droplet is back on"
                };
                format!("🔄 {noun} — {state}")
            } else {
                format!("▫️ {noun}")
            }
        }
    }
}

/// The line about turning the Droplet on again, for kinds that may turn it off.
fn power_line(operation: &Operation, now: Timestamp) -> Option<String> {
    let power = &operation.power;
    let may_turn_off = operation.steps.iter().any(|step| step.task().traits().may_turn_off);
    if !may_turn_off && !operation.kind.owes_power() && power.owed().is_none() {
        return None;
    }
    let (noun, verb) = called(Task::PowerOn, operation);
    if words(&operation.kind).is_about_power() && power.status() == Status::Untouched {
        let is_over = power.back().is_over() && operation.outcome.is_some();
        return is_over.then(|| line(power.back(), operation, now)).filter(|_| operation.kind.owes_power());
    }
    Some(match power.status() {
        Status::Released(release) => match release.how {
            Released::LeftOff => format!("⏭️ {noun} — left off by <@{}>", release.by),
            Released::Handled => format!("⏭️ {noun} — <@{}> is taking care of it", release.by),
        },
        Status::Theirs(theirs) => {
            format!("⏭️ {noun} — somebody else turned it off meanwhile ({})", vendors(&theirs.kind))
        }
        Status::OffBefore => format!("⏭️ {noun} — it was off before"),
        Status::Stuck(_) => format!("⚠️ {noun} — hasn't worked yet; I try again every few minutes"),
        Status::Watched(until) => {
            let until = until.map(|until| format!(" until {}", clock(until))).unwrap_or_default();
            format!("✅ {noun} — it is on; I watch for a late shutdown{until}")
        }
        Status::Back(downtime) => format!("✅ {noun} — down for {}", duration(downtime)),
        Status::Owed if operation.active_step() == Some(power.back()) => active(verb, power.back(), operation, now),
        Status::Gone => format!("⏭️ {noun} — the Droplet is gone"),
        Status::Untouched if power.was_told_to_turn_off() => format!("✅ {noun} — it never went off"),
        Status::Untouched if operation.outcome.is_some() => format!("⏭️ {noun} — it never went off"),
        Status::Owed | Status::Untouched => format!("▫️ {noun}"),
    })
}

/// Why nothing was done, and what to do now.
fn withdrawn(operation: &Operation) -> Option<String> {
    let why = match operation.first_answer {
        _ if !operation.is_withdrawn() => return None,
        FirstAnswer::Refused => "Discord didn't show my answer",
        FirstAnswer::Lost | FirstAnswer::Taken | FirstAnswer::Awaited => {
            "I don't know whether Discord showed my answer"
        }
    };
    Some(format!("{why}, so I did nothing. Use the command again if you still want this."))
}

/// Who requested it, when, and who stopped it.
pub(super) fn asked(operation: &Operation) -> String {
    let (person, when) = (operation.requester.user, ago(operation.asked_at));
    let asked = match operation.trigger.and_then(Trigger::schedule) {
        Some(schedule) if operation.is_automatic() => format!("Begun by schedule `{schedule}` of <@{person}> {when}"),
        Some(schedule) => format!("Requested by <@{person}> for schedule `{schedule}` {when}"),
        None => format!("Requested by <@{person}> {when}"),
    };
    match operation.cancelled {
        Some(cancelled) => match cancelled.by {
            Some(by) if operation.outcome == Some(Outcome::Completed) => {
                format!("{asked}; <@{by}> cancelled too late")
            }
            Some(by) => format!("{asked}, cancelled by <@{by}>"),
            None => format!("{asked}, cancelled because nobody answered"),
        },
        None => asked,
    }
}

fn footer(operation: &Operation) -> String {
    let region = operation.target.region.as_deref().map(|region| plain(region, 40));
    let disk = operation.target.disk_gb.map(|gb| format!("{gb} GB disk"));
    let parts = [region, disk, Some(format!("operation {}", operation.id))];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The buttons that can be pressed now.
fn buttons(operation: &Operation) -> Vec<Button> {
    let button = |label: &'static str, style, act| {
        Button::new(label, style, Press::Instruction { act, operation: operation.id })
    };
    let label = match steps_left::stoppable(operation) {
        steps_left::Stoppable::Now => Some("Cancel"),
        steps_left::Stoppable::SnapshotIsKept => Some("Cancel (Snapshot is kept)"),
        steps_left::Stoppable::No => None,
    };
    let cancel = button(label.unwrap_or("Cancel"), Style::Secondary, Act::Cancel);
    let leave_off = button("Leave it off", Style::Secondary, Act::LeaveOff);
    let hangs_on = operation.steps.iter().any(|step| matches!(step.state, State::Failed { why: Failure::Hung, .. }));
    let hangs_on = hangs_on || operation.question.is_some();
    let power = &operation.power;
    // A shutdown that DigitalOcean refused has turned nothing off.
    let may_go_off = power.was_told_to_turn_off() && !hangs_on;
    let is_off = power.is_owed() && (power.was_seen_off() || may_go_off);
    let can_cancel = operation.outcome.is_none() && operation.cancelled.is_none() && label.is_some();
    let turn_on = Button::new("Turn it on", Style::Secondary, Press::TurnOn(operation.id));
    let is_theirs = matches!(power.status(), Status::Theirs(_)) && operation.ended.is_some();
    let offered = [(can_cancel, cancel), (is_off, leave_off), (is_theirs, turn_on)];
    offered.into_iter().filter_map(|(offered, button)| offered.then_some(button)).collect()
}
