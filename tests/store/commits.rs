//! What the worker may rely on: which operations are due, and commits that are all or nothing.

use std::collections::HashSet;

use snapshot_bot::{
    operation::{
        Outcome, Question,
        ids::{DropletId, InteractionId},
    },
    store::{Error, Loaded, PowerOwed, Version, Whose},
};

use crate::memory::{Memory, at, ended, ids, load, nothing_skipped, owing, request};

contract! {
    async fn a_commit_on_an_older_version_changes_nothing(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let mine = load(&store, operation.id).await;
        let theirs = mine.clone();
        assert_eq!(store.commit(&theirs, &operation, Some(at(50))).await.unwrap(), Version(2));
        for late in [owing(&operation, at(3)), ended(operation.clone(), Outcome::Completed, at(4)), operation.clone()] {
            let refused = store.commit(&mine, &late, None).await;
            assert!(matches!(refused, Err(Error::LeaseLost)), "{refused:?}");
        }
        let stored = store.operation(operation.id).await.unwrap().unwrap();
        assert_eq!((stored.operation, stored.version), (operation, Version(2)));
        assert_eq!(store.power_owed().await.unwrap(), []);
        assert_eq!(store.next_due(Whose::All, &nothing_skipped()).await.unwrap(), Some(at(50)));
    }

    async fn commits_at_once_on_one_version_are_one_commit(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let loaded = load(&store, operation.id).await;
        let after = owing(&operation, at(3));
        let commits = (0..6).map(|_| store.commit(&loaded, &after, None));
        let outcomes = futures_util::future::join_all(commits).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    }

    async fn one_commit_may_follow_the_other_without_a_load(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let loaded = load(&store, operation.id).await;
        let version = store.commit(&loaded, &operation, Some(at(1))).await.unwrap();
        let next = Loaded::committed(operation.clone(), version);
        assert_eq!(next, load(&store, operation.id).await);
        store.commit(&next, &operation, Some(at(2))).await.unwrap();
    }

    async fn what_is_owed_is_written_and_cleared_with_the_state(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, u64::MAX), InteractionId(1)).await.unwrap();
        let loaded = load(&store, operation.id).await;
        let version = store.commit(&loaded, &owing(&operation, at(3)), Some(at(3))).await.unwrap();
        let owed = PowerOwed { droplet: DropletId(u64::MAX), operation: operation.id, since: at(3), is_watched: false };
        assert_eq!(store.power_owed().await.unwrap(), [owed]);
        let loaded = load(&store, operation.id).await;
        assert_eq!(loaded.version, version);
        store.commit(&loaded, &operation, None).await.unwrap();
        assert_eq!(store.power_owed().await.unwrap(), []);
    }

    async fn an_end_that_still_owes_power_stays_open_and_due(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let loaded = load(&store, operation.id).await;
        let after = ended(owing(&operation, at(3)), Outcome::Completed, at(9));
        store.commit(&loaded, &after, Some(at(30))).await.unwrap();
        assert_eq!(store.count_open().await.unwrap(), 1);
        assert_eq!(store.running().await.unwrap(), []);
        assert_eq!(store.due(at(30), Whose::All, &nothing_skipped(), 9).await.unwrap(), [operation.id]);
    }

    async fn the_longest_waiting_is_due_first_and_nothing_before_its_time(memory: &Memory) {
        let store = memory.open().await;
        for (number, due) in [(1, 30), (2, 10), (3, 20)] {
            let operation = store.create(request(number, number), InteractionId(number)).await.unwrap();
            let loaded = load(&store, operation.id).await;
            store.commit(&loaded, &operation, Some(at(due))).await.unwrap();
        }
        assert_eq!(store.due(at(9), Whose::All, &nothing_skipped(), 9).await.unwrap(), []);
        assert_eq!(store.due(at(20), Whose::All, &nothing_skipped(), 9).await.unwrap(), [ids(2), ids(3)]);
        assert_eq!(store.due(at(99), Whose::All, &nothing_skipped(), 1).await.unwrap(), [ids(2)]);
        let busy = HashSet::from([ids(2), ids(404)]);
        assert_eq!(store.due(at(99), Whose::All, &busy, 9).await.unwrap(), [ids(3), ids(1)]);
        assert_eq!(store.next_due(Whose::All, &busy).await.unwrap(), Some(at(20)));
        let all_busy = HashSet::from([ids(1), ids(2), ids(3)]);
        assert_eq!(store.next_due(Whose::All, &all_busy).await.unwrap(), None);
    }

    async fn who_owes_power_is_due_first_and_can_be_asked_for_alone(memory: &Memory) {
        let store = memory.open().await;
        for (number, due) in [(1, 10), (2, 20), (3, 30)] {
            let operation = store.create(request(number, number), InteractionId(number)).await.unwrap();
            let loaded = load(&store, operation.id).await;
            let after = if number == 3 { owing(&operation, at(3)) } else { operation };
            store.commit(&loaded, &after, Some(at(due))).await.unwrap();
        }
        let nobody = nothing_skipped();
        assert_eq!(store.due(at(99), Whose::All, &nobody, 9).await.unwrap(), [ids(3), ids(1), ids(2)]);
        assert_eq!(store.due(at(99), Whose::PowerOwed, &nobody, 9).await.unwrap(), [ids(3)]);
        assert_eq!(store.due(at(29), Whose::PowerOwed, &nobody, 9).await.unwrap(), []);
        assert_eq!(store.next_due(Whose::All, &nobody).await.unwrap(), Some(at(10)));
        assert_eq!(store.next_due(Whose::PowerOwed, &nobody).await.unwrap(), Some(at(30)));
    }

    async fn a_fraction_of_a_millisecond_is_not_early(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let loaded = load(&store, operation.id).await;
        let due = at(10) + jiff::SignedDuration::from_nanos(1);
        store.commit(&loaded, &operation, Some(due)).await.unwrap();
        assert!(store.next_due(Whose::All, &nothing_skipped()).await.unwrap().unwrap() >= due);
        assert_eq!(store.due(at(10), Whose::All, &nothing_skipped(), 9).await.unwrap(), []);
    }

    async fn a_commit_dropped_half_way_changes_all_or_nothing(memory: &Memory) {
        let store = memory.open().await;
        let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let loaded = load(&store, operation.id).await;
        let mut open_question = owing(&operation, at(3));
        open_question.question = Some(Question { opened_at: at(3), shown_at: None });
        // Each round lets the commit go one poll further before it is dropped, until one completes.
        for polls in 0.. {
            let done = poll_times(store.commit(&loaded, &open_question, None), polls).await;
            let stored = store.operation(operation.id).await.unwrap().unwrap();
            let owed = store.power_owed().await.unwrap().len();
            match stored.version {
                Version(1) => assert_eq!((stored.operation, owed), (operation.clone(), 0)),
                _ => assert_eq!((stored.operation, owed), (open_question.clone(), 1)),
            }
            if done || stored.version != Version(1) {
                break;
            }
        }
        assert_eq!(store.operation(operation.id).await.unwrap().unwrap().version, Version(2));
    }
}

/// Polls a future this many times and drops it. Returns whether it completed.
async fn poll_times<F: Future>(future: F, polls: usize) -> bool {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}
