//! Whether the database can be written, judging by the last writes. A database that can only be read answers every query but stores
//! nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Error, Store};

/// The results of the last writes.
#[derive(Debug, Default)]
pub(super) struct Writes {
    failed: AtomicBool,
    disk_is_full: AtomicBool,
    /// Whether SQLite's write-ahead log has its full length. It starts short in each process.
    has_long_log: AtomicBool,
}

impl Writes {
    /// Records the result of a write.
    pub(super) fn note(&self, outcome: Result<(), &Error>) {
        match outcome {
            Ok(()) => self.failed.store(false, Ordering::Relaxed),
            Err(Error::Full | Error::ReadOnly | Error::Locked | Error::Unavailable(_)) => {
                self.failed.store(true, Ordering::Relaxed);
            }
            // Refused because of its content, which says nothing about the database.
            Err(_) => {}
        }
    }

    /// Records whether the disk has room for more than the operations that already run.
    pub(super) fn note_disk(&self, is_full: bool) {
        self.disk_is_full.store(is_full, Ordering::Relaxed);
    }

    pub(super) fn disk_is_full(&self) -> bool {
        self.disk_is_full.load(Ordering::Relaxed)
    }

    /// Records that the write-ahead log has its full length.
    pub(super) fn note_long_log(&self) {
        self.has_long_log.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_long_log(&self) -> bool {
        self.has_long_log.load(Ordering::Relaxed)
    }
}

impl Store {
    /// Whether the last write failed, or the disk has no room for anything new.
    pub fn write_failed(&self) -> bool {
        self.writes.failed.load(Ordering::Relaxed) || self.writes.disk_is_full()
    }

    /// Writes a meaningless value and rolls it back, to bring [`Store::write_failed`] up to date.
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

    /// Records the result of a write and returns it.
    pub(super) fn note_write<T>(&self, outcome: Result<T, Error>) -> Result<T, Error> {
        self.writes.note(outcome.as_ref().map(|_| ()));
        outcome
    }
}
