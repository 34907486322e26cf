//! How long people wait when DigitalOcean is slow, or when the request budget is nearly used up.

use futures_util::FutureExt;
use serde_json::Value;
use snapshot_bot::{
    inventory::{Listing, Origin, Unresolved},
    operation::ids::SnapshotId,
};

use crate::inventory::{Stage, names, snapshot};

fn ids(listing: &Listing) -> Vec<u64> {
    listing.snapshots().map(|snapshot| snapshot.id.0).collect()
}

fn one() -> Vec<Value> {
    vec![snapshot(5, "old", 1, 1)]
}

fn two() -> Vec<Value> {
    vec![snapshot(5, "old", 1, 1), snapshot(6, "new", 1, 2)]
}

/// A stage whose lists are in the cache.
async fn warm() -> Stage {
    let stage = Stage::new(None, names(&["web-1"]), one()).await;
    assert_eq!(ids(&stage.inventory.listing(None).await.unwrap()), [5]);
    stage
}

#[tokio::test]
async fn a_list_that_is_merely_old_is_shown_at_once_page_after_page() {
    let stage = warm().await;
    let _closed = stage.hold("/snapshots");
    stage.wait(61);
    for page in 1..=3 {
        let listing = stage.inventory.listing(None).now_or_never().expect("nothing is waited for").unwrap();
        assert_eq!(ids(&listing), [5], "page {page}");
    }
    stage.asked(4).await;
}

#[tokio::test]
async fn after_an_operation_the_new_list_is_waited_for_a_moment_and_then_the_old_one_will_do() {
    let stage = warm().await;
    let gate = stage.hold("/snapshots");
    stage.account.lock().unwrap().snapshots = two();
    stage.wait(6);
    stage.inventory.invalidate();
    let (listing, ()) = tokio::join!(stage.inventory.listing(None), async {
        stage.asked(4).await;
        stage.wait(2);
    });
    assert_eq!(ids(&listing.unwrap()), [5]);
    // The read continues, and the next caller that waits for it gets its result.
    let (listing, _) = tokio::join!(stage.inventory.listing(None), async { gate.send(true) });
    assert_eq!(ids(&listing.unwrap()), [6, 5]);
    assert_eq!(stage.requests(), 4);
}

#[tokio::test]
async fn what_is_in_the_cache_is_found_without_waiting_for_a_newer_list() {
    let stage = warm().await;
    let _closed = stage.hold("/snapshots");
    stage.wait(6);
    stage.inventory.invalidate();
    let found = stage.inventory.resolve_snapshot("old").now_or_never().expect("nothing is waited for");
    assert_eq!(found.unwrap().id, SnapshotId(5));
}

#[tokio::test]
async fn an_id_that_is_newer_than_the_list_is_looked_at_alone() {
    let stage = warm().await;
    let _closed = stage.hold("/snapshots");
    stage.account.lock().unwrap().snapshots = two();
    assert_eq!(stage.inventory.resolve_snapshot("6").await.unwrap().id, SnapshotId(6));
    assert_eq!(stage.vendor.lines().last().unwrap(), "GET /v2/snapshots/6");
}

#[tokio::test]
async fn a_name_is_not_called_unknown_while_the_list_is_known_to_be_behind() {
    let stage = warm().await;
    let _closed = stage.hold("/snapshots");
    stage.wait(6);
    let unknown = stage.inventory.resolve_snapshot("new");
    let (unknown, ()) = tokio::join!(unknown, async {
        stage.asked(3).await;
        stage.wait(2);
    });
    assert!(matches!(unknown, Err(Unresolved::NotFound { .. })), "{unknown:?}");
    stage.wait(6);
    stage.inventory.invalidate();
    let (unknown, ()) = tokio::join!(stage.inventory.resolve_snapshot("new"), async { stage.wait(2) });
    assert_eq!(unknown, Err(Unresolved::Late));
}

#[tokio::test]
async fn an_empty_cache_that_cannot_be_filled_in_good_time_is_said_to_be_and_filled_all_the_same() {
    let stage = Stage::new(None, names(&["web-1"]), one()).await;
    let gate = stage.hold("");
    let (droplet, listing, ()) = tokio::join!(stage.resolve("web-1"), stage.inventory.listing(None), async {
        stage.asked(2).await;
        stage.wait(10);
    });
    assert_eq!(droplet, Err(Unresolved::Late));
    assert!(matches!(listing, Err(Unresolved::Late)));
    gate.send(true).unwrap();
    assert_eq!(stage.resolve("web-1").await, Ok(1));
    assert_eq!(ids(&stage.inventory.listing(None).await.unwrap()), [5]);
    assert_eq!(stage.requests(), 2);
}

#[tokio::test]
async fn what_only_one_request_tells_is_not_waited_for_for_ever() {
    let stage = warm().await;
    let _closed = stage.hold("/99");
    let (unknown, ()) = tokio::join!(stage.resolve("99"), async {
        stage.asked(3).await;
        stage.wait(10);
    });
    assert_eq!(unknown, Err(Unresolved::Late));
}

#[tokio::test]
async fn suggestions_wait_for_digitalocean_only_a_moment() {
    let stage = Stage::new(None, names(&["web-1"]), one()).await;
    let gate = stage.hold("");
    let (droplets, snapshots, ()) = tokio::join!(stage.typing("web"), stage.typing_snapshot("old"), async {
        stage.asked(2).await;
        stage.wait(1);
    });
    assert!(droplets.is_empty() && snapshots.is_empty());
    gate.send(true).unwrap();
    assert_eq!((stage.typing("web").await.len(), stage.typing_snapshot("old").await.len()), (1, 1));
    assert_eq!(stage.requests(), 2, "the next key finds what the first one asked for");
}

#[tokio::test]
async fn snapshots_are_offered_without_the_backups_where_those_are_slow() {
    let stage = warm().await;
    stage.account.lock().unwrap().backups = vec![snapshot(7, "nightly", 1, 3)];
    let gate = stage.hold("/backups");
    let (offered, ()) = tokio::join!(stage.typing_restore(1, ""), async {
        stage.asked(3).await;
        stage.wait(1);
    });
    assert_eq!(offered, [(5, Origin::Snapshot)]);
    gate.send(true).unwrap();
    assert_eq!(stage.typing_restore(1, "").await, [(7, Origin::Backup), (5, Origin::Snapshot)]);
    assert_eq!(stage.requests(), 3, "the reading has gone on");
}

#[tokio::test]
async fn where_readings_must_not_go_on_those_that_a_person_waits_for_may() {
    let stage = Stage::new(None, names(&["web-1"]), one()).await;
    // Five requests a minute; background reads may use two of them.
    stage.account.lock().unwrap().limit = Some(100);
    assert_eq!(stage.typing("web").await.len(), 1);
    assert!(matches!(stage.resolve("99").await, Err(Unresolved::NotFound { .. })));
    assert_eq!(ids(&stage.inventory.listing(None).await.unwrap()), [5]);
}
