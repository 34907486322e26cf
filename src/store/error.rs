//! Why the store failed, grouped by what the caller does next.
//!
//! The messages continue "could not". None contains a database's URL, because that may contain a password.

use std::path::PathBuf;

use sqlx::{error::DatabaseError, migrate::MigrateError};

/// Why the store failed. Nothing was changed, unless the connection to PostgreSQL lost the answer to a commit: repeating the commit then
/// returns [`Error::LeaseLost`], and loading the operation shows its state.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has taken over, which is normal: leave the operation to it.
    #[error("go on: somebody else has taken over")]
    LeaseLost,
    /// Another process uses this SQLite file.
    #[error("open the database {}: another snapshot-bot uses it", path.display())]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// A newer version of this program has migrated the database.
    #[error(
        "use the database: a newer version of snapshot-bot has changed it (step {found}, known up to {known}); run that version, or a later one"
    )]
    NewerSchema {
        /// The migration that this version does not know.
        found: i64,
        /// The last migration that this version knows.
        known: i64,
    },
    /// The migrations in the database are not those of this program.
    #[error("use the database: its migration {0} is not the one that this version knows")]
    ForeignSchema(i64),
    /// The folder of the SQLite file does not exist.
    #[error("open the database {}: its folder does not exist", path.display())]
    MissingFolder {
        /// The database.
        path: PathBuf,
    },
    /// The file or its folder cannot be written.
    #[error("write to the database: it is read-only")]
    ReadOnly,
    /// The disk is full.
    #[error("write to the database: its disk is full")]
    Full,
    /// SQLite could not create the index file of its write-ahead log.
    #[error("open the database: its disk is full")]
    NoIndexFile,
    /// A connection pooler gives each transaction another server process.
    #[error(
        "use the database: a pooler in transaction mode stands before it; use the pooler's session mode, or connect to PostgreSQL itself"
    )]
    TransactionPooler,
    /// Another program keeps the database locked.
    #[error("use the database: another program keeps it locked")]
    Locked,
    /// The id of a new operation is taken: try again with another one.
    #[error("use this operation id: it is taken")]
    IdTaken,
    /// The database's URL is not valid.
    #[error("understand the database's address: {0}")]
    BadAddress(&'static str),
    /// A value could not be serialized as JSON: a bug in the bot.
    #[error("write the state down")]
    Unwritable(#[source] serde_json::Error),
    /// A file could not be locked.
    #[error("lock the file {}", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The database is unreachable or failing: try again later.
    #[error("use the database: {0}")]
    Unavailable(sqlx::Error),
}

/// SQLite's primary result codes (<https://www.sqlite.org/rescode.html>); extended ones carry them in the lowest byte.
mod sqlite {
    pub(super) const BUSY: i64 = 5;
    pub(super) const LOCKED: i64 = 6;
    pub(super) const READONLY: i64 = 8;
    pub(super) const FULL: i64 = 13;
    /// Extended codes: the file does not exist and cannot be created, or cannot grow.
    pub(super) const IOERR_SHMOPEN: i64 = 4618;
    pub(super) const IOERR_SHMSIZE: i64 = 4874;
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let Some(code) = error.as_database_error().and_then(DatabaseError::code) else {
            return Self::Unavailable(error);
        };
        // PostgreSQL's codes have five characters (https://www.postgresql.org/docs/15/errcodes-appendix.html), SQLite's are numbers below that.
        match code.as_ref() {
            "53100" => return Self::Full,
            "25006" => return Self::ReadOnly,
            "55P03" => return Self::Locked,
            five if five.len() == 5 => return Self::Unavailable(error),
            _ => {}
        }
        let code = code.parse::<i64>();
        if matches!(code, Ok(sqlite::IOERR_SHMOPEN | sqlite::IOERR_SHMSIZE)) {
            return Self::NoIndexFile;
        }
        match code.map(|code| code & 0xff) {
            Ok(sqlite::BUSY | sqlite::LOCKED) => Self::Locked,
            Ok(sqlite::READONLY) => Self::ReadOnly,
            Ok(sqlite::FULL) => Self::Full,
            Ok(_) | Err(_) => Self::Unavailable(error),
        }
    }
}

impl Error {
    /// Whether a retry may succeed later without action by an operator.
    pub fn may_pass(&self) -> bool {
        !matches!(self, Self::NewerSchema { .. } | Self::ForeignSchema(_))
    }

    /// The error for a failed migration.
    pub(super) fn of_migration(error: MigrateError, known: i64) -> Self {
        match error {
            MigrateError::VersionMissing(found) => Self::NewerSchema { found, known },
            MigrateError::VersionMismatch(version) | MigrateError::Dirty(version) => Self::ForeignSchema(version),
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => Self::from(error),
            other => Self::Unavailable(sqlx::Error::Migrate(Box::new(other))),
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{AnyConnection, Connection, Executor};

    use super::*;

    async fn connect(url: &str) -> AnyConnection {
        sqlx::any::install_default_drivers();
        <AnyConnection as Connection>::connect(url).await.unwrap()
    }

    #[tokio::test]
    async fn a_full_disk_is_called_so() {
        let mut connection = connect("sqlite::memory:").await;
        connection.execute("CREATE TABLE t (x TEXT); PRAGMA max_page_count = 2").await.unwrap();
        let error = connection.execute("INSERT INTO t VALUES (hex(zeroblob(100000)))").await.unwrap_err();
        assert!(matches!(Error::from(error), Error::Full));
    }

    #[tokio::test]
    async fn a_locked_file_is_called_so() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/x.db?mode=rwc", folder.path().display());
        let (mut one, mut other) = (connect(&url).await, connect(&url).await);
        one.execute("BEGIN IMMEDIATE").await.unwrap();
        other.execute("PRAGMA busy_timeout = 0").await.unwrap();
        let error = other.execute("BEGIN IMMEDIATE").await.unwrap_err();
        assert!(matches!(Error::from(error), Error::Locked));
    }

    #[tokio::test]
    async fn other_trouble_is_to_be_tried_again() {
        let mut connection = connect("sqlite::memory:").await;
        let error = connection.execute("SELECT nonsense").await.unwrap_err();
        assert!(matches!(Error::from(error), Error::Unavailable(_)));
    }
}
