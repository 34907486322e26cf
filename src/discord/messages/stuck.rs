//! The two messages about power that the bot sends on its own: the call for help, and the repair of a late power-off.

use super::{
    failure,
    message::{Button, Message, Style},
    picker::picker,
    text::{name, plain},
    the_subject,
    units::{ago, duration, panel},
    waiting::blocker,
};
use crate::{
    discord::press::{Act, Press},
    operation::{
        Blocker, Operation,
        ids::UserId,
        power::{Release, Released, Status},
        reading::{Failure, PowerState},
        step::Task,
    },
    store::Called,
    text::length,
};

/// The longest name in a list, and how many are listed side by side.
const LONGEST_NAME: usize = 40;
const SIDE_BY_SIDE: usize = 12;
/// How much of Discord's 2,000 UTF-16 units the text may use. The last line needs the rest.
const LONGEST: usize = 1900;

/// The call about all operations that its message lists: Droplets are off and their operations make no progress. It calls people, and the
/// bot keeps trying. Operations whose requester is reached by another message are listed too.
pub fn call(called: &[Called]) -> Message {
    let (mut still, mut over): (Vec<_>, Vec<_>) =
        called.iter().map(|called| &called.operation).partition(|operation| operation.power.is_called_about());
    still.sort_by_key(|operation| (operation.power.owed().map(|owed| owed.since), operation.id));
    over.sort_by(|one, other| (&one.target.name, one.id).cmp(&(&other.target.name, other.id)));
    let mut pings: Vec<UserId> = Vec::new();
    for one in called.iter().filter(|called| !called.is_called_elsewhere) {
        let requester = one.operation.requester.user;
        if !pings.contains(&requester) {
            pings.push(requester);
        }
    }
    let mentions = pings.iter().fold(String::new(), |text, user| text + &format!("<@{user}> "));
    let (text, menu, buttons) = match (still.as_slice(), over.as_slice()) {
        ([], [one]) => (ended(one), None, Vec::new()),
        ([], _) => (paragraphs(all_over(&over)), None, Vec::new()),
        ([one], _) => (paragraphs([alone(one)].into_iter().chain(standings(&over))), None, buttons(one)),
        ([first, ..], _) => {
            let room = LONGEST.saturating_sub(length(&mentions));
            let all = keep_waiting_for_all(called).into_iter().collect();
            (several(first, (&still, &over), room), picker(still.iter().copied()), all)
        }
    };
    let menus = menu.into_iter().collect();
    Message { content: format!("{mentions}{text}"), menus, pings, buttons, ..Message::default() }
}

/// The call about one operation.
fn alone(operation: &Operation) -> String {
    let droplet = name(&operation.target.name);
    let panel = match operation.target.droplet {
        Some(id) => panel(id),
        None => "DigitalOcean's control panel".to_owned(),
    };
    let is_turning_on = is_turning_on(operation);
    let state = if operation.power.was_seen_off() && is_turning_on {
        format!("{droplet} is off, and I couldn't turn it back on.")
    } else if operation.power.was_seen_off() {
        format!("{droplet} is off, and {} is making no progress.", the_subject(operation))
    } else {
        format!("I told {droplet} to shut down, and I can't see whether it is back on.")
    };
    let again = if must_be_done(operation) {
        "I'll try again as soon as that is done."
    } else if is_turning_on {
        "I try again every few minutes."
    } else {
        "I'll go on as soon as that is over."
    };
    format!(
        "⚠️ {state} {}\n{again} To fix it now, power it on at {panel}, or press **I'll handle it** and I'll stop trying.",
        why(operation, "It waits")
    )
}

/// The call about several operations; the first has been off for longest.
fn several(first: &Operation, (still, over): (&[&Operation], &[&Operation]), room: usize) -> String {
    let count = still.len();
    let all_seen_off = still.iter().all(|operation| operation.power.was_seen_off());
    let turning_on = still.iter().filter(|operation| is_turning_on(operation)).count();
    let state = match turning_on {
        _ if !all_seen_off => format!("{count} Droplets are off, or I can't see them."),
        0 => format!("{count} Droplets are off, and their operations are making no progress."),
        on if on == count => format!("{count} Droplets are off, and I couldn't turn them back on."),
        _ => format!("{count} Droplets are off."),
    };
    let again = if must_be_done(first) {
        "I'll go on as soon as that is done."
    } else if turning_on > 0 {
        "I try again every few minutes."
    } else {
        "I'll go on as soon as that is over."
    };
    let head = format!("⚠️ **{state}** {}\n{again} To fix it now, power them on yourself:", why(first, "They wait"));
    let tail = paragraphs(standings(over).chain(["For one of them alone, pick it below.".to_owned()]));
    let cause = first.cause_of_call();
    let lines = still.iter().map(|operation| line(operation, &cause));
    let list = as_many_as_fit(lines, room.saturating_sub(length(&head) + length(&tail)));
    paragraphs([head, list, tail])
}

