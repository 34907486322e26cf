//! A schedule as stored in its row, and its slots. They are read leniently, so that an unreadable one stops no other.

use sqlx::{AnyConnection, any::AnyRow};

use super::{Error, Version, row::Row};
use crate::{
    operation::ids::{OperationId, ScheduleId},
    schedule::{
        Schedule,
        slot::{Slot, SlotState},
    },
};

/// A schedule as stored last.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSchedule {
    /// The schedule.
    pub schedule: Schedule,
    /// Its version, which counts the changes.
    pub version: Version,
}

pub(super) async fn read_one(connection: &mut AnyConnection, id: ScheduleId) -> Result<Option<StoredSchedule>, Error> {
    let rows = sqlx::query("SELECT id, version, state FROM schedules WHERE id = $1")
        .bind(id.to_string())
        .fetch_all(connection)
        .await?;
    Ok(rows.first().and_then(read))
}

/// Stores a schedule that the same transaction has read, unless it was changed meanwhile ([`Error::LeaseLost`]).
pub(super) async fn write(
    connection: &mut AnyConnection,
    StoredSchedule { schedule, version }: &StoredSchedule,
) -> Result<(), Error> {
    let written = sqlx::query("UPDATE schedules SET state = $1, version = version + 1 WHERE id = $2 AND version = $3")
        .bind(serde_json::to_string(schedule).map_err(Error::Unwritable)?)
        .bind(schedule.id.to_string())
        .bind(version.0)
        .execute(connection)
        .await?;
    if written.rows_affected() > 0 { Ok(()) } else { Err(Error::LeaseLost) }
}

/// Records that something about a schedule changed: its message is outdated, and the scheduler must look at it.
pub(super) async fn touch(connection: &mut AnyConnection, id: ScheduleId) -> Result<(), Error> {
    sqlx::query("UPDATE schedules SET version = version + 1, due_at = 0 WHERE id = $1")
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) fn read(row: &AnyRow) -> Option<StoredSchedule> {
    let row = Row(row);
    let id = row.text("id").unwrap_or_default();
    match serde_json::from_str(row.text("state").unwrap_or_default()) {
        Ok(schedule) => Some(StoredSchedule { schedule, version: Version(row.number("version").unwrap_or_default()) }),
        Err(error) => {
            tracing::error!(schedule.id = id, %error, "a schedule in the database cannot be read, and does not run");
            None
        }
    }
}

pub(super) fn read_slot(row: &AnyRow) -> Option<Slot> {
    let row = Row(row);
    let operation: Option<OperationId> = row.text("operation").and_then(|id| id.parse().ok());
    Some(Slot {
        at: row.at("planned_at")?,
        last: row.at("last_at")?,
        count: row.number("count").and_then(|count| u32::try_from(count).ok()).unwrap_or(1),
        state: SlotState::of_words(row.text("fate").unwrap_or_default(), row.text("why").unwrap_or_default()),
        operation,
    })
}
