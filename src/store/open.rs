//! Opening the store: connects and, on SQLite, ensures exclusive use and migrates the tables.
//!
//! Called once at start. On PostgreSQL the tables change only under the lease (`lease`).

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    AnyConnection, AnyPool, Connection,
    any::{AnyConnectOptions, AnyPoolOptions},
    sqlite::SqliteConnectOptions,
};
use tokio::time::timeout;

use super::{
    Changes, Engine, Error, Settings, Store, Writes,
    connection::{DEADLINES, PATIENCE, connect_alone, prepare},
    deadlines,
    held_runs::HeldRuns,
    own_connection::OwnConnection,
    pooler, schema,
    undeliverable::Undeliverable,
};
use crate::clock::Clock;

/// For the front end, the worker and the reporter on PostgreSQL. More would only queue inside the server.
const CONNECTIONS: u32 = 6;
/// Only the bot's own user may access its files.
const PRIVATE: u32 = 0o600;
/// WAL and FULL: a commit that has returned survives a power cut (<https://www.sqlite.org/pragma.html#pragma_synchronous>).
const PRAGMAS: &str =
    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
/// `PRAGMAS` with the write-ahead log's index in memory (<https://www.sqlite.org/wal.html#noshm>), so that no other process can read the
/// database.
const PRAGMAS_WITHOUT_INDEX_FILE: &str = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

/// Where a SQLite database is.
pub(super) enum Place {
    Memory,
    File(PathBuf),
}

/// Locks on a SQLite database, held for the life of the process: no other process uses the database, by whatever path.
#[derive(Debug)]
pub(super) struct Alone {
    _beside: File,
    _database: Option<File>,
}

impl Store {
    /// Connects. On SQLite this ensures exclusive use of the file and migrates; on PostgreSQL, [`Store::try_lease`] migrates.
    ///
    /// [`Error::NewerSchema`] and [`Error::ForeignSchema`] mean that the tables are not this version's.
    pub async fn open(settings: &Settings, clock: Clock) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        let url = settings.url.expose_secret();
        let returned = Arc::default();
        let (engine, (pool, keeper), version, alone) = if url.starts_with("sqlite:") {
            let place = place_of(url)?;
            let alone = place.prepare(!has_mode(url))?;
            (Engine::Sqlite, connect_sqlite(&creating(url), &place).await?, schema::known(), alone)
        } else {
            check_is_postgres(url)?;
            let (pool, version) = connect_postgres(url, Arc::clone(&returned)).await?;
            (Engine::Postgres, (pool, None), version, None)
        };
        let own_connection = (engine == Engine::Postgres).then(|| Arc::new(OwnConnection::new(settings.url.clone())));
        Ok(Self {
            pool,
            keeper: Mutex::new(keeper),
            returned,
            others_lease: Mutex::new(None),
            own_connection,
            engine,
            clock,
            notify_channel: settings.notify_channel,
            changes: Changes::default(),
            writes: Writes::default(),
            held_runs: HeldRuns::default(),
            unheard: Undeliverable::default(),
            fence: Mutex::new(None),
            schema_version: AtomicI64::new(version),
            _alone: alone,
        })
    }

    /// Uses this URL for new connections to the same PostgreSQL, after testing it; existing connections stay open. `app` has checked that
    /// it leads to the same database.
    pub async fn set_address(&self, url: &SecretString) -> Result<(), Error> {
        let Some(own) = &self.own_connection else { return Err(Error::BadAddress("a SQLite database has no user")) };
        let address = url.expose_secret();
        check_is_postgres(address)?;
        let options = AnyConnectOptions::from_str(address).map_err(Error::from)?;
        connect_alone(address, DEADLINES).await?.close().await?;
        self.pool.set_connect_options(options);
        own.set_url(url.clone());
        Ok(())
    }

    /// Closes all connections once running calls have ended. Skipping this loses nothing.
    pub async fn close(&self) {
        self.pool.close().await;
        let keeper = self.keeper.lock().take();
        if let Some(keeper) = keeper
            && let Err(error) = keeper.close().await
        {
            tracing::warn!(%error, "could not close the database");
        }
    }
}

impl Place {
    /// Ensures that the file can be opened, and by no other process while the locks are held.
    fn prepare(&self, may_create: bool) -> Result<Option<Alone>, Error> {
        let Self::File(path) = self else { return Ok(None) };
        check_folder(path)?;
        let beside = lock_beside(path)?;
        Ok(Some(Alone { _beside: beside, _database: lock_itself(path, may_create)? }))
    }
}

/// Rejects any other kind of URL.
pub(super) fn check_is_postgres(url: &str) -> Result<(), Error> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Ok(())
    } else {
        Err(Error::BadAddress("it begins neither with sqlite:// nor with postgres://"))
    }
}

/// Rejects a database in a folder that does not exist.
pub(super) fn check_folder(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(Error::MissingFolder { path: path.to_owned() });
    }
    Ok(())
}

fn has_mode(url: &str) -> bool {
    url.split_once('?').is_some_and(|(_, query)| query.contains("mode="))
}

/// Lets sqlx create the file, which it does not do by default; a `mode` given by the operator takes precedence.
fn creating(url: &str) -> String {
    match url.split_once('?') {
        Some((_, query)) if query.contains("mode=") => url.to_owned(),
        Some(_) => format!("{url}&mode=rwc"),
        None if url.ends_with(":memory:") => url.to_owned(),
        None => format!("{url}?mode=rwc"),
    }
}

