//! Why something failed and what a person can do about it, one pair of sentences for each [`Failure`] and kind of operation.

use super::{
    kinds::words,
    text::{name, plain, quote},
};
use crate::operation::{
    Operation, Outcome,
    power::Status,
    reading::Failure,
    step::{State, Step, Task},
    trigger::Trigger,
};

/// Whether to try the same again may help, and can do no harm: nothing of it is there already, and nothing may still come.
pub fn may_be_tried_again(operation: &Operation) -> bool {
    let may_pass = match &operation.verdict {
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

/// Whether it may go better the next time, without anyone doing anything about it.
pub(super) fn passes(why: &Failure) -> bool {
    matches!(why, Failure::ActionErrored | Failure::Hung | Failure::PowerFirst | Failure::TooOld | Failure::NotKnown)
}

/// Whether the Snapshot that it took itself was gone again at once.
fn has_lost_its_snapshot(operation: &Operation) -> bool {
    let is_lost = |step: &Step| {
        step.task() == Task::Snapshot && matches!(step.state, State::Failed { why: Failure::SnapshotGone, .. })
    };
    operation.steps.iter().any(is_lost)
}

/// How to ask for the same once more: by the button where there is one.
pub(super) fn again(operation: &Operation) -> &'static str {
    if may_be_tried_again(operation) { "Press **Try again**" } else { "Use the command again" }
}

/// How to ask for the same once more without a button, in the middle of a sentence.
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
            format!("I was started with a DigitalOcean token that may belong to another account than {droplet}.")
        }
        Failure::Forbidden { scopes, message } => forbidden(scopes, message),
        Failure::Refused { message } => format!("DigitalOcean refused: {}.", quote(message.trim_end_matches('.'))),
        Failure::Hung => format!("{droplet} didn't turn off in time."),
        Failure::PowerFirst => {
            format!("I had to turn {droplet} on before I was done, and the rest needs it off.")
        }
        Failure::TooOld => "It waited too long to start, so I didn't start it.".to_owned(),
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

/// What to do about a refusal for want of rights, which may be the token's or the account's.
pub const ASK_FOR_ACCESS: &str =
    "Ask whoever runs me to check the token's scopes and the account in DigitalOcean's control panel.";

/// What to do about a token that DigitalOcean refuses.
const SET_A_TOKEN: &str = "Whoever runs me has to set a new `DIGITALOCEAN_TOKEN`.";
/// The same for one that may be another account's.
const SET_ITS_TOKEN: &str = "Whoever runs me has to set a `DIGITALOCEAN_TOKEN` of that account, or to confirm it with \
                             `snapshot-bot run --same-account`.";

/// DigitalOcean's own words first; that a scope is missing is only the likeliest reason. Older rows lack the words.
pub fn forbidden(scopes: &str, message: &str) -> String {
    let message = match message.trim_end_matches('.') {
        "" => "DigitalOcean doesn't allow this.".to_owned(),
        message => format!("DigitalOcean says: {}.", quote(message)),
    };
    let guess = match scopes {
        "" => String::new(),
        scopes => format!(" My token may lack a scope; the request needs {}.", quote(scopes)),
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
        Failure::Refused { .. } => format!("Fix that first, then {}.", command(operation)),
        Failure::Hung => format!("Look at what keeps it from shutting down. {} after that.", again(operation)),
        Failure::PowerFirst | Failure::TooOld => format!("{} if you still want it.", again(operation)),
        Failure::ChangedMeanwhile => words(&operation.kind).changed_meanwhile(operation).next,
        Failure::RestoreUnclear => "Look at it before you try again.".to_owned(),
        Failure::NotListed | Failure::ActionVanished => words(&operation.kind).look_first(operation),
        Failure::NotWarned => "Ask again with a channel where I may post, or without `warn`.".to_owned(),
        Failure::Internal => in_the_log(operation),
    }
}

/// The same for a restore that may have touched the disk.
fn after_overwriting(failure: &Failure, operation: &Operation) -> String {
    let droplet = name(&operation.target.name);
    let way_back = way_back(operation);
    let after = |first: &str| format!("{first} After that, {}.", decapitalised(way_back));
    match failure {
        Failure::RestoreUnclear => {
            let what_then = match operation.safety_snapshot() {
                Some(_) => {
                    "press **Restore the safety Snapshot** to have back what was there before, or restore again; either"
                }
                None => "restore again; that",
            };
            format!(
                "Look at {droplet}: if it is as it should be, leave it so. If not, {what_then} undoes what was written to the \
                 disk since."
            )
        }
        Failure::Internal => format!("{way_back}. {}", in_the_log(operation)),
        // DigitalOcean does nothing for us before.
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

/// How the disk can be put in order after a restore that may have touched it, without a full stop.
pub fn way_back(operation: &Operation) -> &'static str {
    match operation.safety_snapshot() {
        Some(_) => "Press **Restore the safety Snapshot** to have back what was there before",
        None => "Restore a Snapshot again",
    }
}

fn decapitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn in_the_log(operation: &Operation) -> String {
    format!(
        "`/snapshot status operation:{}` shows how far it got; whoever runs me finds the details in the log.",
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
        Failure::Refused { .. } => "DigitalOcean refused".to_owned(),
        Failure::Hung => "it didn't turn off in time".to_owned(),
        Failure::PowerFirst => "the Droplet was turned on first".to_owned(),
        Failure::TooOld => "it waited too long to start".to_owned(),
        Failure::ChangedMeanwhile => "somebody changed the Droplet meanwhile".to_owned(),
        Failure::RestoreUnclear => "I can't tell whether it was carried out".to_owned(),
        Failure::NotKnown => "DigitalOcean answered \"not found\"".to_owned(),
        Failure::NotListed => "completed, but never listed".to_owned(),
        Failure::NotWarned => "the warning could not be posted".to_owned(),
        Failure::Internal => "something broke on my side".to_owned(),
    }
}
