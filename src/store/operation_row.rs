//! An operation as stored in its row: read back from its JSON, or rescued from the plain columns next to it.
//!
//! Used by all readers in the store. A row that cannot be read never keeps a Droplet from being turned back on.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::row::Row;
use crate::operation::{
    NewOperation, Operation, Outcome, Requester, Target, TypicalDurations,
    ids::{ChannelId, DropletId, GuildId, OperationId, UserId},
    kinds::Kind,
    power::Owed,
    reading::Failure,
};

/// Counts the commits of an operation; a commit based on an older version is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub i64);

/// An operation as committed last.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The operation.
    pub operation: Operation,
    /// The version that this commit created.
    pub version: Version,
}

/// The `SELECT` of everything that [`Stored`] needs, with further columns and the rest of the statement.
macro_rules! select_operation {
    ($columns:literal, $rest:literal) => {
        concat!(
            "SELECT o.id, o.version, o.kind, o.droplet_id, o.droplet_name, o.asker_id, o.guild_id, o.channel_id, ",
            "o.asked_at, o.ended_at, o.outcome, ",
            "p.droplet_id AS owed_to, p.since AS owed_since, p.late_until AS owed_late_until, ",
            $columns,
            " FROM operations o LEFT JOIN power_owed p ON p.operation = o.id ",
            $rest
        )
    };
}
pub(super) use select_operation;

/// Selects an operation, and how many unprocessed instructions it has.
macro_rules! select_stored {
    ($rest:literal) => {
        crate::store::operation_row::select_operation!(
            "o.state, (SELECT COUNT(*) FROM events e WHERE e.operation = o.id AND e.unheard = 1) AS unheard",
            $rest
        )
    };
}
pub(super) use select_stored;

/// As [`select_stored`], for a row that cannot be read because of its state.
macro_rules! select_stored_without_state {
    ($rest:literal) => {
        crate::store::operation_row::select_operation!(
            "'' AS state, (SELECT COUNT(*) FROM events e WHERE e.operation = o.id AND e.unheard = 1) AS unheard",
            $rest
        )
    };
}
pub(super) use select_stored_without_state;

/// Whether the state of a row could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Legible {
    Yes,
    Rescued,
}

/// Reads a row of [`select_stored`]; `None` if not even its id can be read.
pub(super) fn read(row: Row<'_>) -> Option<(Stored, Legible)> {
    let id: OperationId = match row.text("id").unwrap_or_default().parse() {
        Ok(id) => id,
        Err(error) => {
            tracing::error!(%error, "an operation in the database has no readable id and is left alone");
            return None;
        }
    };
    let version = Version(row.number("version").unwrap_or_default());
    let text = row.text("state").unwrap_or_default();
    match serde_json::from_str::<Operation>(text) {
        Ok(operation) if operation.id == id => Some((Stored { operation, version }, Legible::Yes)),
        Ok(_) => {
            tracing::error!(operation.id = %id, "an operation's state in the database is another operation's");
            Some((Stored { operation: rescue(id, row, text), version }, Legible::Rescued))
        }
        Err(error) => {
            tracing::error!(operation.id = %id, %error, "an operation's state in the database cannot be read");
            Some((Stored { operation: rescue(id, row, text), version }, Legible::Rescued))
        }
    }
}

/// Reads the rows that can be read, and skips the others.
pub(super) fn read_all(rows: &[sqlx::any::AnyRow]) -> Vec<Stored> {
    rows.iter().filter_map(|row| read(Row(row))).map(|(stored, _)| stored).collect()
}

/// The operation that can be rebuilt from the plain columns and the readable parts of the state.
pub(super) fn rescue(id: OperationId, row: Row<'_>, text: &str) -> Operation {
    let state: Value = serde_json::from_str(text).unwrap_or_default();
    let number = |column| row.id(column).unwrap_or_default();
    let droplet = row.id("droplet_id").or_else(|| row.id("owed_to")).map(DropletId);
    let target = part::<Target>(&state, "target").filter(|target| target.droplet == droplet).unwrap_or_else(|| {
        let name = row.text("droplet_name").unwrap_or_default().to_owned();
        Target { droplet, name, region: None, disk_gb: None }
    });
    let mut operation = Operation::rescue(
        NewOperation {
            id,
            kind: part(&state, "kind").unwrap_or_else(|| Kind::of_word(row.text("kind").unwrap_or_default())),
            requester: Requester {
                user: UserId(number("asker_id")),
                guild: GuildId(number("guild_id")),
                channel: ChannelId(number("channel_id")),
            },
            asked_at: row.at("asked_at").unwrap_or(Timestamp::UNIX_EPOCH),
            target,
            snapshot_name: None,
            typical: TypicalDurations::default(),
        },
        row.at("owed_since").map(|since| Owed { since, late_until: row.at("owed_late_until"), earlier_until: None }),
    );
    if let Some(name) = part(&state, "snapshot_name") {
        operation.snapshot_name = name;
    }
    operation.snapshot = part(&state, "snapshot");
    operation.trigger = part(&state, "trigger");
    operation.ended = row.at("ended_at");
    operation.outcome = Some(match row.text("outcome") {
        Some("completed") => Outcome::Completed,
        Some("cancelled" | "withdrawn") => Outcome::Cancelled,
        Some(_) | None => Outcome::Failed(Failure::Internal),
    });
    operation
}

fn part<T: DeserializeOwned>(state: &Value, name: &str) -> Option<T> {
    T::deserialize(state.get(name)?).ok()
}
