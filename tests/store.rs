//! The contract of the memory, the same on SQLite and PostgreSQL. PostgreSQL is tried when `TEST_DATABASE_URL` names a server;
//! every test makes itself a schema there and drops it again.

mod memory;

use std::{collections::HashSet, time::Duration};

use jiff::{SignedDuration, Timestamp};
use memory::{Memory, at, ids, request};
use proptest::prelude::*;
use snapshot_bot::{
    clock::Clock,
    operation::{
        Cancelled, Operation, Question, Request, Target, Usual, Verdict, Wish, Wished,
        ids::{ActionId, ChannelId, DropletId, GuildId, InteractionId, MessageId, OperationId, SnapshotId, UserId},
        power::{Owed, Stuck},
        reading::{Failure, PowerState, SnapshotReading},
        report::ReportKind,
        step::{Checks, Doubt, Round, Run, State, Step, Task},
    },
    store::{
        Confirmation, ConfirmationRefused, CreateError, Error, Event, Heard, Loaded, Report, Settings, Store, Version,
        What,
    },
};

/// Declares a promise that is kept on both databases.
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

fn skip_none() -> HashSet<OperationId> {
    HashSet::new()
}

/// What a store must give back for an operation that was just loaded.
async fn load(store: &Store, id: OperationId) -> Loaded {
    store.load(id).await.unwrap().unwrap()
}

/// The operation with its power owed, as after the intent of a shutdown.
fn owing(mut operation: Operation, since: Timestamp) -> Operation {
    operation.power.before = Some(PowerState::On);
    operation.power.owed = Some(Owed { since, late_until: None });
    operation
}

/// The operation at its end.
fn ended(mut operation: Operation, verdict: Verdict, when: Timestamp) -> Operation {
    for step in &mut operation.steps {
        step.began = Some(operation.asked_at);
        step.state = State::Done { at: when };
    }
    operation.verdict = Some(verdict);
    operation.ended = Some(when);
    operation
}

fn wished(wish: Wish) -> Wished {
    Wished { wish, by: UserId(7), at: at(1) }
}

contract! {
    async fn an_operation_is_there_after_a_restart(memory: &Memory) {
        let store = memory.open().await;
        let created = store.create(request(1, 10), InteractionId(u64::MAX)).await.unwrap();
        drop(store);
        let store = memory.open().await;
        let stored = store.operation(created.id).await.unwrap().unwrap();
        assert_eq!(stored.operation, created);
        assert_eq!(stored.version, Version(1));
        assert_eq!(store.running().await.unwrap(), vec![stored]);
        assert_eq!(store.count_open().await.unwrap(), 1);
    }

    async fn an_interaction_that_arrives_twice_creates_one_operation(memory: &Memory) {
        let store = memory.open().await;
        let first = store.create(request(1, 10), InteractionId(5)).await.unwrap();
        let again = store.create(request(2, 11), InteractionId(5)).await;
        assert!(matches!(again, Err(CreateError::Repeated(id)) if id == first.id), "{again:?}");
        assert_eq!(store.running().await.unwrap().len(), 1);
    }

    async fn a_droplet_has_one_running_operation(memory: &Memory) {
        let store = memory.open().await;
        let first = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let second = store.create(request(2, 10), InteractionId(2)).await;
        assert!(
            matches!(second, Err(CreateError::AlreadyRunning { operation, progress: None }) if operation == first.id),
            "{second:?}"
        );
        let report = store.due_reports(at(60), 9).await.unwrap().remove(0);
        store.report_posted(&report, MessageId(77), Version(1), "d", at(1)).await.unwrap();
        let third = store.create(request(3, 10), InteractionId(3)).await;
        let Err(CreateError::AlreadyRunning { progress, .. }) = third else { panic!("{third:?}") };
        assert_eq!(progress, Some((ChannelId(3), MessageId(77))));
        store.create(request(4, 11), InteractionId(4)).await.unwrap();
    }

    async fn a_refused_request_may_be_repeated_by_the_same_interaction(memory: &Memory) {
        let store = memory.open().await;
        let first = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        store.create(request(2, 10), InteractionId(2)).await.unwrap_err();
        let loaded = load(&store, first.id).await;
        store.commit(&loaded, &ended(first, Verdict::Completed, at(9)), None).await.unwrap();
        store.create(request(2, 10), InteractionId(2)).await.unwrap();
    }
}
