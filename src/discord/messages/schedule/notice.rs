//! New messages about a schedule: what failed, what was missed, what is overdue. Each calls its owner.

use super::{
    super::{
        failure, group,
        message::{Button, Message, Style},
        text::{name, shorten},
        units::{ago, moment},
    },
    marker,
};
use crate::{
    discord::press::Press,
    operation::{Operation, Outcome},
    schedule::{Schedule, notice::Notice, run::Run},
};

/// What is said once.
pub fn notice(schedule: &Schedule, notice: &Notice, operation: Option<&Operation>, number: i64) -> Message {
    let droplet = name(&schedule.droplet_name);
    let owner = schedule.owner.user;
    let try_again = Button::new("Try again", Style::Primary, Press::RunAgain(schedule.id));
    let take_over = Button::new("Take over", Style::Primary, Press::TakeOver(schedule.id));
    let (text, buttons) = match notice {
        Notice::Failed { planned, .. } => {
            let why = operation.map(why).unwrap_or_default();
            (
                format!("❌ The Snapshot of {droplet} that was planned for {} failed.{why}", moment(*planned)),
                vec![try_again],
            )
        }
        // A run that is not known any more.
        Notice::Group { planned, .. } => (
            format!("❌ Not every Droplet with {droplet} got its Snapshot that was planned for {}.", moment(*planned)),
            vec![try_again],
        ),
        Notice::Missed { first, count: 1, was_away, .. } => {
            let why = if *was_away { "I was not running then" } else { "the Droplet was busy until it was too late" };
            (format!("⚠️ No Snapshot of {droplet} was taken {}: {why}.", moment(*first)), vec![try_again])
        }
        Notice::Missed { first, last, count, .. } => (
            format!(
                "⚠️ {count} Snapshots of {droplet} were not taken, from {} to {}: I was not running then.",
                moment(*first),
                moment(*last)
            ),
            vec![try_again],
        ),
        Notice::Stale { newest: Some(newest), .. } => (
            format!(
                "⚠️ **{droplet} has no recent Snapshot.** The last good one of this schedule is from {} ({}). Until there is a new one, \
                 none is deleted.",
                moment(*newest),
                ago(*newest)
            ),
            vec![try_again],
        ),
        Notice::Stale { newest: None, since } => (
            format!("⚠️ **{droplet} has no Snapshot of this schedule yet**, and should have had one {}.", ago(*since)),
            vec![try_again],
        ),
        Notice::OwnerLost { since } => (
            format!(
                "⚠️ <@{owner}>, who owns the schedule of {droplet}, has left or lost the right to it (seen {}). Snapshots are taken on for \
                 7 days, and none is deleted. Somebody who may restore should take it over.",
                ago(*since)
            ),
            vec![take_over],
        ),
        Notice::Unowned => (
            format!(
                "❌ The schedule of {droplet} is paused: nobody took it over for 7 days. **No more Snapshots are taken.**"
            ),
            vec![take_over],
        ),
    };
    Message {
        content: format!("<@{owner}> {text}\n-# {}", marker(schedule.id, number)),
        buttons,
        pings: vec![owner],
        ..Message::default()
    }
}

/// What is said once about a run of a group that was no success.
pub fn group_notice(schedule: &Schedule, run: &Run, operations: &[Operation], number: i64) -> Message {
    let owner = schedule.owner.user;
    let said = shorten(&group::outcome(run, operations), 1800);
    Message {
        content: format!(
            "<@{owner}> {said}\nIt was planned for {}.\n-# {}",
            moment(run.plan.planned),
            marker(schedule.id, number)
        ),
        buttons: vec![Button::new("Try again", Style::Primary, Press::RunAgain(schedule.id))],
        pings: vec![owner],
        ..Message::default()
    }
}

fn why(operation: &Operation) -> String {
    match &operation.verdict {
        Some(Outcome::Failed(why)) => format!(" {} {}", failure::what(why, operation), failure::next(why, operation)),
        Some(Outcome::Cancelled) => " Somebody stopped it.".to_owned(),
        Some(Outcome::Completed) | None => String::new(),
    }
}
