//! One owner at a time: which process handles the operations of this database.
//!
//! On SQLite the lock on the file is the lease and never expires. On PostgreSQL the lease is a row that expires by the database's clock;
//! every commit of the owner checks it in its own transaction, and no other process changes anything. `app` takes, renews and releases the
//! lease; the worker asks how much of it remains. The lease uses a connection of its own, so that 1,000 operations that wait for the pool
//! cannot cost the lease.

use std::{
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use sqlx::{AnyConnection, Connection};
use tokio::time::Instant;

use super::{
    Engine, Error, Store, deadlines,
    own_connection::{OwnConnection, within},
    row::{Row, moment, without_nul},
    schema,
};

/// How long the database may take to report who holds the lease, or to grant it: an earlier owner's last transaction may have to end first.
const PATIENCE: Duration = Duration::from_secs(10);

/// The database's clock in milliseconds: the current time, not the beginning of the transaction.
macro_rules! now {
    () => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
    };
}

/// A row of the lease that was seen unchanged, and since when. The holder changes the row at every renewal, so a row that stays the same
/// for the length of a lease has no holder, whatever the database's clock says: it may have been set back.
#[derive(Clone, Debug)]
pub(super) struct Unchanged {
    holder: String,
    expires_at: i64,
    since: Instant,
}

/// The lease under which this process commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    holder: String,
}

/// The right to handle the operations, for as long as [`Lease::remaining`] says.
#[derive(Debug)]
pub struct Lease {
    row: Option<(Arc<OwnConnection>, Fence)>,
    /// Counted from before the request that took or renewed it was sent, so never later than the end by the database's clock.
    until: Mutex<Instant>,
    unattended: Option<SignedDuration>,
}

impl Store {
    /// How long the lease has been free for `holder` to take; `None` while another process has it.
    ///
    /// A lease that was not released is free only after it has expired and the deadline of its owner's last request has passed too. On
    /// SQLite no other process can hold it.
    pub async fn lease_is_free_for(&self, holder: &str) -> Result<Option<Duration>, Error> {
        let Some(own) = &self.own_connection else { return Ok(Some(Duration::MAX)) };
        within(PATIENCE, async {
            let mut used = own.get().await?;
            let found = self.found_schema(&mut used.connection).await?;
            let row = if found >= schema::WITH_LEASE {
                sqlx::query(concat!(
                    "SELECT holder, expires_at, CASE WHEN holder = $1 THEN CAST(0 AS BIGINT) WHEN holder = '' THEN ",
                    now!(),
                    " - expires_at ELSE ",
                    now!(),
                    " - expires_at - $2 END AS free_for FROM lease"
                ))
                .bind(without_nul(holder))
                .bind(millis(deadlines::REQUEST))
                .fetch_optional(&mut used.connection)
                .await?
            } else if found > 0 {
                let earlier =
                    concat!("SELECT ", now!(), " - COALESCE(MAX(expires_at), 0) - $1 AS free_for FROM leases");
                sqlx::query(earlier).bind(millis(deadlines::REQUEST)).fetch_optional(&mut used.connection).await?
            } else {
                used.keep();
                return Ok(Some(Duration::MAX));
            };
            used.keep();
            // The row may have been deleted; the process that takes the lease creates it again.
            let Some(row) = row else { return Ok(Some(Duration::MAX)) };
            let free_for = Row(&row).number("free_for").and_then(|millis| u64::try_from(millis).ok());
            Ok(free_for.map(Duration::from_millis).or_else(|| self.unchanged_for_too_long(Row(&row))))
        })
        .await
    }

    /// For how long the row has had no holder although the database's clock says otherwise.
    fn unchanged_for_too_long(&self, row: Row<'_>) -> Option<Duration> {
        let (holder, expires_at) = (row.text("holder")?, row.number("expires_at")?);
        let mut seen = self.others_lease.lock();
        match seen.as_ref() {
            Some(seen) if seen.holder == holder && seen.expires_at == expires_at => {
                seen.since.elapsed().checked_sub(deadlines::LEASE + deadlines::REQUEST)
            }
            Some(_) | None => {
                *seen = Some(Unchanged { holder: holder.to_owned(), expires_at, since: Instant::now() });
                None
            }
        }
    }