/// A Droplet among several, with its reason if that differs from the message's.
fn line(operation: &Operation, cause: &str) -> String {
    let droplet = name(&plain(&operation.target.name, LONGEST_NAME));
    let since = operation.power.owed().map(|owed| format!(" {}", ago(owed.since))).unwrap_or_default();
    let seen = if operation.power.was_seen_off() { "" } else { ", not seen since" };
    let told = if operation.power.was_seen_off() { "shut down" } else { "told to shut down" };
    let other = match operation.power.last_call().and_then(|call| call.why.as_ref()) {
        _ if operation.cause_of_call() == cause => String::new(),
        Some(why) => format!(" · {}", failure::short(why)),
        None => operation.obstacle.as_ref().map(|it| format!(" · {}", blocker(&it.what))).unwrap_or_default(),
    };
    let panel = operation.target.droplet.map(|id| format!(" · {}", panel(id))).unwrap_or_default();
    format!("- {droplet} · {told}{since}{seen}{other}{panel}")
}

/// As many whole lines as fit, and how many are omitted.
fn as_many_as_fit(lines: impl ExactSizeIterator<Item = String>, room: usize) -> String {
    let all = lines.len();
    let mut shown: Vec<String> = Vec::new();
    // The last line tells how many are omitted.
    let mut left = room.saturating_sub(length("- and 1000 more"));
    for line in lines {
        let Some(rest) = left.checked_sub(length(&line) + 1) else { break };
        left = rest;
        shown.push(line);
    }
    if shown.len() < all {
        shown.push(format!("- and {} more", all - shown.len()));
    }
    shown.join("\n")
}

/// What blocks the operation, and what people must do about it.
fn why(operation: &Operation, waits: &str) -> String {
    match (operation.power.last_call().and_then(|call| call.why.as_ref()), &operation.obstacle) {
        (Some(why), _) if must_be_done(operation) => {
            format!("{} {}", failure::what(why, operation), failure::next(why, operation))
        }
        (Some(why), _) => failure::what(why, operation),
        (None, Some(obstacle)) => format!("{waits} because {}.", blocker(&obstacle.what)),
        (None, None) if operation.power.is_unseen() => format!("{waits} because {}.", blocker(&Blocker::Outage)),
        (None, None) => "I'm still waiting for DigitalOcean.".to_owned(),
    }
}

/// Whether it continues only after a person has acted.
fn must_be_done(operation: &Operation) -> bool {
    let why = operation.power.last_call().and_then(|call| call.why.as_ref());
    matches!(why, Some(Failure::Unauthorized | Failure::OtherAccount | Failure::Forbidden { .. }))
}

fn is_turning_on(operation: &Operation) -> bool {
    operation.active_step().is_none_or(|step| step.task() == Task::PowerOn)
}

/// The buttons for people who are called about an operation.
pub fn buttons(operation: &Operation) -> Vec<Button> {
    let button = |label: &'static str, style, act| {
        Button::new(label, style, Press::Instruction { act, operation: operation.id })
    };
    let is_turning_on = is_turning_on(operation);
    let is_restoring = operation.active_step().is_some_and(|step| step.task() == Task::Restore && step.began.is_some());
    let offered = [
        (!is_turning_on && !is_restoring, button("Turn it on as soon as possible", Style::Primary, Act::TurnOn)),
        (!is_turning_on, button("Keep waiting", Style::Secondary, Act::KeepWaiting)),
        (true, button("I'll handle it", if is_turning_on { Style::Primary } else { Style::Secondary }, Act::HandleIt)),
    ];
    offered.into_iter().filter_map(|(is_offered, button)| is_offered.then_some(button)).collect()
}

