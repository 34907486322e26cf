//! The Snapshots of each schedule: which operation takes each, what is known about it, and whether it is about to be deleted.
//!
//! A row is stored in the transaction that creates its operation and is kept as long as the Snapshot is listed, even if history is pruned
//! earlier: retention is decided from these rows.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::{Any, AnyConnection, Transaction, any::AnyRow};

use super::{
    Act, CreateError, Deed, Error, Store, StoredSchedule, act,
    row::{Row, bits, without_nul},
    schedule_outcome as outcome, schedule_ping, schedule_row,
};
use crate::{
    operation::{
        Operation,
        ids::{DropletId, GuildId, OperationId, ScheduleId, SnapshotId, UserId},
        reading::SnapshotReading,
        trigger::Trigger,
    },
    ping::Signal,
    schedule::{group::Excluded, pruning::Candidate},
};

/// A Snapshot that belongs to a schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleSnapshot {
    /// The operation that took it.
    pub operation: OperationId,
    /// The Droplet that it was taken of.
    pub droplet: DropletId,
    /// Whether its schedule still takes Snapshots of that Droplet.
    pub is_current: bool,
    /// When its slot was planned, or when it was begun if a person requested it.
    pub planned: Option<Timestamp>,
    /// Its name, which ends in the operation's id.
    pub name: String,
    /// Its id, as listed.
    pub snapshot: Option<SnapshotId>,
    /// When DigitalOcean created it.
    pub created_at: Option<Timestamp>,
    /// Its size in gigabytes, once known.
    pub size: Option<f64>,
    /// Whether it was taken with the Droplet off.
    pub is_consistent: bool,
    /// The person who wants it kept whatever the policy says.
    pub kept_by: Option<UserId>,
    /// When its deletion was announced.
    pub announced_at: Option<Timestamp>,
    /// The operation that deletes it.
    pub deletion: Option<OperationId>,
}

impl ScheduleSnapshot {
    /// The part of this row that the retention rules need.
    pub fn candidate(&self) -> Candidate {
        Candidate {
            operation: self.operation,
            droplet: self.droplet,
            is_current: self.is_current,
            planned: self.planned,
            size: self.size,
            is_consistent: self.is_consistent,
            is_kept: self.kept_by.is_some(),
            announced_at: self.announced_at,
        }
    }
}

/// The candidates for retention. Snapshots that were put back onto a Droplet (`sources`) count as kept.
pub fn wanted(known: &[ScheduleSnapshot], sources: &BTreeSet<SnapshotId>) -> Vec<Candidate> {
    let is_source = |one: &ScheduleSnapshot| one.snapshot.is_some_and(|id| sources.contains(&id));
    let wanted = |one: &ScheduleSnapshot| {
        let candidate = one.candidate();
        Candidate { is_kept: candidate.is_kept || is_source(one), ..candidate }
    };
    known.iter().map(wanted).collect()
}

/// Whether the schedule `o` takes Snapshots of the Droplet of its record `s`. For a group, these are the Droplets that its latest run took,
/// or left out only because they had just been taken; `$lately` is the parameter with the word for that.
macro_rules! is_current {
    ($lately:literal) => {
        concat!(
            "(s.droplet_id = o.droplet_id OR o.droplet_id = 0 AND EXISTS (SELECT 1 FROM group_members m \
             WHERE m.droplet_id = s.droplet_id AND (m.phase <> 'excluded' OR m.why = ",
            $lately,
            ") AND m.run = (SELECT r.id FROM group_runs r WHERE r.schedule = s.schedule \
             ORDER BY r.planned_at DESC, r.id DESC LIMIT 1)))"
        )
    };
}
pub(super) use is_current;

/// The word for a Snapshot that is being taken.
pub(super) const TAKING: &str = "taking";
/// The word for a Snapshot that exists.
pub(super) const LISTED: &str = "listed";

