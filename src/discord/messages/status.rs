//! The texts of `/snapshot status`: what runs now, what ended recently, and one operation in detail.

use jiff::Timestamp;

use super::{
    choice::keyed,
    failure,
    kinds::words,
    lengths,
    message::{Colour, Embed, Message},
    picker::picker,
    progress::{asked, frame, steps, under_way},
    question::live_label,
    stuck, subject_with,
    text::{name, plain},
    units::{ago, gigabytes, link},
};
use crate::{
    operation::{
        Instruction, Operation, Outcome,
        ids::{ChannelId, MessageId},
        trigger::Trigger,
    },
    store::{Event, What},
};

/// The maximum number of running operations listed, and of ended ones.
pub const LISTED: usize = 10;
/// Both lists share Discord's limit of 6,000 for all embeds of a message. This much is for running operations,
const RUNNING: usize = 3300;
/// and this much for ended ones.
const ENDED: usize = 2600;
/// The longest name in a list.
const LONGEST_NAME: usize = 40;

/// An operation and its progress message.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The operation.
    pub operation: Operation,
    /// Its progress message, once posted.
    pub progress: Option<(ChannelId, MessageId)>,
}

/// The running operations, and those that ended recently.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// The oldest running operations.
    pub running: Vec<Entry>,
    /// The number of running operations that are not listed.
    pub more: usize,
    /// The most recently ended operations, newest first.
    pub ended: Vec<Entry>,
}

/// The overview at `now`.
pub fn overview(overview: &Overview, now: Timestamp) -> Message {
    let Overview { running, more, ended } = overview;
    let mut message = Message::default();
    if running.is_empty() {
        "**Nothing is running.**".clone_into(&mut message.content);
    } else {
        let lines = running.iter().map(|entry| running_line(entry, now));
        message.embeds.push(list("Running now", Colour::Working, fit(lines, *more, RUNNING)));
    }
    if !ended.is_empty() {
        message.embeds.push(list("Recent", Colour::Stopped, fit(ended.iter().map(ended_line), 0, ENDED)));
    }
    let listed = running.iter().chain(ended).map(|entry| &entry.operation);
    message.menus = picker(listed).into_iter().collect();
    if let Some(last) = message.embeds.last_mut() {
        "Details: pick one below".clone_into(&mut last.footer);
    }
    message
}

fn list(title: &str, colour: Colour, description: String) -> Embed {
    Embed { title: title.to_owned(), description, footer: String::new(), colour }
}

/// One operation: its steps, its subject, its history, and the buttons for people who are called about it.
pub fn detail(entry: &Entry, timeline: &[Event], now: Timestamp) -> Message {
    let operation = &entry.operation;
    let mut lines = steps(operation, now);
    lines.push(String::new());
    lines.extend(facts(operation));
    lines.push(asked(operation));
    lines.extend(operation.ended.map(|at| format!("Ended {}", ago(at))));
    lines.extend(way(entry).map(|way| format!("Its progress: {way}")));
    lines.push(String::new());
    let told =
        timeline.iter().filter_map(|told| Some(format!("<t:{}:T> {}", told.at.as_second(), event(told, operation)?)));
    let description = with_last(lines.join("\n"), &told.collect::<Vec<_>>());
    let buttons = if operation.power.is_called_about() { stuck::buttons(operation) } else { Vec::new() };
    Message { embeds: vec![Embed { description, ..frame(operation) }], buttons, ..Message::default() }
}

/// The Snapshots that it is about, and why it failed.
fn facts(operation: &Operation) -> Vec<String> {
    let taken = operation.snapshot.as_ref().map(|taken| {
        let size = taken.known_size().map(|size| format!(", {}", gigabytes(size))).unwrap_or_default();
        format!("{}{size}", name(&taken.name))
    });
    let mut facts = words(&operation.kind).facts(taken);
    if let Some(Outcome::Failed(why)) = &operation.outcome {
        facts.push(format!("It failed: {}", failure::short(why)));
    }
    facts
}

/// An event in words; `None` for an event that only matters to the bot.
fn event(event: &Event, operation: &Operation) -> Option<String> {
    let by = event.by.map(|by| format!(" by <@{by}>")).unwrap_or_default();
    let what = match &event.what {
        What::Asked => format!("requested{by}"),
        What::Confirmed => format!("confirmed{by}"),
        What::Instructed(Instruction::Cancel) => format!("*Cancel* pressed{by}"),
        What::Instructed(Instruction::Force) => format!("*Force power off* pressed{by}"),
        What::Instructed(Instruction::Live) => format!("*{}* pressed{by}", live_label(&operation.kind)),
        What::Instructed(Instruction::LeaveOff) => format!("*Leave it off* pressed{by}"),
        What::Instructed(Instruction::HandleIt) => format!("*I'll handle it* pressed{by}"),
        What::Instructed(Instruction::KeepWaiting) => format!("*Keep waiting* pressed{by}"),
        What::Instructed(Instruction::TurnOn) => format!("*Turn it on as soon as possible* pressed{by}"),
        What::Instructed(Instruction::Postpone) => format!("*Postpone 10 min* pressed{by}"),
        What::Instructed(Instruction::WarningShown) => "warned the channel".to_owned(),
        What::Instructed(Instruction::WarningRefused) => "I couldn't post the warning".to_owned(),
        What::Instructed(Instruction::AnswerLost) => "I don't know whether Discord showed my answer".to_owned(),
        What::Instructed(Instruction::AnswerRefused) => "Discord didn't show my answer".to_owned(),
        What::Instructed(Instruction::QuestionShown) => "asked what to do about the stuck shutdown".to_owned(),
        What::Inherited(from) => format!("took over from operation `{from}` to turn the Droplet on"),
        What::HandedOver(to) => format!("left turning the Droplet on to operation `{to}`"),
        What::QuestionRanOut => "nobody answered".to_owned(),
        What::Judged(Outcome::Failed(why)) => format!("failed: {}", failure::short(why)),
        What::Judged(Outcome::Cancelled) if operation.is_withdrawn() => "withdrawn, nothing was done".to_owned(),
        What::Judged(outcome @ (Outcome::Completed | Outcome::Cancelled)) => outcome.word().to_owned(),
        What::Stuck => "I couldn't turn it on, so I called people".to_owned(),
        What::CameBack => "on again".to_owned(),
        What::Repaired => "turned on again after a late shutdown".to_owned(),
        What::Instructed(Instruction::AnswerTaken) | What::Ended => return None,
        What::Unreadable => "I couldn't read its state any more".to_owned(),
        What::TriedAgain(again) => format!("tried again{by} as operation `{again}`"),
    };
    Some(what)
}