/// One button for all that a message lists: the only instruction that is harmless for several Droplets at once.
fn keep_waiting_for_all(called: &[Called]) -> Option<Button> {
    let leader = called.iter().find(|called| called.leads)?.operation.id;
    Some(Button::new("Keep waiting for all", Style::Secondary, Press::KeepWaiting(leader)))
}

/// The state of an operation once people no longer need to be called about it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    On,
    GettingOn,
    NotOurs,
}

fn standing(operation: &Operation) -> Standing {
    match operation.power.status() {
        Status::Back(_) | Status::Watched(_) => Standing::On,
        Status::Stuck(_) if operation.power.is_watched() => Standing::On,
        Status::Untouched if operation.power.last_seen() == Some(PowerState::On) => Standing::On,
        Status::Owed | Status::Stuck(_) => Standing::GettingOn,
        Status::Untouched | Status::OffBefore | Status::Theirs(_) | Status::Released(_) | Status::Gone => {
            Standing::NotOurs
        }
    }
}

/// What happened to an operation that people were called about.
fn ended(operation: &Operation) -> String {
    let droplet = name(&operation.target.name);
    match operation.power.status() {
        _ if standing(operation) == Standing::On => match operation.power.downtime() {
            Some(downtime) => format!("✅ {droplet} is on again. It was down for {}.", duration(downtime)),
            None => format!("✅ {droplet} is on."),
        },
        _ if standing(operation) == Standing::GettingOn => {
            format!("🔄 {droplet} is still off, but {} is making progress again.", the_subject(operation))
        }
        Status::Released(Release { by, how: Released::Handled, .. }) => {
            format!("⏭️ <@{by}> is taking care of {droplet}.")
        }
        Status::Released(Release { by, how: Released::LeftOff, .. }) => {
            format!("⏭️ {droplet} was left off by <@{by}>.")
        }
        Status::Theirs(_) | Status::OffBefore => {
            format!("⏭️ Somebody else turned {droplet} off, so I leave it off.")
        }
        Status::Gone => format!("⏭️ {droplet} no longer exists."),
        Status::Untouched | Status::Owed | Status::Stuck(_) | Status::Watched(_) | Status::Back(_) => {
            format!("⏭️ A newer operation looks after {droplet}.")
        }
    }
}

/// The text once no operation needs a call any more.
fn all_over(over: &[&Operation]) -> Vec<String> {
    if over.iter().all(|operation| standing(operation) == Standing::On) {
        let all = if over.len() == 2 { "Both".to_owned() } else { format!("All {}", over.len()) };
        vec![format!("✅ **{all} Droplets are on again:** {}", side_by_side(over))]
    } else {
        std::iter::once("⏭️ **Nobody is needed here now.**".to_owned()).chain(standings(over)).collect()
    }
}

/// A line for each state that occurs, with the names.
fn standings(over: &[&Operation]) -> impl Iterator<Item = String> {
    let signs = [
        (Standing::On, "✅ On again"),
        (Standing::GettingOn, "🔄 Still off, but making progress again"),
        (Standing::NotOurs, "⏭️ Left off, or looked after by somebody else"),
    ];
    signs.into_iter().filter_map(|(wanted, sign)| {
        let those: Vec<&Operation> = over.iter().copied().filter(|operation| standing(operation) == wanted).collect();
        (!those.is_empty()).then(|| format!("{sign}: {}", side_by_side(&those)))
    })
}

fn side_by_side(operations: &[&Operation]) -> String {
    let names =
        operations.iter().take(SIDE_BY_SIDE).map(|operation| name(&plain(&operation.target.name, LONGEST_NAME)));
    let names = names.collect::<Vec<_>>().join(", ");
    match operations.len().saturating_sub(SIDE_BY_SIDE) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

fn paragraphs(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

/// A hung shutdown took effect after the end of the operation, and the bot repaired it.
pub fn repaired(operation: &Operation) -> Message {
    let droplet = name(&operation.target.name);
    let downtime = operation.power.downtime().map(|downtime| format!(" It was down for {}.", duration(downtime)));
    let when = operation.power.repaired().map(|at| format!(" {}", ago(at))).unwrap_or_default();
    Message::text(format!(
        "✅ {droplet} turned off after all: the stuck shutdown took effect late. I turned it back on{when}.{}",
        downtime.unwrap_or_default()
    ))
}