/// Claims a waiting planned time for an operation. A schedule takes one Snapshot at a time. A Snapshot of the Droplet that another schedule
/// has taken is settled first, since it may serve for this time too.
pub(super) async fn claim_slot(
    transaction: &mut Transaction<'_, Any>,
    (schedule, at): (ScheduleId, Timestamp),
    operation: OperationId,
) -> Result<(), CreateError> {
    let claimed = sqlx::query(
        "UPDATE slots SET fate = 'running', operation = $1 WHERE schedule = $2 AND planned_at = $3 AND fate = 'waiting' \
         AND NOT EXISTS (SELECT 1 FROM slots r WHERE r.schedule = $2 AND r.fate = 'running') \
         AND NOT EXISTS (SELECT 1 FROM schedule_snapshots t WHERE t.droplet_id = slots.droplet_id AND t.state = 'taking' \
         AND t.schedule <> $2)",
    )
    .bind(operation.to_string())
    .bind(schedule.to_string())
    .bind(at.as_millisecond())
    .execute(&mut **transaction)
    .await?;
    if claimed.rows_affected() > 0 { Ok(()) } else { Err(CreateError::NotWaiting) }
}

/// Claims a Snapshot of a schedule for the operation that deletes it, unless an open question names it. Such a question is text here: one
/// that only happens to contain the same digits delays the deletion for minutes, and does no harm.
pub(super) async fn claim_deletion(
    transaction: &mut Transaction<'_, Any>,
    (schedule, taken_by): (ScheduleId, OperationId),
    (operation, now): (OperationId, Timestamp),
) -> Result<(), CreateError> {
    let claimed = sqlx::query(
        "UPDATE schedule_snapshots SET deletion = $1 WHERE schedule = $2 AND operation = $3 AND state = 'listed' \
         AND deletion IS NULL AND kept_by IS NULL AND announced_at IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM snapshot_pins p WHERE p.snapshot_id = schedule_snapshots.snapshot_id) \
         AND NOT EXISTS (SELECT 1 FROM schedule_snapshots o WHERE o.operation = $3 AND o.schedule <> $2) \
         AND NOT EXISTS (SELECT 1 FROM confirmations c WHERE c.used_by IS NULL AND c.expires_at > $4 \
         AND c.what LIKE '%' || CAST(schedule_snapshots.snapshot_id AS TEXT) || '%')",
    )
    .bind(operation.to_string())
    .bind(schedule.to_string())
    .bind(taken_by.to_string())
    .bind(now.as_millisecond())
    .execute(&mut **transaction)
    .await?;
    if claimed.rows_affected() > 0 { Ok(()) } else { Err(CreateError::NotWaiting) }
}

/// When the Snapshot of an operation counts as taken; `None` if the operation takes none for a schedule.
pub(super) fn planned(operation: &Operation) -> Option<Timestamp> {
    match operation.trigger? {
        Trigger::Slot { at, .. } | Trigger::Member { at, .. } => Some(at),
        Trigger::Run { .. } => Some(operation.asked_at),
        Trigger::Prune { .. } | Trigger::Interaction(_) => None,
    }
}

/// Records what a new operation means for its schedule.
pub(super) async fn begin(
    transaction: &mut Transaction<'_, Any>,
    id: ScheduleId,
    operation: &Operation,
) -> Result<(), Error> {
    let planned = planned(operation);
    if let (Some(planned), Some(droplet)) = (planned, operation.target.droplet) {
        sqlx::query(
            "INSERT INTO schedule_snapshots (schedule, operation, droplet_id, planned_at, state, name, is_consistent) \
             VALUES ($1, $2, $3, $4, $5, $6, 0)",
        )
        .bind(id.to_string())
        .bind(operation.id.to_string())
        .bind(bits(droplet.0))
        .bind(planned.as_millisecond())
        .bind(TAKING)
        .bind(without_nul(&operation.snapshot_name))
        .execute(&mut **transaction)
        .await?;
    }
    if planned.is_some() && !outcome::is_member(operation) {
        let start = (&*operation.id.to_string(), Signal::Start);
        schedule_ping::tell(transaction, id, start, operation.asked_at).await?;
    }
    schedule_row::touch(transaction, id).await
}

impl Store {
    /// The existing Snapshots of a schedule, newest first. A pinned one counts as kept by the person who pinned it.
    pub async fn schedule_snapshots(&self, schedule: ScheduleId) -> Result<Vec<ScheduleSnapshot>, Error> {
        let mut connection = self.pool.acquire().await?;
        all(&mut connection, schedule).await
    }

