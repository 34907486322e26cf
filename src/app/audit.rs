//! `snapshot-bot audit`: who did what, from the history. Prints one line or one JSON object per event.
//!
//! Called by `main`. Reads alongside a running bot, and needs only the database's URL from the configuration.

use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;

use crate::{
    discord::incident::chain,
    operation::Instruction,
    store::{self, AuditEntry, PastAct, PastEvent, Store, What},
};

/// Why the audit cannot list anything.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database could not be read.
    #[error("could not {}", chain(.0))]
    Store(#[from] store::Error),
    /// No bot has used this database.
    #[error("there is nothing to list: no bot has used the database of DATABASE_URL yet")]
    NoHistory,
    /// The list cannot be written.
    #[error("could not write the list: {0}")]
    Output(#[from] io::Error),
}

/// Parses the start of the list as typed: `7d`, `12h`, `2026-11-01` (UTC) or `2026-11-01T08:00:00Z`.
pub fn parse_since(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let ago = match text.strip_suffix('d') {
        Some(days) => days.parse::<u32>().ok().map(|days| SignedDuration::from_hours(i64::from(days) * 24)),
        None => text.parse::<SignedDuration>().ok(),
    };
    if let Some(ago) = ago {
        return Ok(now.checked_sub(ago).unwrap_or(Timestamp::UNIX_EPOCH));
    }
    let midnight = |date: civil::Date| date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let day = text.parse::<civil::Date>().ok().filter(|_| !text.contains('T')).and_then(midnight);
    day.or_else(|| text.parse().ok()).ok_or_else(|| "wanted: 7d, 12h, 2026-11-01 or 2026-11-01T08:00:00Z".to_owned())
}

/// A line of the list. Ids are strings, since JSON numbers cannot represent them exactly.
#[derive(Default, Serialize)]
struct Line {
    at: String,
    /// The Discord user; `None` for what the bot found or did on its own.
    by: Option<String>,
    what: String,
    /// The kind of operation, or `schedule`, `Snapshot` or `run`.
    kind: String,
    /// The id of the operation, schedule, Snapshot or run.
    subject: String,
    /// Its name: a Droplet's, a tag's or a Snapshot's.
    name: String,
    guild: String,
    /// This field and the following ones apply only to operations.
    operation: Option<String>,
    droplet: Option<String>,
    droplet_id: Option<String>,
    asked_by: Option<String>,
    channel: Option<String>,
}

/// Writes everything that happened since `since`, oldest first.
pub async fn run(database: &SecretString, since: Timestamp, as_json: bool, out: &mut dyn Write) -> Result<(), Error> {
    let entries = Store::audit(database, since).await?.ok_or(Error::NoHistory)?;
    for line in entries.iter().filter_map(line) {
        if as_json {
            writeln!(out, "{}", serde_json::to_string(&line).map_err(io::Error::from)?)?;
        } else {
            let Line { at, by, what, kind, subject, name, .. } = line;
            let by = by.map_or_else(|| "the bot".to_owned(), |by| format!("user {by}"));
            let of = if kind == "Snapshot" { "" } else { " of" };
            writeln!(out, "{at}  {by:<25} {what:<28} {kind}{of} {} ({subject})", name.escape_debug())?;
        }
    }
    Ok(())
}

fn line(entry: &AuditEntry) -> Option<Line> {
    match entry {
        AuditEntry::Event(past) => of_event(past),
        AuditEntry::Act(past) => Some(of_act(past)),
    }
}

fn of_event(past: &PastEvent) -> Option<Line> {
    Some(Line {
        at: moment(past.event.at),
        by: past.event.by.map(|user| user.0.to_string()),
        what: word(&past.event.what)?,
        kind: past.kind.clone(),
        subject: past.operation.to_string(),
        name: past.droplet_name.clone(),
        guild: past.guild.0.to_string(),
        operation: Some(past.operation.to_string()),
        droplet: Some(past.droplet_name.clone()),
        droplet_id: past.droplet.map(|droplet| droplet.0.to_string()),
        asked_by: Some(past.requester.0.to_string()),
        channel: Some(past.channel.0.to_string()),
    })
}

fn of_act(past: &PastAct) -> Line {
    Line {
        at: moment(past.at),
        by: Some(past.by.0.to_string()),
        what: past.what.clone(),
        kind: past.kind.clone(),
        subject: past.subject.clone(),
        name: past.name.clone(),
        guild: past.guild.0.to_string(),
        ..Line::default()
    }
}

/// A point in time as the list shows it.
fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A few words for what happened; `None` for what the front end records on a person's behalf.
fn word(what: &What) -> Option<String> {
    Some(match what {
        What::Asked => "asked".to_owned(),
        What::Confirmed => "confirmed".to_owned(),
        What::Instructed(
            Instruction::QuestionShown
            | Instruction::WarningShown
            | Instruction::WarningRefused
            | Instruction::AnswerTaken
            | Instruction::AnswerLost
            | Instruction::AnswerRefused,
        ) => return None,
        What::Instructed(instruction) => {
            format!("pressed: {}", words_of(&serde_json::to_value(instruction).unwrap_or_default()))
        }
        What::Inherited(from) => format!("took over from {from}"),
        What::HandedOver(to) => format!("handed over to {to}"),
        What::QuestionRanOut => "nobody answered".to_owned(),
        What::Judged(outcome) => outcome.word().to_owned(),
        What::Stuck => "called people".to_owned(),
        What::CameBack => "on again".to_owned(),
        What::Repaired => "turned on after a late off".to_owned(),
        What::Ended => "ended".to_owned(),
        What::Unreadable => "state unreadable".to_owned(),
        What::TriedAgain(again) => format!("tried again as {again}"),
    })
}

/// `LeaveOff` as `leave off`.
fn words_of(variant: &Value) -> String {
    let name = match variant {
        Value::String(name) => name.as_str(),
        Value::Object(fields) => fields.keys().next().map_or("", String::as_str),
        _ => "",
    };
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_an_age_a_day_or_a_moment() {
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("1d", "2026-11-25T12:00:00Z"),
            ("90m", "2026-11-26T10:30:00Z"),
            ("2026-11-01", "2026-11-01T00:00:00Z"),
            ("2026-11-01T08:00:00Z", "2026-11-01T08:00:00Z"),
        ] {
            assert_eq!(parse_since(text, now).unwrap().to_string(), expected);
        }
        for bad in ["", "d", "yesterday", "-1d", "2026-13-01"] {
            assert!(parse_since(bad, now).is_err(), "{bad}");
        }
    }

    #[test]
    fn instructions_are_told_in_words_and_what_the_front_end_notes_is_not() {
        assert_eq!(word(&What::Instructed(Instruction::LeaveOff)).as_deref(), Some("pressed: leave off"));
        assert_eq!(word(&What::Instructed(Instruction::Cancel)).as_deref(), Some("pressed: cancel"));
        assert_eq!(word(&What::Instructed(Instruction::AnswerTaken)), None);
    }
}
