//! A read-only inspection of the database: what a start would find, and whether it could write.
//!
//! Called by `app::check`. It migrates nothing, and leaves no file behind if there was none.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

use secrecy::{ExposeSecret, SecretString};
use sqlx::{AnyConnection, Connection};

use super::{
    Engine, Error, Store, connection,
    open::{self, Place},
    row::Row,
    schema,
};

/// The condition in which a start would find the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// There are no tables yet, or not even a file.
    Empty,
    /// The tables are from an earlier version; the next start migrates them.
    Older,
    /// The tables are up to date.
    UpToDate,
}

impl Store {
    /// Inspects the database that a start would open. [`Error::InUse`] means that a running bot holds the SQLite file.
    pub async fn inspect(url: &SecretString) -> Result<Condition, Error> {
        sqlx::any::install_default_drivers();
        let url = url.expose_secret();
        if !url.starts_with("sqlite:") {
            open::check_is_postgres(url)?;
            let mut connection = connection::connect_alone(url, connection::DEADLINES).await?;
            return look(&mut connection, Engine::Postgres).await;
        }
        match open::place_of(url)? {
            Place::Memory => Ok(Condition::Empty),
            Place::File(path) => {
                open::check_folder(&path)?;
                if !path.exists() {
                    try_to_write_beside(&path)?;
                    return Ok(Condition::Empty);
                }
                for file in [open::beside(&path), path.clone()] {
                    try_to_lock(&path, &file)?;
                }
                look(&mut connection::connect_alone(url, "").await?, Engine::Sqlite).await
            }
        }
    }
}

async fn look(connection: &mut AnyConnection, engine: Engine) -> Result<Condition, Error> {
    let found = schema::found(connection, engine).await?;
    let mut transaction = match engine {
        Engine::Sqlite => connection.begin_with("BEGIN IMMEDIATE").await?,
        Engine::Postgres => connection.begin().await?,
    };
    match (found, engine) {
        (0, Engine::Postgres) => {
            let allowed = "SELECT COUNT(*) AS n WHERE has_schema_privilege(current_schema(), 'CREATE')";
            let row = sqlx::query(allowed).fetch_one(&mut *transaction).await?;
            if Row(&row).number("n") == Some(0) {
                return Err(Error::ReadOnly);
            }
        }
        (0, Engine::Sqlite) => {}
        (_, _) => {
            sqlx::query("DELETE FROM _sqlx_migrations WHERE version = 0").execute(&mut *transaction).await?;
        }
    }
    transaction.rollback().await?;
    Ok(match found {
        0 => Condition::Empty,
        found if found < schema::known() => Condition::Older,
        _ => Condition::UpToDate,
    })
}

/// Whether a running bot holds this file. The lock is released immediately, so it keeps no bot from starting.
fn try_to_lock(database: &Path, file: &Path) -> Result<(), Error> {
    let Ok(opened) = File::open(file) else { return Ok(()) };
    match opened.try_lock_shared() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { path: database.to_owned() }),
        Err(TryLockError::Error(source)) => Err(Error::Lock { path: file.to_owned(), source }),
    }
}

/// Whether files can be created in the database's folder, tested with another file.
fn try_to_write_beside(database: &Path) -> Result<(), Error> {
    let mut trial = database.as_os_str().to_owned();
    trial.push(".check");
    let written = OpenOptions::new().create(true).truncate(true).write(true).open(&trial);
    written.and_then(|_| std::fs::remove_file(&trial)).map_err(|source| match source.kind() {
        std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => Error::ReadOnly,
        _ => Error::Lock { path: trial.into(), source },
    })
}