/// An operation as an autocomplete choice, with the key at the end. Discord renders no markdown there.
pub fn choice(operation: &Operation) -> String {
    let short = |foreign: &str| plain(foreign, 25);
    let what = words(&operation.kind).choice(&operation.target.name, &short);
    let how = operation.outcome().unwrap_or("running");
    keyed(&format!("{what} · {how}"), &operation.id.to_string())
}

/// The operation, for whom and where; below that, what it does now.
fn running_line(entry: &Entry, now: Timestamp) -> String {
    let operation = &entry.operation;
    let doing = match under_way(operation, now) {
        _ if operation.question.is_some() => "⚠️ Shutting down — shutdown is stuck, waiting for an answer".to_owned(),
        Some(doing) => doing,
        None => "🔄 Ending".to_owned(),
    };
    let subject = subject_with(operation, in_list);
    format!("**{subject}** {} · {}\n{doing}", for_whom(operation), way_or_id(entry))
}

fn ended_line(entry: &Entry) -> String {
    let operation = &entry.operation;
    let (sign, how, why) = match &operation.outcome {
        Some(Outcome::Completed) | None => ("✅", "done", None),
        Some(Outcome::Failed(why)) => ("❌", "failed", Some(failure::short(why))),
        Some(Outcome::Cancelled) if operation.is_withdrawn() => ("⏭️", "withdrawn", None),
        Some(Outcome::Cancelled) => ("⏭️", "cancelled", None),
    };
    let when = operation.ended.map(|at| format!(" {}", ago(at))).unwrap_or_default();
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    let late = if operation.power.owed().is_some() { ", watched for a late shutdown" } else { "" };
    let whose = if operation.is_automatic() { format!(" · {}", for_whom(operation)) } else { String::new() };
    format!("{sign} {} — {how}{when}{why}{late}{whose} · {}", subject_with(operation, in_list), way_or_id(entry))
}

/// The person who requested it, or the schedule that began it.
fn for_whom(operation: &Operation) -> String {
    let requester = operation.requester.user;
    match operation.trigger.and_then(Trigger::schedule).filter(|_| operation.is_automatic()) {
        Some(schedule) => format!("by schedule `{schedule}` of <@{requester}>"),
        None => format!("for <@{requester}>"),
    }
}

fn in_list(foreign: &str) -> String {
    name(&plain(foreign, LONGEST_NAME))
}

fn way(entry: &Entry) -> Option<String> {
    entry.progress.map(|(channel, message)| link(entry.operation.requester.guild, channel, message))
}

fn way_or_id(entry: &Entry) -> String {
    way(entry).unwrap_or_else(|| format!("operation `{}`", entry.operation.id))
}

/// As many whole entries as fit, and how many are omitted.
fn fit(entries: impl ExactSizeIterator<Item = String>, more: usize, room: usize) -> String {
    let all = entries.len() + more;
    let (mut text, mut shown) = (String::new(), 0);
    for entry in entries {
        // The last line needs room.
        if length(&text) + length(&entry) + 20 > room {
            break;
        }
        text.push_str(&entry);
        text.push('\n');
        shown += 1;
    }
    let more = if shown < all { format!("and {} more", all - shown) } else { String::new() };
    format!("{text}{more}").trim_end().to_owned()
}

/// A text, and below it as many of the last lines as fit.
fn with_last(text: String, lines: &[String]) -> String {
    let mut left = lengths::DESCRIPTION.saturating_sub(length(&text) + 30);
    let fitting = lines.iter().rev().take_while(|line| {
        let needed = length(line) + 1;
        let fits = needed <= left;
        left = left.saturating_sub(needed);
        fits
    });
    let hidden = lines.len() - fitting.count();
    let earlier = (hidden > 0).then(|| format!("{hidden} earlier events"));
    let shown = earlier.into_iter().chain(lines.iter().skip(hidden).cloned());
    std::iter::once(text).chain(shown).collect::<Vec<_>>().join("\n")
}

fn length(text: &str) -> usize {
    text.encode_utf16().count()
}
