//! Messages about groups: the members, the progress of a run, its outcome, and errors in what a person typed.

use jiff::SignedDuration;

use super::{
    choice::keyed,
    failure, lengths,
    message::{Button, Colour, Embed, Message, Style},
    text::{name, plain, quote, shorten},
    units::{about, link, panel},
};
use crate::{
    discord::press::Press,
    operation::{
        Operation, Outcome,
        announce::Tell,
        ids::{ChannelId, MessageId, OperationId, RunId},
        warning::Warn,
    },
    schedule::{
        Power, WINDOW,
        group::{BadGroup, Excluded, Group, MOST_AT_ONCE},
        run::{Lost, Member, Phase, Run},
    },
    store::{DIRECT, ENDED, STATUS},
};

/// The maximum number of members named in a list; the rest are counted.
const NAMED: usize = 30;
/// The longest text of an outcome. A mention and the last line need the rest.
const LONGEST: usize = lengths::CONTENT - 200;
/// The maximum number of failed members that an outcome explains.
const EXPLAINED: usize = 5;

/// The end of a run's message, by which the bot finds it again.
pub fn marker(run: RunId, number: i64) -> String {
    match number {
        STATUS => format!("group run {run}"),
        number => format!("group run {run} · {number}"),
    }
}

/// The choice for a tag: `3 Droplets · tag:prod`.
pub fn choice(tag: &str, count: usize) -> String {
    keyed(&format!("{count} {}", if count == 1 { "Droplet" } else { "Droplets" }), tag)
}

/// How the members are taken: `one after another, 30 s apart; each must pass `tcp:80` before the next begins`.
pub fn pace(group: &Group) -> String {
    let order = match group.at_once {
        1 => "one after another".to_owned(),
        count => format!("{count} at a time"),
    };
    let gap = if group.gap > 0 { format!(", {} apart", super::units::duration(group.pause())) } else { String::new() };
    let check = group
        .check
        .as_ref()
        .map(|check| format!("; each must be on again and pass {} before the next begins", name(&check.to_string())));
    let stops = match group.stop_after {
        0 | 1 => String::new(),
        count => format!("; the run stops when {count} don't come back"),
    };
    let check = check.unwrap_or_else(|| "; each must be on again before the next begins".to_owned());
    format!("{order}{gap}{check}{stops}")
}

/// The present members of a group.
#[derive(Clone, Debug)]
pub struct Members {
    /// The names of the Droplets that are taken, in order.
    pub names: Vec<String>,
    /// Those that are left out, and why.
    pub excluded: Vec<(String, Excluded)>,
    /// The names of the Droplets without a public IPv4 address, if each must pass a check.
    pub unreachable: Vec<String>,
    /// How long a run takes.
    pub length: SignedDuration,
}

/// Which Droplets would be taken, how, how long that takes, and which are left out.
pub fn members(group: &Group, members: &Members) -> Vec<String> {
    let Members { names, excluded, unreachable, length } = members;
    let count = names.len();
    let mut lines = vec![format!(
        "**Droplets:** {count} with the tag {}, {}: {}.",
        name(&group.tag),
        about(*length),
        listed(names.iter().map(|one| name(one)))
    )];
    lines.push(format!("**Order:** {}. The one whose Snapshot is oldest comes first.", pace(group)));
    if !excluded.is_empty() {
        let left_out = excluded.iter().map(|(one, why)| format!("{} ({})", name(one), reason(*why)));
        lines.push(format!("**Left out:** {}.", listed(left_out)));
    }
    if let (Some(check), false) = (&group.check, unreachable.is_empty()) {
        lines.push(format!(
            "⚠️ **{} can never pass {}:** no public IPv4 address. {}",
            listed(unreachable.iter().map(|one| name(one))),
            name(&check.to_string()),
            if group.stop_after > 1 { "Each counts as one that doesn't come back." } else { "A run stops there." }
        ));
    }
    lines
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    let shown = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED { format!("{shown} and {} more", names.len() - NAMED) } else { shown }
}

/// Why a Droplet is not a member.
pub fn reason(why: Excluded) -> &'static str {
    match why {
        Excluded::Kubernetes => "a Kubernetes worker, which is replaced when it is off",
        Excluded::Autoscale => "in an autoscale pool, which replaces what is off",
        Excluded::Own => "I run on it and couldn't turn it on again",
        Excluded::Lately => "a Snapshot of it was taken a short while ago",
    }
}

