//! The announcement at the end of an operation, which mentions the requester, and the line for the channel that receives every outcome.

use jiff::Timestamp;

use super::{
    Wording, capitalised, failure, is_gone,
    kinds::{SOMEBODY_TURNED_IT_ON, words},
    lengths,
    message::{Button, Message, Style},
    subject,
    text::{name, shorten, vendors},
    the_subject,
    units::{ago, all_panel, clock, duration, link, panel},
};
use crate::{
    discord::press::Press,
    operation::{
        Operation, Outcome,
        announce::Tell,
        ids::{ChannelId, MessageId, SnapshotId},
        power::{Released, Status},
        reading::{Failure, PowerState},
        step::{State, Step},
    },
    store::Deleter,
};

/// The announcement for the requester.
pub fn answer(operation: &Operation, wording: &Wording) -> Message {
    let requester = operation.requester.user;
    let outcome = outcome(operation, wording);
    let (content, pings) = match operation.announced() {
        Tell::Ping => (format!("<@{requester}> {outcome}"), vec![requester]),
        Tell::Silent | Tell::Direct => (outcome, Vec::new()),
    };
    Message { content: shorten(&content, lengths::CONTENT), pings, buttons: buttons(operation), ..Message::default() }
}

/// An announcement after one of the Snapshots that it offered was deleted. If that Snapshot was the way back, the deletion is stated in its
/// place.
pub fn without_snapshot(
    said: Message,
    (operation, wording): (&Operation, &Wording),
    (snapshot, by, at): (SnapshotId, Deleter, Timestamp),
) -> Message {
    let taken = operation.snapshot.as_ref().filter(|taken| taken.id == snapshot).map(|taken| taken.name.as_str());
    let other = operation.kind.snapshot().filter(|other| other.id == snapshot).map(|other| other.name.as_str());
    let deleted = taken.or(other).map_or_else(|| "that Snapshot".to_owned(), name);
    let note = format!("⏭️ {} deleted {deleted} {}.", capitalised(&deleter(by)), ago(at));
    let is_way_back = operation.safety_snapshot().is_some_and(|safety| safety.id == snapshot);
    let way_back = words(&operation.kind).way_back(operation, wording);
    let replaced = way_back.filter(|way_back| is_way_back && said.content.contains(way_back));
    let content = if let Some(way_back) = replaced {
        failure::without_the_safety_snapshot(&said.content.replace(&way_back, &note))
    } else {
        let content = shorten(&said.content, lengths::CONTENT - note.encode_utf16().count() - 1);
        format!("{content}\n{note}")
    };
    Message { content: shorten(&content, lengths::CONTENT), ..said }
}

/// Who had a Snapshot deleted.
pub(super) fn deleter(by: Deleter) -> String {
    match by {
        Deleter::Person(user) => format!("<@{user}>"),
        Deleter::Schedule(schedule) => format!("schedule `{schedule}`"),
    }
}

/// The direct message that links to the announcement. It names nothing, since what is private to a guild stays there.
pub fn lead(operation: &Operation, (channel, message): (ChannelId, MessageId)) -> Message {
    let how = if operation.outcome == Some(Outcome::Completed) { "Done" } else { "Stopped" };
    Message::text(format!("{how}: {}", link(operation.requester.guild, channel, message)))
}

/// The mention in the channel that links to the announcement, for people who accept no direct messages.
pub fn lead_in_channel(operation: &Operation, (channel, message): (ChannelId, MessageId)) -> Message {
    let requester = operation.requester.user;
    let content = format!(
        "<@{requester}> You don't take direct messages from me, so I mention you here: {}",
        link(operation.requester.guild, channel, message)
    );
    Message { content, pings: vec![requester], ..Message::default() }
}

/// The buttons of an announcement: those of its kind, and those for a Droplet that is off or whose shutdown hung.
fn buttons(operation: &Operation) -> Vec<Button> {
    let button = |label, press| Button::new(label, Style::Secondary, press);
    let power = match operation.power.status() {
        Status::Theirs(_) if operation.power.last_seen() != Some(PowerState::On) => {
            Some(button("Turn it on", Press::TurnOn(operation.id)))
        }
        _ if may_need_a_restart(operation) => Some(button("Restart it", Press::Restart(operation.id))),
        _ => None,
    };
    let again = failure::may_be_tried_again(operation)
        .then(|| Button::new("Try again", Style::Secondary, Press::TryAgain(operation.id)));
    words(&operation.kind).buttons(operation).into_iter().chain(again).chain(power).collect()
}

