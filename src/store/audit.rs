//! The history for audits and backups, read alongside a running bot without its lock, its lease or its migrations.
//!
//! Called by `app::audit` and `app::backup`. Nothing is written except the backup.

use std::{
    fs::{File, OpenOptions},
    io::ErrorKind,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AnyConnection, Connection};

use super::{
    Engine, Error, Event, PastAct, Store, act, connection, event,
    open::{self, Place},
    row::Row,
    schema,
};
use crate::operation::ids::{ChannelId, DropletId, GuildId, OperationId, UserId};

/// Only the bot's own user may access its files.
const PRIVATE: u32 = 0o600;

/// One event in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditEntry {
    /// Something that happened to an operation.
    Event(PastEvent),
    /// Something that a person did outside operations.
    Act(PastAct),
}

impl AuditEntry {
    /// When it happened.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Event(past) => past.event.at,
            Self::Act(past) => past.at,
        }
    }
}

/// An event of an operation, with the operation's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastEvent {
    /// When it happened, who did it, and what it was.
    pub event: Event,
    /// The operation.
    pub operation: OperationId,
    /// Its kind, in a word.
    pub kind: String,
    /// The Droplet's id, if there is one.
    pub droplet: Option<DropletId>,
    /// The Droplet's name.
    pub droplet_name: String,
    /// The person who requested the operation.
    pub requester: UserId,
    /// The guild of the request.
    pub guild: GuildId,
    /// The channel of the request.
    pub channel: ChannelId,
}

/// Why no backup was written.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database is not SQLite.
    #[error("this is for SQLite; copy PostgreSQL with its own pg_dump")]
    Postgres,
    /// There is no database to copy.
    #[error("there is no database {}", .0.display())]
    NoDatabase(PathBuf),
    /// A file of that name already exists and is left unchanged.
    #[error("{} exists already, and is left as it is", .0.display())]
    Exists(PathBuf),
    /// The file cannot be created or written.
    #[error("could not write {}: {source}", path.display())]
    File {
        /// The backup file.
        path: PathBuf,
        /// The error of the file system.
        source: std::io::Error,
    },
    /// The database cannot be read, or the copy is incomplete.
    #[error("could not {0}")]
    Store(#[from] Error),
    /// The written file is not a sound database.
    #[error("the copy is not sound and was removed: {0}")]
    Damaged(String),
}

impl Store {
    /// Everything since `since` that has not been pruned, oldest first. `None` if no bot has used this database yet.
    pub async fn audit(url: &SecretString, since: Timestamp) -> Result<Option<Vec<AuditEntry>>, Error> {
        let Some((mut connection, engine)) = connect_to_read(url).await? else { return Ok(None) };
        let version = schema::found(&mut connection, engine).await?;
        if version == 0 {
            return Ok(None);
        }
        let rows = sqlx::query(
            "SELECT e.at, e.by_user, e.what, o.id, o.kind, o.droplet_id, o.droplet_name, o.asker_id, o.guild_id, o.channel_id \
             FROM events e JOIN operations o ON o.id = e.operation WHERE e.at >= $1 ORDER BY e.at, e.operation, e.number",
        )
        .bind(since.as_millisecond())
        .fetch_all(&mut connection)
        .await?;
        // An older bot may still be using the database.
        let acts = if version < schema::WITH_ACTS { Vec::new() } else { act::since(&mut connection, since).await? };
        connection.close().await?;
        let read = |row| {
            let row = Row(row);
            Some(PastEvent {
                event: event::read(row)?,
                operation: row.text("id")?.parse().ok()?,
                kind: row.text("kind").unwrap_or_default().to_owned(),
                droplet: row.id("droplet_id").map(DropletId),
                droplet_name: row.text("droplet_name").unwrap_or_default().to_owned(),
                requester: UserId(row.id("asker_id").unwrap_or_default()),
                guild: GuildId(row.id("guild_id").unwrap_or_default()),
                channel: ChannelId(row.id("channel_id").unwrap_or_default()),
            })
        };
        let events = rows.iter().filter_map(read).map(AuditEntry::Event);
        let mut entries: Vec<_> = events.chain(acts.into_iter().map(AuditEntry::Act)).collect();
        entries.sort_by_key(AuditEntry::at);
        Ok(Some(entries))
    }

    /// Copies a SQLite database into a new file that only its owner may read, even while a bot is running. The copy contains everything
    /// committed before it begins, and is checked before this returns.
    pub async fn back_up(url: &SecretString, copy: &Path) -> Result<(), BackupError> {
        if !url.expose_secret().starts_with("sqlite:") {
            return Err(BackupError::Postgres);
        }
        let Place::File(database) = open::place_of(url.expose_secret())? else { return Err(BackupError::Postgres) };
        if !database.exists() {
            return Err(BackupError::NoDatabase(database));
        }
        let file = create(copy)?;
        let written = write_copy(url, copy, &file).await;
        if written.is_err() {
            // Half a copy is worse than none, even if it cannot be removed.
            drop(std::fs::remove_file(copy));
        }
        written
    }
}

/// Creates a file that must not exist yet. SQLite writes into it because it is empty.
fn create(copy: &Path) -> Result<File, BackupError> {
    OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(copy).map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => BackupError::Exists(copy.to_owned()),
        _ => BackupError::File { path: copy.to_owned(), source },
    })
}

async fn write_copy(url: &SecretString, copy: &Path, file: &File) -> Result<(), BackupError> {
    let unwritable = |source| BackupError::File { path: copy.to_owned(), source };
    let Some(name) = copy.to_str() else {
        return Err(unwritable(std::io::Error::new(ErrorKind::InvalidFilename, "its name is not UTF-8")));
    };
    if let Some((mut connection, _)) = connect_to_read(url).await? {
        sqlx::query("VACUUM INTO $1").bind(name.to_owned()).execute(&mut connection).await.map_err(Error::from)?;
        connection.close().await.map_err(Error::from)?;
    }
    file.sync_all().map_err(unwritable)?;
    let address = SecretString::from(format!("sqlite://{}", encoded(name)));
    let Some((mut connection, _)) = connect_to_read(&address).await? else { return Ok(()) };
    let row = sqlx::query("SELECT quick_check FROM pragma_quick_check").fetch_one(&mut connection).await;
    let row = row.map_err(Error::from)?;
    match Row(&row).text("quick_check") {
        Some("ok") => Ok(()),
        found => Err(BackupError::Damaged(found.unwrap_or("it says nothing").to_owned())),
    }
}

/// A path, encoded for a database URL.
fn encoded(path: &str) -> String {
    let special = |letter: char| matches!(letter, '%' | '?' | '#' | ' ');
    path.chars()
        .map(|letter| if special(letter) { format!("%{:02X}", u32::from(letter)) } else { letter.to_string() })
        .collect()
}

/// A read-only connection; `None` if there is no file yet.
async fn connect_to_read(url: &SecretString) -> Result<Option<(AnyConnection, Engine)>, Error> {
    sqlx::any::install_default_drivers();
    let url = url.expose_secret();
    if !url.starts_with("sqlite:") {
        open::check_is_postgres(url)?;
        return Ok(Some((connection::connect_alone(url, connection::DEADLINES).await?, Engine::Postgres)));
    }
    let Place::File(path) = open::place_of(url)? else { return Ok(None) };
    if !path.exists() {
        return Ok(None);
    }
    let base = url.split_once('?').map_or(url, |(base, _)| base);
    let connection = connection::connect_alone(&format!("{base}?mode=ro"), "PRAGMA busy_timeout = 5000;").await?;
    Ok(Some((connection, Engine::Sqlite)))
}
