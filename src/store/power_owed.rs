//! Owed power: Droplets that the bot may have turned off and must see on again, in plain columns.
//!
//! Written and cleared in the transaction of the state that they belong to, and readable even if that state is not.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Error, Store,
    row::{Row, bits},
};
use crate::operation::{
    Operation,
    ids::{DropletId, OperationId},
};

/// Power that the bot owes a Droplet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerOwed {
    /// The Droplet that must be turned back on.
    pub droplet: DropletId,
    /// The operation that must do so.
    pub operation: OperationId,
    /// When the first intent that may have turned it off was committed.
    pub since: Timestamp,
    /// Whether the Droplet was seen on, and is only watched because a command may still turn it off.
    pub is_watched: bool,
}

impl Store {
    /// All power owed, oldest first.
    pub async fn power_owed(&self) -> Result<Vec<PowerOwed>, Error> {
        let rows =
            sqlx::query("SELECT droplet_id, operation, since, is_watched FROM power_owed ORDER BY since, operation")
                .fetch_all(&self.pool)
                .await?;
        let owed = rows.iter().filter_map(|row| {
            let row = Row(row);
            Some(PowerOwed {
                droplet: DropletId(row.id("droplet_id")?),
                operation: row.text("operation")?.parse().ok()?,
                since: row.at("since")?,
                is_watched: row.number("is_watched") == Some(1),
            })
        });
        Ok(owed.collect())
    }
}

/// Whether the row differs between two states of an operation.
pub(super) fn differs(before: &Operation, after: &Operation) -> bool {
    let shown = |it: &Operation| it.power.owed().map(|owed| (owed.since, owed.late_until, it.power.is_watched()));
    shown(before) != shown(after)
}

/// Updates the row to what the operation says.
pub(super) async fn write(connection: &mut AnyConnection, operation: &Operation) -> Result<(), Error> {
    let id = operation.id.to_string();
    let query = match (operation.power.owed(), operation.target.droplet) {
        (Some(owed), Some(droplet)) => sqlx::query(
            "INSERT INTO power_owed (operation, droplet_id, since, late_until, is_watched) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (operation) DO UPDATE SET droplet_id = excluded.droplet_id, since = excluded.since, \
             late_until = excluded.late_until, is_watched = excluded.is_watched",
        )
        .bind(id)
        .bind(bits(droplet.0))
        .bind(owed.since.as_millisecond())
        .bind(owed.late_until.map(Timestamp::as_millisecond))
        .bind(i64::from(operation.power.is_watched())),
        (None, _) => sqlx::query("DELETE FROM power_owed WHERE operation = $1").bind(id),
        // Only the row still tells which Droplet it is.
        (Some(_), None) => return Ok(()),
    };
    query.execute(connection).await?;
    Ok(())
}