/// Whether the shutdown hung and the Droplet stayed on: the guest may have stopped its services and gone no further.
fn may_need_a_restart(operation: &Operation) -> bool {
    let hung = |step: &Step| step.task().turns_off() && matches!(step.state, State::Failed { why: Failure::Hung, .. });
    let is_on = matches!(operation.power.status(), Status::Untouched | Status::Watched(_) | Status::Owed);
    is_on && operation.steps.iter().any(hung)
}

/// The outcome for the notify channel. It pings nobody.
pub fn notify(operation: &Operation, wording: &Wording) -> Message {
    let requester = operation.requester;
    let content =
        format!("{} Requested by <@{}> in <#{}>.", outcome(operation, wording), requester.user, requester.channel);
    Message::text(shorten(&content, lengths::CONTENT))
}

/// How the operation ended and why, what that means for the disk and the Droplet, and what to do next: a line for each, after a symbol.
fn outcome(operation: &Operation, wording: &Wording) -> String {
    let (sign, mut lines) = match &operation.outcome {
        Some(Outcome::Completed) | None => {
            let needs_somebody = match operation.power.status() {
                Status::Theirs(_) | Status::Gone => true,
                Status::Released(release) => release.how == Released::Handled,
                Status::Untouched
                | Status::OffBefore
                | Status::Owed
                | Status::Stuck(_)
                | Status::Watched(_)
                | Status::Back(_) => false,
            };
            (if needs_somebody { "⚠️" } else { "✅" }, completed(operation, wording))
        }
        Some(Outcome::Cancelled) => ("⏭️", cancelled(operation, wording)),
        Some(Outcome::Failed(why)) => ("❌", failed(why, operation, wording)),
    };
    let restart = may_need_a_restart(operation)
        .then(|| "The shutdown may have stopped some of its services; **Restart it** brings them back.".to_owned());
    lines.extend(line(power(operation).into_iter().chain(restart)));
    if let Some(Outcome::Failed(why)) = &operation.outcome {
        let why = if is_gone(operation) { &Failure::DropletGone } else { why };
        lines.push(failure::next(why, operation));
    }
    format!("{sign} {}", lines.join("\n"))
}

fn completed(operation: &Operation, wording: &Wording) -> Vec<String> {
    let mut lines = words(&operation.kind).completed(operation, wording);
    if let (Some(cancelled), Some(first)) = (operation.cancelled, lines.first_mut()) {
        let by = cancelled.by.map(|by| format!("<@{by}> cancelled, but ")).unwrap_or_default();
        *first = format!("{first} {by}DigitalOcean can't stop what it has started, so it ran to the end.");
    }
    lines
}

fn cancelled(operation: &Operation, wording: &Wording) -> Vec<String> {
    let subject = capitalised(&the_subject(operation));
    let by = operation.cancelled.and_then(|cancelled| cancelled.by);
    let cancelled = match by {
        Some(by) => format!("{subject} was cancelled by <@{by}>."),
        None => format!(
            "{subject} was cancelled: the shutdown got stuck, and nobody answered within {}.",
            duration(wording.rules.decision_timeout)
        ),
    };
    let undone = words(&operation.kind).undone(operation).map(|undone| format!(" {undone}")).unwrap_or_default();
    let may_go_back = operation.may_have_overwritten() && !is_gone(operation);
    let way_back = may_go_back.then(|| format!("{}.", failure::way_back(operation)));
    std::iter::once(cancelled + &undone).chain(line(left(operation, wording).chain(way_back))).collect()
}

/// What an incomplete operation left on the disk, and what it leaves behind.
fn left(operation: &Operation, wording: &Wording) -> impl Iterator<Item = String> {
    let words = words(&operation.kind);
    [words.disk(operation), words.kept(operation, wording)].into_iter().flatten()
}