/// The progress of a run for its message: `7 of 12`, then each member. `operations` explain why members failed, as far as they are known.
pub fn progress(run: &Run, operations: &[Operation]) -> Vec<String> {
    let (good, all) = (run.good(), run.taken().count());
    let mut lines = vec![match (run.ended_at, run.stopped_by) {
        (Some(_), _) => format!("**{good} of {all}** {} a good Snapshot.", have(good)),
        (None, Some(person)) => {
            format!("🛑 **{good} of {all}.** <@{person}> stopped it: I'm finishing what runs and starting no more.")
        }
        (None, None) => format!("🔄 **{good} of {all}** {} a good Snapshot so far.", have(good)),
    }];
    // Members at work come first, then failed ones, because a long list is cut.
    let mut members: Vec<&Member> = run.members.iter().collect();
    members.sort_by_key(|member| rank(member.phase));
    lines.extend(members.iter().take(NAMED).map(|member| line(run, member, operations)));
    if members.len() > NAMED {
        lines.push(format!("… and {} more", members.len() - NAMED));
    }
    lines
}

fn have(count: usize) -> &'static str {
    if count == 1 { "has" } else { "have" }
}

fn rank(phase: Phase) -> u8 {
    match phase {
        Phase::Lost { .. } => 0,
        Phase::Taking | Phase::Returning { .. } => 1,
        Phase::Done { is_good: false, .. } => 2,
        Phase::Done { is_good: true, .. } => 3,
        Phase::Waiting | Phase::Left => 4,
        Phase::Excluded(_) => 5,
    }
}

fn line(run: &Run, member: &Member, operations: &[Operation]) -> String {
    let droplet = name(&member.name);
    let operation = member.operation.map(|id| format!(" · operation `{id}`")).unwrap_or_default();
    let details = details(member);
    let check = run.plan.group.check.as_ref().map(|check| name(&check.to_string())).unwrap_or_default();
    let but_good = |is_good: bool| if is_good { " (Snapshot is fine)" } else { "" };
    match member.phase {
        Phase::Waiting => format!("▫️ {droplet}"),
        Phase::Taking => format!("🔄 {droplet}{operation}"),
        Phase::Returning { .. } if run.plan.group.check.is_some() => format!("🔎 {droplet}: waiting for {check}"),
        Phase::Returning { .. } => format!("🔎 {droplet}: waiting until it is on"),
        Phase::Done { is_good: true, .. } => format!("✅ {droplet}"),
        Phase::Done { is_good: false, .. } => {
            let why =
                operation_of(member, operations).and_then(shortly).map(|why| format!(", {why}")).unwrap_or_default();
            format!("❌ {droplet}: no Snapshot{why}{details}")
        }
        Phase::Lost { is_good, why: Lost::NotActive } => {
            format!("⛔ {droplet}: didn't come back on{}{details}", but_good(is_good))
        }
        Phase::Lost { is_good, why: Lost::Check } => {
            format!("⛔ {droplet}: on, but it doesn't pass {check}{}{details}", but_good(is_good))
        }
        Phase::Left => format!("➖ {droplet}: not started"),
        Phase::Excluded(why) => format!("⏭️ {droplet} left out: {}", reason(why)),
    }
}

/// The outcome of a run that was not a success, with what is known about the failed members.
pub fn outcome(run: &Run, operations: &[Operation]) -> String {
    let (good, all) = (run.good(), run.taken().count());
    let tag = name(&run.plan.group.tag);
    if all == 0 {
        return format!("❌ No Droplet I can see has the tag {tag}, so no Snapshot was taken.");
    }
    if run.is_success() {
        let each = match all {
            1 => "The Droplet".to_owned(),
            2 => "Both Droplets".to_owned(),
            all => format!("All {all} Droplets"),
        };
        return format!("✅ {each} with the tag {tag} {} a good Snapshot.", have(all));
    }
    let mut lines = vec![format!("❌ **{good} of {all}** Droplets with the tag {tag} {} a good Snapshot.", have(good))];
    let lost: Vec<&Member> = run.lost().collect();
    let stops_at = usize::try_from(run.plan.group.stop_after.max(1)).unwrap_or(usize::MAX);
    let failed = run.taken().filter(|member| matches!(member.phase, Phase::Done { is_good: false, .. }));
    lines.extend((1..).zip(&lost).map(|(number, member)| did_not_return(run, member, number == stops_at)));
    lines.extend(failed.take(EXPLAINED).map(|member| {
        let why = operation_of(member, operations).map(cause).unwrap_or_default();
        format!("❌ {}: no Snapshot{}{}", name(&member.name), why.trim_end_matches('.'), details(member))
    }));
    let left = run.taken().filter(|member| matches!(member.phase, Phase::Left | Phase::Waiting)).count();
    if left > 0 {
        lines.push(format!("➖ {left} {} started.", if left == 1 { "wasn't" } else { "weren't" }));
    }
    lines.join("\n")
}

