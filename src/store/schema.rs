//! The tables and their versions: which migrations a database has had, and applying the missing ones.
//!
//! Only a process that holds the lease, or SQLite's lock, migrates: a process of a newer version must not change the tables under an older
//! one that is active.

use std::sync::LazyLock;

use sqlx::{
    AnyConnection, SqlSafeStr,
    migrate::{AppliedMigration, Migrate, MigrateError, Migration, MigrationType},
};

use super::{Engine, Error, row::Row};

/// Each file under `migrations/`, with its version and description. sqlx has a macro that reads the folder, but it makes the build compile
/// both database drivers a second time, which takes minutes.
const FILES: [(i64, &str, &str); 16] = [
    (1, "memory", include_str!("../../migrations/0001_memory.sql")),
    (2, "lease", include_str!("../../migrations/0002_lease.sql")),
    (3, "power", include_str!("../../migrations/0003_power.sql")),
    (4, "history", include_str!("../../migrations/0004_history.sql")),
    (5, "questions", include_str!("../../migrations/0005_questions.sql")),
    (6, "calls", include_str!("../../migrations/0006_calls.sql")),
    (7, "moved reports", include_str!("../../migrations/0007_moved_reports.sql")),
    (8, "schedules", include_str!("../../migrations/0008_schedules.sql")),
    (9, "snapshot records", include_str!("../../migrations/0009_snapshot_records.sql")),
    (10, "groups", include_str!("../../migrations/0010_groups.sql")),
    (11, "schedule notices", include_str!("../../migrations/0011_schedule_notices.sql")),
    (12, "outdated messages", include_str!("../../migrations/0012_outdated_messages.sql")),
    (13, "restore sources", include_str!("../../migrations/0013_restore_sources.sql")),
    (WITH_ACTS, "acts", include_str!("../../migrations/0014_acts.sql")),
    (15, "deletions", include_str!("../../migrations/0015_deletions.sql")),
    (16, "kept backups", include_str!("../../migrations/0016_kept_backups.sql")),
];
static MIGRATIONS: LazyLock<Vec<Migration>> = LazyLock::new(|| {
    let of_file = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    FILES.into_iter().map(of_file).collect()
});
/// The table in which sqlx records applied migrations.
const NOTES: &str = "_sqlx_migrations";
/// The version since which the lease is one row per database.
pub(super) const WITH_LEASE: i64 = 2;
/// The version since which the table of people's actions outside operations exists.
pub(super) const WITH_ACTS: i64 = 14;

/// The latest version of the tables that this program knows.
pub(super) fn known() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// The version of a database's tables, or 0 if there are none yet. Changes nothing.
///
/// [`Error::NewerSchema`] and [`Error::ForeignSchema`] mean that this program must leave the database alone.
pub(super) async fn found(connection: &mut AnyConnection, engine: Engine) -> Result<i64, Error> {
    Ok(applied(connection, engine).await?.into_iter().max().unwrap_or_default())
}

/// Migrates the tables up to `version`.
pub(super) async fn migrate(connection: &mut AnyConnection, engine: Engine, version: i64) -> Result<(), Error> {
    connection.lock().await.map_err(of_migration)?;
    connection.ensure_migrations_table(NOTES).await.map_err(of_migration)?;
    let applied = applied(connection, engine).await?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.version <= version) {
        if !applied.contains(&migration.version) {
            connection.apply(NOTES, migration).await.map_err(of_migration)?;
        }
    }
    connection.unlock().await.map_err(of_migration)
}

/// The migrations that a database has had, all of which this program must know.
async fn applied(connection: &mut AnyConnection, engine: Engine) -> Result<Vec<i64>, Error> {
    let noted = match engine {
        Engine::Sqlite => "SELECT COUNT(*) AS n FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'",
        Engine::Postgres => "SELECT COUNT(*) AS n WHERE to_regclass('_sqlx_migrations') IS NOT NULL",
    };
    let row = sqlx::query(noted).fetch_one(&mut *connection).await?;
    if Row(&row).number("n") == Some(0) {
        return Ok(Vec::new());
    }
    if let Some(dirty) = connection.dirty_version(NOTES).await.map_err(of_migration)? {
        return Err(Error::ForeignSchema(dirty));
    }
    let applied = connection.list_applied_migrations(NOTES).await.map_err(of_migration)?;
    if let Some(newer) = applied.iter().map(|one| one.version).filter(|version| *version > known()).max() {
        return Err(Error::NewerSchema { found: newer, known: known() });
    }
    let is_known = |one: &AppliedMigration| {
        MIGRATIONS.iter().any(|migration| migration.version == one.version && migration.checksum == one.checksum)
    };
    match applied.iter().find(|one| !is_known(one)) {
        Some(foreign) => Err(Error::ForeignSchema(foreign.version)),
        None => Ok(applied.into_iter().map(|one| one.version).collect()),
    }
}

fn of_migration(error: MigrateError) -> Error {
    Error::of_migration(error, known())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sqlx::migrate::Migrator;

    use super::*;

    #[tokio::test]
    async fn every_file_is_a_migration() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let found = Migrator::new(folder).await.unwrap();
        let shown =
            |migration: &Migration| (migration.version, migration.description.to_string(), migration.checksum.to_vec());
        let found: Vec<_> = found.iter().map(shown).collect();
        assert_eq!(MIGRATIONS.iter().map(shown).collect::<Vec<_>>(), found);
    }
}
