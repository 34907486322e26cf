//! What an operator may rely on: a clear message when the database is not as it should be.

use std::error::Error as _;

use snapshot_bot::{
    clock::Clock,
    operation::{
        Outcome,
        ids::{ChannelId, GuildId, InteractionId, MessageId, OperationId},
        kinds::{Backups, BackupsChange, Delete, Kind, Launch, Restore},
        reading::Failure,
        step::Work,
    },
    schedule::hung_shutdowns::{Asked, HungShutdowns},
    store::{Error, Settings, Store, Whose},
};
use sqlx::migrate::Migrator;

use crate::memory::{Memory, nothing_skipped, request};

async fn open(url: &str) -> Result<Store, Error> {
    Store::open(&Settings { url: url.into(), notify_channel: None }, Clock::wall()).await
}

/// An error with all of its causes, as a person will read it.
fn chain(error: &Error) -> String {
    let mut text = format!("could not {error}");
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

contract! {
    async fn a_database_of_a_newer_version_is_left_alone(memory: &Memory) {
        drop(memory.open().await);
        let binary = if memory.is_postgresql() { "'\\x00'" } else { "x'00'" };
        let success = if memory.is_postgresql() { "TRUE" } else { "1" };
        memory.tamper(&format!(
            "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
             VALUES (9999, 'later', CURRENT_TIMESTAMP, {success}, {binary}, 0)"
        )).await;
        let refused = open(&memory.url).await;
        assert!(matches!(refused, Err(Error::NewerSchema { found: 9999, .. })), "{refused:?}");
    }

    async fn a_database_of_another_making_is_left_alone(memory: &Memory) {
        drop(memory.open().await);
        let binary = if memory.is_postgresql() { "'\\x00'" } else { "x'00'" };
        memory.tamper(&format!("UPDATE _sqlx_migrations SET checksum = {binary} WHERE version = 1")).await;
        let refused = open(&memory.url).await;
        assert!(matches!(refused, Err(Error::ForeignSchema(1))), "{refused:?}");
    }

    async fn every_migration_is_applied_over_filled_tables(memory: &Memory) {
        let migrations = Migrator::new(std::path::Path::new("migrations")).await.unwrap();
        let pool = memory.new_database().await;
        for migration in migrations.iter() {
            migrations.run_to(migration.version, &pool).await.unwrap();
            let rows = format!("tests/store/rows/{:04}.sql", migration.version);
            let rows = std::fs::read_to_string(&rows).unwrap_or_else(|_| panic!("{rows} fills the new tables"));
            sqlx::raw_sql(sqlx::AssertSqlSafe(rows)).execute(&pool).await.unwrap();
        }
        pool.close().await;
        let store = memory.open().await;
        let id: OperationId = "00000001".parse().unwrap();
        assert_eq!(store.due(memory.clock.now(), Whose::All, &nothing_skipped(), 9).await.unwrap(), [id]);
        let loaded = store.load(id).await.unwrap().unwrap();
        assert_eq!(loaded.operation.outcome, None, "the state of an earlier version is read, not rescued");
        assert_eq!(loaded.instructions.len(), 1);
        store.commit(&loaded, &loaded.operation, None).await.unwrap();
        assert_eq!(store.timeline(id).await.unwrap().len(), 2);
        for number in "23456789ab".chars() {
            let id: OperationId = format!("0000000{number}").parse().unwrap();
            let loaded = store.load(id).await.unwrap().unwrap();
            let is_read = loaded.operation.outcome != Some(Outcome::Failed(Failure::Internal));
            assert!(is_read, "the state of {id} is read, not rescued");
            let works: Vec<_> = loaded.operation.steps.iter().map(|step| step.work.clone()).collect();
            let has_its_data = match &loaded.operation.kind {
                Kind::Take { .. } => true,
                Kind::TurnOn { .. } => works.is_empty() && loaded.operation.owes_power(),
                Kind::Restart { .. } => works == [Work::Restart],
                Kind::Restore(Restore { snapshot, .. }) => works.contains(&Work::Restore(snapshot.id)),
                Kind::Launch(Launch { droplet, .. }) => works == [Work::Create(droplet.clone())],
                Kind::Delete(Delete { snapshot }) => works == [Work::Delete(snapshot.id)],
                Kind::Backups(Backups { change: BackupsChange::Disable { keep: Some(backup), .. } }) => {
                    works == [Work::KeepBackup(backup.id), Work::DisableBackups]
                }
                Kind::Backups(_) => false,
            };
            assert!(has_its_data, "the steps of {id} know what they work with: {works:?}");
            store.commit(&loaded, &loaded.operation, None).await.unwrap();
            assert_eq!(store.load(id).await.unwrap().unwrap().operation, loaded.operation, "{id} survives being written again");
        }
        assert_eq!(store.power_owed().await.unwrap().len(), 5);
        assert_eq!(store.due_reports(memory.clock.now(), 9).await.unwrap().len(), 1);
        assert_eq!(store.progress_message(id).await.unwrap(), Some((ChannelId(3), MessageId(77))));
        assert_eq!(store.typical(loaded.operation.target.droplet).await.unwrap().millis.len(), 1);
        assert!(store.registered_commands(GuildId(2)).await.unwrap().is_some());
        assert_eq!(loaded.operation.trigger, None, "people asked for what rows of earlier versions hold");
        let schedules = store.schedules().await.unwrap();
        assert_eq!(schedules.len(), 2);
        assert_eq!(schedules[1].schedule.watched.hangs, HungShutdowns { in_a_row: 3, asked: Asked::Open });
        assert_eq!(store.told_with((schedules[1].schedule.id, 1)).await.unwrap().len(), 1);
        assert!(!schedules[0].schedule.is_active());
        let id = schedules[0].schedule.id;
        assert_eq!(store.latest_slots(id, 9).await.unwrap().len(), 1);
        assert_eq!(store.schedule_snapshots(id).await.unwrap().len(), 1);
        assert_eq!(store.due_schedule_messages(memory.clock.now(), 9).await.unwrap().len(), 3, "one is told by another");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_but_its_owner_may_read_a_new_database() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let store = open(&format!("sqlite://{}/bot.db", folder.path().display())).await.unwrap();
    store.create(request(1, 10), InteractionId(1)).await.unwrap();
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort_unstable();
    assert_eq!(names, ["bot.db", "bot.db-shm", "bot.db-wal", "bot.db.lock"]);
}

#[tokio::test]
async fn a_database_in_memory_needs_no_file() {
    for url in ["sqlite::memory:", "sqlite://?mode=memory&cache=private"] {
        let (one, other) = (open(url).await.unwrap(), open(url).await.unwrap());
        let created = one.create(request(1, 10), InteractionId(1)).await.unwrap();
        assert!(one.operation(created.id).await.unwrap().is_some());
        assert!(other.operation(created.id).await.unwrap().is_none(), "{url} is nobody else's");
    }
    assert!(!std::path::Path::new(":memory:.lock").exists());
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let error = open("sqlite:///no/such/folder/snapshot-bot.db").await.unwrap_err();
    let wanted = "could not open the database /no/such/folder/snapshot-bot.db: its folder does not exist";
    assert_eq!(chain(&error), wanted);
}

#[tokio::test]
async fn a_read_only_database_is_called_so() {
    let memory = Memory::sqlite();
    let file = memory.url.trim_start_matches("sqlite://").to_owned();
    drop(sqlx::SqlitePool::connect(&format!("{}?mode=rwc", memory.url)).await.unwrap());
    let error = open(&format!("sqlite://{file}?mode=ro")).await.unwrap_err();
    assert!(matches!(error, Error::ReadOnly), "{error:?}");
}

#[tokio::test]
async fn a_file_that_can_only_be_read_is_called_so_at_once() {
    let memory = Memory::sqlite();
    drop(memory.open().await);
    let file = memory.url.trim_start_matches("sqlite://").to_owned();
    // Its tables are up to date, so opening it needs no write.
    let error = open(&format!("sqlite://{file}?mode=ro")).await.unwrap_err();
    assert!(matches!(error, Error::ReadOnly), "{error:?}");
}

#[tokio::test]
async fn a_link_to_a_database_in_use_is_refused_too() {
    let folder = tempfile::tempdir().unwrap();
    let (path, link) = (folder.path().join("bot.db"), folder.path().join("link.db"));
    let first = open(&format!("sqlite://{}", path.display())).await.unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let second = open(&format!("sqlite://{}", link.display())).await;
    assert!(matches!(second, Err(Error::InUse { .. })), "{second:?}");
    drop(first);
}

#[tokio::test]
async fn a_path_with_spaces_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my bot #1.db");
    let url = format!("sqlite://{}/my%20bot%20%231.db", folder.path().display());
    open(&url).await.unwrap();
    assert!(path.exists());
    assert!(folder.path().join("my bot #1.db.lock").exists());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "these are not the rows you are looking for".repeat(100)).unwrap();
    let error = open(&format!("sqlite://{}", path.display())).await.unwrap_err();
    assert!(chain(&error).contains("not a database"), "{}", chain(&error));
}

#[tokio::test]
async fn an_address_of_something_else_is_refused() {
    for url in
        ["mysql://root:hunter2@localhost/x", "snapshot-bot.db", "", "sqlite://", "sqlite://\u{0}", "sqlite:?mode=x"]
    {
        let error = open(url).await.unwrap_err();
        assert!(matches!(error, Error::BadAddress(_)), "{url}: {error:?}");
        assert!(!chain(&error).contains("hunter2"));
    }
}

#[tokio::test]
async fn a_password_appears_in_no_error() {
    // A port that nothing listens on, and invalid addresses.
    for url in [
        "postgres://ada:hunter2@127.0.0.1:1/x",
        "postgres://ada:hunter2@127.0.0.1:99999/x",
        "postgres://ada:hunter2@[::1/x",
        "postgres://ada:hunter2@127.0.0.1:1/x?sslmode=hunter2x",
    ] {
        let settings = Settings { url: url.into(), notify_channel: None };
        let error = Store::open(&settings, Clock::wall()).await.unwrap_err();
        let text = format!("{} {error:?} {settings:?}", chain(&error));
        assert!(!text.contains("hunter2@") && !text.contains("ada:"), "{text}");
    }
}
