//! What happened to an operation, append-only: who requested, confirmed and decided what, and how it progressed.
//!
//! The Discord front end shows it under `/snapshot status operation:`. People's instructions are events that the worker has yet to process.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

use super::{
    Error, Store,
    row::{Row, bits},
};
use crate::operation::{
    Instruction, Operation, Outcome,
    ids::{OperationId, UserId},
};

/// One event of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened.
    pub at: Timestamp,
    /// Who did it, if it was a person.
    pub by: Option<UserId>,
    /// What happened.
    pub what: What,
}

/// The kinds of event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// A person requested the operation.
    Asked,
    /// A person pressed the button under the question whether they are sure.
    Confirmed,
    /// A person, or the reporter on their behalf, sent an instruction.
    #[serde(rename = "Wished")]
    Instructed(Instruction),
    /// This operation took over what an earlier one owed the Droplet.
    Inherited(OperationId),
    /// A later operation took over what this one owed the Droplet.
    HandedOver(OperationId),
    /// Nobody answered the question in time.
    QuestionRanOut,
    /// The forward part ended.
    Judged(Outcome),
    /// The Droplet could not be turned back on, and the bot called people.
    Stuck,
    /// The Droplet was seen on again.
    CameBack,
    /// A late off was repaired after the end.
    Repaired,
    /// The operation ended.
    Ended,
    /// The stored state could no longer be read.
    Unreadable,
    /// It failed, and this operation retries it.
    TriedAgain(OperationId),
}

impl Store {
    /// Everything that happened to an operation, in order.
    pub async fn timeline(&self, id: OperationId) -> Result<Vec<Event>, Error> {
        let rows = sqlx::query("SELECT at, by_user, what FROM events WHERE operation = $1 ORDER BY number")
            .bind(id.to_string())
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().filter_map(|row| read(Row(row))).collect())
    }
}

impl Store {
    /// The operation that retries this failed one, if there is one.
    pub async fn retry_of(&self, failed: OperationId) -> Result<Option<OperationId>, Error> {
        let mut connection = self.pool.acquire().await?;
        retry_of(&mut connection, failed).await
    }
}

pub(super) async fn retry_of(
    connection: &mut AnyConnection,
    failed: OperationId,
) -> Result<Option<OperationId>, Error> {
    let rows = sqlx::query("SELECT at, by_user, what FROM events WHERE operation = $1 ORDER BY number DESC")
        .bind(failed.to_string())
        .fetch_all(connection)
        .await?;
    let again = rows.iter().filter_map(|row| read(Row(row))).find_map(|event| match event.what {
        What::TriedAgain(again) => Some(again),
        _ => None,
    });
    Ok(again)
}

/// Reads `at`, `by_user` and `what`; `None` if the event cannot be read.
pub(super) fn read(row: Row<'_>) -> Option<Event> {
    let what = match serde_json::from_str(row.text("what").unwrap_or_default()) {
        Ok(what) => what,
        Err(error) => {
            tracing::error!(%error, "an event in the database cannot be read");
            return None;
        }
    };
    Some(Event { at: row.at("at").unwrap_or(Timestamp::UNIX_EPOCH), by: row.id("by_user").map(UserId), what })
}

/// Whether the worker must process an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    Worker,
    History,
}

/// Appends an event under a number that was reserved in the operation's row.
pub(super) async fn append(
    connection: &mut AnyConnection,
    operation: OperationId,
    number: i64,
    event: &Event,
    audience: Audience,
) -> Result<(), Error> {
    let what = serde_json::to_string(&event.what).map_err(Error::Unwritable)?;
    sqlx::query("INSERT INTO events (operation, number, at, by_user, what, unheard) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(operation.to_string())
        .bind(number)
        .bind(event.at.as_millisecond())
        .bind(event.by.map(|user| bits(user.0)))
        .bind(what)
        .bind(i64::from(audience == Audience::Worker))
        .execute(connection)
        .await?;
    Ok(())
}

/// The events between two states of an operation.
pub(super) fn between(before: &Operation, after: &Operation, now: Timestamp) -> Vec<Event> {
    let mut events = Vec::new();
    let mut note = |at: Option<Timestamp>, what| events.push(Event { at: at.unwrap_or(now), by: None, what });
    if before.cancelled.is_none()
        && let Some(cancelled) = after.cancelled
        && cancelled.by.is_none()
    {
        note(Some(cancelled.at), What::QuestionRanOut);
    }
    if before.outcome.is_none()
        && let Some(outcome) = &after.outcome
    {
        note(None, What::Judged(outcome.clone()));
    }
    if before.power.last_call().is_none()
        && let Some(stuck) = after.power.last_call()
    {
        note(Some(stuck.since), What::Stuck);
    }
    if before.power.came_back() != after.power.came_back() && after.power.came_back().is_some() {
        note(after.power.came_back(), What::CameBack);
    }
    if before.power.repaired() != after.power.repaired() && after.power.repaired().is_some() {
        note(after.power.repaired(), What::Repaired);
    }
    if before.ended.is_none() && after.ended.is_some() {
        note(after.ended, What::Ended);
    }
    events
}
