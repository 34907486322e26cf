//! One owner at a time: who looks after a DigitalOcean account.
//!
//! On SQLite the lock beside the file is the lease and never ends. On PostgreSQL it is a row that ends by the database's clock;
//! every commit of the owner checks it in its own transaction. `app` takes, renews and releases; the worker asks what remains.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sqlx::{AnyConnection, AnyPool};
use tokio::time::Instant;

use super::{Engine, Error, Store, row::without_nul};

/// How long a lease lasts unless renewed; renew it every three seconds.
const LASTS: Duration = Duration::from_secs(15);
/// The deadline of a request to DigitalOcean: what an owner sent last may be under way for so long after its lease.
const REQUEST_DEADLINE: Duration = Duration::from_secs(10);
/// The database's clock in milliseconds: the moment itself, not the beginning of the transaction.
macro_rules! now {
    () => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
    };
}

/// Under which lease this process commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    account: String,
    holder: String,
}

/// The right to look after an account, for as long as [`Lease::remaining`] says.
#[derive(Debug)]
pub struct Lease {
    row: Option<(AnyPool, Fence)>,
    /// Counted from before the request left that took or renewed it, so never later than the database's own end.
    until: Mutex<Instant>,
}

impl Store {
    /// Takes the lease of an account, or says that somebody else has it. `holder` names this run of this process and no other.
    ///
    /// A lease that was not released is free only when it ended and its owner's last request has met its deadline too.
    pub async fn try_lease(&self, account: &str, holder: &str) -> Result<Option<Lease>, Error> {
        if self.engine == Engine::Sqlite {
            return Ok(Some(Lease { row: None, until: Mutex::new(Instant::now()) }));
        }
        let fence = Fence { account: without_nul(account), holder: without_nul(holder) };
        let asked = Instant::now();
        let mut transaction = self.pool.begin().await?;
        let taken = sqlx::query(concat!(
            "INSERT INTO leases (account, holder, expires_at) VALUES ($1, $2, ",
            now!(),
            " + $3) ",
            "ON CONFLICT (account) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at ",
            "WHERE leases.holder = excluded.holder OR leases.expires_at + $4 <= ",
            now!(),
        ))
        .bind(&fence.account)
        .bind(&fence.holder)
        .bind(millis(LASTS))
        .bind(millis(REQUEST_DEADLINE))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        if taken.rows_affected() == 0 {
            return Ok(None);
        }
        *self.fence.lock().unwrap_or_else(PoisonError::into_inner) = Some(fence.clone());
        Ok(Some(Lease { row: Some((self.pool.clone(), fence)), until: Mutex::new(asked + LASTS) }))
    }

    pub(super) fn fence(&self) -> Option<Fence> {
        self.fence.lock().unwrap_or_else(PoisonError::into_inner).clone()
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

    /// Makes it last its full time again. [`Error::LeaseLost`]: somebody else has it now. Any other error: it lasts as long as it did.
    pub async fn renew(&self) -> Result<(), Error> {
        let Some((pool, fence)) = &self.row else { return Ok(()) };
        let asked = Instant::now();
        let renewed =
            sqlx::query(concat!("UPDATE leases SET expires_at = ", now!(), " + $3 WHERE account = $1 AND holder = $2"))
                .bind(&fence.account)
                .bind(&fence.holder)
                .bind(millis(LASTS))
                .execute(pool)
                .await?;
        let lost = renewed.rows_affected() == 0;
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = if lost { asked } else { asked + LASTS };
        if lost { Err(Error::LeaseLost) } else { Ok(()) }
    }

    /// Gives it back: a successor goes on at once. Call it when nothing that was sent is under way any more.
    pub async fn release(self) -> Result<(), Error> {
        let Some((pool, fence)) = self.row else { return Ok(()) };
        sqlx::query("UPDATE leases SET holder = '', expires_at = 0 WHERE account = $1 AND holder = $2")
            .bind(&fence.account)
            .bind(&fence.holder)
            .execute(&pool)
            .await?;
        Ok(())
    }

    fn until(&self) -> Instant {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses the transaction unless the lease is held; a successor then waits until the transaction has ended.
pub(super) async fn check(connection: &mut AnyConnection, fence: Option<Fence>) -> Result<(), Error> {
    let Some(fence) = fence else { return Err(Error::LeaseLost) };
    let held = sqlx::query(concat!(
        "SELECT expires_at FROM leases WHERE account = $1 AND holder = $2 AND expires_at > ",
        now!(),
        " FOR SHARE"
    ))
    .bind(fence.account)
    .bind(fence.holder)
    .fetch_all(connection)
    .await?;
    if held.is_empty() { Err(Error::LeaseLost) } else { Ok(()) }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
