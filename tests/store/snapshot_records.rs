//! What is recorded about Snapshots: pins, and the size of each from day to day.

use jiff::{SignedDuration, Timestamp, civil::date};
use snapshot_bot::{
    operation::{
        NewOperation, Outcome,
        ids::{DropletId, GuildId, InteractionId, MessageId, SnapshotId, UserId},
        kinds::{Backups, BackupsChange, Kind, SnapshotRef},
        reading::SnapshotReading,
    },
    store::{DayTotal, Pin, Version, Weighed},
};

use crate::{
    memory::{Memory, at, ended, ids, request},
    schedules::end,
};

fn pin(id: u64, by: u64, reason: Option<&str>) -> Pin {
    let snapshot = SnapshotRef { id: SnapshotId(id), name: format!("golden-{id}") };
    Pin { snapshot, by: UserId(by), guild: GuildId(2), at: at(1), reason: reason.map(str::to_owned) }
}

fn weighed(id: u64, droplet: Option<u64>, gigabytes: f64) -> Weighed {
    Weighed { snapshot: SnapshotId(id), droplet: droplet.map(DropletId), gigabytes }
}

fn noon(day: &str) -> Timestamp {
    format!("{day}T12:00:00Z").parse().unwrap()
}

contract! {
    async fn the_first_pin_holds_until_it_is_taken_off(memory: &Memory) {
        let store = memory.open().await;
        let id = SnapshotId(u64::MAX);
        let first = pin(u64::MAX, 7, Some("before\0 the upgrade"));
        let kept = Pin { reason: Some("before the upgrade".to_owned()), ..first.clone() };
        assert_eq!(store.pin(&first).await.unwrap(), kept);
        assert_eq!(store.pin(&pin(u64::MAX, 8, None)).await.unwrap(), kept, "the first one holds");
        assert_eq!(store.pinned(id).await.unwrap(), Some(kept));
        store.pin(&pin(5, 8, None)).await.unwrap();
        assert_eq!(store.pins().await.unwrap().len(), 2);
        assert!(store.unpin(id, (UserId(8), GuildId(2))).await.unwrap());
        assert!(!store.unpin(id, (UserId(8), GuildId(2))).await.unwrap(), "there is none any more");
        assert_eq!(store.pinned(id).await.unwrap(), None);
        assert_eq!(store.pinned(SnapshotId(5)).await.unwrap().unwrap().reason, None);
    }

    async fn who_had_a_backup_kept_stays_known_however_soon_history_is_pruned(memory: &Memory) {
        let store = memory.open().await;
        let backup = SnapshotRef { id: SnapshotId(60), name: "backup".to_owned() };
        let kind = Kind::Backups(Backups { change: BackupsChange::Keep(backup) });
        store.create(NewOperation { kind, ..request(1, 10) }, InteractionId(5)).await.unwrap();
        end(&store, ids(1), |it| {
            let reading =
                SnapshotReading { id: SnapshotId(60), name: "backup".to_owned(), created_at: None, size_gigabytes: None };
            let mut done = ended(it.clone(), Outcome::Completed, at(60));
            done.snapshot = Some(reading);
            done
        })
        .await;
        let kept = store.kept_backups().await.unwrap();
        assert_eq!(kept, [(SnapshotId(60), UserId(1))].into());
        for report in store.due_reports(at(999_999_999), 99).await.unwrap() {
            store.report_posted(&report, MessageId(1), Version(2), "d", at(70)).await.unwrap();
        }
        while store.prune_operations(at(999_999_999), at(999_999_999)).await.unwrap() > 0 {}
        assert_eq!(store.operation(ids(1)).await.unwrap(), None);
        assert_eq!(store.kept_backups().await.unwrap(), kept);
        for pinned in [60, 61] {
            store.pin(&pin(pinned, 7, None)).await.unwrap();
        }
        store.forget_gone_snapshot(SnapshotId(60)).await.unwrap();
        assert_eq!(store.pins().await.unwrap().into_keys().collect::<Vec<_>>(), [SnapshotId(61)]);
        assert_eq!(store.kept_backups().await.unwrap(), [].into());
    }

    async fn a_snapshot_is_weighed_once_a_day_and_summed_by_droplet(memory: &Memory) {
        let store = memory.open().await;
        let (first, next) = (noon("2026-11-25"), noon("2026-11-26"));
        store.weigh(first, &[weighed(1, Some(10), 12.4), weighed(2, Some(10), 0.0), weighed(3, None, 2.5)]).await.unwrap();
        store.weigh(first + SignedDuration::from_hours(6), &[weighed(1, Some(10), 99.0)]).await.unwrap();
        store.weigh(next, &[weighed(1, Some(10), 12.5), weighed(4, Some(11), f64::NAN), weighed(5, Some(11), -1.0)]).await.unwrap();
        store.weigh(next, &[]).await.unwrap();
        let total = |day, droplet: Option<u64>, count, gigabytes| DayTotal { day, droplet: droplet.map(DropletId), count, gigabytes };
        let mut found = store.weighed_since(first).await.unwrap();
        found.sort_by_key(|it| (it.day, it.droplet));
        let (one, two) = (date(2026, 11, 25), date(2026, 11, 26));
        assert_eq!(found, [total(one, None, 1, 2.5), total(one, Some(10), 2, 12.4), total(two, Some(10), 1, 12.5), total(two, Some(11), 2, 0.0)]);
        assert_eq!(store.weighed_since(next).await.unwrap().len(), 2);
    }

    async fn many_are_weighed_at_once_and_old_days_are_pruned(memory: &Memory) {
        let store = memory.open().await;
        let day = noon("2026-11-25");
        let many: Vec<_> = (0..1_234).map(|id| weighed(id, Some(10), 1.0)).collect();
        store.weigh(day, &many).await.unwrap();
        assert_eq!(store.weighed_since(day).await.unwrap()[0].count, 1_234);
        assert_eq!(store.prune_days(day).await.unwrap(), 0, "the day itself stays");
        let mut pruned = 0;
        loop {
            match store.prune_days(day + SignedDuration::from_hours(24)).await.unwrap() {
                0 => break,
                rows => pruned += rows,
            }
        }
        assert_eq!(pruned, 1_234);
        assert!(store.weighed_since(day).await.unwrap().is_empty());
    }
}
