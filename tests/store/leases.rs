//! One owner at a time: a lock next to the file on SQLite, a row on PostgreSQL.

use std::time::Duration;

use jiff::SignedDuration;
use snapshot_bot::{
    operation::{
        Instruction,
        ids::{DropletId, GuildId, InteractionId, MessageId},
    },
    store::{CreateError, Error, Store, Version},
};
use sqlx::migrate::Migrator;

use crate::memory::{Memory, at, instructed, load, request};

/// Moves the end of every lease to this many milliseconds after the database's present time.
async fn set_end(memory: &Memory, millis: i64) {
    let now = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
    memory.tamper(&format!("UPDATE lease SET expires_at = {now} + ({millis})")).await;
}

async fn standby(memory: &Memory) -> Store {
    Store::open(&memory.settings(), memory.clock.clone()).await.unwrap()
}

#[tokio::test]
async fn two_stores_on_one_sqlite_file_are_refused() {
    let memory = Memory::sqlite();
    let first = memory.open().await;
    let second = Store::open(&memory.settings(), memory.clock.clone()).await;
    assert!(matches!(second, Err(Error::InUse { .. })), "{second:?}");
    drop(first);
    memory.open().await;
}

#[tokio::test]
async fn on_sqlite_the_lease_never_ends() {
    let memory = Memory::sqlite();
    let store = memory.open().await;
    let lease = store.try_lease("holder").await.unwrap().unwrap();
    assert_eq!(lease.remaining(), Duration::MAX);
    lease.renew().await.unwrap();
    lease.release().await.unwrap();
}

#[tokio::test]
async fn on_postgresql_a_held_lease_is_refused_to_others() {
    let Some(memory) = Memory::postgresql().await else { return };
    let (first, second) = (standby(&memory).await, standby(&memory).await);
    let lease = first.try_lease("a").await.unwrap().unwrap();
    assert!(lease.remaining() <= Duration::from_secs(15));
    assert!(second.try_lease("b").await.unwrap().is_none());
    assert_eq!(second.lease_is_free_for("b").await.unwrap(), None);
    assert_eq!(first.lease_is_free_for("a").await.unwrap(), Some(Duration::ZERO));
    lease.renew().await.unwrap();
    memory.forget().await;
}

#[tokio::test]
async fn on_postgresql_many_who_want_a_free_lease_get_one() {
    let Some(memory) = Memory::postgresql().await else { return };
    let holders: Vec<String> = (0..6).map(|number| number.to_string()).collect();
    let mut stores = Vec::new();
    for _ in &holders {
        stores.push(standby(&memory).await);
    }
    let tries = stores.iter().zip(&holders).map(|(store, holder)| store.try_lease(holder));
    let leases = futures_util::future::join_all(tries).await;
    assert_eq!(leases.iter().filter(|lease| matches!(lease, Ok(Some(_)))).count(), 1, "{leases:?}");
    memory.forget().await;
}

#[tokio::test]
async fn on_postgresql_a_successor_waits_for_the_end_and_the_last_requests_deadline() {
    let Some(memory) = Memory::postgresql().await else { return };
    let (first, second) = (standby(&memory).await, standby(&memory).await);
    let lease = first.try_lease("a").await.unwrap().unwrap();
    set_end(&memory, -1).await;
    assert!(second.try_lease("b").await.unwrap().is_none(), "a last request may be under way");
    set_end(&memory, -10_000).await;
    assert!(second.try_lease("b").await.unwrap().is_some());
    assert!(matches!(lease.renew().await, Err(Error::LeaseLost)));
    assert_eq!(lease.remaining(), Duration::ZERO);
    memory.forget().await;
}

#[tokio::test]
async fn on_postgresql_a_released_lease_is_free_at_once() {
    let Some(memory) = Memory::postgresql().await else { return };
    let (first, second) = (standby(&memory).await, standby(&memory).await);
    first.try_lease("a").await.unwrap().unwrap().release().await.unwrap();
    assert!(second.lease_is_free_for("b").await.unwrap().unwrap() < Duration::from_mins(1), "since it was given back");
    assert!(second.try_lease("b").await.unwrap().is_some());
    memory.forget().await;
}

#[tokio::test]
async fn on_postgresql_a_late_release_does_not_free_the_successors_lease() {
    let Some(memory) = Memory::postgresql().await else { return };
    let (first, second, third) = (standby(&memory).await, standby(&memory).await, standby(&memory).await);
    let lease = first.try_lease("a").await.unwrap().unwrap();
    set_end(&memory, -10_000).await;
    second.try_lease("b").await.unwrap().unwrap();
    lease.release().await.unwrap();
    assert!(third.try_lease("c").await.unwrap().is_none());
    memory.forget().await;
}

