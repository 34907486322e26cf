//! What is pruned when it is old, and what stays however old it is.

use jiff::SignedDuration;
use snapshot_bot::{
    operation::{
        Instruction, NewOperation, Operation, Outcome,
        ids::{GuildId, InteractionId, MessageId, SnapshotId, UserId},
        kinds::{Kind, Restore, Safety, SnapshotRef},
        reading::SnapshotReading,
    },
    store::{Confirmation, Consent, Heard, Store, Version},
};

use crate::memory::{Memory, at, ended, ids, instructed, load, owing, request};

/// An operation that has ended, and whose end was posted.
async fn told(store: &Store, number: u64, end: i64) -> Operation {
    let operation = store.create(request(number, number), InteractionId(number)).await.unwrap();
    let loaded = load(store, operation.id).await;
    let after = ended(operation, Outcome::Completed, at(end));
    store.commit(&loaded, &after, None).await.unwrap();
    for report in store.due_reports(at(1_000_000_000), 9).await.unwrap() {
        store.report_posted(&report, MessageId(number), Version(2), "d", at(end)).await.unwrap();
    }
    after
}

contract! {
    async fn what_ended_long_ago_goes_with_all_that_belongs_to_it(memory: &Memory) {
        let store = memory.open().await;
        let old = told(&store, 1, 10).await;
        let newer = told(&store, 2, 100).await;
        assert_eq!(store.prune_operations(at(50), at(200)).await.unwrap(), 1);
        assert_eq!(store.prune_operations(at(50), at(200)).await.unwrap(), 0);
        assert!(store.operation(old.id).await.unwrap().is_none());
        assert!(store.timeline(old.id).await.unwrap().is_empty());
        assert_eq!(store.instruct(old.id, instructed(Instruction::Cancel), Some(InteractionId(1))).await.unwrap(), Heard::Unknown);
        assert_eq!(store.recent(GuildId(2), 9).await.unwrap().len(), 1);
        assert!(store.operation(newer.id).await.unwrap().is_some());
        assert_eq!(store.typical(newer.target.droplet).await.unwrap().millis.len(), 2);
        assert_eq!(store.typical(old.target.droplet).await.unwrap().millis.len(), 0);
    }

    async fn who_asked_for_a_snapshot_stays_known(memory: &Memory) {
        let store = memory.open().await;
        let old = told(&store, 1, 10).await;
        let name = old.snapshot_name.as_str();
        assert_eq!(store.prune_operations(at(50), at(200)).await.unwrap(), 1);
        let origins = store.origins([name, "web-9-00000009"]).await.unwrap();
        assert_eq!(origins.keys().map(String::as_str).collect::<Vec<_>>(), [name]);
        let origin = &origins[name];
        assert_eq!((origin.id, &origin.kind, &origin.requester), (old.id, &old.kind, &old.requester));
        assert_eq!((origin.asked_at, origin.ended), (old.asked_at, old.ended));
        assert_eq!((origin.target.droplet, &origin.target.name), (old.target.droplet, &old.target.name));
        assert!(!origin.is_running() && !origin.owes_power() && origin.undo_until().is_none());
    }

    async fn what_runs_owes_or_is_yet_to_be_said_stays_however_old_it_is(memory: &Memory) {
        let store = memory.open().await;
        let running = store.create(request(1, 1), InteractionId(1)).await.unwrap();
        let owes = store.create(request(2, 2), InteractionId(2)).await.unwrap();
        let after = ended(owing(&owes, at(3)), Outcome::Completed, at(9));
        store.commit(&load(&store, owes.id).await, &after, Some(at(30))).await.unwrap();
        let unsaid = store.create(request(3, 3), InteractionId(3)).await.unwrap();
        let after = ended(unsaid.clone(), Outcome::Completed, at(9));
        store.commit(&load(&store, unsaid.id).await, &after, None).await.unwrap();
        assert_eq!(store.prune_operations(at(1_000_000_000), at(1_000_000_000)).await.unwrap(), 0);
        for stays in [running, owes, unsaid] {
            assert!(store.operation(stays.id).await.unwrap().is_some());
        }
    }

    async fn a_restore_stays_as_long_as_it_can_be_undone(memory: &Memory) {
        let store = memory.open().await;
        let back = SnapshotRef { id: SnapshotId(5), name: "web-1-old".to_owned() };
        let kind = Kind::Restore(Restore { snapshot: back, safety: Safety::Snapshot, rewrites: None });
        let mut restored = store.create(NewOperation { kind, ..request(1, 1) }, InteractionId(1)).await.unwrap();
        let loaded = load(&store, restored.id).await;
        restored = ended(restored, Outcome::Completed, at(10));
        restored.snapshot = Some(SnapshotReading { id: SnapshotId(6), name: restored.snapshot_name.clone(), created_at: None, size_gigabytes: None });
        store.commit(&loaded, &restored, None).await.unwrap();
        for report in store.due_reports(at(1_000_000_000), 9).await.unwrap() {
            store.report_posted(&report, MessageId(1), Version(2), "d", at(10)).await.unwrap();
        }
        let until = restored.undo_until().expect("it can be undone");
        let moment = SignedDuration::from_secs(1);
        assert_eq!(store.prune_operations(at(1_000_000), until - moment).await.unwrap(), 0);
        assert_eq!(store.prune_operations(at(1_000_000), until).await.unwrap(), 1);
    }

    async fn many_go_in_small_steps(memory: &Memory) {
        let store = memory.open().await;
        for number in 1..=60 {
            told(&store, number, 10).await;
        }
        assert_eq!(store.prune_operations(at(50), at(200)).await.unwrap(), 50);
        assert_eq!(store.prune_operations(at(50), at(200)).await.unwrap(), 10);
        assert!(store.operation(ids(60)).await.unwrap().is_none());
    }

    async fn questions_go_a_day_after_their_end(memory: &Memory) {
        let store = memory.open().await;
        let question = Confirmation { requester: UserId(1), guild: GuildId(2), what: "all".to_owned(), expires_at: at(100) };
        let id = store.create_confirmation(&question).await.unwrap();
        let day = SignedDuration::from_hours(24);
        let asked = Consent { id, by: UserId(1), guild: GuildId(2), at: at(50), interaction: InteractionId(1), retries: None };
        assert_eq!(store.prune_confirmations(at(100) + day).await.unwrap(), 0);
        assert!(store.confirmation(&asked).await.unwrap().is_ok());
        assert_eq!(store.prune_confirmations(at(101) + day).await.unwrap(), 1);
        assert!(store.confirmation(&asked).await.unwrap().is_err());
    }
}
