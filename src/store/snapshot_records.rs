//! What is recorded about Snapshots apart from who took them: pins, and the size of each from day to day.
//!
//! The Discord front end pins and queries; `app` records the days whenever the list of Snapshots is read anyway.

use std::collections::HashMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use sqlx::AssertSqlSafe;

use super::{
    Act, Deed, Error, Store, act,
    row::{Row, bits, without_nul},
};
use crate::operation::{
    ids::{DropletId, GuildId, MessageId, SnapshotId, UserId},
    kinds::SnapshotRef,
};

/// How many Snapshots of a day one statement writes. SQLite accepts 32,766 parameters.
const BATCH: usize = 500;
/// How many rows one pruning statement deletes.
const PRUNED: i64 = 2_000;

/// A Snapshot that a person wants to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The Snapshot, with the name that the person saw.
    pub snapshot: SnapshotRef,
    /// Who pinned it.
    pub by: UserId,
    /// The guild in which they pinned it.
    pub guild: GuildId,
    /// When they pinned it.
    pub at: Timestamp,
    /// The reason, if they gave one.
    pub reason: Option<String>,
}

/// The size of a Snapshot on a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighed {
    /// The Snapshot.
    pub snapshot: SnapshotId,
    /// The Droplet that it was taken of.
    pub droplet: Option<DropletId>,
    /// The size that is billed; zero if it is not known yet.
    pub gigabytes: f64,
}

/// The size of all Snapshots of one Droplet on a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayTotal {
    /// The day, in UTC.
    pub day: Date,
    /// The Droplet; `None` for the Snapshots whose Droplet is not known.
    pub droplet: Option<DropletId>,
    /// The number of Snapshots.
    pub count: u64,
    /// Their total size in GB.
    pub gigabytes: f64,
}

/// The day of a point in time, in UTC, as stored in a row: days since 1970.
fn number_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(24 * 3_600)
}

fn day_of(number: i64) -> Option<Date> {
    let at = Timestamp::from_second(number.checked_mul(24 * 3_600)?).ok()?;
    Some(at.to_zoned(TimeZone::UTC).date())
}

/// Thousandths of a gigabyte; zero if the number is not a valid size.
fn millis_of(gigabytes: f64) -> i64 {
    // A duration of this many seconds provides a checked conversion from a float to whole thousandths.
    let checked = jiff::SignedDuration::try_from_secs_f64(gigabytes).unwrap_or_default();
    i64::try_from(checked.as_millis()).unwrap_or_default().max(0)
}

fn gigabytes_of(millis: i64) -> f64 {
    jiff::SignedDuration::from_millis(millis.max(0)).as_secs_f64()
}

impl Store {
    /// Pins a Snapshot, unless it is already pinned. Returns the pin that applies.
    pub async fn pin(&self, pin: &Pin) -> Result<Pin, Error> {
        let mut transaction = self.begin_as_owner().await?;
        let pinned = sqlx::query(
            "INSERT INTO snapshot_pins (snapshot_id, snapshot_name, by_user, guild_id, at, reason) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(bits(pin.snapshot.id.0))
        .bind(without_nul(&pin.snapshot.name))
        .bind(bits(pin.by.0))
        .bind(bits(pin.guild.0))
        .bind(pin.at.as_millisecond())
        .bind(pin.reason.as_deref().map(without_nul))
        .execute(&mut *transaction)
        .await?;
        if pinned.rows_affected() > 0 {
            let act = Act { by: pin.by, guild: pin.guild, what: Deed::Pinned };
            act::note(&mut transaction, &act, &pin.snapshot, pin.at).await?;
        }
        Self::note_pin(&mut transaction, pin.snapshot.id).await?;
        transaction.commit().await?;
        self.ring_schedules();
        Ok(self.pinned(pin.snapshot.id).await?.unwrap_or_else(|| pin.clone()))
    }

    /// Removes a pin on behalf of this person in this guild. Returns whether there was one.
    pub async fn unpin(&self, snapshot: SnapshotId, (by, guild): (UserId, GuildId)) -> Result<bool, Error> {
        let mut transaction = self.begin_as_owner().await?;
        let row = sqlx::query(
            "DELETE FROM snapshot_pins WHERE snapshot_id = $1 \
             RETURNING snapshot_id, snapshot_name, by_user, guild_id, at, reason",
        )
        .bind(bits(snapshot.0))
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(pin) = row.as_ref().and_then(|row| read_pin(Row(row))) {
            let act = Act { by, guild, what: Deed::Unpinned };
            act::note(&mut transaction, &act, &pin.snapshot, self.clock.now()).await?;
        }
        // *Keep…* under a schedule's message created a pin as well.
        sqlx::query("UPDATE schedule_snapshots SET kept_by = NULL WHERE snapshot_id = $1")
            .bind(bits(snapshot.0))
            .execute(&mut *transaction)
            .await?;
        Self::note_pin(&mut transaction, snapshot).await?;
        transaction.commit().await?;
        self.ring_schedules();
        Ok(row.is_some())
    }

    /// The pin of a Snapshot, if it has one.
    pub async fn pinned(&self, snapshot: SnapshotId) -> Result<Option<Pin>, Error> {
        let row = sqlx::query(
            "SELECT snapshot_id, snapshot_name, by_user, guild_id, at, reason FROM snapshot_pins WHERE snapshot_id = $1",
        )
        .bind(bits(snapshot.0))
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.as_ref().and_then(|row| read_pin(Row(row))))
    }