    /// Takes the lease and migrates the tables under it, or returns `None` if another process has it. `holder` must be unique to this run
    /// of this process. [`Error::NewerSchema`] means that a newer version has migrated the database meanwhile.
    pub async fn try_lease(&self, holder: &str) -> Result<Option<Lease>, Error> {
        let Some(own) = &self.own_connection else {
            let unattended = self.unattended().await?;
            return Ok(Some(Lease { row: None, until: Mutex::new(Instant::now()), unattended }));
        };
        if self.lease_is_free_for(holder).await?.is_none() {
            return Ok(None);
        }
        self.make_lease_table(own).await?;
        let fence = Fence { holder: without_nul(holder) };
        let asked = Instant::now();
        let unchanged = self.others_lease.lock().clone();
        let abandoned = unchanged.filter(|seen| seen.since.elapsed() >= deadlines::LEASE + deadlines::REQUEST);
        if !within(PATIENCE, take(own, &fence, abandoned)).await? {
            return Ok(None);
        }
        let mut lease = Lease {
            row: Some((Arc::clone(own), fence.clone())),
            until: Mutex::new(asked + deadlines::LEASE),
            unattended: None,
        };
        match self.bring_up_to_date(own, &lease).await {
            Ok(()) => {
                *self.fence.lock() = Some(fence);
                lease.unattended = self.unattended().await?;
                Ok(Some(lease))
            }
            Err(error) => {
                // Another process that can use the database should not have to wait.
                drop(lease.release().await);
                Err(error)
            }
        }
    }

    /// Whether the tables are those that this version reads. Until then only the lease can be read.
    pub fn is_up_to_date(&self) -> bool {
        self.schema_version.load(Ordering::Relaxed) == schema::known()
    }

    /// Records that a live process handles the operations. Call it once a minute, and not before the consequences of [`Lease::unattended`]
    /// are stored.
    pub async fn beat(&self) -> Result<(), Error> {
        let Some(own) = &self.own_connection else {
            let now = self.clock.now().as_millisecond();
            sqlx::query("UPDATE lease SET beat_at = $1").bind(now).execute(&self.pool).await?;
            return Ok(());
        };
        let Some(fence) = self.fence() else { return Err(Error::LeaseLost) };
        within(deadlines::RENEWAL, async {
            let mut used = own.get().await?;
            let beaten = sqlx::query(concat!("UPDATE lease SET beat_at = ", now!(), " WHERE holder = $1"))
                .bind(&fence.holder)
                .execute(&mut used.connection)
                .await?;
            used.keep();
            if beaten.rows_affected() == 0 { Err(Error::LeaseLost) } else { Ok(()) }
        })
        .await
    }

    /// The last minute in which a live process handled the operations, by the database's clock; `None` before the first.
    pub async fn last_heartbeat(&self) -> Result<Option<Timestamp>, Error> {
        let row = sqlx::query("SELECT beat_at FROM lease").fetch_one(&self.pool).await?;
        Ok(Row(&row).at("beat_at"))
    }

    /// How long ago the last heartbeat was. If this machine's clock and the database's disagree, the longer time counts.
    async fn unattended(&self) -> Result<Option<SignedDuration>, Error> {
        let statement = match self.engine {
            Engine::Sqlite => "SELECT beat_at, beat_at AS now FROM lease",
            Engine::Postgres => concat!("SELECT beat_at, ", now!(), " AS now FROM lease"),
        };
        let row = sqlx::query(statement).fetch_one(&self.pool).await?;
        let row = Row(&row);
        let Some(beat_at) = row.number("beat_at") else { return Ok(None) };
        let now = self.clock.now().max(moment(row.number("now").unwrap_or_default()));
        Ok(Some(now.duration_since(moment(beat_at)).max(SignedDuration::ZERO)))
    }

    /// Creates the lease's table. Only in a database on which no process of an earlier version is active.
    async fn make_lease_table(&self, own: &OwnConnection) -> Result<(), Error> {
        if self.schema_version.load(Ordering::Relaxed) >= schema::WITH_LEASE {
            return Ok(());
        }
        let mut connection = own.without_deadlines().await?;
        schema::migrate(&mut connection, self.engine, schema::WITH_LEASE).await?;
        connection.close().await.map_err(Error::from)
    }

    /// Migrates, renewing the lease meanwhile because that may take long.
    async fn bring_up_to_date(&self, own: &OwnConnection, lease: &Lease) -> Result<(), Error> {
        let mut connection = own.without_deadlines().await?;
        if self.found_schema(&mut connection).await? < schema::known() {
            let mut migrated = pin!(schema::migrate(&mut connection, self.engine, schema::known()));
            loop {
                tokio::select! {
                    migrated = &mut migrated => break migrated?,
                    () = tokio::time::sleep(deadlines::RENEWAL_PAUSE) => lease.renew().await?,
                }
            }
            self.schema_version.store(schema::known(), Ordering::Relaxed);
        }
        connection.close().await.map_err(Error::from)
    }

