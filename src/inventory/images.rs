//! What can be put back onto one Droplet: its Snapshots and its backups, half-typed or looked up afresh before a restore.
//!
//! Backups are not among DigitalOcean's Snapshots and can only be asked for by Droplet, so they are read when somebody restores.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use super::{
    Droplet, Inventory, Snapshot, Unresolved,
    glance::Glance,
    index::{Index, Meaning},
    label,
};
use crate::{
    digitalocean::{budget::Priority, client::Client, error::Error, reads},
    operation::ids::DropletId,
};

/// Backups come once a day.
const KEEP: SignedDuration = SignedDuration::from_mins(1);

/// A Droplet and everything that can be put back onto it, read just now.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The Droplet.
    pub droplet: Droplet,
    /// Its Snapshots and backups, newest first.
    pub images: Vec<Snapshot>,
}

/// The backups of the Droplets that somebody lately wanted to restore.
#[derive(Debug, Default)]
pub(super) struct Backups(Mutex<HashMap<DropletId, Kept>>);

/// Since when, and what was read.
type Kept = (Timestamp, Arc<Glance<Vec<Snapshot>>>);

impl Backups {
    async fn of(&self, droplet: DropletId, client: &Client) -> Result<Arc<Vec<Snapshot>>, Error> {
        let now = client.now();
        let glance = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.retain(|_, (since, _)| now.duration_since(*since) < KEEP);
            Arc::clone(&known.entry(droplet).or_insert_with(|| (now, Arc::default())).1)
        };
        glance.get(KEEP, now, || client.run(reads::droplet_backups(droplet).with_priority(Priority::Inventory))).await
    }

    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Inventory {
    /// The Snapshots and backups of one Droplet that a text may mean, best first; newest first while there is no text.
    pub async fn find_restorable(&self, droplet: DropletId, text: &str, limit: usize) -> Vec<Snapshot> {
        let (snapshots, backups) =
            tokio::join!(self.snapshots.list(&self.client), self.backups.of(droplet, &self.client));
        let mut found: Vec<Snapshot> = Vec::new();
        match snapshots {
            Ok(index) => {
                let own = index.search(text, limit, |snapshot| snapshot.droplet == Some(droplet));
                if own.is_empty() {
                    self.snapshots.missed(&self.client);
                }
                found.extend(own.into_iter().cloned());
            }
            Err(error) => tracing::info!(%error, "could not list Snapshots for somebody who types"),
        }
        match backups {
            Ok(backups) => {
                let backups = newest_first(backups.to_vec());
                found.extend(backups.search(text, limit, |_| true).into_iter().cloned());
            }
            Err(error) => tracing::info!(%error, "could not list backups for somebody who types"),
        }
        newest_first(found).search(text, limit, |_| true).into_iter().cloned().collect()
    }

    /// Looks at a Droplet and all that can be put back onto it, past every cache.
    pub async fn inspect(&self, droplet: DropletId) -> Result<Inspection, Unresolved> {
        let person = Priority::Person;
        let (seen, snapshots, backups) = tokio::join!(
            self.client.run(reads::droplet(droplet).with_priority(person)),
            self.client.run(reads::droplet_snapshots(droplet).with_priority(person)),
            self.client.run(reads::droplet_backups(droplet).with_priority(person)),
        );
        let gone = |error| match error {
            Error::NotFound { .. } => Unresolved::NotFound { nearest: Vec::new() },
            error => Unresolved::Unavailable(error),
        };
        let droplet = self.admit(seen.map_err(gone)?)?;
        let mut images = snapshots.map_err(gone)?;
        images.extend(backups.map_err(gone)?);
        images.sort_by_key(|image| std::cmp::Reverse(image.created_at));
        Ok(Inspection { droplet, images })
    }

    /// What of an inspected Droplet's images a submitted text means: an id, or a name that only one has.
    pub async fn resolve_restorable(&self, inspection: &Inspection, text: &str) -> Result<Snapshot, Unresolved> {
        let text = text.trim();
        let own = newest_first(inspection.images.clone());
        match own.meaning(text, |_| true) {
            Meaning::One(image) => return Ok(image.clone()),
            Meaning::Several(images) => {
                let now = self.client.now();
                let name = images.first().map_or(text, |image| &image.name).to_owned();
                let labels = images.into_iter().map(|image| label::snapshot(image, now).label).collect();
                return Err(Unresolved::Ambiguous { name, labels });
            }
            Meaning::Nothing => {}
        }
        let nearest = own.nearest(text, super::SUGGESTIONS, |_| true);
        match self.resolve_snapshot(None, text).await {
            // Deleted so lately that the cache still has it.
            Ok(snapshot) if snapshot.droplet == Some(inspection.droplet.id) => Err(Unresolved::NotFound { nearest }),
            Ok(Snapshot { name, .. }) | Err(Unresolved::Ambiguous { name, .. }) => {
                Err(Unresolved::OfAnotherDroplet { name })
            }
            Err(Unresolved::Unavailable(error)) => Err(Unresolved::Unavailable(error)),
            Err(_) => Err(Unresolved::NotFound { nearest }),
        }
    }
}

fn newest_first(images: Vec<Snapshot>) -> Index<Snapshot> {
    Index::new(images, |a, b| b.created_at.cmp(&a.created_at))
}
