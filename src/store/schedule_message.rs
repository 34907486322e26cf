//! Messages about schedules: one for each that is edited as it goes, and new ones where people must act.
//!
//! As with reports, each message is recorded before and after it is sent, so that a crash repeats nothing.

use jiff::{SignedDuration, Timestamp};
use sqlx::{
    Any, AnyConnection,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use super::{
    Error, Store, StoredSchedule, Version,
    row::{Row, bits, due_millis, without_nul},
    schedule_row,
};
use crate::{
    operation::ids::{ChannelId, MessageId},
    schedule::{Schedule, notice::Notice},
};

/// The content of a schedule's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The state of the schedule; edited as that changes.
    Status,
    /// A one-off notice.
    Once(Notice),
}

/// A message that must be posted or edited.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleMessage {
    /// The schedule that it is about.
    pub stored: StoredSchedule,
    /// Tells the messages of a schedule apart; 0 is the status message.
    pub number: i64,
    /// Its content.
    pub said: Said,
    /// The channel that it belongs to.
    pub channel: ChannelId,
    /// Counts the messages posted after a deletion, from 1.
    pub generation: i64,
    /// The message, once posted.
    pub message: Option<MessageId>,
    /// A digest of the text that it shows.
    pub shown_digest: Option<String>,
    /// When a post of this generation was first attempted: it may have arrived.
    pub posting_since: Option<Timestamp>,
    /// The number of attempts since the last success.
    pub attempts: i64,
    /// The version that it should show: that of its schedule, or for a notice the number of its changes.
    pub version: Version,
}