    async fn found_schema(&self, connection: &mut AnyConnection) -> Result<i64, Error> {
        let found = schema::found(connection, self.engine).await?;
        self.schema_version.store(found, Ordering::Relaxed);
        Ok(found)
    }

    pub(super) fn fence(&self) -> Option<Fence> {
        self.fence.lock().clone()
    }
}

impl Lease {
    /// How long the lease is certain to last. A request may be sent only if it ends before that.
    pub fn remaining(&self) -> Duration {
        match self.row {
            None => Duration::MAX,
            Some(_) => self.until().saturating_duration_since(Instant::now()),
        }
    }

    /// How long no live process had handled the operations when this lease was taken; `None` if none ever did. Instructions from before that time
    /// are old.
    pub fn unattended(&self) -> Option<SignedDuration> {
        self.unattended
    }

    /// Renews the lease for its full time. [`Error::LeaseLost`] means that another process has it now. After any other error it lasts as
    /// long as before.
    pub async fn renew(&self) -> Result<(), Error> {
        let Some((own, fence)) = &self.row else { return Ok(()) };
        let wanted = Instant::now();
        within(deadlines::RENEWAL, async {
            let mut used = own.get().await?;
            let asked = Instant::now();
            if self.until() >= wanted + deadlines::LEASE {
                // Another renewal has been made since this one was requested.
                used.keep();
                return Ok(());
            }
            let renewed = sqlx::query(concat!(
                "UPDATE lease SET expires_at = ",
                now!(),
                " + $2 WHERE number = 1 AND holder = $1"
            ))
            .bind(&fence.holder)
            .bind(millis(deadlines::LEASE))
            .execute(&mut used.connection)
            .await?;
            used.keep();
            let lost = renewed.rows_affected() == 0;
            let until = if lost { asked } else { asked + deadlines::LEASE };
            *self.until.lock() = until;
            if lost { Err(Error::LeaseLost) } else { Ok(()) }
        })
        .await
    }

    /// Releases the lease, so that a successor can take over immediately. Call it once no request is in flight.
    pub async fn release(self) -> Result<(), Error> {
        let Some((own, fence)) = self.row else { return Ok(()) };
        within(deadlines::RENEWAL, async {
            let mut used = own.get().await?;
            sqlx::query(concat!(
                "UPDATE lease SET holder = '', expires_at = ",
                now!(),
                " WHERE number = 1 AND holder = $1"
            ))
            .bind(&fence.holder)
            .execute(&mut used.connection)
            .await?;
            used.keep();
            Ok(())
        })
        .await
    }

    fn until(&self) -> Instant {
        *self.until.lock()
    }
}

/// Takes the row if it is free, or if it is still the abandoned one. Waits for the earlier owner's last transactions, which lock it in
/// [`check`].
async fn take(own: &OwnConnection, fence: &Fence, abandoned: Option<Unchanged>) -> Result<bool, Error> {
    let mut used = own.get().await?;
    let mut transaction = used.connection.begin().await?;
    sqlx::query("INSERT INTO lease (number, holder, expires_at) VALUES (1, '', 0) ON CONFLICT DO NOTHING")
        .execute(&mut *transaction)
        .await?;
    let (holder, expires_at) = abandoned.map_or((String::new(), 0), |seen| (seen.holder, seen.expires_at));
    let free = sqlx::query(concat!(
        "SELECT number FROM lease WHERE number = 1 AND (holder IN ('', $1) OR expires_at + $2 <= ",
        now!(),
        " OR (holder = $3 AND expires_at = $4)) FOR UPDATE"
    ))
    .bind(&fence.holder)
    .bind(millis(deadlines::REQUEST))
    .bind(holder)
    .bind(expires_at)
    .fetch_all(&mut *transaction)
    .await?;
    if !free.is_empty() {
        sqlx::query(concat!("UPDATE lease SET holder = $1, expires_at = ", now!(), " + $2 WHERE number = 1"))
            .bind(&fence.holder)
            .bind(millis(deadlines::LEASE))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    used.keep();
    Ok(!free.is_empty())
}

/// Fails the transaction unless the lease is held; a successor then waits until the transaction has ended.
///
/// Uses a key share lock, since a renewal must not wait for running transactions: there may always be one.
pub(super) async fn check(connection: &mut AnyConnection, fence: Option<Fence>) -> Result<(), Error> {
    let Some(fence) = fence else { return Err(Error::LeaseLost) };
    let held = sqlx::query(concat!(
        "SELECT number FROM lease WHERE number = 1 AND holder = $1 AND expires_at > ",
        now!(),
        " FOR KEY SHARE"
    ))
    .bind(fence.holder)
    .fetch_all(connection)
    .await?;
    if held.is_empty() { Err(Error::LeaseLost) } else { Ok(()) }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
