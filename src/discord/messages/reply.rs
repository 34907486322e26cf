//! The short ephemeral replies: a command was accepted, what a press did, and unexpected failures.

use super::{
    decapitalised,
    kinds::{CannotStop, words},
    text::name,
    the_subject,
    units::{all_panel, link, panel},
};
use crate::{
    discord::press::Act,
    operation::{
        Operation,
        ids::{ChannelId, MessageId},
        kinds::Kind,
        step::{Step, Task},
    },
};

/// A command was accepted. The operation is stored from here on.
pub fn accepted(operation: &Operation, progress: Option<(ChannelId, MessageId)>) -> String {
    let doing = decapitalised(&words(&operation.kind).doing(&operation.target.name, &name));
    match progress {
        Some((channel, message)) => {
            format!("On it: {doing}. Follow it at {}", link(operation.requester.guild, channel, message))
        }
        None => format!(
            "On it: {doing}, operation `{}`. Its progress will appear in <#{}>.",
            operation.id, operation.requester.channel
        ),
    }
}

/// The bot's presence: how to begin, or how many operations run.
pub fn presence(running: usize) -> String {
    if running == 0 { "/snapshot help".to_owned() } else { format!("{running} running") }
}

/// An instruction was accepted.
pub fn heard(act: Act, operation: &Operation) -> String {
    match act {
        Act::Cancel => cancelling(operation),
        Act::Force => "Cutting the power. What wasn't saved is lost.".to_owned(),
        Act::Live => "OK, I'll go on with the Droplet running.".to_owned(),
        Act::LeaveOff => "OK, I'll leave the Droplet off.".to_owned(),
        Act::HandleIt => "It's yours. I'll stop trying to turn the Droplet on.".to_owned(),
        Act::KeepWaiting => format!(
            "OK, I'll keep waiting and call nobody for the next 6 hours. I'll turn {} on as soon as this is over.",
            name(&operation.target.name)
        ),
        Act::TurnOn => turning_on(operation),
        Act::Postpone => format!("OK, {} goes down 10 min later.", name(&operation.target.name)),
    }
}

/// This many operations accepted the instruction to keep waiting.
pub fn waiting_for_all(count: usize) -> String {
    let droplets = if count == 1 { "the Droplet".to_owned() } else { format!("all {count} Droplets") };
    format!(
        "OK, I'll keep waiting and call nobody for the next 6 hours. I'll turn {droplets} on as soon as this is over."
    )
}

/// What happens to the rest of the operation once a person wants the Droplet on.
fn turning_on(operation: &Operation) -> String {
    let droplet = name(&operation.target.name);
    let runs = operation.current().filter(|step| step.run().is_some() || step.answer_lost).map(Step::task);
    match runs {
        Some(Task::Restore) => format!(
            "I'll turn {droplet} on as soon as its restore has ended: while DigitalOcean overwrites the disk, nothing can start \
             from it."
        ),
        Some(Task::Snapshot) => format!(
            "I'll turn {droplet} on as soon as DigitalOcean lets me. The Snapshot under way runs on and is kept; I won't \
             start anything else."
        ),
        Some(
            Task::ShutDown
            | Task::PowerOff
            | Task::Restart
            | Task::Create
            | Task::Delete
            | Task::PowerOn
            | Task::EnableBackups
            | Task::ChangeBackups
            | Task::DisableBackups
            | Task::KeepBackup,
        )
        | None => format!("I'll turn {droplet} on as soon as DigitalOcean lets me. I won't start anything else."),
    }
}

/// What can still be stopped, what DigitalOcean can no longer stop, and what happens then.
fn cancelling(operation: &Operation) -> String {
    let target = name(&operation.target.name);
    let subject = the_subject(operation);
    let step = operation.current();
    let begun = step.is_some_and(|step| step.began.is_some());
    let back =
        if operation.power.owed().is_some() { format!(" Then I'll turn {target} back on.") } else { String::new() };
    match step.map(Step::task) {
        Some(Task::ShutDown | Task::PowerOff) if begun => format!(
            "Stopping {subject}. I can't take the shutdown back, so I'll wait for it to finish and start nothing else.{back}"
        ),
        Some(Task::Snapshot) if begun => match words(&operation.kind).taking().cannot_stop {
            CannotStop::AfterItsName(then) => format!("Stopping {subject}: {then}{back}"),
            CannotStop::Alone(sentences) => format!("{sentences}{back}"),
        },
        Some(Task::Restore) if begun => {
            format!("DigitalOcean can't stop a restore once it has started. I'll let it finish.{back}")
        }
        Some(Task::Restart) if begun => format!("DigitalOcean can't stop a restart once it has started.{back}"),
        Some(Task::Create) if begun => format!(
            "DigitalOcean can't stop creating {target}, and it is billed once it is there. If you don't want it, destroy it \
             at {}.",
            operation.launched.as_ref().map_or_else(all_panel, |launched| panel(launched.droplet))
        ),
        Some(Task::Delete) if begun => "DigitalOcean can't stop a deletion once it has started.".to_owned(),
        Some(Task::EnableBackups | Task::ChangeBackups | Task::DisableBackups | Task::KeepBackup) if begun => {
            "DigitalOcean can't stop this once it has started. I'll start nothing after it.".to_owned()
        }
        _ => format!("Stopping {subject}. I won't start anything else.{back}"),
    }
}

/// A form can only be opened as the first response, which is no longer possible.
pub fn press_again() -> String {
    "That took a moment too long. Press the button again.".to_owned()
}

/// The question was declined. Its subject is unknown if it was asked too long ago.
pub fn declined(about: Option<(&Kind, &str)>) -> String {
    about.map_or_else(
        || "OK, nothing was done.".to_owned(),
        |(kind, target)| format!("OK, {}.", words(kind).declined(&name(target))),
    )
}

/// The request could not be withdrawn later, so it needs an answer that is known to have arrived.
pub fn answer_lost() -> String {
    "I don't know whether Discord showed my answer, so I did nothing. Please try again.".to_owned()
}

/// An unexpected failure; the log contains it under this id.
pub fn incident(id: &str) -> String {
    format!(
        "I can't tell whether this started. Check `/snapshot status` before you try again. My operator finds the reason in \
         the log as incident `{id}`."
    )
}

/// Discord sent an event that cannot be read, so the request is unknown.
pub fn unreadable() -> String {
    "Discord sent this in a form that I can't read, so I did nothing. Please tell my operator; the log says more."
        .to_owned()
}

/// The database did not answer, so it is unknown what was done; the log contains the reason under this id.
pub fn memory_silent(id: &str) -> String {
    format!(
        "I can't tell whether this was done: my database isn't responding. Check `/snapshot status` before you try again. My operator \
         finds the reason in the log as incident `{id}`."
    )
}

/// The database refuses to write; the log contains the reason under this id.
pub fn memory_failed(id: &str) -> String {
    format!(
        "My database isn't responding, so nothing was started. Try again in a minute; if it happens again, my operator \
         finds it in the log as incident `{id}`."
    )
}
