//! Why an operation failed and what a person can do about it: a pair of sentences for each [`Failure`] and kind of operation.

use super::{
    decapitalised,
    kinds::words,
    text::{name, plain, quote},
    units::{all_panel, panel},
};
use crate::operation::{
    Operation, Outcome,
    power::Status,
    reading::Failure,
    step::{State, Step, Task},
    trigger::Trigger,
};

/// Whether a retry may help and can do no harm: nothing of the operation exists already, and nothing may still take effect.
pub fn may_be_tried_again(operation: &Operation) -> bool {
    let may_pass = match &operation.outcome {
        Some(Outcome::Failed(why)) => passes(why) || has_lost_its_snapshot(operation),
        // Nobody answered the question about the hung shutdown.
        Some(Outcome::Cancelled) => operation.cancelled.is_some_and(|cancelled| cancelled.by.is_none()),
        Some(Outcome::Completed) | None => false,
    };
    may_pass
        && words(&operation.kind).is_asked_again()
        && operation.power.status() != Status::Gone
        && operation.launched.is_none()
        && !operation.may_have_left_a_snapshot()
        && !operation.may_have_left_a_droplet()
}

/// Whether the next attempt may succeed without anyone doing anything.
pub(super) fn passes(why: &Failure) -> bool {
    matches!(why, Failure::ActionErrored | Failure::Hung | Failure::PowerFirst | Failure::TooOld | Failure::NotKnown)
}

/// Whether the Snapshot that the operation took disappeared at once.
fn has_lost_its_snapshot(operation: &Operation) -> bool {
    let is_lost = |step: &Step| {
        step.task() == Task::Snapshot && matches!(step.state, State::Failed { why: Failure::SnapshotGone, .. })
    };
    operation.steps.iter().any(is_lost)
}

/// How to request the same again: with the button if there is one.
pub(super) fn again(operation: &Operation) -> &'static str {
    if may_be_tried_again(operation) { "Press **Try again**" } else { "Use the command again" }
}

/// How to request the same again without a button, for the middle of a sentence.
fn command(operation: &Operation) -> &'static str {
    let is_a_schedules = operation.is_automatic() && operation.trigger.and_then(Trigger::schedule).is_some();
    if is_a_schedules { "use `/schedule run`" } else { "use the command again" }
}

/// What happened, as a sentence.
pub fn what(failure: &Failure, operation: &Operation) -> String {
    let droplet = name(&operation.target.name);
    match failure {
        Failure::ActionErrored => "DigitalOcean started it, then reported an error without giving a reason.".to_owned(),
        Failure::ActionVanished => {
            "DigitalOcean lost track of what it started, so I can't tell whether it worked.".to_owned()
        }
        Failure::DropletGone => words(&operation.kind).droplet_gone(operation).what,
        Failure::SnapshotGone => words(&operation.kind).snapshot_gone(operation).what,
        Failure::DropletUnusable { status } => {
            format!(
                "DigitalOcean says that {droplet} is {}, and I can't do anything with it in that state.",
                name(status)
            )
        }
        Failure::TagRemoved { tag } => {
            format!("{droplet} no longer has the tag {}, and I leave Droplets without it alone.", name(tag))
        }
        Failure::Unauthorized => "DigitalOcean refused my token.".to_owned(),
        Failure::OtherAccount => {
            format!("I was started with a DigitalOcean token that may belong to a different account than {droplet}.")
        }
        Failure::Forbidden { scopes, message } => forbidden(scopes, message),
        Failure::Refused { message } => format!("DigitalOcean said no: {}.", quote(message.trim_end_matches('.'))),
        Failure::Hung => format!("{droplet} didn't turn off in time."),
        Failure::PowerFirst => {
            format!("{droplet} had to come back on early, so I stopped.")
        }
        Failure::TooOld if has_done_something(operation) => {
            "The next step couldn't start in time (other work or an outage), so I stopped there.".to_owned()
        }
        Failure::TooOld => "It couldn't start in time (other work or an outage), so I did nothing.".to_owned(),
        Failure::ChangedMeanwhile => words(&operation.kind).changed_meanwhile(operation).what,
        Failure::RestoreUnclear => {
            "DigitalOcean's answer to the restore was lost, so I don't know whether it was carried out.".to_owned()
        }
        Failure::NotKnown => {
            format!("DigitalOcean answered \"not found\", but {droplet} exists.")
        }
        Failure::NotListed => words(&operation.kind).not_listed().to_owned(),
        Failure::NotWarned => "I couldn't post the warning where you wanted it, so I turned nothing off.".to_owned(),
        Failure::Internal => format!("Something broke on my side, so I stopped (incident `{}`).", operation.id),
    }
}

