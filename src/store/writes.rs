//! Whether the database can be written, as the last writes found it: a database that can only be read answers everything and does nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Error, Store};

/// How the last writes went.
#[derive(Debug, Default)]
pub(super) struct Writes {
    failed: AtomicBool,
    disk_is_full: AtomicBool,
    /// SQLite's write-ahead log begins short with each process.
    has_long_log: AtomicBool,
}

impl Writes {
    /// Keeps in mind how a write went.
    pub(super) fn note(&self, outcome: Result<(), &Error>) {
        match outcome {
            Ok(()) => self.failed.store(false, Ordering::Relaxed),
            Err(Error::Full | Error::ReadOnly | Error::Locked | Error::Unavailable(_)) => {
                self.failed.store(true, Ordering::Relaxed);
            }
            // Refused for what it says: that tells nothing of the database.
            Err(_) => {}
        }
    }

    /// Says whether the disk has room for more than what is under way.
    pub(super) fn note_disk(&self, is_full: bool) {
        self.disk_is_full.store(is_full, Ordering::Relaxed);
    }

    pub(super) fn disk_is_full(&self) -> bool {
        self.disk_is_full.load(Ordering::Relaxed)
    }

    /// Says that the write-ahead log has its full length.
    pub(super) fn note_long_log(&self) {
        self.has_long_log.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_long_log(&self) -> bool {
        self.has_long_log.load(Ordering::Relaxed)
    }
}

impl Store {
    /// Whether the last write failed, or the disk has no room left for anything new.
    pub fn write_failed(&self) -> bool {
        self.writes.failed.load(Ordering::Relaxed) || self.writes.disk_is_full()
    }

    /// Writes something that means nothing, and takes it back: what [`Store::write_failed`] says is up to date then.
    pub async fn probe_write(&self) -> Result<(), Error> {
        let probed = async {
            let mut transaction = self.begin().await?;
            sqlx::query("INSERT INTO registered_commands (guild_id, digest) VALUES (0, '') ON CONFLICT DO NOTHING")
                .execute(&mut *transaction)
                .await?;
            sqlx::query("DELETE FROM registered_commands WHERE guild_id = 0").execute(&mut *transaction).await?;
            transaction.commit().await.map_err(Error::from)
        };
        let probed = probed.await;
        self.note_write(probed)
    }

    /// Passes on how a write went, and keeps it in mind.
    pub(super) fn note_write<T>(&self, outcome: Result<T, Error>) -> Result<T, Error> {
        self.writes.note(outcome.as_ref().map(|_| ()));
        outcome
    }
}
