//! The store: operations, people's instructions, owed power and posted messages, on SQLite or PostgreSQL.
//!
//! The Discord front end writes instructions and reads; the worker loads and commits under a version; the reporter records what was posted. When
//! a function here returns, its effect is durable. This module knows neither DigitalOcean nor Discord, only their ids.

mod account;
mod act;
mod announcement;
mod audit;
mod calls;
mod commit;
mod confirmation;
mod connection;
mod consequences;
mod create;
pub mod deadlines;
mod due_report;
mod durations;
mod error;
mod event;
mod group_history;
mod group_message;
mod group_run;
mod held_runs;
mod history;
mod inspect;
mod kept_backups;
mod lease;
mod load;
mod notify;
mod open;
mod operation_row;
mod origin;
mod own_connection;
mod pooler;
mod power_owed;
mod registration;
mod repair;
mod report;
mod report_row;
mod requests;
mod reserve;
mod restores;
mod row;
mod schedule;
mod schedule_edit;
mod schedule_message;
mod schedule_notice;
mod schedule_outcome;
mod schedule_ping;
mod schedule_quality;
mod schedule_row;
mod schedule_settle;
mod schedule_share;
mod schedule_snapshot;
mod schema;
mod slots;
mod snapshot_records;
mod undeliverable;
mod unknown;
mod writes;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use secrecy::SecretString;
use sqlx::{Any, AnyConnection, AnyPool, Transaction};

pub use account::{Account, Evidence};
pub use act::{Act, Deed, PastAct};
pub use announcement::Announcement;
pub use audit::{AuditEntry, BackupError, PastEvent};
pub use calls::Called;
pub use commit::Whose;
pub use confirmation::{Confirmation, ConfirmationId, ConfirmationRefused, Consent};
pub use create::CreateError;
pub use error::Error;
pub use event::{Event, What};
pub use group_message::{DIRECT, ENDED, GroupMessage, STATUS};
pub use group_run::RunError;
pub use inspect::Condition;
pub use lease::Lease;
pub use load::{InstructionId, Loaded};
pub use notify::Changes;
pub use operation_row::{Stored, Version};
pub use origin::{Deleter, Deletion};
pub use power_owed::PowerOwed;
pub use report::{DIRECTLY, OUTDATED};
pub use report_row::Report;
pub use requests::Heard;
pub use schedule::AddError;
pub use schedule_message::{Said, ScheduleMessage};
pub use schedule_ping::DuePing;
pub use schedule_row::StoredSchedule;
pub use schedule_settle::Settled;
pub use schedule_snapshot::{ScheduleSnapshot, wanted};
pub use snapshot_records::{DayTotal, Pin, Weighed};
use writes::Writes;

use crate::{clock::Clock, operation::ids::ChannelId};

/// Where the database is, and the part of the configuration that the store needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `sqlite://file`, `sqlite::memory:` or `postgres://…`; may hold a password.
    pub url: SecretString,
    /// The channel that receives every outcome.
    pub notify_channel: Option<ChannelId>,
}

/// The open store. One per process; share it behind an `Arc`.
#[derive(Debug)]
pub struct Store {
    pool: AnyPool,
    /// On a SQLite file, a connection that is never used. SQLite deletes the write-ahead log when the last connection closes. The log is
    /// the space in which the bot continues when the disk is full, and the pool may replace its own connection at any time.
    keeper: Mutex<Option<AnyConnection>>,
    /// How many times a connection to PostgreSQL has come back to the pool.
    returned: Arc<AtomicU64>,
    /// The lease's row as last seen while another process held it.
    others_lease: Mutex<Option<lease::Unchanged>>,
    /// The lease's own connection, on PostgreSQL.
    own_connection: Option<Arc<own_connection::OwnConnection>>,
    engine: Engine,
    clock: Clock,
    notify_channel: Option<ChannelId>,
    changes: Changes,
    writes: Writes,
    /// Runs of groups that wait until the person who started them is answered.
    held_runs: held_runs::HeldRuns,
    /// Messages of schedules that no channel accepts.
    unheard: undeliverable::Undeliverable,
    /// The lease under which this process commits, on PostgreSQL.
    fence: Mutex<Option<lease::Fence>>,
    /// The version of the tables when last checked.
    schema_version: AtomicI64,
    _alone: Option<open::Alone>,
}

/// The database engine, for code in which the two differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

impl Store {
    /// Whether other processes can stand by on this database, as on PostgreSQL.
    pub fn is_shared(&self) -> bool {
        self.engine == Engine::Postgres
    }

    /// Wake-ups for the loops of the worker and the reporter.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Limits how long a call on PostgreSQL may take. Otherwise a call on a connection that fell silent would wait as long as the operating
    /// system does. The next call sees what an interrupted one has done.
    pub async fn bounded<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match self.engine {
            Engine::Sqlite => call.await,
            Engine::Postgres => own_connection::within(deadlines::CALL, call).await,
        }
    }

    /// Limits one pass of a loop, including its requests to others, for the same reason as [`bounded`](Self::bounded).
    pub async fn bounded_pass<T, E: From<Error>>(
        &self,
        longest: Duration,
        pass: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        match self.engine {
            Engine::Sqlite => pass.await,
            Engine::Postgres => tokio::time::timeout(longest, pass)
                .await
                .unwrap_or_else(|_| Err(Error::Unavailable(sqlx::Error::PoolTimedOut).into())),
        }
    }

    /// How many times a connection to PostgreSQL has come back to the pool: while that grows, the database answers.
    pub fn returned(&self) -> u64 {
        self.returned.load(Ordering::Relaxed)
    }

    /// Begins a transaction that will write. On SQLite it takes the write lock immediately: a read that later turns into a write fails as
    /// "locked" instead of waiting.
    async fn begin(&self) -> Result<Transaction<'static, Any>, Error> {
        let transaction = match self.engine {
            Engine::Sqlite => match self.pool.begin_with("BEGIN IMMEDIATE").await {
                // SQLite ends a transaction on its own if its disk is full or fails. The connection then counts a transaction that does not
                // exist, forever, so only a new connection can be used.
                Err(sqlx::Error::InvalidSavePointStatement) => {
                    self.pool.acquire().await?.close().await?;
                    self.pool.begin_with("BEGIN IMMEDIATE").await
                }
                begun => begun,
            },
            Engine::Postgres => self.pool.begin().await,
        };
        transaction.map_err(Error::from)
    }

    /// Begins a transaction of the process that handles the operations. Fails if that is no longer this process.
    async fn begin_as_owner(&self) -> Result<Transaction<'static, Any>, Error> {
        let mut transaction = self.begin().await?;
        match self.engine {
            // The lock on the file is held for the life of the process.
            Engine::Sqlite => {}
            Engine::Postgres => lease::check(&mut transaction, self.fence()).await?,
        }
        Ok(transaction)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;
    use sqlx::Executor;

    use super::*;

    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_by_itself_breaks_no_later_one() {
        let folder = tempfile::tempdir().unwrap();
        let url = SecretString::from(format!("sqlite://{}", folder.path().join("bot.db").display()));
        let store = Store::open(&Settings { url, notify_channel: None }, Clock::wall()).await.unwrap();
        let mut transaction = store.begin().await.unwrap();
        // As SQLite does on a full disk (https://www.sqlite.org/lang_transaction.html).
        transaction.execute("ROLLBACK").await.unwrap();
        drop(transaction.commit().await);
        store.begin().await.unwrap().commit().await.unwrap();
        assert_eq!(store.count_open().await.unwrap(), 0);
    }
}
