//! What the end of an operation means for its schedule: which Snapshots the schedule has, the state of the planned time, and what people and
//! the ping address are told.

use sqlx::{Any, AnyConnection, Transaction};

use super::{
    Error, Store,
    operation_row::{self, select_stored},
    row::Row,
    schedule_notice, schedule_outcome as outcome, schedule_ping, schedule_quality, schedule_row,
    schedule_snapshot::{LISTED, TAKING, forget, note, planned},
};
use crate::{
    operation::{
        Operation, Outcome,
        ids::{OperationId, ScheduleId},
        reading::FailureKind,
    },
    ping::Signal,
    schedule::{
        notice::Notice,
        slot::{Missed, SlotState},
    },
};

/// An ended operation of a schedule, and its effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The operation.
    pub operation: OperationId,
    /// Whether it took a Snapshot.
    pub is_taken: bool,
}

/// How many operations are settled at a time.
const BATCH: i64 = 50;
impl Store {
    /// Applies the ends of operations to their schedules: the state of each slot, the Snapshots, and the notices. Each has its own
    /// transaction. Repeat until it returns none.
    pub async fn settle_schedules(&self) -> Result<Vec<Settled>, Error> {
        let rows = sqlx::query(select_stored!(
            "WHERE o.is_running = 0 AND o.id IN ( \
             SELECT operation FROM schedule_snapshots WHERE state = 'taking' \
             UNION SELECT deletion FROM schedule_snapshots WHERE deletion IS NOT NULL) ORDER BY o.ended_at, o.id LIMIT $1"
        ))
        .bind(BATCH)
        .fetch_all(&self.pool)
        .await?;
        let mut settled = Vec::new();
        for stored in operation_row::read_all(&rows) {
            if let Some(one) = self.settle(&stored.operation).await? {
                settled.push(one);
            }
        }
        if !settled.is_empty() {
            self.changes.pings.notify_one();
            self.changes.schedule_messages.notify_one();
            // The end of a run waits until it is known what its members took.
            self.changes.groups.notify_one();
        }
        Ok(settled)
    }