/// ``⛔ `web-2` didn't come back on (Snapshot is fine), so I stopped. Check it at …``
fn did_not_return(run: &Run, member: &Member, is_end: bool) -> String {
    let (is_good, what) = match (member.phase, &run.plan.group.check) {
        (Phase::Lost { is_good, why: Lost::Check }, Some(check)) => {
            (is_good, format!("is on, but doesn't pass {}", name(&check.to_string())))
        }
        (Phase::Lost { is_good, .. }, _) => (is_good, "didn't come back on".to_owned()),
        _ => (false, "has no good Snapshot".to_owned()),
    };
    let fine = if is_good { " (Snapshot is fine)" } else { "" };
    let end = if is_end { ", so I stopped" } else { "" };
    format!("⛔ {} {what}{fine}{end}. Check it at {}.", name(&member.name), panel(member.droplet))
}

fn operation_of<'o>(member: &Member, operations: &'o [Operation]) -> Option<&'o Operation> {
    operations.iter().find(|operation| member.operation == Some(operation.id))
}

fn details(member: &Member) -> String {
    member.operation.map(|id| format!(" · details: `/snapshot status operation:{id}`")).unwrap_or_default()
}

fn cause(operation: &Operation) -> String {
    match &operation.outcome {
        Some(Outcome::Failed(why)) => format!(". {}", failure::what(why, operation)),
        Some(Outcome::Cancelled) => ". Somebody stopped it.".to_owned(),
        Some(Outcome::Completed) | None => String::new(),
    }
}

/// Why a member failed, in a few words.
fn shortly(operation: &Operation) -> Option<String> {
    match &operation.outcome {
        Some(Outcome::Failed(why)) => Some(failure::short(why)),
        Some(Outcome::Cancelled) => Some("somebody stopped it".to_owned()),
        Some(Outcome::Completed) | None => None,
    }
}

/// Whether a retry of a run that a person began may help: some members have no Snapshot, and only chance or an earlier member is the
/// reason. A run that a person stopped is not offered.
pub fn may_be_tried_again(run: &Run, operations: &[Operation]) -> bool {
    let may_help = |member: &Member| match member.phase {
        Phase::Waiting | Phase::Left => true,
        Phase::Done { is_good: false, .. } => operation_of(member, operations).is_some_and(failure::may_be_tried_again),
        Phase::Taking | Phase::Returning { .. } | Phase::Done { .. } | Phase::Lost { .. } | Phase::Excluded(_) => false,
    };
    let is_over = run.ended_at.is_some() && run.plan.schedule.is_none() && run.stopped_by.is_none();
    is_over && run.taken().any(may_help)
}

/// The operations that explain how a run ended: of every member without a Snapshot, since each decides whether another try may help.
pub fn explained(run: &Run) -> impl Iterator<Item = OperationId> {
    let failed = run.taken().filter(|member| matches!(member.phase, Phase::Done { is_good: false, .. }));
    failed.filter_map(|member| member.operation)
}

/// The message of a run that a person began. It is edited as the run progresses.
pub fn status(run: &Run, operations: &[Operation]) -> Message {
    let (sign, colour) = match run.ended_at {
        None => ("", Colour::Working),
        Some(_) if run.is_success() => ("✅ ", Colour::Done),
        Some(_) => ("❌ ", Colour::Failed),
    };
    let stop = Button::new("Stop after this one", Style::Secondary, Press::StopRun(run.plan.id));
    let description = shorten(&progress(run, operations).join("\n"), lengths::DESCRIPTION);
    let title = shorten(&format!("{sign}Snapshots of {}", name(&run.plan.group.label())), lengths::TITLE);
    Message {
        embeds: vec![Embed { title, description, footer: marker(run.plan.id, STATUS), colour }],
        buttons: (run.ended_at.is_none() && run.stopped_by.is_none()).then_some(stop).into_iter().collect(),
        ..Message::default()
    }
}