    /// Every pin, by Snapshot.
    pub async fn pins(&self) -> Result<HashMap<SnapshotId, Pin>, Error> {
        let rows = sqlx::query("SELECT snapshot_id, snapshot_name, by_user, guild_id, at, reason FROM snapshot_pins")
            .fetch_all(&self.pool)
            .await?;
        let pins = rows.iter().filter_map(|row| read_pin(Row(row)));
        Ok(pins.map(|pin| (pin.snapshot.id, pin)).collect())
    }

    /// Records the size of Snapshots on the day of `at`. A size already recorded on that day is not changed.
    pub async fn weigh(&self, at: Timestamp, weighed: &[Weighed]) -> Result<(), Error> {
        for batch in weighed.chunks(BATCH) {
            let rows: Vec<_> = (0..batch.len())
                .map(|row| format!("(${}, ${}, ${}, ${})", row * 4 + 1, row * 4 + 2, row * 4 + 3, row * 4 + 4))
                .collect();
            let statement = format!(
                "INSERT INTO snapshot_days (day, snapshot_id, droplet_id, size_mb) VALUES {} ON CONFLICT DO NOTHING",
                rows.join(", ")
            );
            let mut transaction = self.begin_as_owner().await?;
            let mut query = sqlx::query(AssertSqlSafe(statement));
            for it in batch {
                query = query
                    .bind(number_of(at))
                    .bind(bits(it.snapshot.0))
                    .bind(it.droplet.map(|droplet| bits(droplet.0)))
                    .bind(millis_of(it.gigabytes));
            }
            query.execute(&mut *transaction).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// The recorded total sizes per Droplet and day since this time, oldest first.
    pub async fn weighed_since(&self, since: Timestamp) -> Result<Vec<DayTotal>, Error> {
        let rows = sqlx::query(
            "SELECT day, droplet_id, CAST(COUNT(*) AS BIGINT) AS n, CAST(SUM(size_mb) AS BIGINT) AS size_mb \
             FROM snapshot_days WHERE day >= $1 GROUP BY day, droplet_id ORDER BY day, droplet_id",
        )
        .bind(number_of(since))
        .fetch_all(&self.pool)
        .await?;
        let total = |row| {
            let row = Row(row);
            Some(DayTotal {
                day: day_of(row.number("day")?)?,
                droplet: row.id("droplet_id").map(DropletId),
                count: row.number("n").and_then(|n| u64::try_from(n).ok()).unwrap_or_default(),
                gigabytes: gigabytes_of(row.number("size_mb").unwrap_or_default()),
            })
        };
        Ok(rows.iter().filter_map(total).collect())
    }

    /// The last month whose cost report was posted or skipped; `None` in a new database.
    pub async fn last_month_told(&self) -> Result<Option<i64>, Error> {
        let row = sqlx::query("SELECT MAX(month) AS month FROM monthly_reports").fetch_one(&self.pool).await?;
        Ok(Row(&row).number("month"))
    }

    /// Records that this message reported a month, or that the month is skipped.
    pub async fn month_was_told(&self, month: i64, message: Option<MessageId>) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        sqlx::query("INSERT INTO monthly_reports (month, message_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(month)
            .bind(message.map(|message| bits(message.0)))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Prunes some days before this time, and returns how many rows were deleted. Repeat until it returns zero.
    pub async fn prune_days(&self, before: Timestamp) -> Result<u64, Error> {
        let mut transaction = self.begin_as_owner().await?;
        let pruned = sqlx::query(
            "DELETE FROM snapshot_days WHERE day < $1 AND snapshot_id IN \
             (SELECT snapshot_id FROM snapshot_days WHERE day < $1 LIMIT $2)",
        )
        .bind(number_of(before))
        .bind(PRUNED)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(pruned.rows_affected())
    }
}

fn read_pin(row: Row<'_>) -> Option<Pin> {
    Some(Pin {
        snapshot: SnapshotRef {
            id: SnapshotId(row.id("snapshot_id")?),
            name: row.text("snapshot_name").unwrap_or_default().to_owned(),
        },
        by: UserId(row.id("by_user")?),
        guild: GuildId(row.id("guild_id")?),
        at: row.at("at")?,
        reason: row.text("reason").map(str::to_owned),
    })
}
