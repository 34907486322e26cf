//! What can be restored onto one Droplet: its Snapshots and its Backups, either for half-typed text or read again before a restore.
//!
//! Backups are not among DigitalOcean's Snapshots and can be read only by Droplet, so they are read when a person restores.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::{
    Droplet, Inventory, Snapshot, Unresolved,
    index::{Index, Meaning},
    label,
    single_flight::SingleFlight,
    timeouts::{self, Absent},
};
use crate::{
    digitalocean::{
        error::Error,
        model::{Action, ActionStatus},
        queries,
    },
    operation::ids::{ActionId, DropletId, SnapshotId},
};

/// How long Backups are cached. New ones come once a day.
const KEEP: SignedDuration = SignedDuration::from_mins(1);

/// A Droplet and everything that can be restored onto it, just read.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The Droplet.
    pub droplet: Droplet,
    /// Its Snapshots and Backups, newest first.
    pub images: Vec<Snapshot>,
    /// Those of them that DigitalOcean took on its own, while the Droplet was running.
    pub backups: HashSet<SnapshotId>,
}

/// Where an image comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A person or a schedule took it.
    Snapshot,
    /// DigitalOcean took it on its own.
    Backup,
}

/// The Backups of Droplets that people recently wanted to restore.
#[derive(Default)]
pub(super) struct Backups(Mutex<HashMap<DropletId, Kept>>);

/// When they were read, and the result.
type Kept = (Timestamp, Arc<SingleFlight<Vec<Snapshot>>>);

impl Backups {
    fn of(&self, droplet: DropletId, now: Timestamp) -> Arc<SingleFlight<Vec<Snapshot>>> {
        let mut known = self.0.lock();
        known.retain(|_, (since, _)| now.duration_since(*since) < KEEP);
        Arc::clone(&known.entry(droplet).or_insert_with(|| (now, Arc::default())).1)
    }

    pub(super) fn forget(&self) {
        self.0.lock().clear();
    }
}

impl Inventory {
    /// The Snapshots and Backups of one Droplet that match a text, best first; without a text newest first. Backups are omitted if they
    /// cannot be read quickly: the next keystroke finds them.
    pub async fn find_restorable(&self, droplet: DropletId, text: &str, limit: usize) -> Vec<(Snapshot, Origin)> {
        let (snapshots, backups) =
            tokio::join!(self.snapshots.list(&self.client, timeouts::SUGGESTION), self.backups_of(droplet));
        let mut found: Vec<Snapshot> = Vec::new();
        match snapshots {
            Ok(index) => {
                let own = index.search(text, limit, |snapshot| snapshot.droplet == Some(droplet));
                if own.is_empty() {
                    self.snapshots.missed(&self.client);
                }
                found.extend(own.into_iter().cloned());
            }
            Err(absent) => tracing::info!(?absent, "could not list Snapshots for somebody who types"),
        }
        let mut are_backups: HashSet<SnapshotId> = HashSet::new();
        match backups {
            Ok(backups) => {
                are_backups = backups.iter().map(|backup| backup.id).collect();
                found.extend(backups.iter().cloned());
            }
            Err(absent) => tracing::info!(?absent, "could not list backups for somebody who types"),
        }
        let origin = |image: &Snapshot| if are_backups.contains(&image.id) { Origin::Backup } else { Origin::Snapshot };
        let found = newest_first(found);
        found.search(text, limit, |_| true).into_iter().map(|image| (image.clone(), origin(image))).collect()
    }

    /// The Backups of one Droplet that match a text, best first; without a text newest first.
    pub async fn find_backups(&self, droplet: DropletId, text: &str, limit: usize) -> Vec<Snapshot> {
        let Ok(backups) = self.backups_of(droplet).await else { return Vec::new() };
        newest_first(backups.to_vec()).search(text, limit, |_| true).into_iter().cloned().collect()
    }

    async fn backups_of(&self, droplet: DropletId) -> Result<Arc<Vec<Snapshot>>, Absent> {
        let listed = self.backups.of(droplet, self.client.now());
        let read = || queries::droplet_backups(droplet);
        listed.get((&self.client, &self.background), KEEP, timeouts::ADDITION, read).await
    }

    /// Reads a Droplet and everything that can be restored onto it, bypassing all caches.
    pub async fn inspect(&self, droplet: DropletId) -> Result<Inspection, Unresolved> {
        let (seen, snapshots, backups) = tokio::join!(
            self.ask(queries::droplet(droplet)),
            self.ask(queries::droplet_snapshots(droplet)),
            self.ask(queries::droplet_backups(droplet)),
        );
        let gone = |absent| match absent {
            Absent::Failed(Error::NotFound { .. }) => Unresolved::NotFound { nearest: Vec::new() },
            absent => absent.into(),
        };
        let droplet = self.admit(seen.map_err(gone)?)?;
        let mut images = snapshots.map_err(gone)?;
        let made_by_itself = backups.map_err(gone)?;
        let backups = made_by_itself.iter().map(|backup| backup.id).collect();
        images.extend(made_by_itself);
        images.sort_by(Snapshot::newest_first);
        Ok(Inspection { droplet, images, backups })
    }

    /// The Actions that have rewritten a Droplet's disk so far: restores and rebuilds, bypassing all caches. `None` if they
    /// cannot be read, or while one is in progress.
    pub async fn rewrites(&self, droplet: DropletId) -> Option<Vec<ActionId>> {
        let actions = self.ask(queries::droplet_actions(droplet)).await.ok()?;
        let rewrites = actions.into_iter().filter(|action| matches!(action.kind.as_str(), "restore" | "rebuild"));
        let ended = |action: Action| match action.status {
            ActionStatus::Completed => Some(Some(action.id)),
            ActionStatus::Errored => None,
            ActionStatus::InProgress | ActionStatus::Other(_) => Some(None),
        };
        rewrites.filter_map(ended).collect()
    }

    /// The image of an inspected Droplet for a submitted text: an id, or a name that only one image has.
    pub async fn resolve_restorable(&self, inspection: &Inspection, text: &str) -> Result<Snapshot, Unresolved> {
        let text = text.trim();
        let own = newest_first(inspection.images.clone());
        match own.meaning(text, |_| true) {
            Meaning::One(image) => return Ok(image.clone()),
            Meaning::Several(images) => {
                let now = self.client.now();
                let name = images.first().map_or(text, |image| &image.name).to_owned();
                let labels = label::told_apart(images, |image| label::snapshot_label(image, None, now));
                return Err(Unresolved::Ambiguous { name, labels });
            }
            Meaning::Nothing => {}
        }
        let nearest = own.nearest(text, super::SUGGESTIONS, |_| true);
        match self.resolve_snapshot(text).await {
            // It was deleted so recently that the cache still contains it.
            Ok(snapshot) if snapshot.droplet == Some(inspection.droplet.id) => Err(Unresolved::NotFound { nearest }),
            Ok(Snapshot { name, .. }) | Err(Unresolved::Ambiguous { name, .. }) => {
                Err(Unresolved::OfAnotherDroplet { name })
            }
            Err(
                down @ (Unresolved::Unavailable(_)
                | Unresolved::Late
                | Unresolved::TokenRefused
                | Unresolved::Forbidden { .. }),
            ) => Err(down),
            Err(Unresolved::NotFound { .. } | Unresolved::NotTagged { .. } | Unresolved::OfAnotherDroplet { .. }) => {
                Err(Unresolved::NotFound { nearest })
            }
        }
    }
}

fn newest_first(images: Vec<Snapshot>) -> Index<Snapshot> {
    Index::new(images, Snapshot::newest_first)
}
