//! People's instructions for operations, and the Discord front end's queries about operations. An instruction is durable once it is accepted.
//!
//! An interaction that Discord delivers twice counts once. Nothing here changes the state of an operation, which the worker may hold.

use std::future::ready;

use futures_util::{Stream, TryStreamExt as _};
use jiff::Timestamp;
use sqlx::{AnyConnection, any::AnyRow};

use super::{
    Error, Store,
    event::{self, Audience, Event, What},
    operation_row::{self, Stored, select_stored},
    row::{Row, bits},
};
use crate::operation::{
    Instructed,
    ids::{ChannelId, DropletId, GuildId, InteractionId, MessageId, OperationId, UserId},
};

/// The result of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The worker will process it.
    Yes,
    /// This interaction has already sent it.
    Repeated,
    /// The operation has ended and owes nothing.
    Ended,
    /// There is no such operation.
    Unknown,
}

impl Store {
    /// Adds an instruction to an operation. The worker processes it in the operation's next turn, which is due immediately; the operation's state
    /// and version are unchanged. An instruction without an interaction comes from the reporter, or is one of several that a single press sends.
    pub async fn instruct(
        &self,
        operation: OperationId,
        instructed: Instructed,
        interaction: Option<InteractionId>,
    ) -> Result<Heard, Error> {
        let heard = self.try_instruct(operation, instructed, interaction).await;
        self.note_write(heard)
    }

    async fn try_instruct(
        &self,
        operation: OperationId,
        instructed: Instructed,
        interaction: Option<InteractionId>,
    ) -> Result<Heard, Error> {
        let mut transaction = self.begin_as_owner().await?;
        if let Some(interaction) = interaction
            && claim_interaction(&mut transaction, interaction, operation).await?.is_some()
        {
            return Ok(Heard::Repeated);
        }
        // Numbers the instruction, and makes it wait for a running commit.
        let row = sqlx::query("UPDATE operations SET events = events + 1 WHERE id = $1 RETURNING events, is_open")
            .bind(operation.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(Heard::Unknown) };
        let row = Row(&row);
        if row.number("is_open") != Some(1) {
            return Ok(Heard::Ended);
        }
        let number = row.number("events").unwrap_or_default();
        let event =
            Event { at: instructed.at, by: Some(instructed.by), what: What::Instructed(instructed.instruction) };
        event::append(&mut transaction, operation, number, &event, Audience::Worker).await?;
        transaction.commit().await?;
        self.changes.worker.notify_one();
        Ok(Heard::Yes)
    }

    /// An operation as committed last.
    pub async fn operation(&self, id: OperationId) -> Result<Option<Stored>, Error> {
        let rows = sqlx::query(select_stored!("WHERE o.id = $1")).bind(id.to_string()).fetch_all(&self.pool).await?;
        Ok(operation_row::read_all(&rows).pop())
    }

    /// All running operations, regardless of who requested them, oldest first.
    pub async fn running(&self) -> Result<Vec<Stored>, Error> {
        let query = sqlx::query(select_stored!("WHERE o.is_open = 1 AND o.is_running = 1 ORDER BY o.asked_at, o.id"));
        read_each(query.fetch(&self.pool)).await
    }

