//! New messages about a schedule: what failed, what was missed, what is overdue, what is asked. One message may tell of several schedules
//! that have one owner.

use std::collections::BTreeSet;

use super::{
    super::{
        failure, group,
        message::{Button, Message, Style},
        text::{name, plain, shorten},
        units::{ago, moment},
    },
    marker,
};
use crate::{
    discord::press::Press,
    operation::{
        Operation, Outcome,
        ids::{RoleId, ScheduleId},
        reading::Failure,
    },
    schedule::{
        Paused, Schedule, State,
        hangs::{Asked, HangAnswer},
        notice::{Family, Notice},
        run::Run,
    },
};

/// The longest Droplet's name on a button.
const LONGEST_NAME: usize = 30;
/// How many buttons stand under a message that tells of several schedules.
const BUTTONS: usize = 5;
/// So much of Discord's 2,000 is for the text; mentions and the last line need the rest.
const LONGEST: usize = 1800;

/// How a group's run ended is shorter than that: when it was planned follows.
const LONGEST_OUTCOME: usize = 1700;

/// What a message tells of one schedule.
pub struct Told<'t> {
    /// The schedule.
    pub schedule: &'t Schedule,
    /// What is told.
    pub notice: &'t Notice,
    /// The operations that failed, where some did.
    pub operations: &'t [Operation],
    /// The run of a group that it is about, as far as it is still known.
    pub run: Option<&'t Run>,
}

