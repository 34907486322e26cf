//! Opening the memory: connect, prove to be alone on SQLite, bring the tables up to date.
//!
//! Called once at start. A new file under `migrations/` is seen when this file is compiled again.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    str::FromStr,
    sync::Mutex,
    time::Duration,
};

use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;
use sqlx::{
    AnyConnection, AnyPool, Connection, Executor,
    any::AnyPoolOptions,
    migrate::{MigrateError, Migrator},
    sqlite::SqliteConnectOptions,
};

use super::{Changes, Engine, Error, Settings, Store};
use crate::clock::Clock;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long somebody who needs a connection waits for one.
const PATIENCE: Duration = Duration::from_secs(10);
/// Face, worker, reporter and lease on PostgreSQL; more would only queue inside the server.
const CONNECTIONS: u32 = 6;
/// WAL and FULL: a commit that returned survives a power cut (<https://www.sqlite.org/pragma.html#pragma_synchronous>).
const PRAGMAS: &str =
    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

/// A process that is frozen inside a transaction must not keep its successor from the lease's row, nor anybody waiting for ever.
const DEADLINES: &str = "SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '5s';";

/// Where a SQLite database is.
enum Place {
    Memory,
    File(PathBuf),
}

impl Store {
    /// Connects, makes sure to be alone on a SQLite file, and migrates.
    pub async fn open(settings: &Settings, clock: Clock) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let url = settings.url.expose_secret();
        let (engine, pool, lock) = if url.starts_with("sqlite:") {
            let place = place_of(url)?;
            let lock = place.prepare()?;
            (Engine::Sqlite, connect_sqlite(&creating(url), &place).await?, lock)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            (Engine::Postgres, connect_postgres(url).await?, None)
        } else {
            return Err(Error::BadAddress("it begins neither with sqlite:// nor with postgres://"));
        };
        Ok(Self {
            pool,
            engine,
            clock,
            notify_channel: settings.notify_channel,
            changes: Changes::default(),
            fence: Mutex::new(None),
            _lock: lock,
        })
    }

    /// Ends all connections, after what is under way. Without it nothing is lost either.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Place {
    /// Makes sure that the file may be opened, and by nobody else as long as the lock is held.
    fn prepare(&self) -> Result<Option<File>, Error> {
        let Self::File(path) = self else { return Ok(None) };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(Error::MissingFolder { path: path.clone() });
        }
        lock_beside(path).map(Some)
    }
}

/// sqlx creates no file unless told to; a `mode` given by the operator wins.
fn creating(url: &str) -> String {
    match url.split_once('?') {
        Some((_, query)) if query.contains("mode=") => url.to_owned(),
        Some(_) => format!("{url}&mode=rwc"),
        None if url.ends_with(":memory:") => url.to_owned(),
        None => format!("{url}?mode=rwc"),
    }
}

/// Reads the address as sqlx will, so that the lock stands beside the very file that is opened.
fn place_of(url: &str) -> Result<Place, Error> {
    let Ok(parsed) = url::Url::parse(url) else {
        return Err(Error::BadAddress("write spaces and other special characters of the path as %20 and so on"));
    };
    let Ok(options) = SqliteConnectOptions::from_str(parsed.as_str()) else {
        return Err(Error::BadAddress("sqlite:// wants the path of a file, such as sqlite://snapshot-bot.db"));
    };
    let memory =
        parsed.path() == ":memory:" || parsed.query_pairs().any(|(key, value)| key == "mode" && value == "memory");
    let path = options.get_filename();
    if memory {
        Ok(Place::Memory)
    } else if path.as_os_str().is_empty() {
        Err(Error::BadAddress("sqlite:// wants the path of a file, such as sqlite://snapshot-bot.db"))
    } else {
        Ok(Place::File(path.to_owned()))
    }
}

/// The lock is the operating system's and dies with the process: no stale pid file, and a restart goes on at once.
fn lock_beside(path: &Path) -> Result<File, Error> {
    let mut beside = path.as_os_str().to_owned();
    // Two links to one file are one database.
    if let Ok(real) = std::fs::canonicalize(path) {
        beside = real.into_os_string();
    }
    beside.push(".lock");
    let beside = PathBuf::from(beside);
    let file = match File::options().create(true).truncate(false).write(true).open(&beside) {
        Ok(file) => file,
        Err(source) if source.kind() == std::io::ErrorKind::ReadOnlyFilesystem => return Err(Error::ReadOnly),
        Err(source) => return Err(Error::Lock { path: beside, source }),
    };
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(Error::Lock { path: beside, source }),
    }
}

/// One connection that lives as long as the store: SQLite has one writer, and a database in memory dies with its last connection.
async fn connect_sqlite(url: &str, place: &Place) -> Result<AnyPool, Error> {
    let options = AnyPoolOptions::new()
        .acquire_timeout(PATIENCE)
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(|connection, _| prepare(connection, PRAGMAS));
    match place {
        Place::File(_) => {
            migrate_alone(url, PRAGMAS).await?;
            let pool = options.connect(url).await?;
            // A file that can only be read would be found out by the first wish of somebody. SQLite begins even a transaction that
            // wants to write; only a statement that writes is refused.
            let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
            sqlx::query("DELETE FROM leases WHERE account = ''").execute(&mut *transaction).await?;
            transaction.rollback().await?;
            Ok(pool)
        }
        Place::Memory => {
            let pool = options.connect(url).await?;
            MIGRATIONS.run(&pool).await.map_err(of_migration)?;
            Ok(pool)
        }
    }
}

async fn connect_postgres(url: &str) -> Result<AnyPool, Error> {
    migrate_alone(url, "").await?;
    let options = AnyPoolOptions::new()
        .acquire_timeout(PATIENCE)
        .max_connections(CONNECTIONS)
        .after_connect(|connection, _| prepare(connection, DEADLINES));
    options.connect(url).await.map_err(Error::from)
}

/// Migrates on a connection by itself: it says at once why there is none, where a pool would only say that it waited in vain, and
/// a migration may take as long as it takes.
async fn migrate_alone(url: &str, preparation: &'static str) -> Result<(), Error> {
    let connection = tokio::time::timeout(PATIENCE, <AnyConnection as Connection>::connect(url)).await;
    let mut connection = connection.map_err(|_| sqlx::Error::PoolTimedOut)??;
    prepare(&mut connection, preparation).await?;
    MIGRATIONS.run(&mut connection).await.map_err(of_migration)?;
    connection.close().await.map_err(Error::from)
}

fn prepare<'c>(connection: &'c mut AnyConnection, sql: &'static str) -> BoxFuture<'c, sqlx::Result<()>> {
    Box::pin(async move { connection.execute(sql).await.map(drop) })
}

fn of_migration(error: MigrateError) -> Error {
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    Error::of_migration(error, known)
}
