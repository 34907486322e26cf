//! Loading an operation for the worker, with its unprocessed instructions.

use sqlx::{AnyConnection, any::AnyRow};

use super::{
    Error, Store, Stored, Version, event,
    event::What,
    operation_row::{self, Legible, select_stored, select_stored_without_state},
    row::Row,
    unknown::Unknown,
};
use crate::operation::{Instructed, Operation, ids::OperationId};

/// The number of an instruction within its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstructionId(pub i64);

/// An operation as loaded by the worker.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The operation as committed last. Do not change it: a commit compares with it.
    pub operation: Operation,
    /// The version that the next commit must find unchanged.
    pub version: Version,
    /// The instructions since then, in order. The next commit marks them as processed.
    pub instructions: Vec<(InstructionId, Instructed)>,
    /// The number of the last instruction, including unreadable ones.
    pub(super) heard_up_to: Option<i64>,
    pub(super) legible: Legible,
    pub(super) unknown: Unknown,
}

impl Loaded {
    /// What a load would return right after a commit without new instructions. It reads nothing.
    #[must_use]
    pub fn committed(operation: Operation, version: Version) -> Self {
        Self {
            operation,
            version,
            instructions: Vec::new(),
            heard_up_to: None,
            legible: Legible::Yes,
            unknown: Unknown::Nothing,
        }
    }

    /// Reads a row of [`select_stored`], without the instructions.
    pub(super) fn read(row: Row<'_>) -> Option<Self> {
        let (Stored { operation, version }, legible) = operation_row::read(row)?;
        let unknown = match legible {
            Legible::Yes => Unknown::of(&operation, row.text("state").unwrap_or_default()),
            Legible::Rescued => Unknown::Nothing,
        };
        Some(Self { legible, unknown, ..Self::committed(operation, version) })
    }
}

impl Store {
    /// Loads an operation with its unprocessed instructions. If its state cannot be read, it is rescued from the plain columns.
    pub async fn load(&self, id: OperationId) -> Result<Option<Loaded>, Error> {
        let mut connection = self.pool.acquire().await?;
        let rows =
            sqlx::query(select_stored!("WHERE o.id = $1")).bind(id.to_string()).fetch_all(&mut *connection).await;
        match rows {
            // Text that is not UTF-8, which only SQLite accepts: fall back to the plain columns.
            Err(sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. }) => read_columns(&mut connection, id).await,
            rows => read_with_instructions(&mut connection, id, &rows?).await,
        }
    }

    /// Loads an operation from its plain columns only, ignoring its state.
    pub async fn load_columns(&self, id: OperationId) -> Result<Option<Loaded>, Error> {
        read_columns(&mut *self.pool.acquire().await?, id).await
    }
}

async fn read_columns(connection: &mut AnyConnection, id: OperationId) -> Result<Option<Loaded>, Error> {
    let rows = sqlx::query(select_stored_without_state!("WHERE o.id = $1"))
        .bind(id.to_string())
        .fetch_all(&mut *connection)
        .await?;
    read_with_instructions(connection, id, &rows).await
}

async fn read_with_instructions(
    connection: &mut AnyConnection,
    id: OperationId,
    rows: &[AnyRow],
) -> Result<Option<Loaded>, Error> {
    let Some(row) = rows.first().map(Row) else { return Ok(None) };
    let Some(mut loaded) = Loaded::read(row) else { return Ok(None) };
    if row.number("unheard") == Some(0) {
        return Ok(Some(loaded));
    }
    let rows = sqlx::query(
        "SELECT number, at, by_user, what FROM events WHERE operation = $1 AND unheard = 1 ORDER BY number",
    )
    .bind(id.to_string())
    .fetch_all(connection)
    .await?;
    let rows = rows.iter().map(Row);
    loaded.heard_up_to = rows.clone().filter_map(|row| row.number("number")).max();
    loaded.instructions = rows.filter_map(read_instruction).collect();
    Ok(Some(loaded))
}

fn read_instruction(row: Row<'_>) -> Option<(InstructionId, Instructed)> {
    let number = row.number("number")?;
    let event = event::read(row)?;
    match (event.what, event.by) {
        (What::Instructed(instruction), Some(by)) => {
            Some((InstructionId(number), Instructed { instruction, by, at: event.at }))
        }
        _ => None,
    }
}
