//! The messages of runs that people began: one that is edited as the run progresses, and one about its end. A schedule's run has none,
//! because the schedule's messages cover it.

use jiff::{SignedDuration, Timestamp};
use sqlx::{
    Any, AnyConnection,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use super::{
    Announcement, Error, Store,
    row::{Row, bits, due_millis, without_nul},
};
use crate::{
    operation::ids::{MessageId, RunId},
    schedule::run::Run,
};

/// A message that must be posted or edited.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupMessage {
    /// The run that it is about, in its present state.
    pub run: Run,
    /// Which of the run's messages it is: [`STATUS`], [`ENDED`] or [`DIRECT`].
    pub number: i64,
    /// Counts the messages posted after a deletion, from 1.
    pub generation: i64,
    /// The message, once posted.
    pub message: Option<MessageId>,
    /// When a post of this generation was first attempted: it may have arrived.
    pub posting_since: Option<Timestamp>,
    /// The number of attempts since the last success.
    pub attempts: i64,
}

/// The message that is edited as the run progresses.
pub const STATUS: i64 = 0;
/// The message about how it ended.
pub const ENDED: i64 = 1;
/// The direct message that links to it, if the person requested one.
pub const DIRECT: i64 = 2;
/// The minimum pause between two edits of one message.
const EDIT_PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// Makes a message due to be posted.
pub(super) async fn open(connection: &mut AnyConnection, run: RunId, number: i64, now: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO group_messages (run, number, generation, shown_version, attempts, due_at) VALUES ($1, $2, 1, 0, 0, $3) \
         ON CONFLICT DO NOTHING",
    )
    .bind(run.to_string())
    .bind(number)
    .bind(due_millis(now))
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// The messages that are due, longest waiting first.
    pub async fn due_group_messages(&self, now: Timestamp, limit: usize) -> Result<Vec<GroupMessage>, Error> {
        let rows = sqlx::query(
            "SELECT m.run, m.number, m.generation, m.message_id, m.posting_since, m.attempts FROM group_messages m \
             JOIN group_runs r ON r.id = m.run WHERE m.given_up IS NULL AND m.due_at <= $1 \
             AND (m.message_id IS NULL OR (m.number = 0 AND m.shown_version < r.version)) ORDER BY m.due_at, m.number LIMIT $2",
        )
        .bind(now.as_millisecond())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        let mut messages = Vec::new();
        for row in &rows {
            let Some(id) = Row(row).text("run").and_then(|id| id.parse().ok()) else { continue };
            if let Some(run) = self.run(id).await? {
                messages.extend(read(row, run));
            }
        }
        Ok(messages)
    }

    /// When the next message is due.
    pub async fn next_group_message_due(&self) -> Result<Option<Timestamp>, Error> {
        let row = sqlx::query(
            "SELECT MIN(m.due_at) AS due_at FROM group_messages m JOIN group_runs r ON r.id = m.run \
             WHERE m.given_up IS NULL AND (m.message_id IS NULL OR (m.number = 0 AND m.shown_version < r.version))",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Row(&row).at("due_at"))
    }

    /// Where the end of a run is announced.
    pub async fn run_announcement(&self, run: &Run) -> Result<Announcement, Error> {
        let row = sqlx::query("SELECT message_id, given_up FROM group_messages WHERE run = $1 AND number = $2")
            .bind(run.plan.id.to_string())
            .bind(ENDED)
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = &row else { return Ok(Announcement::Unsaid) };
        let row = Row(row);
        Ok(match row.id("message_id") {
            Some(message) => Announcement::Said(run.plan.channel, MessageId(message)),
            None if row.text("given_up").is_some() => Announcement::GivenUp,
            None => Announcement::Unsaid,
        })
    }

    /// Records that a post is about to be sent, so from now on it may have arrived. Commit this first.
    pub async fn group_message_posting(&self, message: &GroupMessage, now: Timestamp) -> Result<(), Error> {
        self.change_group_message(
            message,
            sqlx::query(
                "UPDATE group_messages SET posting_since = COALESCE(posting_since, $4) \
                 WHERE run = $1 AND number = $2 AND generation = $3",
            ),
            |query| query.bind(now.as_millisecond()),
        )
        .await
    }

    /// Records that the message was posted and shows this version of its run.
    pub async fn group_message_shown(
        &self,
        message: &GroupMessage,
        posted: MessageId,
        version: i64,
        now: Timestamp,
    ) -> Result<(), Error> {
        let next_edit = now.checked_add(EDIT_PAUSE).unwrap_or(now);
        self.change_group_message(
            message,
            sqlx::query(
                "UPDATE group_messages SET message_id = $4, shown_version = $5, due_at = $6, attempts = 0 \
                 WHERE run = $1 AND number = $2 AND generation = $3",
            ),
            |query| query.bind(bits(posted.0)).bind(version).bind(due_millis(next_edit)),
        )
        .await
    }

    /// Records that posting or editing failed, and that the next attempt comes no earlier than `retry_at`. The count of attempts stops at
    /// `most`.
    pub async fn group_message_failed(
        &self,
        message: &GroupMessage,
        retry_at: Timestamp,
        most: i64,
    ) -> Result<(), Error> {
        self.change_group_message(
            message,
            sqlx::query(
                "UPDATE group_messages SET attempts = CASE WHEN attempts < $5 THEN attempts + 1 ELSE attempts END, \
                 due_at = $4 WHERE run = $1 AND number = $2 AND generation = $3",
            ),
            |query| query.bind(due_millis(retry_at)).bind(most),
        )
        .await
    }

    /// Records that the message was deleted, so that a new one is posted.
    pub async fn group_message_lost(&self, message: &GroupMessage) -> Result<(), Error> {
        let now = self.clock.now();
        self.change_group_message(
            message,
            sqlx::query(
                "UPDATE group_messages SET generation = generation + 1, message_id = NULL, shown_version = 0, \
                 posting_since = NULL, attempts = 0, due_at = $4 WHERE run = $1 AND number = $2 AND generation = $3",
            ),
            |query| query.bind(now.as_millisecond()),
        )
        .await
    }

    /// Gives up the message, for the reason `why`.
    pub async fn group_message_given_up(&self, message: &GroupMessage, why: &str) -> Result<(), Error> {
        self.change_group_message(
            message,
            sqlx::query("UPDATE group_messages SET given_up = $4 WHERE run = $1 AND number = $2 AND generation = $3"),
            |query| query.bind(without_nul(why)),
        )
        .await
    }

    /// Updates a message's row, unless it has moved on to another generation or another process.
    async fn change_group_message<'q>(
        &self,
        message: &GroupMessage,
        query: Query<'q, Any, AnyArguments>,
        bind: impl FnOnce(Query<'q, Any, AnyArguments>) -> Query<'q, Any, AnyArguments>,
    ) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        let named = query.bind(message.run.plan.id.to_string()).bind(message.number).bind(message.generation);
        let changed = bind(named).execute(&mut *transaction).await?;
        if changed.rows_affected() == 0 {
            return Err(Error::LeaseLost);
        }
        transaction.commit().await?;
        Ok(())
    }
}

fn read(row: &AnyRow, run: Run) -> Option<GroupMessage> {
    let row = Row(row);
    Some(GroupMessage {
        run,
        number: row.number("number")?,
        generation: row.number("generation").unwrap_or(1),
        message: row.id("message_id").map(MessageId),
        posting_since: row.at("posting_since"),
        attempts: row.number("attempts").unwrap_or_default(),
    })
}