    /// How many operations run.
    pub async fn count_running(&self) -> Result<usize, Error> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM operations WHERE is_open = 1 AND is_running = 1")
            .fetch_one(&self.pool)
            .await?;
        Ok(Row(&row).number("n").and_then(|count| usize::try_from(count).ok()).unwrap_or_default())
    }

    /// The operation that runs on a Droplet, if any.
    pub async fn running_on(&self, droplet: DropletId) -> Result<Option<OperationId>, Error> {
        let row = sqlx::query("SELECT id FROM operations WHERE droplet_id = $1 AND is_running = 1")
            .bind(bits(droplet.0))
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.and_then(|row| Row(&row).text("id")?.parse().ok()))
    }

    /// How many running operations this person requested, not counting those of their schedules.
    pub async fn count_running_of(&self, person: UserId) -> Result<usize, Error> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS n FROM operations WHERE is_open = 1 AND is_running = 1 AND asker_id = $1 \
             AND EXISTS (SELECT 1 FROM interactions i WHERE i.operation = operations.id)",
        )
        .bind(bits(person.0))
        .fetch_one(&self.pool)
        .await?;
        Ok(Row(&row).number("n").and_then(|count| usize::try_from(count).ok()).unwrap_or_default())
    }

    /// When the latest take of a Droplet that runs or was completed was requested.
    pub async fn last_take(&self, droplet: DropletId) -> Result<Option<Timestamp>, Error> {
        let row = sqlx::query(
            "SELECT MAX(asked_at) AS latest FROM operations WHERE kind = 'take' AND droplet_id = $1 \
             AND (outcome IS NULL OR outcome = 'completed')",
        )
        .bind(bits(droplet.0))
        .fetch_one(&self.pool)
        .await?;
        Ok(Row(&row).at("latest"))
    }

    /// All running operations that were requested in this guild, oldest first.
    pub async fn running_in(&self, guild: GuildId) -> Result<Vec<Stored>, Error> {
        let query = sqlx::query(select_stored!(
            "WHERE o.is_open = 1 AND o.is_running = 1 AND o.guild_id = $1 ORDER BY o.asked_at, o.id"
        ));
        read_each(query.bind(bits(guild.0)).fetch(&self.pool)).await
    }

    /// The latest ended operations of this guild, newest first.
    pub async fn recent(&self, guild: GuildId, limit: usize) -> Result<Vec<Stored>, Error> {
        let rows = sqlx::query(select_stored!(
            "WHERE o.is_running = 0 AND o.guild_id = $1 ORDER BY o.ended_at DESC, o.id DESC LIMIT $2"
        ))
        .bind(bits(guild.0))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        Ok(operation_row::read_all(&rows))
    }

    /// The latest ended operations of all guilds, newest first.
    pub async fn recent_everywhere(&self, limit: usize) -> Result<Vec<Stored>, Error> {
        let rows = sqlx::query(select_stored!("WHERE o.is_running = 0 ORDER BY o.ended_at DESC, o.id DESC LIMIT $1"))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await?;
        Ok(operation_row::read_all(&rows))
    }

    /// The message that shows an operation's progress, once posted.
    pub async fn progress_message(&self, id: OperationId) -> Result<Option<(ChannelId, MessageId)>, Error> {
        let mut connection = self.pool.acquire().await?;
        progress_of(&mut connection, id).await
    }

    /// Waits for the reporter to post an operation's progress message, but no longer than `patience`.
    pub async fn wait_for_progress_message(
        &self,
        id: OperationId,
        patience: std::time::Duration,
    ) -> Option<(ChannelId, MessageId)> {
        let posted = async {
            loop {
                // Register for the notification before reading, so that nothing is missed in between.
                let mut bell = std::pin::pin!(self.changes.posted.notified());
                bell.as_mut().enable();
                if let Ok(Some(message)) = self.progress_message(id).await {
                    return message;
                }
                bell.await;
            }
        };
        tokio::time::timeout(patience, posted).await.ok()
    }
}

/// Reads rows one by one, since thousands may run and a row is larger than the operation that it holds.
async fn read_each(rows: impl Stream<Item = sqlx::Result<AnyRow>>) -> Result<Vec<Stored>, Error> {
    let read = |row: AnyRow| ready(Ok(operation_row::read(Row(&row)).map(|(stored, _)| stored)));
    Ok(rows.try_filter_map(read).try_collect().await?)
}

/// Claims an interaction for an operation, or returns the operation that has already claimed it.
pub(super) async fn claim_interaction(
    connection: &mut AnyConnection,
    interaction: InteractionId,
    operation: OperationId,
) -> Result<Option<OperationId>, Error> {
    let claimed = sqlx::query("INSERT INTO interactions (id, operation) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(bits(interaction.0))
        .bind(operation.to_string())
        .execute(&mut *connection)
        .await?;
    if claimed.rows_affected() > 0 {
        return Ok(None);
    }
    let row = sqlx::query("SELECT operation FROM interactions WHERE id = $1")
        .bind(bits(interaction.0))
        .fetch_one(connection)
        .await?;
    Ok(Some(Row(&row).text("operation").and_then(|id| id.parse().ok()).unwrap_or(operation)))
}

pub(super) async fn progress_of(
    connection: &mut AnyConnection,
    id: OperationId,
) -> Result<Option<(ChannelId, MessageId)>, Error> {
    let row = sqlx::query("SELECT channel_id, message_id FROM reports WHERE operation = $1 AND kind = 'progress'")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    Ok(row.and_then(|row| {
        let row = Row(&row);
        Some((ChannelId(row.id("channel_id")?), MessageId(row.id("message_id")?)))
    }))
}
