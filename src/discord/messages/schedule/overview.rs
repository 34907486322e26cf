//! The list of all schedules, and what the policy of one would do with each of its Snapshots.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    super::{
        lengths,
        message::{Colour, Embed, Message},
        text::name,
        units::{ago, moment},
    },
    label, marker,
    review::{Review, plans},
    status::{ScheduleFacts, held},
    when,
};
use crate::{
    operation::ids::{GuildId, OperationId, SnapshotId},
    schedule::{
        Schedule, State,
        retention::{PruneDecision, Reason},
    },
};

/// The maximum number of Snapshots named for one reason to stay or go.
const NAMED: usize = 12;
/// How many UTF-16 units the last line about omitted entries may use.
const ROOM_FOR_MORE: usize = 80;

/// What people in another guild may know about a schedule: its Droplet, when it runs, and that they may pause it.
pub fn elsewhere(schedule: &Schedule, next: Option<Timestamp>) -> Message {
    let next = next.filter(|_| schedule.is_active()).map(|next| format!(", next {}", ago(next))).unwrap_or_default();
    let paused = if schedule.is_active() { "" } else { " It is paused." };
    Message::text(format!(
        "The schedule of {} runs {}{next}.{paused} It was added in another server. From here you can pause it.",
        name(&schedule.droplet_name),
        when(&schedule.rule)
    ))
}

/// All schedules, one line each. For those of other guilds, the channel is omitted.
pub fn list(schedules: &[(Schedule, Option<Timestamp>)], here: Option<GuildId>) -> Message {
    if schedules.is_empty() {
        return Message::text("There are no schedules yet. `/schedule add` makes one.");
    }
    let line = |(schedule, next): &(Schedule, Option<Timestamp>)| {
        let next = match (schedule.state, next) {
            (State::Active, Some(next)) => format!("next {}", ago(*next)),
            (State::Active, None) => "never runs again".to_owned(),
            (State::Paused { until: Some(until), .. }, _) => format!("paused until {}", moment(until)),
            (State::Paused { until: None, .. } | State::Removed, _) => "paused".to_owned(),
        };
        let place = if here == Some(schedule.guild) {
            format!("in <#{}>", schedule.channel)
        } else {
            "of another server".to_owned()
        };
        format!("`{}` · {next} · {place}", label(schedule).replace('`', "'"))
    };
    let lines = schedules.iter().map(|one| (line(one), 1));
    let more = |count| format!("… and {count} more; `/schedule show` finds each while you type");
    Message::text(that_fit(lines, lengths::CONTENT, more))
}

/// What a schedule would do from now on, and what its policy would do with the existing Snapshots, with reasons. `sources` were put back
/// onto the Droplet, and stay because of that.
pub fn preview(
    (standing, decisions): (&ScheduleFacts, &[(OperationId, PruneDecision)]),
    sources: &BTreeSet<SnapshotId>,
    review: &Review<'_>,
    price_per_gb: f64,
) -> Message {
    let schedule = &standing.schedule;
    let mut lines: Vec<(String, usize)> = plans(review, price_per_gb).into_iter().map(|line| (line, 0)).collect();
    lines.push((String::new(), 0));
    lines.push(("**What becomes of each Snapshot**".to_owned(), 0));
    lines.extend(standing.hold.map(|hold| (held(hold, standing.snapshots.len()), 0)));
    if standing.snapshots.is_empty() {
        lines.push(("It has no Snapshots yet.".to_owned(), 0));
    }
    lines.extend(folded(standing, decisions, sources).into_iter().map(|(why, which)| {
        let rest = which.len().saturating_sub(NAMED);
        let named = which.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        (format!("{named}{more} · {why}"), which.len())
    }));
    let title = format!("What the schedule of {} does", name(&schedule.droplet_name));
    let description = that_fit(lines, lengths::DESCRIPTION, |count| format!("… and {count} more Snapshots"));
    Message {
        embeds: vec![Embed { title, description, footer: marker(schedule.id, 0), colour: Colour::Working }],
        ..Message::default()
    }
}

/// What happens to the Snapshots by reason: the dropped ones first, each with names, newest first.
fn folded(
    standing: &ScheduleFacts,
    decisions: &[(OperationId, PruneDecision)],
    sources: &BTreeSet<SnapshotId>,
) -> Vec<(String, Vec<String>)> {
    let mut folded: Vec<(String, Vec<String>)> = vec![("🧹 no rule keeps it".to_owned(), Vec::new())];
    for snapshot in &standing.snapshots {
        let decision =
            decisions.iter().find(|(operation, _)| *operation == snapshot.operation).map(|(_, decision)| decision);
        let why = match decision {
            Some(PruneDecision::Keep(_)) if snapshot.snapshot.is_some_and(|id| sources.contains(&id)) => {
                "stays: it was put back onto the Droplet".to_owned()
            }
            Some(PruneDecision::Keep(reasons)) => {
                let reasons: Vec<&str> = reasons.iter().copied().map(reason).collect();
                format!("stays: {}", reasons.join(", "))
            }
            Some(PruneDecision::Drop) => folded[0].0.clone(),
            None => "stays".to_owned(),
        };
        let which = match standing.schedule.group {
            // A planned time of a group has a Snapshot of each Droplet, so the name tells them apart.
            Some(_) => name(&snapshot.name),
            None => snapshot.planned.map(moment).unwrap_or_default(),
        };
        match folded.iter_mut().find(|(known, _)| *known == why) {
            Some((_, same)) => same.push(which),
            None => folded.push((why, vec![which])),
        }
    }
    folded.retain(|(_, which)| !which.is_empty());
    folded
}

/// As many lines as fit, then the number of omitted entries. Each line comes with the number of entries that it stands for.
fn that_fit(lines: impl IntoIterator<Item = (String, usize)>, most: usize, more: impl Fn(usize) -> String) -> String {
    let (mut text, mut missing) = (String::new(), 0);
    let room = most - ROOM_FOR_MORE;
    for (line, count) in lines {
        let length = text.encode_utf16().count() + 1 + line.encode_utf16().count();
        if missing > 0 || length > room {
            missing += count;
        } else {
            text = if text.is_empty() { line } else { text + "\n" + &line };
        }
    }
    if missing > 0 { format!("{text}\n{}", more(missing)) } else { text }
}

fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Newest => "the newest",
        Reason::NewestConsistent => "the newest taken with the Droplet off",
        Reason::Last => "one of the latest",
        Reason::Daily => "of its day",
        Reason::Weekly => "of its week",
        Reason::Monthly => "of its month",
        Reason::Yearly => "of its year",
        Reason::Oldest => "the oldest, as long as a rule is not full",
        Reason::Pinned => "somebody keeps it",
        Reason::Doubtful => "much smaller than the one before it, to be looked at",
        Reason::Unsized => "its size is not known yet",
        Reason::NotOfThisSchedule => "the schedule takes no Snapshots of its Droplet any more",
        Reason::UnknownTime => "its time is not known",
    }
}
