//! All Snapshots, or those of one Droplet, according to the cache: the source of the pages of a list.

use std::sync::Arc;

use super::{Droplet, Inventory, Snapshot, Unresolved, index::Index, timeouts::Absent};
use crate::{
    digitalocean::{error::Error, queries},
    operation::ids::{DropletId, SnapshotId},
};

/// Snapshots and Droplets from the cache at one time.
pub struct Listing {
    snapshots: Arc<Index<Snapshot>>,
    droplets: Arc<Index<Droplet>>,
    of: Option<DropletId>,
}

impl Listing {
    /// The Snapshots, newest first.
    pub fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        self.snapshots.iter().filter(|snapshot| self.of.is_none_or(|of| snapshot.droplet == Some(of)))
    }

    /// The listed Droplets.
    pub fn droplets(&self) -> impl Iterator<Item = &Droplet> {
        self.droplets.iter()
    }

    /// A listed Droplet by id.
    pub fn droplet(&self, id: DropletId) -> Option<&Droplet> {
        self.droplets.by_id(id)
    }

    /// The name of a listed Droplet.
    pub(super) fn name_of(&self, droplet: DropletId) -> Option<&str> {
        self.droplets.by_id(droplet).map(|droplet| droplet.name.as_str())
    }
}

impl Inventory {
    /// The Snapshots of one Droplet, or of all Droplets.
    pub async fn listing(&self, of: Option<DropletId>) -> Result<Listing, Unresolved> {
        let (snapshots, droplets) =
            tokio::try_join!(self.snapshots.current(&self.client), self.droplets.current(&self.client))?;
        Ok(Listing { snapshots, droplets, of })
    }

    /// Waits until all Snapshots were read after the reading number `known`, whatever requested that. Returns them with the new number;
    /// starts no reading itself.
    pub async fn snapshots_after(&self, known: u64) -> Option<(u64, Vec<Snapshot>)> {
        let (reading, index) = self.snapshots.after(known).await?;
        Some((reading, index.iter().cloned().collect()))
    }

    /// How many Snapshots a Droplet has, bypassing all caches; `None` if it is gone.
    pub async fn count_snapshots(&self, of: DropletId) -> Result<Option<usize>, Unresolved> {
        match self.ask(queries::droplet_snapshots(of)).await {
            Ok(snapshots) => Ok(Some(snapshots.len())),
            Err(Absent::Failed(Error::NotFound { .. })) => Ok(None),
            Err(absent) => Err(absent.into()),
        }
    }

    /// Reads one Snapshot, bypassing all caches.
    pub async fn snapshot_now(&self, id: SnapshotId) -> Result<Snapshot, Unresolved> {
        match self.ask(queries::snapshot(id)).await {
            Ok(snapshot) => Ok(snapshot),
            Err(Absent::Failed(Error::NotFound { .. })) => Err(Unresolved::NotFound { nearest: Vec::new() }),
            Err(absent) => Err(absent.into()),
        }
    }
}