    /// The effect of an operation is derived from plain columns, so that one whose state can no longer be read is settled too.
    async fn settle(&self, operation: &Operation) -> Result<Option<Settled>, Error> {
        let id = operation.id;
        let mut transaction = self.begin_as_owner().await?;
        let Some((schedule, taken_by)) = whose(&mut transaction, id).await? else { return Ok(None) };
        let is_taken = if taken_by == id {
            settle_take(&mut transaction, schedule, operation).await?
        } else {
            settle_deletion(&mut transaction, (schedule, taken_by), operation).await?;
            self.note_deletion(&mut transaction, (schedule, taken_by), operation).await?;
            false
        };
        let slot = sqlx::query("SELECT planned_at FROM slots WHERE operation = $1 AND fate = 'running'")
            .bind(id.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(planned) = slot.and_then(|row| Row(&row).at("planned_at")) {
            let state = outcome::state(operation, is_taken);
            let (what, why) = state.words();
            sqlx::query("UPDATE slots SET fate = $1, why = $2 WHERE operation = $3 AND fate = 'running'")
                .bind(what)
                .bind(why)
                .bind(id.to_string())
                .execute(&mut *transaction)
                .await?;
            let notice = match state {
                SlotState::Failed(_) => {
                    Some(Notice::Failed { planned, operation: id, why: outcome::why(operation, state), count: 1 })
                }
                SlotState::Missed(why) => Some(Notice::Missed {
                    first: planned,
                    last: planned,
                    count: 1,
                    was_away: false,
                    was_outage: why == Missed::Outage,
                }),
                SlotState::Waiting
                | SlotState::Running
                | SlotState::Ran
                | SlotState::Shared
                | SlotState::Skipped(_) => None,
            };
            self.note_outcome(&mut transaction, schedule, (operation, notice)).await?;
        }
        // The run of a group reports about its members, once it has ended.
        if taken_by == id && !outcome::is_member(operation) {
            let (run, now) = (id.to_string(), self.clock.now());
            match planned(operation).filter(|_| is_taken) {
                Some(planned) => schedule_quality::tell(&mut transaction, schedule, (&run, planned), now).await?,
                None => schedule_ping::tell(&mut transaction, schedule, (&run, Signal::Fail), now).await?,
            }
        }
        schedule_row::touch(&mut transaction, schedule).await?;
        transaction.commit().await?;
        Ok(Some(Settled { schedule, operation: id, is_taken }))
    }

    /// Notifies people that a Snapshot could not be deleted, once until a deletion succeeds. An operation that never began was only late,
    /// and people know about one that they cancelled.
    async fn note_deletion(
        &self,
        transaction: &mut Transaction<'_, Any>,
        (id, taken_by): (ScheduleId, OperationId),
        operation: &Operation,
    ) -> Result<(), Error> {
        let Some(mut stored) = schedule_row::read_one(transaction, id).await? else { return Ok(()) };
        let undeleted = &mut stored.schedule.watched.undeleted;
        let is_known = !undeleted.is_empty();
        undeleted.retain(|other| *other != taken_by);
        match &operation.outcome {
            Some(Outcome::Failed(why)) if !outcome::is_too_late(operation) => {
                undeleted.push(taken_by);
                let name = operation.kind.snapshot().map(|snapshot| snapshot.name.clone()).unwrap_or_default();
                let why = format!("{:?}", FailureKind::from(why));
                let notice =
                    Notice::Undeleted { operation: operation.id, name, why, count: if is_known { 2 } else { 1 } };
                schedule_notice::say(transaction, &stored.schedule, &notice, self.clock.now()).await?;
            }
            Some(Outcome::Failed(_) | Outcome::Completed | Outcome::Cancelled) | None => {}
        }
        schedule_row::write(transaction, &stored).await
    }

    /// Records what the end of a slot's operation means for its schedule: how the shutdown went, and which notices are due.
    async fn note_outcome(
        &self,
        transaction: &mut Transaction<'_, Any>,
        id: ScheduleId,
        (operation, notice): (&Operation, Option<Notice>),
    ) -> Result<(), Error> {
        let Some(mut stored) = schedule_row::read_one(transaction, id).await? else { return Ok(()) };
        let schedule = &mut stored.schedule;
        let now = self.clock.now();
        if let Some(notice) = notice {
            schedule_notice::say(transaction, schedule, &notice, now).await?;
        }
        let before = schedule.watched.hangs;
        let asks = outcome::shutdown(operation).is_some_and(|shutdown| schedule.note_shutdown(shutdown));
        if asks {
            let count = schedule.watched.hangs.in_a_row;
            schedule_notice::say(transaction, schedule, &Notice::Hung { count }, now).await?;
        }
        if schedule.watched.hangs != before {
            schedule_row::write(transaction, &stored).await?;
        }
        Ok(())
    }
}

/// The schedule that waits for an operation, and the operation that took the Snapshot that this one takes or deletes.
async fn whose(
    connection: &mut AnyConnection,
    operation: OperationId,
) -> Result<Option<(ScheduleId, OperationId)>, Error> {
    let row = sqlx::query(
        "SELECT schedule, operation FROM schedule_snapshots WHERE (operation = $1 AND state = 'taking') OR deletion = $1",
    )
    .bind(operation.to_string())
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| {
        let row = Row(&row);
        Some((row.text("schedule")?.parse().ok()?, row.text("operation")?.parse().ok()?))
    }))
}

/// Records whether the operation took a Snapshot, which belongs to the schedule from now on. Its quality is determined elsewhere.
async fn settle_take(
    transaction: &mut Transaction<'_, Any>,
    schedule: ScheduleId,
    operation: &Operation,
) -> Result<bool, Error> {
    let is_completed = operation.outcome == Some(Outcome::Completed);
    let Some(seen) = operation.snapshot.as_ref().filter(|_| is_completed) else {
        forget(transaction, (schedule, operation.id)).await?;
        return Ok(false);
    };
    note(transaction, operation.id, seen).await?;
    sqlx::query("UPDATE schedule_snapshots SET state = $1, is_consistent = $2 WHERE operation = $3 AND state = $4")
        .bind(LISTED)
        .bind(i64::from(is_consistent(operation)))
        .bind(operation.id.to_string())
        .bind(TAKING)
        .execute(&mut **transaction)
        .await?;
    Ok(true)
}

/// Whether the Snapshot was taken with the Droplet off. One that was off anyway is equally good.
fn is_consistent(operation: &Operation) -> bool {
    operation.taken_off == Some(true)
}

async fn settle_deletion(
    transaction: &mut Transaction<'_, Any>,
    (schedule, taken_by): (ScheduleId, OperationId),
    operation: &Operation,
) -> Result<(), Error> {
    if operation.outcome == Some(Outcome::Completed) {
        return forget(transaction, (schedule, taken_by)).await;
    }
    // A Snapshot that is still unwanted is announced again.
    sqlx::query(
        "UPDATE schedule_snapshots SET deletion = NULL, announced_at = NULL WHERE schedule = $1 AND operation = $2",
    )
    .bind(schedule.to_string())
    .bind(taken_by.to_string())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
