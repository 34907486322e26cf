//! New messages about a schedule: what failed, was missed, is overdue, or needs an answer. One message may cover several schedules with the
//! same owner.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    super::{
        failure, group, lengths,
        message::Message,
        text::{name, shorten},
        units::{ago, cost, dollars_a_month, gigabytes, moment},
    },
    REBIND, marker,
    next_step::{buttons, next_step},
    notice_facts::{InQuestion, NoticeFacts, asks},
};
use crate::{
    discord::press::Press,
    operation::{
        Operation, Outcome,
        ids::{OperationId, RoleId},
        reading::Failure,
    },
    schedule::{
        Answered, Paused, Schedule, State,
        hung_shutdowns::Asked,
        notice::{Family, Notice},
    },
    store::ScheduleSnapshot,
};

/// The longest text of a message. Mentions and the last line need the rest.
const LONGEST: usize = lengths::CONTENT - 200;

/// The maximum number of Snapshots that a question names.
const NAMED: usize = 12;

/// The outcome of a group's run is shorter, because its planned time follows.
const LONGEST_OUTCOME: usize = LONGEST - 100;

/// A one-off notice about one or several schedules. `restorers` are the roles that may take a schedule over; they are named without a ping.
pub fn notice(told: &[NoticeFacts<'_>], restorers: &BTreeSet<RoleId>, number: i64) -> Message {
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

fn text(told: &NoticeFacts<'_>, restorers: &BTreeSet<RoleId>) -> String {
    let NoticeFacts { schedule, notice, operations, run, .. } = told;
    let is_tried = matches!(next_step(told), Some((_, Press::RunAgain { .. })));
    let now = |what| if is_tried { format!(" Press **Try again** to take {what} now.") } else { String::new() };
    let droplet = name(&schedule.droplet_name);
    match notice {
        Notice::Failed { planned, count, .. } => {
            let why = operations.first().map(why).unwrap_or_default();
            format!("❌ {droplet}: no Snapshot at {}{}.{why}{}", moment(*planned), in_a_row(*count), now("it"))
        }
        Notice::Group { planned, count, .. } => match run {
            Some(run) => {
                let outcome = shorten(&group::outcome(run, operations), LONGEST_OUTCOME);
                format!("{outcome}\nIt was planned for {}{}.", moment(*planned), in_a_row(*count))
            }
            // The operation is no longer known.
            None => format!("❌ Not every Droplet with {droplet} got the Snapshot planned for {}.", moment(*planned)),
        },
        Notice::Missed { first, count: 1, was_away, was_outage, .. } => {
            let why = missed(*was_away, *was_outage);
            format!("⚠️ I missed the Snapshot of {droplet} planned for {}: {why}.{}", moment(*first), now("it"))
        }
        Notice::Missed { first, last, count, was_away, was_outage } => format!(
            "⚠️ I missed {count} Snapshots of {droplet}, planned from {} to {}: {}.{}",
            moment(*first),
            moment(*last),
            missed(*was_away, *was_outage),
            now("one")
        ),
        Notice::Stale { newest, since } => stale(told, *newest, *since),
        Notice::OwnerLost { since } => owner_lost(schedule, *since, restorers),
        Notice::Unowned => format!(
            "❌ The schedule of {droplet} is paused: nobody took it over for 7 days. **No more Snapshots are taken.**"
        ),
        Notice::Zone { zone } => format!(
            "⚠️ I no longer know the time zone {} of the schedule of {droplet}, so **it runs in UTC**. `/schedule edit timezone:` \
             chooses another.",
            name(zone)
        ),
        Notice::Moved { was, is } => format!(
            "🗓️ The time zone data for {} has changed, so the next run of {droplet} is now {} instead of {}. `/schedule edit at:` \
             chooses another time.",
            name(&schedule.rule.zone),
            moment(*is),
            moment(*was)
        ),
        Notice::Gone => format!(
            "⏸️ The Droplet {droplet} is gone, so its schedule is paused. **Its Snapshots stay**, even those that no rule \
             keeps. {REBIND}"
        ),
        Notice::Undeleted { name: snapshot, count, .. } => {
            let why = operations.first().map(why).unwrap_or_default();
            format!(
                "❌ I couldn't delete {} of {droplet}, which no rule keeps{}.{why} I'll try again in 24 h.",
                name(snapshot),
                in_a_row(*count)
            )
        }
        Notice::GoodAgain => format!("✅ The schedule of {droplet} took a good Snapshot again."),
        Notice::Hung { count } => {
            let asked = format!("{droplet} didn't shut down {count} times in a row for its scheduled Snapshot.");
            match schedule.watched.hangs.asked {
                Asked::Open => format!(
                    "⚠️ **{asked}** Until somebody who may restore answers, I take its Snapshots while it runs. What should happen?"
                ),
                Asked::No | Asked::ShutDownStill => match schedule.watched.hangs_answered {
                    Some(Answered { by, at }) => format!("✅ {asked} <@{by}> answered {}.", ago(at)),
                    None => format!("⏭️ {asked} Nobody has to answer now."),
                },
            }
        }
        Notice::Doubtful { operation, count } => doubtful(told, *operation, *count),
        Notice::Unsized { count, .. } => without_size(&droplet, *count),
        Notice::Deletions { question, count } => deletions(told, (*question, *count)),
        Notice::Unheard { host, since } => format!(
            "⚠️ I haven't reached {} since {}. Check `ping-url` of the schedule of {droplet}; I keep taking its Snapshots.",
            name(host),
            moment(*since)
        ),
        Notice::Paused { newest } => paused(schedule, *newest),
    }
}

/// The schedule is still paused, and how old its newest Snapshot is.
fn paused(schedule: &Schedule, newest: Option<Timestamp>) -> String {
    let droplet = name(&schedule.droplet_name);
    let is_gone = matches!(schedule.state, State::Paused { why: Paused::DropletGone, .. });
    let why = if is_gone { ": its Droplet is gone" } else { "" };
    let next = if is_gone { REBIND } else { "`/schedule resume` restarts it." };
    let newest = match newest {
        Some(newest) => format!("Its newest Snapshot is from {} ({}).", moment(newest), ago(newest)),
        None => format!("{droplet} has no Snapshot from this schedule."),
    };
    format!("⏸️ The schedule of {droplet} is paused{why}. {newest} {next}")
}

/// The schedule has no recent Snapshot.
fn stale(told: &NoticeFacts<'_>, newest: Option<Timestamp>, since: Timestamp) -> String {
    let droplet = name(&told.schedule.droplet_name);
    let Some(newest) = newest else {
        return format!(
            "⚠️ **{droplet} has no Snapshot from this schedule yet**, and should have had one {}.",
            ago(since)
        );
    };
    let others = if told.has_others_after(newest) {
        " The ones since then are much smaller, or their size isn't known."
    } else {
        ""
    };
    format!(
        "⚠️ **{droplet} has no recent Snapshot.** The last good one of this schedule is from {} ({}).{others} I delete none until \
         there is a new one.",
        moment(newest),
        ago(newest)
    )
}

/// DigitalOcean does not report the size of the newest Snapshots.
fn without_size(droplet: &str, count: u32) -> String {
    let (which, are, subject, object) = match count {
        0 | 1 => ("the newest Snapshot".to_owned(), "is", "it is", "it"),
        count => (format!("the {count} newest Snapshots"), "are", "they are", "them"),
    };
    format!(
        "⚠️ **DigitalOcean hasn't said for a day how large {which} of {droplet} {are}**, so I can't tell whether {subject} good. I don't \
         count on {object}. Look in the control panel, or take a new one with `/schedule run`."
    )
}

/// The owner is lost, and who should take the schedule over.
fn owner_lost(schedule: &Schedule, since: Timestamp, restorers: &BTreeSet<RoleId>) -> String {
    let (droplet, owner) = (name(&schedule.droplet_name), schedule.owner.user);
    let roles: Vec<String> = restorers.iter().map(|role| format!("<@&{role}>")).collect();
    let who = match roles.as_slice() {
        [] => "Somebody who may restore".to_owned(),
        roles => format!("Somebody who may restore ({})", roles.join(", ")),
    };
    let owns = format!("<@{owner}>, who owns the schedule of {droplet}");
    let lost = match schedule.owner.silent_since {
        Some(since) => {
            format!("Discord doesn't tell me whether {owns}, still has the right to it (first asked {})", ago(since))
        }
        None => format!("{owns}, has left or lost the right to it (seen {})", ago(since)),
    };
    format!("⚠️ {lost}. I'll keep taking Snapshots for 7 days and delete none. {who} should take it over.")
}

/// The newest Snapshot is much smaller than the one before it, and whether a person must decide about it.
fn doubtful(told: &NoticeFacts<'_>, operation: OperationId, count: u32) -> String {
    let droplet = name(&told.schedule.droplet_name);
    if told.schedule.watched.relied_on.contains(&operation) {
        let said = told.schedule.watched.relied_on_last.filter(|(relied_on, _)| *relied_on == operation);
        let fine = said.map_or_else(
            || "Somebody said that it's fine.".to_owned(),
            |(_, Answered { by, at })| format!("<@{by}> said {} that it's fine.", ago(at)),
        );
        return format!("✅ The newest Snapshot of {droplet} is less than half as large as the one before it. {fine}");
    }
    if !told.is_doubtful(operation) {
        return format!(
            "⏭️ A Snapshot of {droplet} was less than half as large as the one before it. Nobody has to decide about it now."
        );
    }
    let which = match count {
        0 | 1 => format!("The newest Snapshot of {droplet} is"),
        count => format!("The {count} newest Snapshots of {droplet} are each"),
    };
    format!(
        "⚠️ **{which} less than half as large as the last good one.** I delete nothing until somebody says that it's fine, or a larger \
         one follows."
    )
}

/// Why a run could not begin in time.
fn missed(was_away: bool, was_outage: bool) -> &'static str {
    match (was_away, was_outage) {
        (true, _) => "I wasn't running then",
        (false, true) => "DigitalOcean didn't answer in time",
        (false, false) => "the Droplet was busy for the whole window",
    }
}

/// How often it happened in a row: `, 4th time in a row`.
fn in_a_row(count: u32) -> String {
    let ending = match (count % 10, count % 100) {
        _ if count < 2 => return String::new(),
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        (_, _) => "th",
    };
    format!(", {count}{ending} time in a row")
}

/// Asks whether these Snapshots may be deleted: which they are, and what waiting costs.
fn deletions(told: &NoticeFacts<'_>, (number, count): (u32, u32)) -> String {
    let schedule = told.schedule;
    let (droplet, question) = (name(&schedule.droplet_name), &schedule.watched.deletions);
    let many = if count == 1 { "1 Snapshot".to_owned() } else { format!("{count} Snapshots") };
    if !asks(schedule, number) {
        return match question.answered_by.filter(|_| question.number == number) {
            Some(user) => format!(
                "✅ <@{user}> said that {many} of {droplet} may be deleted. The schedule's message announces each one 24 hours ahead."
            ),
            None => {
                format!("⏭️ The schedule of {droplet} asked whether to delete {many}. Nobody has to answer now.")
            }
        };
    }
    let why = if schedule.narrowed { "Its rules were edited" } else { "That is a lot at once" };
    let mut lines = vec![format!(
        "⚠️ **May the schedule of {droplet} delete {many}?** No rule keeps {} now. {why}, so I delete nothing of this schedule \
         until somebody who may restore says so.",
        if count == 1 { "it" } else { "them" }
    )];
    if let Some(InQuestion { snapshots, price_per_gb }) = told.asked {
        let asked: Vec<&ScheduleSnapshot> =
            snapshots.iter().filter(|snapshot| question.asked.contains(&snapshot.operation)).collect();
        lines.extend(asked.iter().take(NAMED).map(|snapshot| {
            let size = snapshot.size.map(|size| format!(", {}", gigabytes(size))).unwrap_or_default();
            format!("- {}{size}", name(&snapshot.name))
        }));
        if asked.len() > NAMED {
            lines.push(format!("- … and {} more", asked.len() - NAMED));
        }
        let waiting: f64 = asked.iter().filter_map(|snapshot| snapshot.size).map(|size| cost(size, price_per_gb)).sum();
        lines.push(format!("Until then they cost {}.", dollars_a_month(waiting)));
    }
    lines.join("\n")
}

fn why(operation: &Operation) -> String {
    match &operation.outcome {
        Some(Outcome::Failed(why @ Failure::DropletGone)) => {
            format!(" {} Its schedule is paused, and its Snapshots stay. {REBIND}", failure::what(why, operation))
        }
        // The button below retries it, or the schedule retries on its own.
        Some(Outcome::Failed(why)) if failure::passes(why) || failure::may_be_tried_again(operation) => {
            format!(" {}", failure::what(why, operation))
        }
        Some(Outcome::Failed(why)) => format!(" {} {}", failure::what(why, operation), failure::next(why, operation)),
        Some(Outcome::Cancelled) => " Somebody stopped it.".to_owned(),
        Some(Outcome::Completed) | None => String::new(),
    }
}
