//! The contract of the store, for SQLite and PostgreSQL alike. PostgreSQL is tested if `TEST_DATABASE_URL` names a server; every test
//! creates its own schema there and drops it at the end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

/// Declares tests of promises that hold on both databases.
macro_rules! contract {
    ($(async fn $name:ident($memory:ident: &Memory) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn promise($memory: &Memory) $body

            #[tokio::test]
            async fn on_sqlite() {
                promise(&Memory::sqlite()).await;
            }

            #[tokio::test]
            async fn on_postgresql() {
                let Some(memory) = Memory::postgresql().await else { return };
                promise(&memory).await;
                memory.forget().await;
            }
        }
    )*};
}

#[path = "store/acts.rs"]
mod acts;
#[path = "store/calls.rs"]
mod calls;
#[path = "store/commits.rs"]
mod commits;
#[path = "store/confirmations.rs"]
mod confirmations;
#[path = "store/groups.rs"]
mod groups;
#[path = "store/history.rs"]
mod history;
#[path = "store/hostile_rows.rs"]
mod hostile_rows;
#[path = "store/leases.rs"]
mod leases;
#[path = "store/memory.rs"]
mod memory;
#[path = "store/newer_rows.rs"]
mod newer_rows;
#[path = "store/opening.rs"]
mod opening;
#[path = "store/reports.rs"]
mod reports;
#[path = "store/requests.rs"]
mod requests;
#[path = "harness/required.rs"]
mod required;
#[path = "store/round_trip.rs"]
mod round_trip;
#[path = "harness/rows.rs"]
mod rows;
#[path = "store/schedules.rs"]
mod schedules;
#[path = "harness/schema.rs"]
mod schema;
#[path = "store/snapshot_records.rs"]
mod snapshot_records;
