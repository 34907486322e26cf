//! Reading an operation for the worker, with the wishes that it has yet to hear.

use sqlx::{AnyConnection, any::AnyRow};

use super::{
    Error, Store, Stored, Version, event,
    event::What,
    operation_row::{self, Legible, select_stored, select_stored_without_state},
    row::Row,
    unknown::Unknown,
};
use crate::operation::{Operation, Wished, ids::OperationId};

/// The number of a wish within its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WishId(pub i64);

/// An operation in the worker's hands.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// As it was committed last. Leave it so: a commit compares with it.
    pub operation: Operation,
    /// The version that the next commit must still find.
    pub version: Version,
    /// What people said since, in order. The next commit marks them as heard.
    pub wishes: Vec<(WishId, Wished)>,
    /// The last of them, unreadable ones included.
    pub(super) heard_up_to: Option<i64>,
    pub(super) legible: Legible,
    pub(super) unknown: Unknown,
}

impl Loaded {
    /// What a load would give right after a commit, unless somebody said something: saves it.
    #[must_use]
    pub fn committed(operation: Operation, version: Version) -> Self {
        Self {
            operation,
            version,
            wishes: Vec::new(),
            heard_up_to: None,
            legible: Legible::Yes,
            unknown: Unknown::Nothing,
        }
    }

    /// A row of [`select_stored`], without the wishes.
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
    /// An operation, and what people said to it that it has not heard. What cannot be read any more is rescued.
    pub async fn load(&self, id: OperationId) -> Result<Option<Loaded>, Error> {
        let mut connection = self.pool.acquire().await?;
        let rows =
            sqlx::query(select_stored!("WHERE o.id = $1")).bind(id.to_string()).fetch_all(&mut *connection).await;
        match rows {
            // Text that is no UTF-8, which only SQLite lets in: the plain columns must do.
            Err(sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. }) => read_columns(&mut connection, id).await,
            rows => read_with_wishes(&mut connection, id, &rows?).await,
        }
    }

    /// The same as its plain columns have it, whatever its state says.
    pub async fn load_columns(&self, id: OperationId) -> Result<Option<Loaded>, Error> {
        read_columns(&mut *self.pool.acquire().await?, id).await
    }
}

async fn read_columns(connection: &mut AnyConnection, id: OperationId) -> Result<Option<Loaded>, Error> {
    let rows = sqlx::query(select_stored_without_state!("WHERE o.id = $1"))
        .bind(id.to_string())
        .fetch_all(&mut *connection)
        .await?;
    read_with_wishes(connection, id, &rows).await
}

async fn read_with_wishes(
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
    loaded.wishes = rows.filter_map(read_wish).collect();
    Ok(Some(loaded))
}

fn read_wish(row: Row<'_>) -> Option<(WishId, Wished)> {
    let number = row.number("number")?;
    let event = event::read(row)?;
    match (event.what, event.by) {
        (What::Wished(wish), Some(by)) => Some((WishId(number), Wished { wish, by, at: event.at })),
        _ => None,
    }
}