/// How many messages of a channel are due together. Discord accepts five in five seconds.
const AT_ONCE: i64 = 5;
/// The minimum pause between two edits of one message.
const EDIT_PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// Makes the status message of a new schedule due.
pub(super) async fn open_status(
    connection: &mut AnyConnection,
    schedule: &Schedule,
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO schedule_messages (schedule, number, channel_id, what, generation, shown_version, attempts, due_at) \
         VALUES ($1, 0, $2, '', 1, 0, 0, $3)",
    )
    .bind(schedule.id.to_string())
    .bind(bits(schedule.channel.0))
    .bind(due_millis(now))
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// The messages that are due, longest waiting first: of each channel only a few, so that one with many delays no other, and notices
    /// rather than status messages.
    pub async fn due_schedule_messages(&self, now: Timestamp, limit: usize) -> Result<Vec<ScheduleMessage>, Error> {
        let rows = sqlx::query(
            "SELECT d.* FROM (SELECT s.id, s.version, s.state, m.number, m.channel_id, m.what, m.generation, m.message_id, \
             m.shown_digest, m.posting_since, m.attempts, m.changes, m.due_at, ROW_NUMBER() OVER (PARTITION BY m.channel_id \
             ORDER BY CASE WHEN m.number = 0 THEN 1 ELSE 0 END, m.due_at, m.number) AS place \
             FROM schedule_messages m JOIN schedules s ON s.id = m.schedule \
             WHERE m.given_up IS NULL AND m.leader_schedule IS NULL AND m.due_at <= $1 AND (m.message_id IS NULL \
             OR m.shown_version < CASE WHEN m.number = 0 THEN s.version ELSE m.changes END)) d \
             WHERE d.place <= $2 ORDER BY d.due_at, d.number LIMIT $3",
        )
        .bind(now.as_millisecond())
        .bind(AT_ONCE)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().filter_map(read).collect())
    }

    /// When the next message is due.
    pub async fn next_schedule_message_due(&self) -> Result<Option<Timestamp>, Error> {
        let row = sqlx::query(
            "SELECT MIN(m.due_at) AS due_at FROM schedule_messages m JOIN schedules s ON s.id = m.schedule \
             WHERE m.given_up IS NULL AND m.leader_schedule IS NULL AND (m.message_id IS NULL \
             OR m.shown_version < CASE WHEN m.number = 0 THEN s.version ELSE m.changes END)",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Row(&row).at("due_at"))
    }

    /// Records that a post is about to be sent, so from now on it may have arrived. Commit this first.
    pub async fn schedule_message_posting(&self, message: &ScheduleMessage, now: Timestamp) -> Result<(), Error> {
        self.change_message(
            message,
            sqlx::query(
                "UPDATE schedule_messages SET posting_since = COALESCE(posting_since, $4) \
                 WHERE schedule = $1 AND number = $2 AND generation = $3",
            ),
            |query| query.bind(now.as_millisecond()),
        )
        .await
    }

    /// Records that the message was posted and shows this version of its schedule.
    pub async fn schedule_message_shown(
        &self,
        message: &ScheduleMessage,
        posted: MessageId,
        (version, digest): (Version, &str),
        now: Timestamp,
    ) -> Result<(), Error> {
        let next_edit = now.checked_add(EDIT_PAUSE).unwrap_or(now);
        self.unheard.note((message.stored.schedule.id, message.number), false);
        self.change_message(
            message,
            sqlx::query(
                "UPDATE schedule_messages SET message_id = $4, shown_version = $5, shown_digest = $6, due_at = $7, \
                 attempts = 0 WHERE schedule = $1 AND number = $2 AND generation = $3",
            ),
            |query| query.bind(bits(posted.0)).bind(version.0).bind(without_nul(digest)).bind(due_millis(next_edit)),
        )
        .await
    }

    /// Records that posting or editing failed, and that the next attempt comes no earlier than `retry_at`.
    pub async fn schedule_message_failed(&self, message: &ScheduleMessage, retry_at: Timestamp) -> Result<(), Error> {
        self.change_message(
            message,
            sqlx::query(
                "UPDATE schedule_messages SET attempts = attempts + 1, due_at = $4 \
                 WHERE schedule = $1 AND number = $2 AND generation = $3",
            ),
            |query| query.bind(due_millis(retry_at)),
        )
        .await
    }

    /// Records that a new message must be posted: it was deleted, is too old to be edited, or its channel cannot be reached.
    pub async fn schedule_message_lost(&self, message: &ScheduleMessage, channel: ChannelId) -> Result<(), Error> {
        let now = self.clock.now();
        self.change_message(
            message,
            sqlx::query(
                "UPDATE schedule_messages SET generation = generation + 1, message_id = NULL, shown_version = 0, \
                 shown_digest = NULL, posting_since = NULL, attempts = 0, due_at = $4, channel_id = $5 \
                 WHERE schedule = $1 AND number = $2 AND generation = $3",
            ),
            |query| query.bind(now.as_millisecond()).bind(bits(channel.0)),
        )
        .await
    }

    /// Records that no channel accepts the message. It is retried at `retry_at`, first in its own channel, and the bot's operator is
    /// notified ([`Store::has_unheard_schedules`]).
    pub async fn schedule_message_unheard(&self, message: &ScheduleMessage, retry_at: Timestamp) -> Result<(), Error> {
        let channel = message.stored.schedule.channel;
        self.change_message(
            message,
            sqlx::query(
                "UPDATE schedule_messages SET generation = generation + 1, message_id = NULL, shown_version = 0, \
                 shown_digest = NULL, posting_since = NULL, attempts = 0, due_at = $4, channel_id = $5 \
                 WHERE schedule = $1 AND number = $2 AND generation = $3",
            ),
            |query| query.bind(due_millis(retry_at)).bind(bits(channel.0)),
        )
        .await?;
        self.unheard.note((message.stored.schedule.id, message.number), true);
        Ok(())
    }

    /// Whether no channel accepts some message of a schedule.
    pub fn has_unheard_schedules(&self) -> bool {
        self.unheard.are_some()
    }

    /// Gives up the message, for the reason `why`.
    pub async fn schedule_message_given_up(&self, message: &ScheduleMessage, why: &str) -> Result<(), Error> {
        self.change_message(
            message,
            sqlx::query(
                "UPDATE schedule_messages SET given_up = $4 WHERE schedule = $1 AND number = $2 AND generation = $3",
            ),
            |query| query.bind(without_nul(why)),
        )
        .await
    }

    /// Updates a message's row, unless it has moved on to another generation or another process.
    async fn change_message<'q>(
        &self,
        message: &ScheduleMessage,
        query: Query<'q, Any, AnyArguments>,
        bind: impl FnOnce(Query<'q, Any, AnyArguments>) -> Query<'q, Any, AnyArguments>,
    ) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        let named = query.bind(message.stored.schedule.id.to_string()).bind(message.number).bind(message.generation);
        let changed = bind(named).execute(&mut *transaction).await?;
        if changed.rows_affected() == 0 {
            return Err(Error::LeaseLost);
        }
        transaction.commit().await?;
        Ok(())
    }
}

fn read(row: &AnyRow) -> Option<ScheduleMessage> {
    let stored = schedule_row::read(row)?;
    let row = Row(row);
    let said = match row.text("what").unwrap_or_default() {
        "" => Said::Status,
        what => match serde_json::from_str(what) {
            Ok(notice) => Said::Once(notice),
            Err(error) => {
                tracing::error!(schedule.id = %stored.schedule.id, %error, "what is to be said about a schedule cannot be read");
                return None;
            }
        },
    };
    let version =
        if said == Said::Status { stored.version } else { Version(row.number("changes").unwrap_or_default()) };
    Some(ScheduleMessage {
        stored,
        version,
        number: row.number("number")?,
        said,
        channel: ChannelId(row.id("channel_id")?),
        generation: row.number("generation").unwrap_or(1),
        message: row.id("message_id").map(MessageId),
        shown_digest: row.text("shown_digest").map(str::to_owned),
        posting_since: row.at("posting_since"),
        attempts: row.number("attempts").unwrap_or_default(),
    })
}