/// Whether another step was begun in addition to the one that failed.
fn has_done_something(operation: &Operation) -> bool {
    operation.steps.iter().any(|step| step.began.is_some() && !matches!(step.state, State::Failed { .. }))
}

/// What to do about a missing permission, of the token or of the account.
pub const ASK_FOR_ACCESS: &str =
    "Ask my operator to check the token's scopes and the account in DigitalOcean's control panel.";

/// What to do about a token that DigitalOcean refuses.
const SET_A_TOKEN: &str = "My operator has to set a new `DIGITALOCEAN_TOKEN`.";
/// What to do about a token that may belong to another account.
const SET_ITS_TOKEN: &str = "My operator has to set a `DIGITALOCEAN_TOKEN` of that account, or to confirm it with \
                             `snapshot-bot run --same-account`.";

/// Why DigitalOcean forbade the request. Its own message comes first, since a missing scope is only the likeliest reason. Older rows lack
/// the message.
pub fn forbidden(scopes: &str, message: &str) -> String {
    let message = match message.trim_end_matches('.') {
        "" => "DigitalOcean doesn't allow this.".to_owned(),
        message => format!("DigitalOcean says: {}.", quote(message)),
    };
    let guess = match scopes {
        "" => String::new(),
        scopes => format!(" My token may lack {}.", quote(scopes)),
    };
    message + &guess
}

/// What to do next, as a sentence.
pub fn next(failure: &Failure, operation: &Operation) -> String {
    if operation.may_have_overwritten() && operation.power.status() != Status::Gone {
        return after_overwriting(failure, operation);
    }
    match failure {
        Failure::ActionErrored | Failure::NotKnown => {
            format!("{}; if it fails again, ask DigitalOcean's support.", again(operation))
        }
        Failure::DropletGone => words(&operation.kind).droplet_gone(operation).next,
        Failure::SnapshotGone => words(&operation.kind).snapshot_gone(operation).next,
        Failure::DropletUnusable { .. } => "Look at it in DigitalOcean's control panel.".to_owned(),
        Failure::TagRemoved { tag } => {
            format!("Add the tag {} back at DigitalOcean, then {}.", name(tag), command(operation))
        }
        Failure::Unauthorized => SET_A_TOKEN.to_owned(),
        Failure::OtherAccount => SET_ITS_TOKEN.to_owned(),
        Failure::Forbidden { .. } => ASK_FOR_ACCESS.to_owned(),
        Failure::Refused { .. } => "If that's unclear, ask my operator.".to_owned(),
        Failure::Hung => format!("Look at what keeps it from shutting down. {} after that.", again(operation)),
        Failure::PowerFirst | Failure::TooOld => format!("{} if you still want it.", again(operation)),
        Failure::ChangedMeanwhile => words(&operation.kind).changed_meanwhile(operation).next,
        Failure::RestoreUnclear => look_at(operation),
        Failure::NotListed | Failure::ActionVanished => words(&operation.kind).look_first(operation),
        Failure::NotWarned if operation.is_automatic() => {
            "`/schedule edit warn-in:` chooses another channel, `warn: none` ends the warnings.".to_owned()
        }
        Failure::NotWarned => "Ask again with a channel where I may post, or without `warn`.".to_owned(),
        Failure::Internal => in_the_log(operation),
    }
}

/// A person who retries should know the present state.
fn look_at(operation: &Operation) -> String {
    let (droplet, page) = (name(&operation.target.name), operation.target.droplet.map_or_else(all_panel, panel));
    format!("Look at {droplet} before you try again: {page}")
}

