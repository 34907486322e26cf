//! Reserved disk space for a SQLite database, so that running operations can still be stored when the disk is full.
//!
//! The space is inside the database's own files, where no other program can take it: free pages in the database, and a write-ahead log long
//! enough to be overwritten until it is copied into the database, after which it starts again (<https://www.sqlite.org/wal.html>). `app`
//! requests the space at the start and every minute.

use sqlx::{AnyConnection, Executor};

use super::{Engine, Error, Store, row::Row};

/// Free pages of 4 KiB: some 5 MB. More than the 1,000 after which SQLite copies the log into the database, and enough to finish some 1,000
/// operations.
const PAGES: i64 = 1_200;
/// Fills the same number of pages, in pieces of 64 KiB. The data is random, because a file system may reserve no space for zeros.
const FILL: &str = "CREATE TABLE reserve AS WITH RECURSIVE piece(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM piece \
                    WHERE number < 75) SELECT randomblob(65536) AS filler FROM piece";

impl Store {
    /// Ensures that the space is reserved, on SQLite. [`Error::Full`] means that there is no more space, so nothing new begins until there
    /// is.
    pub async fn keep_reserve(&self) -> Result<(), Error> {
        if self.engine == Engine::Postgres {
            return Ok(());
        }
        let mut connection = self.pool.acquire().await?;
        let kept = self.keep(&mut connection).await;
        self.writes.note_disk(matches!(kept, Err(Error::Full)));
        kept
    }

    async fn keep(&self, connection: &mut AnyConnection) -> Result<(), Error> {
        let has_log = self.writes.has_long_log();
        if has_log && free_pages(connection).await? >= PAGES / 2 {
            return Ok(());
        }
        // A process that died while doing this may have left the table behind.
        connection.execute("DROP TABLE IF EXISTS reserve").await?;
        // The log of an earlier process is then overwritten from its beginning.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").await?;
        connection.execute(FILL).await?;
        // Until then the pages are only in the log.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").await?;
        connection.execute("DROP TABLE reserve").await?;
        self.writes.note_long_log();
        Ok(())
    }
}

async fn free_pages(connection: &mut AnyConnection) -> Result<i64, Error> {
    let row = sqlx::query("SELECT freelist_count FROM pragma_freelist_count").fetch_one(connection).await?;
    Ok(Row(&row).number("freelist_count").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use sqlx::AssertSqlSafe;

    use super::*;
    use crate::{
        clock::Clock,
        operation::{
            Instructed, Instruction, NewOperation, Operation, Requester, Target, TypicalDurations,
            ids::{ChannelId, DropletId, GuildId, InteractionId, OperationId, UserId},
            kinds::{Downtime, IfHung, Kind, Take},
        },
        store::{CreateError, Settings},
    };

    async fn open(folder: &tempfile::TempDir) -> Store {
        let url = format!("sqlite://{}", folder.path().join("bot.db").display());
        Store::open(&Settings { url: url.into(), notify_channel: None }, Clock::wall()).await.unwrap()
    }

    async fn create(store: &Store, number: u64) -> Result<Operation, CreateError> {
        let request = NewOperation {
            id: OperationId::from_random(number),
            kind: Kind::Take(Take { power: Downtime::PowerOff, if_hung: IfHung::Ask }),
            requester: Requester { user: UserId(1), guild: GuildId(2), channel: ChannelId(3) },
            asked_at: Timestamp::UNIX_EPOCH,
            target: Target { droplet: Some(DropletId(number)), name: "web".to_owned(), region: None, disk_gb: None },
            snapshot_name: None,
            typical: TypicalDurations::default(),
        };
        store.create(request, InteractionId(number)).await
    }

    async fn say(store: &Store, operation: &Operation, times: u64) -> Result<(), Error> {
        for _ in 0..times {
            let instructed = Instructed { instruction: Instruction::Cancel, by: UserId(1), at: Timestamp::UNIX_EPOCH };
            store.instruct(operation.id, instructed, None).await?;
        }
        Ok(())
    }

    /// Lets the database grow by only this many pages, as on a disk that is nearly full.
    async fn leave_room_for(store: &Store, pages: i64) {
        let row = sqlx::query("SELECT page_count FROM pragma_page_count").fetch_one(&store.pool).await.unwrap();
        let most = Row(&row).number("page_count").unwrap() + pages;
        store.pool.execute(AssertSqlSafe(format!("PRAGMA max_page_count = {most}"))).await.unwrap();
    }

    #[tokio::test]
    async fn without_the_reserve_a_full_disk_stops_what_is_under_way() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        let operation = create(&store, 1).await.unwrap();
        leave_room_for(&store, 0).await;
        assert!(matches!(say(&store, &operation, 400).await, Err(Error::Full)));
        assert!(store.write_failed());
        leave_room_for(&store, 9).await;
        store.probe_write().await.unwrap();
        assert!(!store.write_failed());
    }

    #[tokio::test]
    async fn on_a_full_disk_what_is_under_way_goes_on_and_nothing_new_begins() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        store.keep_reserve().await.unwrap();
        let operation = create(&store, 1).await.unwrap();
        leave_room_for(&store, 0).await;
        store.pool.execute("CREATE TABLE history AS SELECT randomblob(3000000) AS filler").await.unwrap();
        assert!(matches!(store.keep_reserve().await, Err(Error::Full)));
        assert!(store.write_failed());
        assert!(matches!(create(&store, 2).await, Err(CreateError::Unavailable(Error::Full))));
        say(&store, &operation, 400).await.unwrap();
        leave_room_for(&store, 2 * PAGES).await;
        store.keep_reserve().await.unwrap();
        assert!(!store.write_failed());
        create(&store, 2).await.unwrap();
    }

    #[tokio::test]
    async fn the_log_is_written_over_and_does_not_grow() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        store.keep_reserve().await.unwrap();
        let length = || std::fs::metadata(folder.path().join("bot.db-wal")).unwrap().len();
        let before = length();
        let operation = create(&store, 1).await.unwrap();
        say(&store, &operation, 600).await.unwrap();
        assert_eq!(length(), before);
    }
}
