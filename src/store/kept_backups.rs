//! Which Snapshots were Backups of DigitalOcean until a person kept them: from the history, and after pruning from rows of their own.

use std::collections::HashMap;

use sqlx::AnyConnection;

use super::{
    Error, Store,
    operation_row::{self, select_stored},
    row::{Row, bits},
};
use crate::operation::{
    Operation,
    ids::{SnapshotId, UserId},
    kinds::Kind,
};

impl Store {
    /// The Snapshots that were Backups of DigitalOcean until a person kept them, with that person.
    pub async fn kept_backups(&self) -> Result<HashMap<SnapshotId, UserId>, Error> {
        let rows = sqlx::query(select_stored!(
            "WHERE o.is_running = 0 AND o.kind = 'backups' ORDER BY o.ended_at DESC LIMIT 1000"
        ))
        .fetch_all(&self.pool)
        .await?;
        let operations = operation_row::read_all(&rows).into_iter().map(|stored| stored.operation);
        let pruned = sqlx::query("SELECT snapshot_id, by_user FROM kept_backups").fetch_all(&self.pool).await?;
        let read = |row| Some((SnapshotId(Row(row).id("snapshot_id")?), UserId(Row(row).id("by_user")?)));
        Ok(pruned.iter().filter_map(read).chain(operations.filter_map(|it| kept_backup(&it))).collect())
    }
}

/// The Backup that an operation has kept as a Snapshot, and for whom. A later failure does not matter once the bot has seen the converted
/// image.
fn kept_backup(operation: &Operation) -> Option<(SnapshotId, UserId)> {
    let kept = operation.snapshot.as_ref().filter(|_| matches!(operation.kind, Kind::Backups(_)))?;
    Some((kept.id, operation.requester.user))
}

/// Keeps what an operation that is about to be pruned tells about a Backup that it kept.
pub(super) async fn keep(connection: &mut AnyConnection, operation: &Operation) -> Result<(), Error> {
    let Some((snapshot, user)) = kept_backup(operation) else { return Ok(()) };
    sqlx::query("INSERT INTO kept_backups (snapshot_id, by_user) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(bits(snapshot.0))
        .bind(bits(user.0))
        .execute(connection)
        .await?;
    Ok(())
}
