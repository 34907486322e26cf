//! Pruning: deletes operations that ended long ago with everything that belongs to them, and confirmations that can no longer be answered.
//!
//! `app` calls it regularly. Each call is one short transaction. Whatever is open, owed or not yet posted is kept, however old it is. For
//! each Snapshot that the bot took, the store keeps who requested it.

use jiff::{SignedDuration, Timestamp};
use sqlx::{AnyConnection, AssertSqlSafe};

use super::{
    Error, Store, act, kept_backups,
    operation_row::{self, select_stored},
    restores,
    row::{Row, bits, places, without_nul},
};
use crate::operation::{Operation, Outcome, ids::OperationId, step::Task};

/// How many operations one transaction prunes, so that others do not wait long for it.
const BATCH: i64 = 50;
/// How long a confirmation is kept after it expired: a press that Discord delivers late still gets the right answer.
const CONFIRMATIONS_KEPT: SignedDuration = SignedDuration::from_hours(24);
/// The tables whose rows belong to an operation, and are deleted before it.
const PARTS: [&str; 4] = ["events", "durations", "reports", "interactions"];

impl Store {
    /// Prunes some operations that ended before `before`, oldest first, and returns how many. Repeat until it returns zero.
    pub async fn prune_operations(&self, before: Timestamp, now: Timestamp) -> Result<usize, Error> {
        let mut transaction = self.begin_as_owner().await?;
        let rows = sqlx::query(select_stored!(
            "WHERE o.is_running = 0 AND o.is_open = 0 AND o.ended_at < $1 AND p.operation IS NULL AND NOT EXISTS ( \
             SELECT 1 FROM reports r WHERE r.operation = o.id AND r.message_id IS NULL AND r.given_up IS NULL \
             ) ORDER BY o.ended_at, o.id LIMIT $2"
        ))
        .bind(before.as_millisecond())
        .bind(BATCH)
        .fetch_all(&mut *transaction)
        .await?;
        let old = operation_row::read_all(&rows).into_iter().map(|stored| stored.operation);
        let gone: Vec<_> = old.filter(|old| old.undo_until().is_none_or(|until| until <= now)).collect();
        for operation in &gone {
            keep_origin(&mut transaction, operation).await?;
            restores::keep(&mut transaction, operation).await?;
            kept_backups::keep(&mut transaction, operation).await?;
        }
        // No operation joins a call that is this old.
        sqlx::query("DELETE FROM calls WHERE began_at < $1")
            .bind(before.as_millisecond())
            .execute(&mut *transaction)
            .await?;
        act::prune(&mut transaction, before).await?;
        let ids: Vec<_> = gone.iter().map(|operation| operation.id).collect();
        if !ids.is_empty() {
            for part in PARTS {
                delete(&mut transaction, (part, "operation"), &ids).await?;
            }
            delete(&mut transaction, ("operations", "id"), &ids).await?;
        }
        transaction.commit().await?;
        Ok(ids.len())
    }

    /// Prunes some expired confirmations, and returns how many. Repeat until it returns zero.
    pub async fn prune_confirmations(&self, now: Timestamp) -> Result<u64, Error> {
        let expired = now.checked_sub(CONFIRMATIONS_KEPT).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut transaction = self.begin_as_owner().await?;
        let pruned = sqlx::query(
            "DELETE FROM confirmations WHERE id IN (SELECT id FROM confirmations WHERE expires_at < $1 LIMIT $2)",
        )
        .bind(expired.as_millisecond())
        .bind(BATCH)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(pruned.rows_affected())
    }
}

/// Keeps the origin of a Snapshot; only an operation that may have taken one has an origin to keep.
async fn keep_origin(connection: &mut AnyConnection, operation: &Operation) -> Result<(), Error> {
    if !operation.steps.iter().any(|step| step.task() == Task::Snapshot) {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO snapshot_origins (id, snapshot_name, kind, droplet_id, droplet_name, asker_id, guild_id, \
         channel_id, asked_at, ended_at, outcome) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT DO NOTHING",
    )
    .bind(operation.id.to_string())
    .bind(without_nul(&operation.snapshot_name))
    .bind(operation.kind.word())
    .bind(operation.target.droplet.map(|droplet| bits(droplet.0)))
    .bind(without_nul(&operation.target.name))
    .bind(bits(operation.requester.user.0))
    .bind(bits(operation.requester.guild.0))
    .bind(bits(operation.requester.channel.0))
    .bind(operation.asked_at.as_millisecond())
    .bind(operation.ended.map(Timestamp::as_millisecond))
    .bind(operation.outcome.as_ref().map(Outcome::word))
    .execute(connection)
    .await?;
    Ok(())
}

async fn delete(
    connection: &mut AnyConnection,
    (table, column): (&'static str, &'static str),
    ids: &[OperationId],
) -> Result<(), Error> {
    let statement = format!("DELETE FROM {table} WHERE {column} IN ({})", places(ids.len()));
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for id in ids {
        query = query.bind(id.to_string());
    }
    query.execute(connection).await?;
    Ok(())
}

/// The pruned operations with these ids, as far as they are still known: finished, with the Snapshot's name.
pub(super) async fn pruned(store: &Store, ids: &[OperationId]) -> Result<Vec<Operation>, Error> {
    let statement = format!(
        "SELECT id, snapshot_name, kind, droplet_id, droplet_name, asker_id, guild_id, channel_id, asked_at, ended_at, \
         outcome, CAST(NULL AS BIGINT) AS owed_since FROM snapshot_origins WHERE id IN ({})",
        places(ids.len())
    );
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for id in ids {
        query = query.bind(id.to_string());
    }
    let rows = query.fetch_all(&store.pool).await?;
    let operations = rows.iter().filter_map(|row| {
        let row = Row(row);
        let mut operation = operation_row::rescue(row.text("id")?.parse().ok()?, row, "");
        row.text("snapshot_name")?.clone_into(&mut operation.snapshot_name);
        Some(operation)
    });
    Ok(operations.collect())
}
