//! The history as auditors and backups need it: read alongside a running bot, without its lock, its lease and its migrations.
//!
//! Called by `app::audit` and `app::backup`. Nothing is written but the copy.

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

/// The bot's files are for its own user only.
const PRIVATE: u32 = 0o600;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditEntry {
    /// To an operation.
    Event(PastEvent),
    /// To something else, by a person.
    Act(PastAct),
}

impl AuditEntry {
    /// When.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Event(past) => past.event.at,
            Self::Act(past) => past.at,
        }
    }
}

/// One thing that happened to an operation, and to which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastEvent {
    /// When, who and what.
    pub event: Event,
    /// The operation.
    pub operation: OperationId,
    /// Its kind, in a word.
    pub kind: String,
    /// The Droplet's id, where there is one.
    pub droplet: Option<DropletId>,
    /// The Droplet's name.
    pub droplet_name: String,
    /// Who asked for the operation.
    pub asker: UserId,
    /// Where it was asked for.
    pub guild: GuildId,
    /// The channel there.
    pub channel: ChannelId,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It is not a SQLite database.
    #[error("this is for SQLite; copy PostgreSQL with its own pg_dump")]
    Postgres,
    /// There is nothing to copy.
    #[error("there is no database {}", .0.display())]
    NoDatabase(PathBuf),
    /// A file of that name is there, and stays as it is.
    #[error("{} exists already, and is left as it is", .0.display())]
    Exists(PathBuf),
    /// The file cannot be made or written.
    #[error("could not write {}: {source}", path.display())]
    File {
        /// The copy.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database cannot be read, or the copy is not whole.
    #[error("could not {0}")]
    Store(#[from] Error),
    /// What was written is not a sound database.
    #[error("the copy is not sound and was removed: {0}")]
    Damaged(String),
}

impl Store {
    /// Everything that happened since `since`, oldest first; nothing of what was pruned. None where no bot has used this database yet.
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
        // An older bot may still be the one that uses it.
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
                asker: UserId(row.id("asker_id").unwrap_or_default()),
                guild: GuildId(row.id("guild_id").unwrap_or_default()),
                channel: ChannelId(row.id("channel_id").unwrap_or_default()),
            })
        };
        let events = rows.iter().filter_map(read).map(AuditEntry::Event);
        let mut entries: Vec<_> = events.chain(acts.into_iter().map(AuditEntry::Act)).collect();
        entries.sort_by_key(AuditEntry::at);
        Ok(Some(entries))
    }

    /// Writes a whole copy of a SQLite database into a new file that only its owner may read, while a bot may be running. What is
    /// committed before it begins is in it. The copy is looked over before this returns.
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
            // Half a copy is worse than none; that it cannot be removed is the lesser trouble.
            drop(std::fs::remove_file(copy));
        }
        written
    }
}

/// A file that was not there before. SQLite writes into it as long as it is empty.
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

/// A path as a database's address holds it.
fn encoded(path: &str) -> String {
    let special = |letter: char| matches!(letter, '%' | '?' | '#' | ' ');
    path.chars()
        .map(|letter| if special(letter) { format!("%{:02X}", u32::from(letter)) } else { letter.to_string() })
        .collect()
}

/// A connection that reads; none where there is no file yet.
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
