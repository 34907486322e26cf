//! What `/snapshot status` tells: what runs now, what ended last, and one operation in detail.

use jiff::Timestamp;

use super::{
    subject,
    text::{name, shorten},
    units::{ago, link},
};
use crate::{
    operation::{
        Operation, Verdict, Wish,
        ids::{ChannelId, MessageId},
        step::Task,
    },
    store::{Event, What},
};

/// Discord's limit for a message's text.
const LONGEST: usize = 2000;
/// How many running operations are listed one by one.
const LISTED: usize = 15;

/// An operation and where its progress can be seen.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The operation.
    pub operation: Operation,
    /// Its progress message, once there.
    pub progress: Option<(ChannelId, MessageId)>,
}

/// What runs now, and the last ones that ended.
pub fn overview(running: &[Entry], ended: &[Entry]) -> String {
    let mut lines = Vec::new();
    if running.is_empty() {
        lines.push("**Nothing is running.**".to_owned());
    } else {
        lines.push("**Running now**".to_owned());
        lines.extend(running.iter().take(LISTED).map(running_line));
        if running.len() > LISTED {
            lines.push(format!("and {} more", running.len() - LISTED));
        }
    }
    if !ended.is_empty() {
        lines.push("**Ended last**".to_owned());
        lines.extend(ended.iter().map(ended_line));
    }
    fit(lines)
}

/// One operation, with what happened to it.
pub fn detail(entry: &Entry, timeline: &[(Timestamp, String)]) -> String {
    let line = if entry.operation.is_running() { running_line(entry) } else { ended_line(entry) };
    let mut lines = vec![line];
    lines.extend(timeline.iter().map(|(at, what)| format!("<t:{}:T> {what}", at.as_second())));
    fit(lines)
}

/// What happened, in words; none for what only the bot itself cares about.
pub fn event(event: &Event) -> Option<String> {
    let by = event.by.map(|by| format!(" by <@{by}>")).unwrap_or_default();
    let what = match &event.what {
        What::Asked => format!("asked for{by}"),
        What::Confirmed => format!("confirmed{by}"),
        What::Wished(Wish::Cancel) => format!("*Cancel* pressed{by}"),
        What::Wished(Wish::Force) => format!("*Force power off* pressed{by}"),
        What::Wished(Wish::Live) => format!("*Take it live* pressed{by}"),
        What::Wished(Wish::LeaveOff) => format!("*Leave it off* pressed{by}"),
        What::Wished(Wish::HandleIt) => format!("*I'll handle it* pressed{by}"),
        What::Wished(Wish::QuestionShown) => "asked what to do about the hung shutdown".to_owned(),
        What::Inherited(from) => format!("took over from operation `{from}` to turn the Droplet on"),
        What::HandedOver(to) => format!("left turning the Droplet on to operation `{to}`"),
        What::QuestionRanOut => "nobody answered".to_owned(),
        What::Judged(verdict) => verdict.word().to_owned(),
        What::Stuck => "could not be turned on; people were called".to_owned(),
        What::CameBack => "on again".to_owned(),
        What::Repaired => "turned on again after a late shutdown".to_owned(),
        What::Ended => return None,
        What::Unreadable => "its state could not be read any more".to_owned(),
    };
    Some(what)
}

/// A choice under autocomplete: no markdown is rendered there.
pub fn choice(operation: &Operation) -> String {
    let what = format!("{} of {}", operation.kind.word(), super::text::plain(&operation.target.name, 60));
    let how = operation.verdict.as_ref().map_or("running", Verdict::word);
    shorten(&format!("{} · {what} · {how}", operation.id), 100)
}

fn running_line(entry: &Entry) -> String {
    let operation = &entry.operation;
    let doing = match operation.active_step().map(|step| step.task) {
        _ if operation.question.is_some() => "waits for an answer",
        Some(Task::ShutDown) => "shutting down",
        Some(Task::PowerOff) => "forcing power off",
        Some(Task::Snapshot) => "taking the Snapshot",
        Some(Task::Restore) => "restoring",
        Some(Task::Create) => "creating",
        Some(Task::Delete) => "deleting",
        Some(Task::PowerOn) => "powering on",
        None => "ending",
    };
    format!(
        "🔄 {} — {doing}, asked for by <@{}> {}{}",
        subject(operation),
        operation.asker.user,
        ago(operation.asked_at),
        way(entry)
    )
}

fn ended_line(entry: &Entry) -> String {
    let operation = &entry.operation;
    let (sign, how) = match &operation.verdict {
        Some(Verdict::Completed) | None => ("✅", "done"),
        Some(Verdict::Failed(_)) => ("❌", "failed"),
        Some(Verdict::Cancelled) => ("⏭️", "cancelled"),
    };
    let when = operation.ended.map(|at| format!(" {}", ago(at))).unwrap_or_default();
    let late = if operation.power.owed.is_some() {
        format!(", {} is watched for a late shutdown", name(&operation.target.name))
    } else {
        String::new()
    };
    format!("{sign} {} — {how}{when}{late}{}", subject(operation), way(entry))
}

fn way(entry: &Entry) -> String {
    match entry.progress {
        Some((channel, message)) => format!(" · {}", link(entry.operation.asker.guild, channel, message)),
        None => format!(" · operation `{}`", entry.operation.id),
    }
}

/// As many whole lines as Discord takes.
fn fit(lines: Vec<String>) -> String {
    let mut text = String::new();
    for line in lines {
        if text.encode_utf16().count() + line.encode_utf16().count() + 4 > LONGEST {
            text.push_str("\n…");
            break;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&line);
    }
    text
}
