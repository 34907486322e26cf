//! One owner at a time: a lock beside the file on SQLite, a row on PostgreSQL.

use std::time::Duration;

use snapshot_bot::{
    operation::ids::{InteractionId, MessageId},
    store::{Error, Store, Version},
};

use crate::memory::{Memory, at, load, request};

/// Moves the end of every lease to so many milliseconds after the database's present moment.
async fn set_end(memory: &Memory, millis: i64) {
    let now = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";
    memory.tamper(&format!("UPDATE leases SET expires_at = {now} + ({millis})")).await;
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
    let lease = store.try_lease("account", "holder").await.unwrap().unwrap();
    assert_eq!(lease.remaining(), Duration::MAX);
    lease.renew().await.unwrap();
    lease.release().await.unwrap();
}

#[tokio::test]
async fn on_postgresql_a_held_lease_is_refused_to_others() {
    let Some(memory) = Memory::postgresql().await else { return };
    let (first, second) = (standby(&memory).await, standby(&memory).await);
    let lease = first.try_lease("account", "a").await.unwrap().unwrap();
    assert!(lease.remaining() <= Duration::from_secs(15));
    assert!(second.try_lease("account", "b").await.unwrap().is_none());
    assert!(second.try_lease("another account", "b").await.unwrap().is_some());
    lease.renew().await.unwrap();
    memory.forget().await;
}

#[tokio::test]
async fn on_postgresql_many_who_want_a_free_lease_get_one() {
    let Some(memory) = Memory::postgresql().await else { return };
    let store = standby(&memory).await;
    let holders: Vec<String> = (0..6).map(|number| number.to_string()).collect();
    let tries = holders.iter().map(|holder| store.try_lease("account", holder));
    let leases = futures_util::future::join_all(tries).await;
    assert_eq!(leases.iter().filter(|lease| matches!(lease, Ok(Some(_)))).count(), 1, "{leases:?}");
    memory.forget().await;
}

#[tokio::test]
async fn on_postgresql_a_successor_waits_for_the_end_and_the_last_requests_deadline() {
    let Some(memory) = Memory::postgresql().await else { return };
    let (first, second) = (standby(&memory).await, standby(&memory).await);
    let lease = first.try_lease("account", "a").await.unwrap().unwrap();
    set_end(&memory, -1).await;
    assert!(second.try_lease("account", "b").await.unwrap().is_none(), "a last request may be under way");
    set_end(&memory, -10_000).await;
    assert!(second.try_lease("account", "b").await.unwrap().is_some());
    assert!(matches!(lease.renew().await, Err(Error::LeaseLost)));
    assert_eq!(lease.remaining(), Duration::ZERO);
    memory.forget().await;
}

#[tokio::test]
async fn on_postgresql_a_released_lease_is_free_at_once() {
    let Some(memory) = Memory::postgresql().await else { return };
    let (first, second) = (standby(&memory).await, standby(&memory).await);
    first.try_lease("account", "a").await.unwrap().unwrap().release().await.unwrap();
    assert!(second.try_lease("account", "b").await.unwrap().is_some());
    memory.forget().await;
}

#[tokio::test]
async fn on_postgresql_a_late_release_does_not_free_the_successors_lease() {
    let Some(memory) = Memory::postgresql().await else { return };
    let (first, second, third) = (standby(&memory).await, standby(&memory).await, standby(&memory).await);
    let lease = first.try_lease("account", "a").await.unwrap().unwrap();
    set_end(&memory, -10_000).await;
    second.try_lease("account", "b").await.unwrap().unwrap();
    lease.release().await.unwrap();
    assert!(third.try_lease("account", "c").await.unwrap().is_none());
    memory.forget().await;
}

#[tokio::test]
async fn on_postgresql_a_thawed_owner_commits_and_says_nothing_more() {
    let Some(memory) = Memory::postgresql().await else { return };
    let (first, second) = (standby(&memory).await, standby(&memory).await);
    first.try_lease("account", "a").await.unwrap().unwrap();
    let operation = first.create(request(1, 10), InteractionId(1)).await.unwrap();
    let loaded = load(&first, operation.id).await;
    let report = first.due_reports(at(9), 9).await.unwrap().remove(0);

    set_end(&memory, -1).await;
    let ended_lease = first.commit(&loaded, &operation, None).await;
    assert!(matches!(ended_lease, Err(Error::LeaseLost)), "{ended_lease:?}");
    set_end(&memory, -10_000).await;
    second.try_lease("account", "b").await.unwrap().unwrap();

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
async fn on_postgresql_nobody_commits_without_a_lease() {
    let Some(memory) = Memory::postgresql().await else { return };
    let store = standby(&memory).await;
    let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
    let refused = store.commit(&load(&store, operation.id).await, &operation, None).await;
    assert!(matches!(refused, Err(Error::LeaseLost)), "{refused:?}");
    memory.forget().await;
}
