//! The announcement at the end, which mentions who asked, and the line for the channel that hears of every outcome.

use super::{
    Wording, failure,
    message::{Button, Message, Style},
    subject,
    text::{name, plain, shorten},
    the_subject,
    units::{clock, duration, gigabytes, moment, monthly, panel},
};
use crate::{
    discord::press::Press,
    operation::{
        Operation, Outcome,
        plan::{Kind, Safety},
        power::{Released, Status},
        reading::{Failure, PowerState},
        step::Task,
        undo::is_safety_name,
    },
};

/// Discord's limit for a message's text.
const LONGEST: usize = 2000;

/// The answer to who asked.
pub fn answer(operation: &Operation, wording: &Wording) -> Message {
    let asker = operation.asker.user;
    let content = format!("<@{asker}> {}", outcome(operation, wording));
    Message {
        content: shorten(&content, LONGEST),
        pings: vec![asker],
        buttons: buttons(operation),
        ..Message::default()
    }
}

/// What can be pressed afterwards. Each asks before it does anything.
fn buttons(operation: &Operation) -> Vec<Button> {
    let (Kind::Restore { snapshot: restored, .. }, Some(safety)) = (&operation.kind, &operation.snapshot) else {
        return Vec::new();
    };
    if is_gone(operation) {
        // There is nothing to put it back onto, and it may be all that is left.
        return Vec::new();
    }
    let undo = Press::Undo(operation.id);
    let delete = |label, snapshot| Button { label, style: Style::Secondary, press: Press::Delete(snapshot) };
    if operation.safety_snapshot().is_none() {
        return vec![delete("Delete the safety Snapshot", safety.id)];
    }
    if operation.verdict != Some(Outcome::Completed) {
        return vec![Button { label: "Restore the safety Snapshot", style: Style::Danger, press: undo }];
    }
    let undo = Button { label: "Undo", style: Style::Secondary, press: undo };
    if is_safety_name(&restored.name) {
        vec![undo, delete("Delete the older safety Snapshot", restored.id)]
    } else {
        vec![undo, delete("Delete the safety Snapshot", safety.id)]
    }
}

/// The same for the notify channel, which pings nobody.
pub fn notify(operation: &Operation, wording: &Wording) -> Message {
    let asker = operation.asker;
    let content = format!("{} Asked for by <@{}> in <#{}>.", outcome(operation, wording), asker.user, asker.channel);
    Message::text(shorten(&content, LONGEST))
}

/// How it ended, and how the Droplet is.
fn outcome(operation: &Operation, wording: &Wording) -> String {
    let mut sentences = match &operation.verdict {
        Some(Outcome::Completed) | None => completed(operation, wording),
        Some(Outcome::Cancelled) => cancelled(operation, wording),
        Some(Outcome::Failed(why)) => failed(why, operation, wording),
    };
    sentences.extend(power(operation));
    if let Some(Outcome::Failed(why)) = &operation.verdict {
        let why = if is_gone(operation) { &Failure::DropletGone } else { why };
        sentences.push(failure::next(why, operation));
    }
    sentences.join(" ")
}

fn completed(operation: &Operation, wording: &Wording) -> Vec<String> {
    let droplet = name(&operation.target.name);
    let mut sentences = match &operation.kind {
        Kind::Take { .. } => {
            let ready = format!(
                "Snapshot {} of {droplet} is ready{}.",
                name(&operation.snapshot_name),
                cost(operation, wording)
            );
            let mut sentences = vec![ready];
            if operation.may_have_been_taken_live() {
                sentences.push(format!("It may have been taken while {droplet} was running."));
            }
            sentences
        }
        Kind::Restore { snapshot, .. } => {
            let mut sentences = vec![format!("{droplet} is restored from Snapshot {}.", name(&snapshot.name))];
            sentences.extend(safety(operation, wording));
            if is_safety_name(&snapshot.name) {
                sentences
                    .push(format!("Snapshot {} is on the disk now, so it is no longer needed.", name(&snapshot.name)));
            }
            sentences
        }
        Kind::Launch { snapshot, .. } => {
            let address = operation.launched.as_ref().and_then(|launched| launched.address.as_deref());
            let address = address.map_or_else(
                || "DigitalOcean has not told its address yet".to_owned(),
                |address| format!("its address is {}", name(address)),
            );
            let cents = operation.launched.as_ref().and_then(|launched| launched.monthly_cents);
            let price = cents.map(|cents| format!(" It costs ${}.{:02} a month.", cents / 100, cents % 100));
            let from = name(&snapshot.name);
            vec![format!("Droplet {droplet} is made from Snapshot {from}; {address}.{}", price.unwrap_or_default())]
        }
        Kind::Delete { snapshot } => vec![format!("Snapshot {} is deleted.", name(&snapshot.name))],
    };
    if let Some(cancelled) = operation.cancelled {
        let by = cancelled.by.map(|by| format!("<@{by}> cancelled, but ")).unwrap_or_default();
        sentences.push(format!("{by}DigitalOcean cannot stop what it has begun, so it was waited for."));
    }
    sentences
}

