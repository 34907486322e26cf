//! Compares the recorded Snapshots of schedules and pins with the listed ones. A Snapshot that was deleted in the control panel is
//! forgotten, and a size that came late is recorded.
//!
//! A list proves nothing, not even a complete one: DigitalOcean may answer for another account, or from a copy that lags behind. The bot
//! looks for a missing Snapshot in a complete list, and then reads it twice by itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::SignedDuration;

use crate::{
    clock::Clock,
    digitalocean::{budget::Priority, client::Client, error::Error as Cloud, model::Snapshot, queries},
    operation::{Rules, ids::SnapshotId, reading::SnapshotReading},
    store::{Error, Store},
};

/// What is recorded about Snapshots, and whether it is still so. Clones share everything.
#[derive(Clone)]
pub(super) struct Records {
    store: Arc<Store>,
    client: Client,
    clock: Clock,
    /// How long after an answer that a Snapshot is unknown its repetition counts.
    pause: SignedDuration,
}

impl Records {
    pub(super) fn new(store: Arc<Store>, client: Client, clock: Clock, rules: &Rules) -> Self {
        Self { store, client, clock, pause: rules.doubt_pause() }
    }

    /// Compares the records with a list that was just read.
    pub(super) async fn compare(&self, listed: &[Snapshot]) -> Result<(), Error> {
        let by_id: BTreeMap<SnapshotId, &Snapshot> = listed.iter().map(|snapshot| (snapshot.id, snapshot)).collect();
        for (snapshot, operation) in self.store.unsized_schedule_snapshots().await? {
            let seen = by_id.get(&snapshot).map(|seen| reading(seen));
            if let Some(seen) = seen.filter(|seen| seen.known_size().is_some()) {
                self.store.note_schedule_snapshot(operation, &seen).await?;
            }
        }
        let kept = self.store.kept_by_schedules().await?.into_iter().map(|(snapshot, _)| snapshot);
        let recorded = kept.chain(self.store.pins().await?.into_keys());
        let missing: BTreeSet<SnapshotId> = recorded.filter(|snapshot| !by_id.contains_key(snapshot)).collect();
        self.forget_gone(missing).await.map(drop)
    }

    /// Forgets those of these Snapshots that are proved to be gone. Returns whether there were any.
    pub(super) async fn forget_gone(&self, missing: BTreeSet<SnapshotId>) -> Result<bool, Error> {
        if missing.is_empty() {
            return Ok(false);
        }
        let there: BTreeSet<SnapshotId> = match self.client.run(queries::every_snapshot()).await {
            Ok(all) => all.into_iter().map(|snapshot| snapshot.id).collect(),
            Err(error) => {
                tracing::info!(%error, "what seems to be deleted stays known: the list of Snapshots cannot be read as a whole");
                return Ok(false);
            }
        };
        let unknown = self.unknown_by_themselves(missing.difference(&there).copied()).await;
        if unknown.is_empty() {
            return Ok(false);
        }
        self.clock.sleep_until(self.clock.now() + self.pause).await;
        let gone = self.unknown_by_themselves(unknown).await;
        for id in &gone {
            tracing::info!(snapshot.id = %id, "a Snapshot that a schedule or a pin knows is not there any more");
            self.store.forget_gone_snapshot(*id).await?;
        }
        Ok(!gone.is_empty())
    }

    /// Whether a recorded Snapshot still exists. A person may have deleted it since, and then it is forgotten.
    pub(super) async fn is_there(&self, id: SnapshotId) -> Result<bool, Error> {
        match self.client.run(queries::snapshot(id)).await {
            Ok(_) => Ok(true),
            Err(Cloud::NotFound { .. }) => {
                self.forget_gone([id].into()).await?;
                Ok(false)
            }
            Err(error) => {
                tracing::info!(snapshot.id = %id, %error, "a Snapshot that cannot be looked at serves for no other schedule");
                Ok(false)
            }
        }
    }

    /// Those of these Snapshots that DigitalOcean does not know when each is read by itself.
    async fn unknown_by_themselves(&self, ids: impl IntoIterator<Item = SnapshotId>) -> Vec<SnapshotId> {
        let mut unknown = Vec::new();
        for id in ids {
            let seen = self.client.run(queries::snapshot(id).with_priority(Priority::Inventory)).await;
            if matches!(seen, Err(Cloud::NotFound { .. })) {
                unknown.push(id);
            }
        }
        unknown
    }
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