/// Reads the URL as sqlx will, so that the lock is next to the file that is actually opened.
pub(super) fn place_of(url: &str) -> Result<Place, Error> {
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

/// The locks belong to the operating system and end with the process: there is no stale pid file, and a restart continues immediately.
fn lock_beside(path: &Path) -> Result<File, Error> {
    lock(path, &beside(path), OpenOptions::new().create(true).truncate(false).write(true).mode(PRIVATE))
}

/// The lock file's path, next to the real location of the database.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut beside = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).into_os_string();
    beside.push(".lock");
    PathBuf::from(beside)
}

/// Locks the database's own file, which is the same through two links, or two mounts of one volume. It is created empty first, as SQLite
/// would create it.
///
/// This lock (flock) does not interact with those that SQLite takes on the same file (fcntl). But closing the file releases SQLite's locks
/// of this process, so this comes after the lock next to it: a second opening by the same name in one process never gets this far.
fn lock_itself(path: &Path, may_create: bool) -> Result<Option<File>, Error> {
    if path.exists() {
        return lock(path, path, OpenOptions::new().read(true)).map(Some);
    }
    // Otherwise SQLite says that there is no such file.
    let created =
        may_create.then(|| lock(path, path, OpenOptions::new().create(true).truncate(false).write(true).mode(PRIVATE)));
    created.transpose()
}

/// Locks `file`, or reports that another process has `database` open.
fn lock(database: &Path, file: &Path, how: &OpenOptions) -> Result<File, Error> {
    let locked = match how.open(file) {
        Ok(locked) => locked,
        Err(source) if source.kind() == std::io::ErrorKind::ReadOnlyFilesystem => return Err(Error::ReadOnly),
        Err(source) => return Err(Error::Lock { path: file.to_owned(), source }),
    };
    match locked.try_lock() {
        Ok(()) => Ok(locked),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { path: database.to_owned() }),
        Err(TryLockError::Error(source)) => Err(Error::Lock { path: file.to_owned(), source }),
    }
}

/// Opens one connection that lives as long as the store: SQLite has one writer, and a database in memory ends with its last connection. For
/// a file, opens a second one that is never used: see [`Store`].
async fn connect_sqlite(url: &str, place: &Place) -> Result<(AnyPool, Option<AnyConnection>), Error> {
    match place {
        Place::File(_) => match connect_alone(url, PRAGMAS).await {
            Ok(mut keeper) => {
                schema::migrate(&mut keeper, Engine::Sqlite, schema::known()).await?;
                let pool = only_connection(PRAGMAS).connect(url).await?;
                check_is_writable(&pool).await?;
                Ok((pool, Some(keeper)))
            }
            // Each start creates the index file again, and on a full disk another program may take its space.
            Err(Error::NoIndexFile) => {
                tracing::warn!(
                    "the database's disk is full; until the next start no other program can read the database"
                );
                let pool = migrated(only_connection(PRAGMAS_WITHOUT_INDEX_FILE).connect(url).await?).await?;
                check_is_writable(&pool).await?;
                Ok((pool, None))
            }
            Err(error) => Err(error),
        },
        Place::Memory => Ok((migrated(only_connection(PRAGMAS).connect(url).await?).await?, None)),
    }
}

fn only_connection(preparation: &'static str) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .acquire_timeout(PATIENCE)
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(move |connection, _| prepare(connection, preparation))
}

/// Migrates on the pool's own connection, for a database that allows no other.
async fn migrated(pool: AnyPool) -> Result<AnyPool, Error> {
    schema::migrate(&mut *pool.acquire().await?, Engine::Sqlite, schema::known()).await?;
    Ok(pool)
}

/// Detects a read-only file at the start; otherwise the first instruction would. SQLite refuses only a statement that writes, not the beginning of
/// a write transaction.
async fn check_is_writable(pool: &AnyPool) -> Result<(), Error> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("UPDATE lease SET holder = '' WHERE number = 0").execute(&mut *transaction).await?;
    transaction.rollback().await?;
    Ok(())
}

/// Connects to PostgreSQL. Returns the pool, and the version of the tables.
async fn connect_postgres(url: &str, returned: Arc<AtomicU64>) -> Result<(AnyPool, i64), Error> {
    timeout(PATIENCE, pooler::refuse(url)).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
    let mut connection = connect_alone(url, DEADLINES).await?;
    let version = schema::found(&mut connection, Engine::Postgres).await?;
    connection.close().await?;
    let options = AnyPoolOptions::new()
        .acquire_timeout(PATIENCE)
        .max_connections(CONNECTIONS)
        // sqlx itself would wait for a silent connection as long as the operating system does, which is a quarter of an hour.
        .test_before_acquire(false)
        .before_acquire(|connection, _| answers(connection))
        .after_release(move |connection, _| {
            returned.fetch_add(1, Ordering::Relaxed);
            answers(connection)
        })
        .after_connect(|connection, _| prepare(connection, DEADLINES));
    Ok((options.connect(url).await?, version))
}

/// Whether a connection still reaches the server. If not, it is discarded.
fn answers(connection: &mut AnyConnection) -> BoxFuture<'_, sqlx::Result<bool>> {
    Box::pin(async move { Ok(timeout(deadlines::PING, connection.ping()).await.is_ok_and(|answer| answer.is_ok())) })
}
