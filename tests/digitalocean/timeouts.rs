//! How long people wait when DigitalOcean is slow, or when the request budget is nearly used up.

use futures_util::FutureExt;
use serde_json::Value;
use snapshot_bot::{
    inventory::{Listing, Origin, Unresolved},
    operation::ids::SnapshotId,
};

use crate::inventory::{TestInventory, names, snapshot};

fn ids(listing: &Listing) -> Vec<u64> {
    listing.snapshots().map(|snapshot| snapshot.id.0).collect()
}

fn one() -> Vec<Value> {
    vec![snapshot(5, "old", 1, 1)]
}

fn two() -> Vec<Value> {
    vec![snapshot(5, "old", 1, 1), snapshot(6, "new", 1, 2)]
}

/// An inventory whose lists are in the cache.
async fn warm() -> TestInventory {
    let test = TestInventory::new(None, names(&["web-1"]), one()).await;
    assert_eq!(ids(&test.inventory.listing(None).await.unwrap()), [5]);
    test
}

#[tokio::test]
async fn a_list_that_is_merely_old_is_shown_at_once_page_after_page() {
    let test = warm().await;
    let _closed = test.hold("/snapshots");
    test.wait(61);
    for page in 1..=3 {
        let listing = test.inventory.listing(None).now_or_never().expect("nothing is waited for").unwrap();
        assert_eq!(ids(&listing), [5], "page {page}");
    }
    test.asked(4).await;
}

#[tokio::test]
async fn after_an_operation_the_new_list_is_waited_for_a_moment_and_then_the_old_one_will_do() {
    let test = warm().await;
    let gate = test.hold("/snapshots");
    test.account.lock().unwrap().snapshots = two();
    test.wait(6);
    test.inventory.invalidate();
    let (listing, ()) = tokio::join!(test.inventory.listing(None), async {
        test.asked(4).await;
        test.wait(2);
    });
    assert_eq!(ids(&listing.unwrap()), [5]);
    // The read continues, and the next caller that waits for it gets its result.
    let (listing, _) = tokio::join!(test.inventory.listing(None), async { gate.send(true) });
    assert_eq!(ids(&listing.unwrap()), [6, 5]);
    assert_eq!(test.requests(), 4);
}

#[tokio::test]
async fn what_is_in_the_cache_is_found_without_waiting_for_a_newer_list() {
    let test = warm().await;
    let _closed = test.hold("/snapshots");
    test.wait(6);
    test.inventory.invalidate();
    let found = test.inventory.resolve_snapshot("old").now_or_never().expect("nothing is waited for");
    assert_eq!(found.unwrap().id, SnapshotId(5));
}

#[tokio::test]
async fn an_id_that_is_newer_than_the_list_is_looked_at_alone() {
    let test = warm().await;
    let _closed = test.hold("/snapshots");
    test.account.lock().unwrap().snapshots = two();
    assert_eq!(test.inventory.resolve_snapshot("6").await.unwrap().id, SnapshotId(6));
    assert_eq!(test.vendor.lines().last().unwrap(), "GET /v2/snapshots/6");
}

#[tokio::test]
async fn a_name_is_not_called_unknown_while_the_list_is_known_to_be_behind() {
    let test = warm().await;
    let _closed = test.hold("/snapshots");
    test.wait(6);
    let unknown = test.inventory.resolve_snapshot("new");
    let (unknown, ()) = tokio::join!(unknown, async {
        test.asked(3).await;
        test.wait(2);
    });
    assert!(matches!(unknown, Err(Unresolved::NotFound { .. })), "{unknown:?}");
    test.wait(6);
    test.inventory.invalidate();
    let (unknown, ()) = tokio::join!(test.inventory.resolve_snapshot("new"), async { test.wait(2) });
    assert_eq!(unknown, Err(Unresolved::Late));
}

#[tokio::test]
async fn an_empty_cache_that_cannot_be_filled_in_good_time_is_said_to_be_and_filled_all_the_same() {
    let test = TestInventory::new(None, names(&["web-1"]), one()).await;
    let gate = test.hold("");
    let (droplet, listing, ()) = tokio::join!(test.resolve("web-1"), test.inventory.listing(None), async {
        test.asked(2).await;
        test.wait(10);
    });
    assert_eq!(droplet, Err(Unresolved::Late));
    assert!(matches!(listing, Err(Unresolved::Late)));
    gate.send(true).unwrap();
    assert_eq!(test.resolve("web-1").await, Ok(1));
    assert_eq!(ids(&test.inventory.listing(None).await.unwrap()), [5]);
    assert_eq!(test.requests(), 2);
}

#[tokio::test]
async fn what_only_one_request_tells_is_not_waited_for_for_ever() {
    let test = warm().await;
    let _closed = test.hold("/99");
    let (unknown, ()) = tokio::join!(test.resolve("99"), async {
        test.asked(3).await;
        test.wait(10);
    });
    assert_eq!(unknown, Err(Unresolved::Late));
}

#[tokio::test]
async fn suggestions_wait_for_digitalocean_only_a_moment() {
    let test = TestInventory::new(None, names(&["web-1"]), one()).await;
    let gate = test.hold("");
    let (droplets, snapshots, ()) = tokio::join!(test.typing("web"), test.typing_snapshot("old"), async {
        test.asked(2).await;
        test.wait(1);
    });
    assert!(droplets.is_empty() && snapshots.is_empty());
    gate.send(true).unwrap();
    assert_eq!((test.typing("web").await.len(), test.typing_snapshot("old").await.len()), (1, 1));
    assert_eq!(test.requests(), 2, "the next key finds what the first one asked for");
}

#[tokio::test]
async fn snapshots_are_offered_without_the_backups_where_those_are_slow() {
    let test = warm().await;
    test.account.lock().unwrap().backups = vec![snapshot(7, "nightly", 1, 3)];
    let gate = test.hold("/backups");
    let (offered, ()) = tokio::join!(test.typing_restore(1, ""), async {
        test.asked(3).await;
        test.wait(1);
    });
    assert_eq!(offered, [(5, Origin::Snapshot)]);
    gate.send(true).unwrap();
    assert_eq!(test.typing_restore(1, "").await, [(7, Origin::Backup), (5, Origin::Snapshot)]);
    assert_eq!(test.requests(), 3, "the reading has gone on");
}

#[tokio::test]
async fn where_readings_must_not_go_on_those_that_a_person_waits_for_may() {
    let test = TestInventory::new(None, names(&["web-1"]), one()).await;
    // Five requests a minute; background reads may use two of them.
    test.account.lock().unwrap().limit = Some(100);
    assert_eq!(test.typing("web").await.len(), 1);
    assert!(matches!(test.resolve("99").await, Err(Unresolved::NotFound { .. })));
    assert_eq!(ids(&test.inventory.listing(None).await.unwrap()), [5]);
}
