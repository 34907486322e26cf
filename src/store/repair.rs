//! Repairs rows that keep a Droplet off that the bot turned off: rows that owe power but cannot be processed.
//!
//! SQLite accepts anything in any column, and its file can be edited; PostgreSQL enforces types and references itself.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Engine, Error, Store, create,
    row::{Row, bits},
};
use crate::operation::{
    NewOperation, Operation, Requester, Target, TypicalDurations,
    ids::{ChannelId, DropletId, GuildId, OperationId, UserId},
    kinds::Kind,
    power::Owed,
};

impl Store {
    /// Makes every row readable that owes power. For a process that has just become active; if this fails, the next one tries again.
    pub async fn repair(&self) -> Result<(), Error> {
        if self.engine == Engine::Postgres {
            return Ok(());
        }
        let mut transaction = self.begin_as_owner().await?;
        let texts = repair_text(&mut transaction).await?;
        // A commit increments the version and refuses any other type.
        let versions = sqlx::query("UPDATE operations SET version = 0 WHERE typeof(version) <> 'integer'")
            .execute(&mut *transaction)
            .await?;
        let closed = sqlx::query(
            "UPDATE operations SET is_open = 1 WHERE is_open <> 1 AND id IN (SELECT operation FROM power_owed)",
        )
        .execute(&mut *transaction)
        .await?;
        let orphans = sqlx::query(
            "SELECT operation, droplet_id, since, late_until FROM power_owed \
             WHERE operation NOT IN (SELECT id FROM operations)",
        )
        .fetch_all(&mut *transaction)
        .await?;
        for orphan in orphans.iter().map(Row) {
            adopt(&mut transaction, orphan).await?;
        }
        transaction.commit().await?;
        let repaired = texts + versions.rows_affected() + closed.rows_affected();
        if repaired > 0 || !orphans.is_empty() {
            tracing::error!(rows = repaired, debts = orphans.len(), "rows of the database were damaged and are mended");
        }
        Ok(())
    }
}

/// Repairs text that is not UTF-8, in columns that every query for open operations reads, and keeps what can be read of it. Returns how
/// many rows had any.
async fn repair_text(connection: &mut AnyConnection) -> Result<u64, Error> {
    let mut repaired = 0;
    for (found, mended) in [
        (
            "SELECT rowid AS row, hex(id) AS bytes FROM operations WHERE is_open <> 0",
            "UPDATE operations SET id = $1 WHERE rowid = $2",
        ),
        (
            "SELECT rowid AS row, hex(kind) AS bytes FROM operations WHERE is_open <> 0",
            "UPDATE operations SET kind = $1 WHERE rowid = $2",
        ),
        (
            "SELECT rowid AS row, hex(droplet_name) AS bytes FROM operations WHERE is_open <> 0",
            "UPDATE operations SET droplet_name = $1 WHERE rowid = $2",
        ),
        (
            "SELECT rowid AS row, hex(outcome) AS bytes FROM operations WHERE is_open <> 0",
            "UPDATE operations SET outcome = $1 WHERE rowid = $2",
        ),
    ] {
        for row in sqlx::query(found).fetch_all(&mut *connection).await?.iter().map(Row) {
            let bytes = from_hex(row.text("bytes").unwrap_or_default());
            if let Err(broken) = String::from_utf8(bytes) {
                let readable = String::from_utf8_lossy(broken.as_bytes()).into_owned();
                sqlx::query(mended).bind(readable).bind(row.number("row")).execute(&mut *connection).await?;
                repaired += 1;
            }
        }
    }
    Ok(repaired)
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    digits.chunks_exact(2).filter_map(|pair| Some(pair.first()? << 4 | pair.last()?)).collect()
}

/// Finds the operation of an orphaned row: by its Droplet, if only its id is damaged. Otherwise creates one that only turns the Droplet on.
async fn adopt(connection: &mut AnyConnection, orphan: Row<'_>) -> Result<(), Error> {
    let (Some(id), Some(droplet)) = (orphan.text("operation"), orphan.id("droplet_id")) else { return Ok(()) };
    let found = sqlx::query(
        "UPDATE operations SET id = $1 WHERE rowid = (SELECT rowid FROM operations WHERE droplet_id = $2 AND is_open = 1 \
         AND (length(id) <> 8 OR id GLOB '*[^0-9a-z]*' OR (json_valid(state) AND json_extract(state, '$.id') = $1)) \
         LIMIT 1)",
    )
    .bind(id)
    .bind(bits(droplet))
    .execute(&mut *connection)
    .await?;
    let Ok(id) = id.parse::<OperationId>() else { return Ok(()) };
    if found.rows_affected() > 0 {
        return Ok(());
    }
    let since = orphan.at("since").unwrap_or(Timestamp::UNIX_EPOCH);
    let operation = Operation::rescue(
        NewOperation {
            id,
            kind: Kind::of_word(""),
            requester: Requester { user: UserId(0), guild: GuildId(0), channel: ChannelId(0) },
            asked_at: since,
            target: Target {
                droplet: Some(DropletId(droplet)),
                name: format!("Droplet {droplet}"),
                region: None,
                disk_gb: None,
            },
            snapshot_name: None,
            typical: TypicalDurations::default(),
        },
        Some(Owed { since, late_until: orphan.at("late_until"), earlier_until: None }),
    );
    if !create::insert(connection, &operation, 0).await? {
        tracing::error!(operation.id = %id, droplet, "power is owed, and another operation has the Droplet");
    }
    Ok(())
}
