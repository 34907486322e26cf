//! The planned times of schedules and their outcomes. A row represents one of them, or several consecutive ones for which nothing was done.

use jiff::Timestamp;
use sqlx::{Any, Transaction};

use super::{
    Error, Store,
    row::{Row, bits},
    schedule_row::{StoredSchedule, read_slot},
};
use crate::{
    operation::ids::{OperationId, ScheduleId},
    schedule::{
        Accounts, Due, Schedule,
        slot::{Slot, SlotState},
    },
};

impl Store {
    /// The outcomes of a schedule's planned times.
    pub async fn accounts(&self, schedule: ScheduleId) -> Result<Accounts, Error> {
        let row = sqlx::query(
            "SELECT MAX(last_at) AS last_at, MAX(CASE WHEN fate = 'waiting' THEN planned_at END) AS waiting, \
             CAST(MAX(CASE WHEN fate = 'running' THEN 1 ELSE 0 END) AS BIGINT) AS is_running FROM slots WHERE schedule = $1",
        )
        .bind(schedule.to_string())
        .fetch_one(&self.pool)
        .await?;
        let row = Row(&row);
        let is_running = row.number("is_running") == Some(1);
        Ok(Accounts { last: row.at("last_at"), waiting: row.at("waiting"), is_running })
    }

    /// The latest planned times of a schedule, newest first.
    pub async fn latest_slots(&self, schedule: ScheduleId, limit: usize) -> Result<Vec<Slot>, Error> {
        let rows = sqlx::query(
            "SELECT planned_at, last_at, count, fate, why, operation FROM slots WHERE schedule = $1 \
             ORDER BY last_at DESC LIMIT $2",
        )
        .bind(schedule.to_string())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().filter_map(read_slot).collect())
    }

    /// The operation that takes the Snapshot of a planned time, if one was begun.
    pub async fn slot_operation(&self, schedule: ScheduleId, planned: Timestamp) -> Result<Option<OperationId>, Error> {
        let row = sqlx::query("SELECT operation FROM slots WHERE schedule = $1 AND planned_at = $2")
            .bind(schedule.to_string())
            .bind(planned.as_millisecond())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.and_then(|row| Row(&row).text("operation")?.parse().ok()))
    }

    /// Whether a schedule has begun a Snapshot that counts as taken after this moment, and did not fail.
    pub async fn was_begun_after(&self, schedule: ScheduleId, moment: Timestamp) -> Result<bool, Error> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM schedule_snapshots s WHERE s.schedule = $1 AND s.planned_at > $2) \
             + (SELECT COUNT(*) FROM group_runs r WHERE r.schedule = $1 AND r.planned_at > $2) AS begun",
        )
        .bind(schedule.to_string())
        .bind(moment.as_millisecond())
        .fetch_one(&self.pool)
        .await?;
        Ok(Row(&row).number("begun").is_some_and(|begun| begun > 0))
    }

    /// Prunes the outcomes of planned times before `before`, and the records of one-off messages from that time. The latest of each
    /// schedule is kept, since later ones are counted from it.
    pub async fn prune_slots(&self, before: Timestamp) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        sqlx::query(
            "DELETE FROM slots WHERE last_at < $1 AND fate NOT IN ('waiting', 'running') \
             AND last_at < (SELECT MAX(s.last_at) FROM slots s WHERE s.schedule = slots.schedule)",
        )
        .bind(before.as_millisecond())
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM schedule_messages WHERE number > 0 AND due_at < $1 \
             AND (message_id IS NOT NULL OR given_up IS NOT NULL OR (leader_schedule IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM schedule_messages l WHERE l.schedule = schedule_messages.leader_schedule \
             AND l.number = schedule_messages.leader_number AND l.message_id IS NULL AND l.given_up IS NULL))) \
             AND number < (SELECT MAX(m.number) FROM schedule_messages m WHERE m.schedule = schedule_messages.schedule)",
        )
        .bind(before.as_millisecond())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Stores the decisions about planned times.
pub(super) async fn write(
    transaction: &mut Transaction<'_, Any>,
    StoredSchedule { schedule, .. }: &StoredSchedule,
    due: &Due,
) -> Result<(), Error> {
    if let Some((slot, state)) = due.given_up {
        let (what, why) = state.words();
        sqlx::query(
            "UPDATE slots SET fate = $1, why = $2 WHERE schedule = $3 AND planned_at = $4 AND fate = 'waiting'",
        )
        .bind(what)
        .bind(why)
        .bind(schedule.id.to_string())
        .bind(slot.as_millisecond())
        .execute(&mut **transaction)
        .await?;
        fold(transaction, schedule, (slot, state)).await?;
    }
    for closed in &due.closed {
        let (what, why) = closed.state.words();
        let folded = sqlx::query(
            "UPDATE slots SET last_at = $1, count = count + $2 WHERE schedule = $3 AND fate = $4 AND why = $5 \
             AND operation IS NULL AND last_at = (SELECT MAX(last_at) FROM slots WHERE schedule = $3)",
        )
        .bind(closed.last.as_millisecond())
        .bind(i64::from(closed.count))
        .bind(schedule.id.to_string())
        .bind(what)
        .bind(why)
        .execute(&mut **transaction)
        .await?;
        if folded.rows_affected() == 0 {
            let slot =
                Slot { at: closed.first, last: closed.last, count: closed.count, state: closed.state, operation: None };
            insert_slot(transaction, schedule, &slot).await?;
        }
    }
    if let Some(slot) = due.opened {
        let slot = Slot { at: slot, last: slot, count: 1, state: SlotState::Waiting, operation: None };
        insert_slot(transaction, schedule, &slot).await?;
    }
    Ok(())
}

/// Merges a planned time for which nothing was done into the row before it, if that one had the same outcome.
async fn fold(
    transaction: &mut Transaction<'_, Any>,
    schedule: &Schedule,
    (slot, state): (Timestamp, SlotState),
) -> Result<(), Error> {
    let (what, why) = state.words();
    let folded = sqlx::query(
        "UPDATE slots SET last_at = $1, count = count + 1 WHERE schedule = $2 AND fate = $3 AND why = $4 AND operation IS NULL \
         AND last_at = (SELECT MAX(b.last_at) FROM slots b WHERE b.schedule = $2 AND b.last_at < $1) \
         AND EXISTS (SELECT 1 FROM slots o WHERE o.schedule = $2 AND o.planned_at = $1 AND o.fate = $3 AND o.why = $4 \
         AND o.operation IS NULL)",
    )
    .bind(slot.as_millisecond())
    .bind(schedule.id.to_string())
    .bind(what)
    .bind(why)
    .execute(&mut **transaction)
    .await?;
    if folded.rows_affected() > 0 {
        sqlx::query("DELETE FROM slots WHERE schedule = $1 AND planned_at = $2 AND fate = $3 AND operation IS NULL")
            .bind(schedule.id.to_string())
            .bind(slot.as_millisecond())
            .bind(what)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

async fn insert_slot(transaction: &mut Transaction<'_, Any>, schedule: &Schedule, slot: &Slot) -> Result<(), Error> {
    let (what, why) = slot.state.words();
    sqlx::query(
        "INSERT INTO slots (schedule, planned_at, droplet_id, last_at, count, fate, why) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(schedule.id.to_string())
    .bind(slot.at.as_millisecond())
    .bind(bits(schedule.droplet.0))
    .bind(slot.last.as_millisecond())
    .bind(i64::from(slot.count))
    .bind(what)
    .bind(why)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