#[tokio::test]
async fn on_postgresql_a_thawed_owner_commits_and_says_nothing_more() {
    let Some(memory) = Memory::postgresql().await else { return };
    let (first, second) = (standby(&memory).await, standby(&memory).await);
    first.try_lease("a").await.unwrap().unwrap();
    let operation = first.create(request(1, 10), InteractionId(1)).await.unwrap();
    let loaded = load(&first, operation.id).await;
    let report = first.due_reports(at(9), 9).await.unwrap().remove(0);

    set_end(&memory, -1).await;
    let ended_lease = first.commit(&loaded, &operation, None).await;
    assert!(matches!(ended_lease, Err(Error::LeaseLost)), "{ended_lease:?}");
    set_end(&memory, -10_000).await;
    second.try_lease("b").await.unwrap().unwrap();

    let late = first.commit(&loaded, &operation, None).await;
    assert!(matches!(late, Err(Error::LeaseLost)), "{late:?}");
    let posting = first.report_posting(&report, at(9)).await;
    assert!(matches!(posting, Err(Error::LeaseLost)), "{posting:?}");
    let editing = first.report_editing(&report).await;
    assert!(matches!(editing, Err(Error::LeaseLost)), "{editing:?}");
    let posted = first.report_posted(&report, MessageId(1), Version(1), "d", at(9)).await;
    assert!(matches!(posted, Err(Error::LeaseLost)), "{posted:?}");
    assert_eq!(second.commit(&loaded, &operation, None).await.unwrap(), Version(2));
    memory.forget().await;
}

#[tokio::test]
async fn on_postgresql_nobody_changes_anything_without_a_lease() {
    let Some(memory) = Memory::postgresql().await else { return };
    let owner = memory.open().await;
    let operation = owner.create(request(1, 10), InteractionId(1)).await.unwrap();
    let store = standby(&memory).await;
    let refused = store.commit(&load(&store, operation.id).await, &operation, None).await;
    assert!(matches!(refused, Err(Error::LeaseLost)), "{refused:?}");
    let refused = store.create(request(2, 20), InteractionId(2)).await;
    assert!(matches!(refused, Err(CreateError::Unavailable(Error::LeaseLost))), "{refused:?}");
    let refused = store.instruct(operation.id, instructed(Instruction::Cancel), None).await;
    assert!(matches!(refused, Err(Error::LeaseLost)), "{refused:?}");
    let refused = store.set_registered_commands(GuildId(1), "digest").await;
    assert!(matches!(refused, Err(Error::LeaseLost)), "{refused:?}");
    let refused = store.accept_token(&"token".into(), None).await;
    assert!(matches!(refused, Err(Error::LeaseLost)), "{refused:?}");
    assert!(matches!(store.beat().await, Err(Error::LeaseLost)));
    memory.forget().await;
}

#[tokio::test]
async fn on_postgresql_commits_that_wait_cost_no_renewal() {
    let Some(memory) = Memory::postgresql().await else { return };
    let store = standby(&memory).await;
    let lease = store.try_lease("a").await.unwrap().unwrap();
    let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
    let loaded = load(&store, operation.id).await;
    let mut somebody = memory.back_door().await.begin().await.unwrap();
    sqlx::query("SELECT id FROM operations FOR UPDATE").fetch_all(&mut *somebody).await.unwrap();
    // More than the pool has connections for; those with a connection lock the lease's row.
    let commits = futures_util::future::join_all((0..20).map(|_| store.commit(&loaded, &operation, None)));
    tokio::pin!(commits);
    let renewals = async {
        for _ in 0..20 {
            lease.renew().await.unwrap();
        }
    };
    tokio::select! {
        _ = &mut commits => panic!("the commits wait for somebody"),
        () = renewals => {}
    }
    somebody.rollback().await.unwrap();
    let written = commits.await.into_iter().flatten().count();
    assert_eq!(written, 1, "the version lets one through");
    memory.forget().await;
}