fn cancelled(operation: &Operation, wording: &Wording) -> Vec<String> {
    let subject = capitalised(&the_subject(operation));
    let by = operation.cancelled.and_then(|cancelled| cancelled.by);
    let mut sentences = vec![match by {
        Some(by) => format!("{subject} was cancelled by <@{by}>."),
        None => format!(
            "{subject} was cancelled: the shutdown hung, and nobody answered within {}.",
            duration(wording.rules.decision_timeout)
        ),
    }];
    sentences.extend(undone(operation));
    sentences.extend(disk(operation));
    sentences.extend(kept(operation, wording));
    if operation.may_have_overwritten() && !is_gone(operation) {
        sentences.push(format!("{}.", failure::way_back(operation)));
    }
    sentences
}

/// What a cancelled operation did not do; what it did is said by [`kept`] and [`disk`].
fn undone(operation: &Operation) -> Option<String> {
    let was_begun = operation.steps.iter().any(|step| step.task() == Task::Snapshot && step.began.is_some());
    match &operation.kind {
        Kind::Take { .. } => (!was_begun).then(|| "No Snapshot was taken.".to_owned()),
        Kind::Restore { .. } => None,
        Kind::Launch { .. } => Some("No Droplet was made.".to_owned()),
        Kind::Delete { .. } => Some("The Snapshot is still there.".to_owned()),
    }
}

/// What a restore that did not complete left on the disk.
fn disk(operation: &Operation) -> Option<String> {
    let Kind::Restore { .. } = &operation.kind else { return None };
    let droplet = name(&operation.target.name);
    if is_gone(operation) {
        return None;
    }
    Some(if operation.may_have_overwritten() {
        format!("**It is not known what is on the disk of {droplet} now.**")
    } else if failure::is_of_safety_snapshot(operation) {
        format!("The disk of {droplet} is as it was.")
    } else {
        format!("Nothing was restored, and the disk of {droplet} is as it was.")
    })
}

fn failed(why: &Failure, operation: &Operation, wording: &Wording) -> Vec<String> {
    let what = if failure::is_of_safety_snapshot(operation) && !is_gone(operation) {
        "failed: its safety Snapshot failed, so nothing was restored"
    } else {
        "failed"
    };
    let mut sentences = vec![format!("{} {what}. {}", subject(operation), failure::what(why, operation))];
    sentences.extend(disk(operation));
    sentences.extend(kept(operation, wording));
    sentences.extend(left_behind(why, operation));
    sentences
}

/// What may have been made all the same: the Snapshot that we could not follow any more, the Droplet of a failed launch.
fn left_behind(why: &Failure, operation: &Operation) -> Option<String> {
    let is_said_anyway = matches!(why, Failure::NotListed | Failure::ActionVanished);
    if operation.may_have_left_a_snapshot() && !is_said_anyway {
        let snapshot = name(&operation.snapshot_name);
        return Some(format!(
            "Snapshot {snapshot} may be made all the same: look for it in DigitalOcean's control panel before trying again, so \
             that you do not pay for two."
        ));
    }
    let launched = operation.launched.as_ref().filter(|_| *why != Failure::DropletGone)?;
    Some(format!(
        "Droplet {} may be there all the same and is billed then: look at {}, and destroy it there if you do not want it.",
        name(&operation.target.name),
        panel(launched.droplet)
    ))
}