/// What to do next after a restore that may have touched the disk.
fn after_overwriting(failure: &Failure, operation: &Operation) -> String {
    let droplet = name(&operation.target.name);
    let way_back = way_back(operation);
    let after = |first: &str| format!("{first} After that, {}.", decapitalised(way_back));
    match failure {
        Failure::RestoreUnclear => {
            let what_then = match operation.safety_snapshot() {
                Some(_) => format!("{}{OR_ELSE}", decapitalised(BY_BUTTON)),
                None => "restore again; that".to_owned(),
            };
            format!(
                "Look at {droplet}: if it is as it should be, leave it so. If not, {what_then} undoes what was written to the \
                 disk since."
            )
        }
        Failure::Internal => format!("{way_back}. {}", in_the_log(operation)),
        // Before that, the bot can do nothing at DigitalOcean.
        Failure::TagRemoved { tag } => after(&format!("Add the tag {} back at DigitalOcean.", name(tag))),
        Failure::Unauthorized => after(SET_A_TOKEN),
        Failure::OtherAccount => after(SET_ITS_TOKEN),
        Failure::Forbidden { .. } => after(ASK_FOR_ACCESS),
        Failure::ActionErrored
        | Failure::ActionVanished
        | Failure::DropletGone
        | Failure::SnapshotGone
        | Failure::DropletUnusable { .. }
        | Failure::Refused { .. }
        | Failure::Hung
        | Failure::PowerFirst
        | Failure::TooOld
        | Failure::ChangedMeanwhile
        | Failure::NotKnown
        | Failure::NotListed
        | Failure::NotWarned => format!("{way_back}; if that fails too, ask DigitalOcean's support."),
    }
}

/// The ways back from a restore that may have touched the disk, without a period.
const BY_BUTTON: &str = "Press **Restore the safety Snapshot** to have back what was there before";
const BY_COMMAND: &str = "Restore a Snapshot again";
/// How a sentence continues that names the first of them.
const OR_ELSE: &str = ", or restore again; either";

/// The text about the way back, once the safety Snapshot and its button are gone.
pub(super) fn without_the_safety_snapshot(said: &str) -> String {
    let (by_button, by_command) = (decapitalised(BY_BUTTON), decapitalised(BY_COMMAND));
    said.replace(&format!("{by_button}{OR_ELSE}"), &format!("{by_command}; that"))
        .replace(&by_button, &by_command)
        .replace(BY_BUTTON, BY_COMMAND)
}

/// How to repair the disk after a restore that may have touched it, without a period.
pub fn way_back(operation: &Operation) -> &'static str {
    match operation.safety_snapshot() {
        Some(_) => BY_BUTTON,
        None => BY_COMMAND,
    }
}

fn in_the_log(operation: &Operation) -> String {
    format!(
        "`/snapshot status operation:{}` shows how far it got; my operator finds the details in the log.",
        operation.id
    )
}

/// The reason in a few words, for a line of the progress message.
pub fn short(failure: &Failure) -> String {
    match failure {
        Failure::ActionErrored => "DigitalOcean reported an error".to_owned(),
        Failure::ActionVanished => "DigitalOcean lost track of it".to_owned(),
        Failure::DropletGone => "the Droplet is gone".to_owned(),
        Failure::SnapshotGone => "the Snapshot is gone".to_owned(),
        Failure::DropletUnusable { status } => format!("the Droplet is {}", name(&plain(status, 40))),
        Failure::TagRemoved { .. } => "the Droplet lost its tag".to_owned(),
        Failure::Unauthorized => "DigitalOcean refused the token".to_owned(),
        Failure::OtherAccount => "the token may be another account's".to_owned(),
        Failure::Forbidden { .. } => "DigitalOcean doesn't allow it".to_owned(),
        Failure::Refused { .. } => "DigitalOcean said no".to_owned(),
        Failure::Hung => "it didn't turn off in time".to_owned(),
        Failure::PowerFirst => "the Droplet was turned on first".to_owned(),
        Failure::TooOld => "it couldn't start in time".to_owned(),
        Failure::ChangedMeanwhile => "somebody changed the Droplet meanwhile".to_owned(),
        Failure::RestoreUnclear => "I can't tell whether it was carried out".to_owned(),
        Failure::NotKnown => "DigitalOcean answered \"not found\"".to_owned(),
        Failure::NotListed => "completed, but never listed".to_owned(),
        Failure::NotWarned => "the warning could not be posted".to_owned(),
        Failure::Internal => "something broke on my side".to_owned(),
    }
}
