//! The consequences of a run by the quality of its Snapshots: whether the schedule's address is notified of a success, and whether people
//! learn that it is good again. This waits for a size that DigitalOcean may still report.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Error, ScheduleSnapshot, Store, StoredSchedule, row::Row, schedule_notice, schedule_ping, schedule_row,
    schedule_snapshot,
};
use crate::{
    operation::{
        ids::{OperationId, ScheduleId},
        reading::SnapshotReading,
    },
    ping::Signal,
    schedule::{
        Schedule,
        notice::Notice,
        pruning::{Candidate, SIZES_COME},
        retention::Quality,
        run::Run,
        slot::SlotState,
    },
};

impl Store {
    /// Records what DigitalOcean now reports about a Snapshot.
    pub async fn note_schedule_snapshot(&self, operation: OperationId, seen: &SnapshotReading) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        schedule_snapshot::note(&mut transaction, operation, seen).await?;
        learnt(&mut transaction, operation, self.clock.now()).await?;
        transaction.commit().await?;
        self.changes.pings.notify_one();
        self.changes.schedule_messages.notify_one();
        Ok(())
    }
}

/// Reports how a run went that took the Snapshots of a planned time. If a size is not known within a day, the run counts as failed.
pub(super) async fn tell(
    connection: &mut AnyConnection,
    id: ScheduleId,
    (run, planned): (&str, Timestamp),
    now: Timestamp,
) -> Result<(), Error> {
    let Some(StoredSchedule { schedule, .. }) = schedule_row::read_one(connection, id).await? else { return Ok(()) };
    let deadline = planned.checked_add(SIZES_COME).unwrap_or(planned);
    match worth(connection, &schedule, planned).await? {
        Some(quality) if quality.is_good() => {
            schedule_notice::say_good_again(connection, &schedule, now).await?;
            schedule_ping::tell(connection, id, (run, Signal::Success), now).await
        }
        Some(Quality::Unsized) => schedule_ping::tell(connection, id, (run, Signal::Fail), deadline.max(now)).await,
        Some(_) | None => schedule_ping::tell(connection, id, (run, Signal::Fail), now).await,
    }
}

/// Reports how the run of a group ended: a failure if not every member has a Snapshot, else by the quality of the Snapshots.
pub(super) async fn tell_end(
    connection: &mut AnyConnection,
    id: ScheduleId,
    (run, wrong): (&Run, Option<&Notice>),
    now: Timestamp,
) -> Result<(), Error> {
    let run_id = run.plan.id.to_string();
    let Some(notice) = wrong else { return tell(connection, id, (&run_id, run.plan.planned), now).await };
    if let Some(stored) = schedule_row::read_one(connection, id).await? {
        schedule_notice::say(connection, &stored.schedule, notice, now).await?;
    }
    schedule_ping::tell(connection, id, (&run_id, Signal::Fail), now).await
}

/// Reports what waited for new facts about the Snapshot that an operation took.
async fn learnt(connection: &mut AnyConnection, operation: OperationId, now: Timestamp) -> Result<(), Error> {
    let rows = sqlx::query("SELECT schedule FROM schedule_snapshots WHERE operation = $1 AND state = 'listed'")
        .bind(operation.to_string())
        .fetch_all(&mut *connection)
        .await?;
    let of_schedules: Vec<ScheduleId> = rows.iter().filter_map(|row| Row(row).text("schedule")?.parse().ok()).collect();
    for id in of_schedules {
        for (run, planned) in schedule_ping::take_waiting(connection, id, now).await? {
            tell(connection, id, (&run, planned), now).await?;
        }
        let Some(stored) = schedule_row::read_one(connection, id).await? else { continue };
        if is_good_again(connection, &stored.schedule).await? {
            schedule_notice::say_good_again(connection, &stored.schedule, now).await?;
        }
        schedule_row::touch(connection, id).await?;
    }
    Ok(())
}

/// Whether the latest planned time that has ended brought good Snapshots.
async fn is_good_again(connection: &mut AnyConnection, schedule: &Schedule) -> Result<bool, Error> {
    let latest = sqlx::query(
        "SELECT planned_at, last_at, count, fate, why, operation FROM slots WHERE schedule = $1 \
         AND fate NOT IN ('waiting', 'running') ORDER BY last_at DESC LIMIT 1",
    )
    .bind(schedule.id.to_string())
    .fetch_optional(&mut *connection)
    .await?;
    match latest.as_ref().and_then(schedule_row::read_slot) {
        Some(slot) if matches!(slot.state, SlotState::Ran | SlotState::Shared) => {
            Ok(worth(connection, schedule, slot.at).await?.is_some_and(Quality::is_good))
        }
        Some(_) | None => Ok(false),
    }
}

async fn worth(
    connection: &mut AnyConnection,
    schedule: &Schedule,
    planned: Timestamp,
) -> Result<Option<Quality>, Error> {
    let known = schedule_snapshot::all(connection, schedule.id).await?;
    let candidates: Vec<Candidate> = known.iter().map(ScheduleSnapshot::candidate).collect();
    Ok(schedule.worth(&candidates, planned))
}
