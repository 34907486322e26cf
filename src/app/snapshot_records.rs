//! Compares the recorded Snapshots of schedules and pins with the listed ones. A Snapshot that was deleted in the control panel is
//! forgotten, and a size that came late is recorded.
//!
//! A list that may be incomplete proves nothing: the bot looks for a missing Snapshot in a complete list, and then reads it by itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    digitalocean::{budget::Priority, client::Client, error::Error as Cloud, model::Snapshot, queries},
    operation::{ids::SnapshotId, reading::SnapshotReading},
    store::{Error, Store},
};

/// Compares the records with a list that was just read.
pub(super) async fn compare(store: &Store, client: &Client, listed: &[Snapshot]) -> Result<(), Error> {
    let by_id: BTreeMap<SnapshotId, &Snapshot> = listed.iter().map(|snapshot| (snapshot.id, snapshot)).collect();
    for (snapshot, operation) in store.unsized_schedule_snapshots().await? {
        let seen = by_id.get(&snapshot).map(|seen| reading(seen));
        if let Some(seen) = seen.filter(|seen| seen.known_size().is_some()) {
            store.note_schedule_snapshot(operation, &seen).await?;
        }
    }
    let kept = store.kept_by_schedules().await?.into_iter().map(|(snapshot, _)| snapshot);
    let recorded = kept.chain(store.pins().await?.into_keys());
    let missing: BTreeSet<SnapshotId> = recorded.filter(|snapshot| !by_id.contains_key(snapshot)).collect();
    forget_gone(store, client, &missing).await.map(drop)
}

/// Forgets those of these Snapshots that are proved to be gone. Returns whether there were any.
pub(super) async fn forget_gone(store: &Store, client: &Client, missing: &BTreeSet<SnapshotId>) -> Result<bool, Error> {
    if missing.is_empty() {
        return Ok(false);
    }
    let there: BTreeSet<SnapshotId> = match client.run(queries::every_snapshot()).await {
        Ok(all) => all.into_iter().map(|snapshot| snapshot.id).collect(),
        Err(error) => {
            tracing::info!(%error, "what seems to be deleted stays known: the list of Snapshots cannot be read as a whole");
            return Ok(false);
        }
    };
    let mut has_forgotten = false;
    for id in missing.difference(&there) {
        let seen = client.run(queries::snapshot(*id).with_priority(Priority::Inventory)).await;
        if matches!(seen, Err(Cloud::NotFound { .. })) {
            tracing::info!(snapshot.id = %id, "a Snapshot that a schedule or a pin knows is not there any more");
            store.forget_gone_snapshot(*id).await?;
            has_forgotten = true;
        }
    }
    Ok(has_forgotten)
}

/// The reading of a listed Snapshot.
pub(super) fn reading(seen: &Snapshot) -> SnapshotReading {
    SnapshotReading {
        id: seen.id,
        name: seen.name.clone(),
        created_at: seen.created_at,
        size_gigabytes: seen.size_gigabytes,
    }
}
