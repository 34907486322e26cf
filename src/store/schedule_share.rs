//! Snapshots that belong to several schedules, and those of a schedule that is removed.
//!
//! Each schedule has its own row for such a Snapshot. If no rule of a schedule wants it, it leaves that schedule; it is deleted once no
//! other schedule has it.

use std::collections::HashSet;

use jiff::Timestamp;

use super::{
    Error, Store,
    row::{Row, bits},
    schedule_quality, schedule_row,
    schedule_snapshot::{self, is_current},
};
use crate::{
    operation::ids::{DropletId, OperationId, ScheduleId, SnapshotId},
    schedule::{Schedule, group::Excluded, slot::SlotState},
};

impl Store {
    /// The existing Snapshots of a Droplet that other schedules began from this moment on: the schedule, and the operation that took each,
    /// newest first.
    pub async fn taken_by_others(
        &self,
        schedule: ScheduleId,
        droplet: DropletId,
        since: Timestamp,
    ) -> Result<Vec<(ScheduleId, OperationId)>, Error> {
        let rows = sqlx::query(
            "SELECT s.schedule, s.operation FROM schedule_snapshots s JOIN operations o ON o.id = s.operation \
             WHERE s.schedule <> $1 AND s.droplet_id = $2 AND s.state = 'listed' AND s.deletion IS NULL AND o.asked_at >= $3 \
             AND NOT EXISTS (SELECT 1 FROM schedule_snapshots own WHERE own.schedule = $1 AND own.operation = s.operation) \
             ORDER BY o.asked_at DESC, s.schedule",
        )
        .bind(schedule.to_string())
        .bind(bits(droplet.0))
        .bind(since.as_millisecond())
        .fetch_all(&self.pool)
        .await?;
        let read = |row| {
            let row = Row(row);
            Some((row.text("schedule")?.parse().ok()?, row.text("operation")?.parse().ok()?))
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// Ends a waiting planned time with the Snapshot of another schedule, which belongs to both from then on. Returns `false` if either no
    /// longer exists.
    pub async fn share(
        &self,
        schedule: &Schedule,
        at: Timestamp,
        (of, operation): (ScheduleId, OperationId),
    ) -> Result<bool, Error> {
        let mut transaction = self.begin_as_owner().await?;
        let joined = sqlx::query(
            "INSERT INTO schedule_snapshots (schedule, operation, droplet_id, planned_at, state, name, snapshot_id, created_at, \
             size_millis, is_consistent) SELECT $1, operation, droplet_id, $2, state, name, snapshot_id, created_at, size_millis, \
             is_consistent FROM schedule_snapshots WHERE schedule = $3 AND operation = $4 AND state = 'listed' \
             AND deletion IS NULL ON CONFLICT DO NOTHING",
        )
        .bind(schedule.id.to_string())
        .bind(at.as_millisecond())
        .bind(of.to_string())
        .bind(operation.to_string())
        .execute(&mut *transaction)
        .await?;
        let (what, why) = SlotState::Shared.words();
        let closed = sqlx::query(
            "UPDATE slots SET fate = $1, why = $2, operation = $3 WHERE schedule = $4 AND planned_at = $5 AND fate = 'waiting'",
        )
        .bind(what)
        .bind(why)
        .bind(operation.to_string())
        .bind(schedule.id.to_string())
        .bind(at.as_millisecond())
        .execute(&mut *transaction)
        .await?;
        if joined.rows_affected() == 0 || closed.rows_affected() == 0 {
            return Ok(false);
        }
        let run = operation.to_string();
        schedule_quality::tell(&mut transaction, schedule.id, (&run, at), self.clock.now()).await?;
        schedule_row::touch(&mut transaction, schedule.id).await?;
        transaction.commit().await?;
        self.changes.pings.notify_one();
        self.ring_schedules();
        Ok(true)
    }

    /// Every Snapshot that a schedule keeps, with that schedule, including removed schedules.
    pub async fn kept_by_schedules(&self) -> Result<Vec<(SnapshotId, ScheduleId)>, Error> {
        let rows = sqlx::query(
            "SELECT snapshot_id, schedule FROM schedule_snapshots WHERE state = 'listed' AND snapshot_id IS NOT NULL ORDER BY schedule",
        )
        .fetch_all(&self.pool)
        .await?;
        let read = |row| {
            let row = Row(row);
            Some((SnapshotId(row.id("snapshot_id")?), row.text("schedule")?.parse().ok()?))
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// The Snapshots that schedules took and that none of them prunes: each schedule that has one was removed, or no longer takes Snapshots
    /// of that Droplet.
    pub async fn unpruned_snapshots(&self) -> Result<HashSet<SnapshotId>, Error> {
        let rows = sqlx::query(concat!(
            "SELECT s.snapshot_id FROM schedule_snapshots s JOIN schedules o ON o.id = s.schedule \
             WHERE s.state = 'listed' AND s.snapshot_id IS NOT NULL GROUP BY s.snapshot_id \
             HAVING MAX(CASE WHEN o.is_removed = 0 AND ",
            is_current!("$1"),
            " THEN 1 ELSE 0 END) = 0",
        ))
        .bind(Excluded::Lately.word())
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().filter_map(|row| Row(row).id("snapshot_id").map(SnapshotId)).collect())
    }

    /// The Snapshots of schedules with an unknown size, and the operation that took each.
    pub async fn unsized_schedule_snapshots(&self) -> Result<Vec<(SnapshotId, OperationId)>, Error> {
        let rows = sqlx::query(
            "SELECT DISTINCT snapshot_id, operation FROM schedule_snapshots WHERE state = 'listed' AND snapshot_id IS NOT NULL \
             AND size_millis IS NULL",
        )
        .fetch_all(&self.pool)
        .await?;
        let read = |row| Some((SnapshotId(Row(row).id("snapshot_id")?), Row(row).text("operation")?.parse().ok()?));
        Ok(rows.iter().filter_map(read).collect())
    }

    /// A Snapshot is not there any more: no schedule has it, and its pin holds nothing.
    pub async fn forget_gone_snapshot(&self, snapshot: SnapshotId) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        schedule_snapshot::forget_everywhere(&mut transaction, snapshot).await?;
        sqlx::query("DELETE FROM snapshot_pins WHERE snapshot_id = $1")
            .bind(bits(snapshot.0))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.ring_schedules();
        Ok(())
    }

    /// Whether another schedule has the Snapshot that an operation took.
    pub async fn has_another_owner(&self, schedule: ScheduleId, operation: OperationId) -> Result<bool, Error> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS others FROM schedule_snapshots WHERE schedule <> $1 AND operation = $2 AND state = 'listed'",
        )
        .bind(schedule.to_string())
        .bind(operation.to_string())
        .fetch_one(&self.pool)
        .await?;
        Ok(Row(&row).number("others").is_some_and(|others| others > 0))
    }

    /// Hands the Snapshots of a schedule over to another one, except those that are being taken or deleted. Returns how many. The new
    /// schedule announces unwanted ones before it deletes them.
    pub async fn hand_over(&self, from: ScheduleId, to: ScheduleId) -> Result<u64, Error> {
        let mut transaction = self.begin_as_owner().await?;
        // Those that both have stay with the other.
        sqlx::query(
            "DELETE FROM schedule_snapshots WHERE schedule = $1 AND state = 'listed' AND deletion IS NULL \
             AND operation IN (SELECT operation FROM schedule_snapshots WHERE schedule = $2)",
        )
        .bind(from.to_string())
        .bind(to.to_string())
        .execute(&mut *transaction)
        .await?;
        let given = sqlx::query(
            "UPDATE schedule_snapshots SET schedule = $1, announced_at = NULL \
             WHERE schedule = $2 AND state = 'listed' AND deletion IS NULL",
        )
        .bind(to.to_string())
        .bind(from.to_string())
        .execute(&mut *transaction)
        .await?;
        for schedule in [from, to] {
            schedule_row::touch(&mut transaction, schedule).await?;
        }
        transaction.commit().await?;
        self.ring_schedules();
        Ok(given.rows_affected())
    }
}