/// What is said once, or of several schedules at once. `restorers` are the roles that may take a schedule over; they are named, not
/// called.
pub fn notice(told: &[Told<'_>], restorers: &BTreeSet<RoleId>, number: i64) -> Message {
    let Some(first) = told.first() else { return Message::default() };
    let calls_owner = first.notice.calls_owner();
    let owner = first.schedule.owner.user;
    let mention = if calls_owner { format!("<@{owner}> ") } else { String::new() };
    let lines: Vec<String> = told.iter().map(|one| text(one, restorers)).collect();
    let text = match lines.as_slice() {
        [one] => one.clone(),
        lines => {
            let heading = match first.notice.family() {
                Some(Family::Relief) => "**Good again:**",
                Some(Family::Trouble) | None if told.iter().all(|one| one.schedule.id == first.schedule.id) => {
                    "⚠️ **This schedule needs you:**"
                }
                Some(Family::Trouble) | None => "⚠️ **Several schedules need you:**",
            };
            shorten(&format!("{heading}\n{}", lines.join("\n")), LONGEST)
        }
    };
    Message {
        content: format!("{mention}{text}\n-# {}", marker(first.schedule.id, number)),
        buttons: buttons(told),
        pings: if calls_owner { vec![owner] } else { Vec::new() },
        ..Message::default()
    }
}

fn text(told: &Told<'_>, restorers: &BTreeSet<RoleId>) -> String {
    let Told { schedule, notice, operations, run } = told;
    let is_tried = matches!(next_step(told), Some((_, Press::RunAgain(_))));
    let now = if is_tried { " Press **Try again** to take it now." } else { "" };
    let droplet = name(&schedule.droplet_name);
    let owner = schedule.owner.user;
    match notice {
        Notice::Failed { planned, count, .. } => {
            let why = operations.first().map(why).unwrap_or_default();
            let again = match count {
                0 | 1 => String::new(),
                count => format!(" It has failed {count} times in a row for this reason."),
            };
            format!("❌ The Snapshot of {droplet} that was planned for {} failed.{why}{again}{now}", moment(*planned))
        }
        Notice::Group { planned, .. } => match run {
            Some(run) => {
                let outcome = shorten(&group::outcome(run, operations), LONGEST_OUTCOME);
                format!("{outcome}\nIt was planned for {}.", moment(*planned))
            }
            // It is not known any more.
            None => format!(
                "❌ Not every Droplet with {droplet} got its Snapshot that was planned for {}.",
                moment(*planned)
            ),
        },
        Notice::Missed { first, count: 1, was_away, .. } => {
            let why = if *was_away { "I was not running then" } else { "the Droplet was busy until it was too late" };
            format!("⚠️ No Snapshot of {droplet} was taken {}: {why}.{now}", moment(*first))
        }
        Notice::Missed { first, last, count, .. } => format!(
            "⚠️ {count} Snapshots of {droplet} were not taken, from {} to {}: I was not running then.{now}",
            moment(*first),
            moment(*last)
        ),
        Notice::Stale { newest: Some(newest), .. } => format!(
            "⚠️ **{droplet} has no recent Snapshot.** The last good one of this schedule is from {} ({}). Until there is a new one, \
             none is deleted.",
            moment(*newest),
            ago(*newest)
        ),
        Notice::Stale { newest: None, since } => {
            format!("⚠️ **{droplet} has no Snapshot of this schedule yet**, and should have had one {}.", ago(*since))
        }
        Notice::OwnerLost { since } => {
            let roles: Vec<String> = restorers.iter().map(|role| format!("<@&{role}>")).collect();
            let who = match roles.as_slice() {
                [] => "Somebody who may restore".to_owned(),
                roles => format!("Somebody who may restore ({})", roles.join(", ")),
            };
            format!(
                "⚠️ <@{owner}>, who owns the schedule of {droplet}, has left or lost the right to it (seen {}). I'll keep taking Snapshots for \
                 7 days and delete none. {who} should take it over.",
                ago(*since)
            )
        }
        Notice::Unowned => format!(
            "❌ The schedule of {droplet} is paused: nobody took it over for 7 days. **No more Snapshots are taken.**"
        ),
        Notice::GoodAgain => format!("✅ The schedule of {droplet} took a good Snapshot again."),
        Notice::Hung { count } => {
            let asked = format!("{droplet} didn't shut down {count} times in a row for its scheduled Snapshot.");
            match schedule.watched.hangs.asked {
                Asked::Open => format!(
                    "⚠️ **{asked}** Until somebody who may restore answers, its Snapshots are taken while it runs. What should happen?"
                ),
                Asked::No | Asked::ShutDownStill => format!("⚠️ {asked} This was answered."),
            }
        }
        Notice::Doubtful { operation } if schedule.approved.contains(operation) => {
            format!(
                "✅ The newest Snapshot of {droplet} is less than half as large as the one before it. Somebody said that it is fine."
            )
        }
        Notice::Doubtful { .. } => format!(
            "⚠️ **The newest Snapshot of {droplet} is less than half as large as the one before it.** Nothing is deleted until somebody \
             says that it is fine, or a larger one follows."
        ),
        Notice::Unheard { host, since } => format!(
            "⚠️ I haven't reached {} since {}. Check `ping-url` of the schedule of {droplet}; its Snapshots are taken as before.",
            name(host),
            moment(*since)
        ),
        Notice::Paused { newest: Some(newest) } => {
            format!(
                "⏸️ The schedule of {droplet} is paused. Its newest Snapshot is from {} ({}).",
                moment(*newest),
                ago(*newest)
            )
        }
        Notice::Paused { newest: None } => format!(
            "⏸️ The schedule of {droplet} is paused. {droplet} has no Snapshot from this schedule; `/schedule resume` restarts it."
        ),
    }
}

/// Those of each, named after their Droplets where there are several.
fn buttons(told: &[Told<'_>]) -> Vec<Button> {
    if let [one @ Told { schedule, notice, .. }] = told {
        return match notice {
            Notice::Hung { .. } if schedule.watched.hangs.asked == Asked::Open => hang_buttons(schedule.id),
            Notice::Doubtful { operation } if !schedule.approved.contains(operation) => {
                vec![Button::new("It's fine", Style::Primary, Press::Approve(schedule.id))]
            }
            _ => next_step(one).map(|(label, press)| Button::new(label, Style::Primary, press)).into_iter().collect(),
        };
    }
    let mut buttons: Vec<Button> = Vec::new();
    for one in told {
        if let Some((label, press)) = next_step(one) {
            let schedule = one.schedule;
            let label = format!("{label}: {}", plain(&schedule.droplet_name, LONGEST_NAME));
            let is_there = buttons.iter().any(|button| button.press() == Some(press));
            if !is_there && buttons.len() < BUTTONS {
                buttons.push(Button::new(label, Style::Primary, press));
            }
        }
    }
    buttons
}

fn next_step(Told { schedule, notice, operations, .. }: &Told<'_>) -> Option<(&'static str, Press)> {
    let is_gone = |operation: &Operation| operation.verdict == Some(Outcome::Failed(Failure::DropletGone));
    let try_again = ("Try again", Press::RunAgain(schedule.id));
    let take_over = ("Take over", Press::TakeOver(schedule.id));
    match notice {
        Notice::Stale { .. } if matches!(schedule.state, State::Paused { why: Paused::OwnerLost, .. }) => {
            Some(take_over)
        }
        // What does not exist any more cannot be taken, however often it is tried.
        Notice::Failed { .. } if operations.iter().any(is_gone) => None,
        Notice::Failed { .. } | Notice::Group { .. } | Notice::Missed { .. } | Notice::Stale { .. } => Some(try_again),
        Notice::OwnerLost { .. } | Notice::Unowned => Some(take_over),
        Notice::GoodAgain
        | Notice::Hung { .. }
        | Notice::Doubtful { .. }
        | Notice::Paused { .. }
        | Notice::Unheard { .. } => None,
    }
}

fn hang_buttons(schedule: ScheduleId) -> Vec<Button> {
    let button = |label, style, answer| Button::new(label, style, Press::Hangs { schedule, answer });
    vec![
        button("Keep shutting down", Style::Danger, HangAnswer::ShutDown),
        button("Stay live", Style::Primary, HangAnswer::StayLive),
        button("Pause", Style::Secondary, HangAnswer::Pause),
    ]
}

fn why(operation: &Operation) -> String {
    match &operation.verdict {
        // The button below is the way to try it again.
        Some(Outcome::Failed(why)) if failure::passes(why) => format!(" {}", failure::what(why, operation)),
        Some(Outcome::Failed(why)) => format!(" {} {}", failure::what(why, operation), failure::next(why, operation)),
        Some(Outcome::Cancelled) => " Somebody stopped it.".to_owned(),
        Some(Outcome::Completed) | None => String::new(),
    }
}
