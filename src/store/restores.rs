//! Which Snapshots were restored onto Droplets. After a restore, schedules delete nothing for a while, and they never delete the Snapshot
//! restored last before there is a newer one.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Error, Store,
    operation_row::{self, select_stored},
    row::{Row, bits},
};
use crate::{
    operation::{
        Operation, Outcome,
        ids::{DropletId, ScheduleId, SnapshotId},
    },
    schedule::restored::Restored,
};

impl Store {
    /// The Droplets with Snapshots of a schedule for which a restore runs, or has ended since then with any outcome.
    pub async fn restored_droplets(
        &self,
        schedule: ScheduleId,
        since: Timestamp,
    ) -> Result<BTreeSet<DropletId>, Error> {
        let rows = sqlx::query(
            "SELECT DISTINCT droplet_id FROM operations WHERE kind = 'restore' AND (is_running = 1 OR ended_at >= $2) \
             AND droplet_id IN (SELECT droplet_id FROM schedule_snapshots WHERE schedule = $1)",
        )
        .bind(schedule.to_string())
        .bind(since.as_millisecond())
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().filter_map(|row| Row(row).id("droplet_id")).map(DropletId).collect())
    }

    /// Every restore of a Droplet that a schedule has Snapshots of, as far back as the history goes; of earlier ones, the last of each
    /// Droplet.
    pub async fn restores(&self, schedule: ScheduleId) -> Result<Vec<Restored>, Error> {
        let rows = sqlx::query(select_stored!(
            "WHERE o.kind = 'restore' AND o.droplet_id IN (SELECT droplet_id FROM schedule_snapshots WHERE schedule = $1)"
        ))
        .bind(schedule.to_string())
        .fetch_all(&self.pool)
        .await?;
        let restores = operation_row::read_all(&rows).into_iter().map(|stored| stored.operation);
        let mut all: Vec<Restored> = restores.filter_map(|restore| read(&restore)).collect();
        let rows = sqlx::query(
            "SELECT droplet_id, snapshot_id, restored_at FROM restore_sources \
             WHERE droplet_id IN (SELECT droplet_id FROM schedule_snapshots WHERE schedule = $1)",
        )
        .bind(schedule.to_string())
        .fetch_all(&self.pool)
        .await?;
        all.extend(rows.iter().filter_map(|row| {
            let row = Row(row);
            Some(Restored {
                droplet: DropletId(row.id("droplet_id")?),
                source: SnapshotId(row.id("snapshot_id")?),
                ended_at: Some(row.at("restored_at")?),
                is_done: true,
            })
        }));
        Ok(all)
    }
}

fn read(restore: &Operation) -> Option<Restored> {
    Some(Restored {
        droplet: restore.target.droplet?,
        source: restore.kind.snapshot()?.id,
        ended_at: restore.ended,
        is_done: restore.outcome == Some(Outcome::Completed),
    })
}

/// Keeps what a restore restored, although its history is about to be pruned.
pub(super) async fn keep(connection: &mut AnyConnection, operation: &Operation) -> Result<(), Error> {
    if operation.kind.word() != "restore" {
        return Ok(());
    }
    let Some(Restored { droplet, source, ended_at: Some(at), is_done: true }) = read(operation) else { return Ok(()) };
    sqlx::query(
        "INSERT INTO restore_sources (droplet_id, snapshot_id, restored_at) VALUES ($1, $2, $3) \
         ON CONFLICT (droplet_id) DO UPDATE SET snapshot_id = excluded.snapshot_id, restored_at = excluded.restored_at \
         WHERE restore_sources.restored_at < excluded.restored_at",
    )
    .bind(bits(droplet.0))
    .bind(bits(source.0))
    .bind(at.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}
