//! One owner at a time: who looks after the operations of this database.
//!
//! On SQLite the lock on the file is the lease and never ends. On PostgreSQL it is a row that ends by the database's clock; every
//! commit of the owner checks it in its own transaction, and nobody else changes anything. `app` takes, renews and releases; the
//! worker asks what remains. The row is reached by a connection of its own: 1,000 operations that wait for the pool must not cost
//! the lease.

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

/// How long the database may take to answer who has the lease, or to give it to us: an earlier owner's last transaction may have
/// to end first.
const PATIENCE: Duration = Duration::from_secs(10);

/// The database's clock in milliseconds: the moment itself, not the beginning of the transaction.
macro_rules! now {
    () => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
    };
}

/// A row of the lease that was seen unchanged, and since when. The process that has the lease changes the row at every renewal, so one that
/// stays the same for a lease's length is nobody's, whatever the database's clock says: it may have been set back.
#[derive(Clone, Debug)]
pub(super) struct Unchanged {
    holder: String,
    expires_at: i64,
    since: Instant,
}

/// Under which lease this process commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    holder: String,
}

/// The right to look after the operations, for as long as [`Lease::remaining`] says.
#[derive(Debug)]
pub struct Lease {
    row: Option<(Arc<OwnConnection>, Fence)>,
    /// Counted from before the request left that took or renewed it, so never later than the database's own end.
    until: Mutex<Instant>,
    unattended: Option<SignedDuration>,
}

impl Store {
    /// Since how long the lease is free to be taken by `holder`; none while another process has it.
    ///
    /// One that was not given back is free only when it ended and its owner's last request has met its deadline too. On SQLite
    /// nobody else can be there.
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
            // Somebody deleted it; it is made again by the one who takes the lease.
            let Some(row) = row else { return Ok(Some(Duration::MAX)) };
            let free_for = Row(&row).number("free_for").and_then(|millis| u64::try_from(millis).ok());
            Ok(free_for.map(Duration::from_millis).or_else(|| self.unchanged_for_too_long(Row(&row))))
        })
        .await
    }

    /// For how long the row has been nobody's although the database's clock says otherwise.
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

    /// Takes the lease and brings the tables up to date under it, or says that somebody else has it. `holder` names this run of
    /// this process and no other. [`Error::NewerSchema`]: a newer version has been here meanwhile.
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
                // The one who can use the database need not wait.
                drop(lease.release().await);
                Err(error)
            }
        }
    }

    /// Whether the tables are those that this version reads. Until they are, nothing can be read but the lease.
    pub fn is_up_to_date(&self) -> bool {
        self.schema_version.load(Ordering::Relaxed) == schema::known()
    }

    /// Says that a live process looks after the operations. Call it once a minute, and not before what follows from
    /// [`Lease::unattended`] is stored.
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

    /// The last minute in which a live process looked after the operations, by the database's clock; none before the first.
    pub async fn last_heartbeat(&self) -> Result<Option<Timestamp>, Error> {
        let row = sqlx::query("SELECT beat_at FROM lease").fetch_one(&self.pool).await?;
        Ok(Row(&row).at("beat_at"))
    }

    /// How long ago that was. Where this machine's clock and the database's disagree, the longer time counts.
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

    /// Makes the table that the lease stands in. Only in a database that nobody of an earlier version is active on.
    async fn make_lease_table(&self, own: &OwnConnection) -> Result<(), Error> {
        if self.schema_version.load(Ordering::Relaxed) >= schema::WITH_LEASE {
            return Ok(());
        }
        let mut connection = own.without_deadlines().await?;
        schema::migrate(&mut connection, self.engine, schema::WITH_LEASE).await?;
        connection.close().await.map_err(Error::from)
    }

    /// Migrates, and renews the lease meanwhile: that may take long.
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
    /// How long the lease surely lasts on. A request may leave only if it ends before that.
    pub fn remaining(&self) -> Duration {
        match self.row {
            None => Duration::MAX,
            Some(_) => self.until().saturating_duration_since(Instant::now()),
        }
    }

    /// For how long no live process had looked after the operations when this lease was taken; none if none ever did. What was
    /// wished before that is old.
    pub fn unattended(&self) -> Option<SignedDuration> {
        self.unattended
    }

    /// Makes it last its full time again. [`Error::LeaseLost`]: somebody else has it now. Any other error: it lasts as long as it did.
    pub async fn renew(&self) -> Result<(), Error> {
        let Some((own, fence)) = &self.row else { return Ok(()) };
        let wanted = Instant::now();
        within(deadlines::RENEWAL, async {
            let mut used = own.get().await?;
            let asked = Instant::now();
            if self.until() >= wanted + deadlines::LEASE {
                // Another renewal went first, after this one was wanted.
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

    /// Gives it back: a successor goes on at once. Call it when nothing that was sent is under way any more.
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

/// Takes the row if it is free, or still the abandoned one. Waits for the earlier owner's last transactions, which hold it by [`check`].
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

/// Refuses the transaction unless the lease is held; a successor then waits until the transaction has ended.
///
/// A key share, since a renewal must not wait for the transactions under way: there may always be one.
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