    /// Removes the row of a Snapshot that is no longer listed.
    pub async fn forget_schedule_snapshot(&self, schedule: ScheduleId, operation: OperationId) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        forget(&mut transaction, (schedule, operation)).await?;
        schedule_row::touch(&mut transaction, schedule).await?;
        transaction.commit().await?;
        self.changes.schedule_messages.notify_one();
        Ok(())
    }

    /// Records which Snapshots of a schedule are to be deleted. New ones, and those in `again`, count as announced at `now`; those that are
    /// no longer among them are not announced any more. Snapshots that are kept, or being deleted, are unchanged.
    pub async fn announce_deletions(
        &self,
        schedule: ScheduleId,
        (dropped, again): (&[OperationId], &[OperationId]),
        now: Timestamp,
    ) -> Result<(), Error> {
        let known = self.schedule_snapshots(schedule).await?;
        let mut transaction = self.begin_as_owner().await?;
        let mut changed = 0;
        for one in known.iter().filter(|one| one.deletion.is_none()) {
            let is_dropped = one.kept_by.is_none() && dropped.contains(&one.operation);
            let announced_at = match (is_dropped, one.announced_at) {
                (true, None) => Some(now),
                (true, Some(_)) if again.contains(&one.operation) => Some(now),
                (false, Some(_)) => None,
                (true, Some(_)) | (false, None) => continue,
            };
            sqlx::query("UPDATE schedule_snapshots SET announced_at = $1 WHERE schedule = $2 AND operation = $3")
                .bind(announced_at.map(Timestamp::as_millisecond))
                .bind(schedule.to_string())
                .bind(one.operation.to_string())
                .execute(&mut *transaction)
                .await?;
            changed += 1;
        }
        if changed > 0 {
            schedule_row::touch(&mut transaction, schedule).await?;
            transaction.commit().await?;
            self.ring_schedules();
        }
        Ok(())
    }

    /// Handles a change of a Snapshot's pin: its schedule, if it belongs to one, decides again and announces deletions first.
    pub(super) async fn note_pin(transaction: &mut Transaction<'_, Any>, snapshot: SnapshotId) -> Result<(), Error> {
        let of_schedules = sqlx::query("SELECT schedule FROM schedule_snapshots WHERE snapshot_id = $1")
            .bind(bits(snapshot.0))
            .fetch_all(&mut **transaction)
            .await?;
        sqlx::query("UPDATE schedule_snapshots SET announced_at = NULL WHERE snapshot_id = $1 AND deletion IS NULL")
            .bind(bits(snapshot.0))
            .execute(&mut **transaction)
            .await?;
        for row in &of_schedules {
            if let Some(schedule) = Row(row).text("schedule").and_then(|id| id.parse().ok()) {
                schedule_row::touch(transaction, schedule).await?;
            }
        }
        Ok(())
    }

    /// Pins these Snapshots, whose deletion is announced, so that they are kept whatever the policy says. Returns how many.
    pub async fn keep_announced(
        &self,
        schedule: ScheduleId,
        chosen: &[OperationId],
        (by, guild): (UserId, GuildId),
    ) -> Result<u64, Error> {
        let mut transaction = self.begin_as_owner().await?;
        let mut count = 0;
        for operation in chosen {
            sqlx::query(
                "INSERT INTO snapshot_pins (snapshot_id, snapshot_name, by_user, guild_id, at, reason) \
                 SELECT snapshot_id, name, $1, $2, $3, $4 FROM schedule_snapshots WHERE schedule = $5 AND operation = $6 \
                 AND announced_at IS NOT NULL AND deletion IS NULL AND snapshot_id IS NOT NULL ON CONFLICT DO NOTHING",
            )
            .bind(bits(by.0))
            .bind(bits(guild.0))
            .bind(self.clock.now().as_millisecond())
            .bind("kept from its schedule")
            .bind(schedule.to_string())
            .bind(operation.to_string())
            .execute(&mut *transaction)
            .await?;
            let kept = sqlx::query(
                "UPDATE schedule_snapshots SET kept_by = $1, announced_at = NULL \
                 WHERE schedule = $2 AND operation = $3 AND announced_at IS NOT NULL AND deletion IS NULL",
            )
            .bind(bits(by.0))
            .bind(schedule.to_string())
            .bind(operation.to_string())
            .execute(&mut *transaction)
            .await?;
            count += kept.rows_affected();
        }
        if count > 0
            && let Some(StoredSchedule { schedule, .. }) = schedule_row::read_one(&mut transaction, schedule).await?
        {
            let act = Act { by, guild, what: Deed::Kept(count) };
            act::note(&mut transaction, &act, &schedule, self.clock.now()).await?;
        }
        schedule_row::touch(&mut transaction, schedule).await?;
        transaction.commit().await?;
        self.ring_schedules();
        Ok(count)
    }
}