/// What an operation that did not complete leaves behind.
fn kept(operation: &Operation, wording: &Wording) -> Option<String> {
    let is_done = operation.steps.iter().any(|step| step.task() == Task::Snapshot && step.is_done());
    match &operation.kind {
        Kind::Take { .. } if operation.snapshot.is_some() => {
            Some(format!("Snapshot {} is kept{}.", name(&operation.snapshot_name), cost(operation, wording)))
        }
        Kind::Restore { .. } if is_done || operation.snapshot.is_some() => safety(operation, wording),
        Kind::Take { .. } | Kind::Restore { .. } | Kind::Launch { .. } | Kind::Delete { .. } => None,
    }
}

fn safety(operation: &Operation, wording: &Wording) -> Option<String> {
    let Kind::Restore { safety: Safety::Snapshot, .. } = &operation.kind else { return None };
    let undo = match (operation.undo_until(), &operation.verdict) {
        (Some(until), Some(Outcome::Completed)) => format!(" **Undo** puts it back, until {}.", moment(until)),
        _ => String::new(),
    };
    let (kept, cost) = (name(&operation.snapshot_name), cost(operation, wording));
    Some(if operation.may_have_overwritten() {
        format!("What was on its disk before is kept in Snapshot {kept}{cost}.{undo}")
    } else {
        format!("The safety Snapshot {kept} is kept{cost}.")
    })
}

fn cost(operation: &Operation, wording: &Wording) -> String {
    match operation.snapshot.as_ref().and_then(crate::operation::reading::SnapshotReading::known_size) {
        Some(size) => format!(": {}, {}", gigabytes(size), monthly(size, wording.price_per_gb)),
        None => "; size not known yet".to_owned(),
    }
}

/// How the Droplet is now, and how long it was down.
fn power(operation: &Operation) -> Option<String> {
    let droplet = name(&operation.target.name);
    let power = &operation.power;
    if operation.verdict == Some(Outcome::Failed(Failure::DropletGone)) {
        return None;
    }
    Some(match power.status() {
        Status::Gone => format!("{droplet} does not exist any more."),
        Status::Released(release) => match release.how {
            Released::LeftOff => format!("{droplet} is left off, as <@{}> wished.", release.by),
            Released::Handled => format!("{droplet} could not be turned on, and <@{}> sees to it.", release.by),
        },
        Status::Theirs(theirs) => {
            let kind = name(&plain(&theirs.kind, 40));
            format!("Somebody else turned {droplet} off meanwhile ({kind}), so it stays off.")
        }
        Status::Owed | Status::Stuck(_) | Status::Watched(_) => {
            let late = power.owed().and_then(|owed| owed.late_until);
            let until = late.map(|until| format!(" until {}", clock(until))).unwrap_or_default();
            format!(
                "{droplet} is on. Its shutdown may still take effect{until}; if it does, {droplet} is turned on again."
            )
        }
        Status::Back(downtime) => {
            let by_others = match (&operation.kind, power.after()) {
                _ if power.back().is_done() => "",
                // Where DigitalOcean starts a Droplet after a restore, it was nobody in particular.
                (Kind::Restore { .. }, Some(PowerState::On)) => " DigitalOcean left it on after the restore.",
                (Kind::Take { .. } | Kind::Restore { .. } | Kind::Launch { .. } | Kind::Delete { .. }, _) => {
                    " Somebody turned it on before we did."
                }
            };
            // Who reads of a failure wants to know first that the server is there again.
            let is_on = if operation.verdict == Some(Outcome::Completed) { "" } else { "is on again; it " };
            format!("{droplet} {is_on}was down for {}.{by_others}", duration(downtime))
        }
        Status::OffBefore if power.after() == Some(PowerState::On) => {
            format!("{droplet} was off before and is on now; it is left on.")
        }
        Status::OffBefore => format!("{droplet} was off before and stays off."),
        Status::Untouched if power.before().is_none() => return None,
        Status::Untouched if power.was_told_to_turn_off() => format!("{droplet} is on and never went off."),
        Status::Untouched if operation.snapshot.is_some() => {
            format!("{droplet} was not shut down for it, so that Snapshot holds its disk as after a power cut.")
        }
        Status::Untouched => format!("{droplet} kept running."),
    })
}

fn is_gone(operation: &Operation) -> bool {
    operation.power.status() == Status::Gone
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