#[tokio::test]
async fn on_postgresql_the_tables_of_an_active_earlier_version_are_left_alone() {
    let Some(memory) = Memory::postgresql().await else { return };
    let migrations = Migrator::new(std::path::Path::new("migrations")).await.unwrap();
    let pool = memory.new_database().await;
    migrations.run_to(1, &pool).await.unwrap();
    let now = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
    memory.tamper(&format!("INSERT INTO leases (account, holder, expires_at) VALUES ('x', 'y', {now} + 5000)")).await;
    let store = standby(&memory).await;
    assert!(store.try_lease("a").await.unwrap().is_none());
    assert!(!store.is_up_to_date());
    // The earlier version still finds its lease.
    memory.tamper(&format!("UPDATE leases SET expires_at = {now} - 10000")).await;
    assert!(store.try_lease("a").await.unwrap().is_some());
    assert!(store.is_up_to_date());
    pool.close().await;
    memory.forget().await;
}

#[tokio::test]
async fn on_postgresql_a_standby_that_a_newer_version_overtook_leaves_the_database_alone() {
    let Some(memory) = Memory::postgresql().await else { return };
    let (first, second) = (standby(&memory).await, standby(&memory).await);
    first.try_lease("a").await.unwrap().unwrap().release().await.unwrap();
    memory
        .tamper(
            "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
             VALUES (9999, 'later', CURRENT_TIMESTAMP, TRUE, '\\x00', 0)",
        )
        .await;
    let refused = second.try_lease("b").await;
    assert!(matches!(refused, Err(Error::NewerSchema { found: 9999, .. })), "{refused:?}");
    memory.forget().await;
}

contract! {
    async fn the_last_heartbeat_tells_how_long_nobody_looked_after_the_operations(memory: &Memory) {
        let store = Store::open(&memory.settings(), memory.clock.clone()).await.unwrap();
        let first = store.try_lease("a").await.unwrap().unwrap();
        assert_eq!((first.unattended(), store.last_heartbeat().await.unwrap()), (None, None));
        store.beat().await.unwrap();
        let beat = store.last_heartbeat().await.unwrap().unwrap();
        first.release().await.unwrap();
        memory.clock.advance(SignedDuration::from_mins(20));
        let second = store.try_lease("b").await.unwrap().unwrap();
        let unattended = second.unattended().unwrap();
        assert!(unattended >= SignedDuration::from_mins(20) && unattended < SignedDuration::from_mins(25), "{unattended}");
        assert_eq!(store.last_heartbeat().await.unwrap(), Some(beat), "taking the lease is no heartbeat");
    }

    async fn a_token_that_was_accepted_is_known_again_and_stands_nowhere(memory: &Memory) {
        let store = memory.open().await;
        assert_eq!(store.account().await.unwrap(), None);
        let (token, other) = ("dop_v1_secret".into(), "dop_v1_other".into());
        store.accept_token(&token, None).await.unwrap();
        store.remember_team("team").await.unwrap();
        let account = store.account().await.unwrap().unwrap();
        assert!(account.knows(&token) && !account.knows(&other));
        assert_eq!(account.team.as_deref(), Some("team"));
        assert!(!format!("{account:?}").contains("secret"));
        store.accept_token(&other, Some("team")).await.unwrap();
        let account = store.account().await.unwrap().unwrap();
        assert!(account.knows(&other) && !account.knows(&token));
    }

    async fn what_operations_dealt_with_is_evidence_of_the_account(memory: &Memory) {
        let store = memory.open().await;
        assert_eq!(store.evidence(9).await.unwrap(), None, "without an operation there is nothing to belong to");
        store.create(request(1, 10), InteractionId(1)).await.unwrap();
        store.create(request(2, 20), InteractionId(2)).await.unwrap();
        let evidence = store.evidence(9).await.unwrap().unwrap();
        assert_eq!(evidence.droplets.len(), 2);
        assert!(evidence.droplets.contains(&DropletId(10)) && evidence.droplets.contains(&DropletId(20)));
        assert_eq!(store.evidence(1).await.unwrap().unwrap().droplets.len(), 1);
    }
}

#[tokio::test]
async fn on_postgresql_a_lease_whose_row_was_deleted_is_made_again() {
    let Some(memory) = Memory::postgresql().await else { return };
    let (first, second) = (standby(&memory).await, standby(&memory).await);
    let lease = first.try_lease("a").await.unwrap().unwrap();
    memory.tamper("DELETE FROM lease").await;
    assert!(matches!(lease.renew().await, Err(Error::LeaseLost)));
    assert_eq!(second.account().await.unwrap(), None);
    assert!(second.lease_is_free_for("b").await.unwrap().is_some());
    assert!(second.try_lease("b").await.unwrap().is_some());
    assert!(first.try_lease("a").await.unwrap().is_none());
    memory.forget().await;
}