/// The existing Snapshots of a schedule, newest first.
pub(super) async fn all(connection: &mut AnyConnection, schedule: ScheduleId) -> Result<Vec<ScheduleSnapshot>, Error> {
    let rows = sqlx::query(concat!(
        "SELECT s.operation, s.droplet_id, s.planned_at, s.name, s.snapshot_id, s.created_at, s.size_millis, s.is_consistent, \
         COALESCE(s.kept_by, p.by_user) AS kept_by, s.announced_at, s.deletion, \
         CAST(CASE WHEN ",
        is_current!("$2"),
        " THEN 1 ELSE 0 END AS BIGINT) AS is_current FROM schedule_snapshots s JOIN schedules o ON o.id = s.schedule \
         LEFT JOIN snapshot_pins p ON p.snapshot_id = s.snapshot_id \
         WHERE s.schedule = $1 AND s.state = 'listed' ORDER BY s.planned_at DESC, s.operation DESC",
    ))
    .bind(schedule.to_string())
    .bind(Excluded::Lately.word())
    .fetch_all(connection)
    .await?;
    Ok(rows.iter().filter_map(read).collect())
}

pub(super) async fn forget(
    connection: &mut AnyConnection,
    (schedule, operation): (ScheduleId, OperationId),
) -> Result<(), Error> {
    sqlx::query("DELETE FROM schedule_snapshots WHERE schedule = $1 AND operation = $2")
        .bind(schedule.to_string())
        .bind(operation.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes a Snapshot that no longer exists from all schedules and from the kept Backups. A schedule's own deletion is settled with its
/// operation.
pub(super) async fn forget_everywhere(connection: &mut AnyConnection, snapshot: SnapshotId) -> Result<(), Error> {
    let forgotten = sqlx::query(
        "DELETE FROM schedule_snapshots WHERE snapshot_id = $1 AND state = 'listed' AND deletion IS NULL RETURNING schedule",
    )
    .bind(bits(snapshot.0))
    .fetch_all(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM kept_backups WHERE snapshot_id = $1")
        .bind(bits(snapshot.0))
        .execute(&mut *connection)
        .await?;
    for row in &forgotten {
        if let Some(schedule) = Row(row).text("schedule").and_then(|id| id.parse().ok()) {
            schedule_row::touch(connection, schedule).await?;
        }
    }
    Ok(())
}

pub(super) async fn note(
    connection: &mut AnyConnection,
    operation: OperationId,
    seen: &SnapshotReading,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE schedule_snapshots SET snapshot_id = $1, created_at = COALESCE($2, created_at), \
         size_millis = COALESCE($3, size_millis) WHERE operation = $4",
    )
    .bind(bits(seen.id.0))
    .bind(seen.created_at.map(Timestamp::as_millisecond))
    .bind(seen.known_size().map(thousandths))
    .bind(operation.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "sizes are far below 2^53 thousandths, and saturate beyond")]
fn thousandths(size: f64) -> i64 {
    (size * 1000.0).round() as i64
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53 thousandths")]
fn gigabytes(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

fn read(row: &AnyRow) -> Option<ScheduleSnapshot> {
    let row = Row(row);
    let operation = |column: &str| row.text(column).and_then(|id| id.parse().ok());
    Some(ScheduleSnapshot {
        operation: operation("operation")?,
        droplet: DropletId(row.id("droplet_id")?),
        is_current: row.number("is_current") == Some(1),
        planned: row.at("planned_at"),
        name: row.text("name").unwrap_or_default().to_owned(),
        snapshot: row.id("snapshot_id").map(SnapshotId),
        created_at: row.at("created_at"),
        size: row.number("size_millis").map(gigabytes),
        is_consistent: row.number("is_consistent") == Some(1),
        kept_by: row.id("kept_by").map(UserId),
        announced_at: row.at("announced_at"),
        deletion: operation("deletion"),
    })
}
