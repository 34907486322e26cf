//! What people did outside operations: recorded with the change itself, and listed with the events of operations.

use jiff::Timestamp;
use snapshot_bot::{
    operation::{
        ids::{GuildId, InteractionId, RunId, SnapshotId, UserId},
        kinds::SnapshotRef,
    },
    schedule::{State, hung_shutdowns::HangAnswer, run::Plan},
    store::{Act, AuditEntry, Deed, Pin, Store},
};
use sqlx::migrate::Migrator;

use crate::{
    groups::{members, of_group},
    memory::{Memory, at, request},
    schedules::{add, consent, id, schedule},
};

/// Who did what to what, outside operations.
async fn acts(memory: &Memory) -> Vec<(u64, String)> {
    let entries = Store::audit(&memory.url.clone().into(), Timestamp::UNIX_EPOCH).await.unwrap().unwrap();
    let told = |entry| match entry {
        AuditEntry::Act(past) => {
            Some((past.by.0, format!("{} {} {} {}", past.what, past.kind, past.subject, past.name)))
        }
        AuditEntry::Event(_) => None,
    };
    entries.into_iter().filter_map(told).collect()
}

fn act(by: u64, what: Deed) -> Act {
    Act { by: UserId(by), guild: GuildId(2), what }
}

contract! {
    async fn every_change_that_a_person_makes_is_listed_and_none_of_the_bots_own(memory: &Memory) {
        let store = memory.open().await;
        let stored = add(&store, &schedule(1, 10)).await;
        store.edit_schedule(&stored, &stored.schedule, &consent(&store, 2).await).await.unwrap();
        let paused = |schedule: &mut snapshot_bot::schedule::Schedule| schedule.state = State::Active;
        store.change_schedule_by(id(1), act(7, Deed::Paused), paused).await.unwrap().unwrap();
        store.change_schedule(id(1), paused).await.unwrap().unwrap();
        store.change_schedule_by(id(1), act(8, Deed::AnsweredHangs(HangAnswer::StayLive)), paused).await.unwrap().unwrap();
        let told: Vec<_> = acts(memory).await;
        let subject = format!("schedule {} web-10", id(1));
        let mut expected = [(1, "added"), (1, "edited"), (7, "paused"), (8, "hangs: stay live")].map(|(by, what)| (by, format!("{what} {subject}")));
        let mut sorted = told.clone();
        sorted.sort();
        expected.sort();
        assert_eq!(sorted, expected);
    }

    async fn a_database_that_an_older_bot_still_uses_is_listed_without_them(memory: &Memory) {
        let pool = memory.new_database().await;
        Migrator::new(std::path::Path::new("migrations")).await.unwrap().run_to(12, &pool).await.unwrap();
        pool.close().await;
        let entries = Store::audit(&memory.url.clone().into(), Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!(entries, Some(Vec::new()));
    }

    async fn pins_and_runs_are_listed_once_each(memory: &Memory) {
        let store = memory.open().await;
        let snapshot = SnapshotRef { id: SnapshotId(u64::MAX), name: "golden\0".to_owned() };
        let pin = Pin { snapshot, by: UserId(7), guild: GuildId(2), at: at(1), reason: None };
        store.pin(&pin).await.unwrap();
        store.pin(&Pin { by: UserId(8), ..pin.clone() }).await.unwrap();
        for _ in 0..2 {
            store.unpin(pin.snapshot.id, (UserId(9), GuildId(2))).await.unwrap();
        }
        let group = of_group(1, 1);
        let plan = Plan::of(&group, group.group.as_ref().unwrap(), RunId::from_random(3), None, at(1));
        let plan = Plan { schedule: None, ..plan };
        let consent = consent(&store, 4).await;
        store.begin_run(&plan, &members(&[10]), Some(&consent)).await.unwrap();
        for by in [5, 6] {
            store.stop_run(&plan, (UserId(by), GuildId(2))).await.unwrap();
        }
        let mut told = acts(memory).await;
        told.sort();
        let (snapshot, run) = (format!("Snapshot {} golden", u64::MAX), format!("run {} {}", plan.id, plan.group.label()));
        assert_eq!(told, [
            (1, format!("began {run}")),
            (5, format!("stopped {run}")),
            (7, format!("pinned {snapshot}")),
            (9, format!("unpinned {snapshot}")),
        ]);
    }

    async fn acts_stand_among_what_happened_to_operations_and_go_with_the_history(memory: &Memory) {
        let store = memory.open().await;
        let url = memory.url.clone().into();
        store.create(request(1, 10), InteractionId(1)).await.unwrap();
        let snapshot = SnapshotRef { id: SnapshotId(5), name: "golden".to_owned() };
        for (by, second) in [(7, -10), (8, 10)] {
            store.pin(&Pin { snapshot: snapshot.clone(), by: UserId(by), guild: GuildId(2), at: at(second), reason: None }).await.unwrap();
            store.unpin(snapshot.id, (UserId(by), GuildId(2))).await.unwrap();
        }
        let entries = Store::audit(&url, at(-10)).await.unwrap().unwrap();
        let asked = entries.iter().position(|entry| matches!(entry, AuditEntry::Event(_))).unwrap();
        assert_eq!(asked, 1, "{entries:?}");
        assert!(entries.is_sorted_by_key(AuditEntry::at));
        let later = Store::audit(&url, at(-9)).await.unwrap().unwrap();
        assert_eq!(later.len(), entries.len() - 1);
        store.prune_operations(at(0), at(0)).await.unwrap();
        let left = Store::audit(&url, Timestamp::UNIX_EPOCH).await.unwrap().unwrap();
        assert_eq!(left, later);
    }
}