/// The end of a run that a person began: a new message, which mentions them unless they chose otherwise.
pub fn ended(run: &Run, operations: &[Operation]) -> Message {
    let (said, marker) = (shorten(&outcome(run, operations), LONGEST), marker(run.plan.id, ENDED));
    let message = match run.announced() {
        Tell::Ping => mentioning(run, &format!("{said}\n-# {marker}")),
        Tell::Silent | Tell::Direct => Message::text(format!("{said}\n-# {marker}")),
    };
    let again = Button::new("Try again", Style::Secondary, Press::GroupAgain(run.plan.id));
    let again = may_be_tried_again(run, operations).then_some(again);
    Message { buttons: again.into_iter().collect(), ..message }
}

/// The direct message that links to it. It names nothing, since what is private to a guild stays there.
pub fn lead(run: &Run, (channel, message): (ChannelId, MessageId)) -> Message {
    let how = if run.is_success() { "Done" } else { "Stopped" };
    let link = link(run.plan.guild, channel, message);
    Message::text(format!("{how}: {link}\n-# {}", marker(run.plan.id, DIRECT)))
}

/// The mention in the channel that links to it, for people who accept no direct messages.
pub fn lead_in_channel(run: &Run, (channel, message): (ChannelId, MessageId)) -> Message {
    let link = link(run.plan.guild, channel, message);
    let said = format!("You don't take direct messages from me, so I mention you here: {link}");
    mentioning(run, &format!("{said}\n-# {}", marker(run.plan.id, DIRECT)))
}

fn mentioning(run: &Run, said: &str) -> Message {
    let owner = run.plan.owner;
    Message { content: format!("<@{owner}> {said}"), pings: vec![owner], ..Message::default() }
}

/// What happens to the power of each member.
pub fn power(power: Power) -> &'static str {
    match power {
        Power::Off => "I shut each one down, take its Snapshot and turn it back on.",
        Power::Live => {
            "no downtime. Taken while running: like pulling the plug, so files open at that moment may be incomplete."
        }
    }
}

/// Who is warned before each Droplet goes down; `None` if the Droplets keep running.
pub fn warned(power: Power, warn: Option<Warn>) -> Option<String> {
    let Warn { channel, minutes } = warn.filter(|_| power == Power::Off)?;
    Some(format!("**Warns:** <#{channel}>, {minutes} min before a Droplet goes down."))
}

/// The error in what was typed about a group.
pub fn bad(bad: &BadGroup) -> String {
    match bad {
        BadGroup::Tag { typed } if typed.is_empty() => {
            "The tag's name is missing after `tag:`. Write it like `tag:prod`, or choose one from the suggestions."
                .to_owned()
        }
        BadGroup::Tag { typed } => format!(
            "{} can't be a tag. Tags have letters, digits, `:`, `-` and `_`; write it like `tag:prod`.",
            quote(typed)
        ),
        BadGroup::AtOnce { typed } => {
            format!("I can't take {} Droplets at once. Use a number from 1 to {MOST_AT_ONCE}.", plain(typed, 20))
        }
        BadGroup::StopAfter { typed } => {
            format!("I can't stop after {} Droplets. Use a number from 1 to {MOST_AT_ONCE}.", plain(typed, 20))
        }
        BadGroup::Gap { typed } => {
            format!("{} isn't a pause. Write it like `30s` or `5m`, an hour at most.", quote(typed))
        }
        BadGroup::Check { typed } => format!(
            "I don't know how to check {}. Use `tcp:` with a port, such as `tcp:25565`, or `http:` with a port and a path, such as `http:80/health`.",
            quote(typed)
        ),
    }
}

/// No Droplet has the tag, or all of them are left out.
pub fn nobody(tag: &str, excluded: usize) -> String {
    if excluded > 0 {
        format!(
            "I leave out every Droplet with the tag {}: Kubernetes workers, autoscale pools, and the one that I run on.",
            name(tag)
        )
    } else {
        format!("No Droplet I can see has the tag {}. Choose a tag from the suggestions.", name(tag))
    }
}

/// The tag has too many Droplets.
pub fn too_many(tag: &str, count: usize, most: usize) -> String {
    format!(
        "{count} Droplets have the tag {}, and a group has at most {most}. Give some of them a tag of their own.",
        name(tag)
    )
}

/// A run with these members does not fit into the window.
pub fn too_long(tag: &str, count: usize, length: SignedDuration, at_once: Option<u32>) -> String {
    let hint = match at_once {
        Some(count) => format!("`at-once: {count}` fits."),
        None => "Give some of them a tag of their own.".to_owned(),
    };
    format!(
        "{count} Droplets have the tag {}. Taking them takes {}, but the last one must begin within {}. {hint}",
        name(tag),
        about(length),
        super::units::duration(WINDOW)
    )
}