/// Joins sentences to one line; `None` if there are none.
fn line(sentences: impl IntoIterator<Item = String>) -> Option<String> {
    let sentences: Vec<String> = sentences.into_iter().collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn failed(why: &Failure, operation: &Operation, wording: &Wording) -> Vec<String> {
    let failed = words(&operation.kind).failed(operation);
    let first = format!("{} {failed}. {}", subject(operation), failure::what(why, operation));
    std::iter::once(first).chain(line(left(operation, wording).chain(left_behind(why, operation)))).collect()
}

/// What may exist all the same: the Snapshot that the bot could no longer follow, or the Droplet of a failed launch.
fn left_behind(why: &Failure, operation: &Operation) -> Option<String> {
    let is_said_anyway = matches!(why, Failure::NotListed | Failure::ActionVanished);
    if operation.may_have_left_a_snapshot() && !is_said_anyway {
        let snapshot = name(&operation.snapshot_name);
        return Some(format!(
            "Snapshot {snapshot} may still appear. Look for it in DigitalOcean's control panel before you try again, so you \
             don't pay for two."
        ));
    }
    if operation.may_have_left_a_droplet() && !is_said_anyway {
        return Some(format!(
            "Droplet {} may exist anyway, and then it costs money. Look for it at {} before you try again, so you don't pay \
             for two.",
            name(&operation.target.name),
            all_panel()
        ));
    }
    let launched = operation.launched.as_ref().filter(|_| *why != Failure::DropletGone)?;
    Some(format!(
        "Droplet {} may exist anyway, and then it costs money: look at {}, and destroy it there if you don't want it.",
        name(&operation.target.name),
        panel(launched.droplet)
    ))
}

/// The power of the Droplet now, and how long it was down.
fn power(operation: &Operation) -> Option<String> {
    let droplet = name(&operation.target.name);
    let power = &operation.power;
    // For an operation that neither needs the Droplet off nor reads its disk, it does not matter whether the Droplet ran.
    let bears_on_power = operation.steps.iter().any(|step| step.task().traits().yields_to_power);
    if !bears_on_power && matches!(power.status(), Status::Untouched | Status::OffBefore) {
        return None;
    }
    if operation.outcome == Some(Outcome::Failed(Failure::DropletGone)) {
        return None;
    }
    Some(match power.status() {
        Status::Back(_) | Status::OffBefore | Status::Untouched if words(&operation.kind).is_about_power() => {
            return None;
        }
        Status::Gone => format!("{droplet} no longer exists."),
        Status::Released(_) | Status::Theirs(_) if power.last_seen() == Some(PowerState::On) => {
            format!("{droplet} is on.{}", words(&operation.kind).was_found_on())
        }
        Status::Released(release) => match release.how {
            Released::LeftOff => format!("{droplet} was left off by <@{}>.", release.by),
            Released::Handled => {
                format!("I couldn't turn {droplet} on; <@{}> is taking care of it.", release.by)
            }
        },
        Status::Theirs(theirs) => {
            let kind = vendors(&theirs.kind);
            format!("Somebody else turned {droplet} off meanwhile ({kind}), so it stays off.")
        }
        Status::Owed | Status::Stuck(_) | Status::Watched(_) => {
            let late = power.owed().and_then(|owed| owed.late_until);
            let until = late.map(|until| format!(" until {}", clock(until))).unwrap_or_default();
            format!(
                "{droplet} is on. Its shutdown may still take effect{until}; if it does, I'll turn {droplet} back on."
            )
        }
        Status::Back(downtime) => {
            let by_others = match power.after() {
                _ if power.back().is_done() => "",
                Some(PowerState::On) => words(&operation.kind).was_found_on(),
                Some(PowerState::Off) | None => SOMEBODY_TURNED_IT_ON,
            };
            // People who read about a failure first want to know that the server is back.
            let is_on = if operation.outcome == Some(Outcome::Completed) { "" } else { "is on again; it " };
            format!("{droplet} {is_on}was down for {}.{by_others}", duration(downtime))
        }
        Status::OffBefore if power.after() == Some(PowerState::On) => {
            format!("{droplet} was off before and is on now; I leave it on.")
        }
        Status::OffBefore => format!("{droplet} was off before and stays off."),
        Status::Untouched if power.before().is_none() => return None,
        Status::Untouched if power.was_told_to_turn_off() => format!("{droplet} is on and never went off."),
        Status::Untouched if operation.snapshot.is_some() => {
            format!(
                "{droplet} kept running. The Snapshot is like pulling the plug: files open at that moment may be incomplete."
            )
        }
        Status::Untouched => format!("{droplet} kept running."),
    })
}
