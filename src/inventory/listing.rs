//! All Snapshots, or those of one Droplet, as they are in the cache: what a page of a list is cut from.

use std::sync::Arc;

use super::{Droplet, Inventory, Snapshot, Unresolved, index::Index, timeouts::Absent};
use crate::{
    digitalocean::{error::Error, queries},
    operation::ids::{DropletId, SnapshotId},
};

/// Snapshots with their Droplets, at one moment.
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

    /// The Droplets that are listed.
    pub fn droplets(&self) -> impl Iterator<Item = &Droplet> {
        self.droplets.iter()
    }

    /// A Droplet that is listed.
    pub fn droplet(&self, id: DropletId) -> Option<&Droplet> {
        self.droplets.by_id(id)
    }

    /// The name of a Droplet that is listed.
    pub(super) fn name_of(&self, droplet: DropletId) -> Option<&str> {
        self.droplets.by_id(droplet).map(|droplet| droplet.name.as_str())
    }
}

impl Inventory {
    /// The Snapshots of one Droplet, or of all.
    pub async fn listing(&self, of: Option<DropletId>) -> Result<Listing, Unresolved> {
        let (snapshots, droplets) =
            tokio::try_join!(self.snapshots.current(&self.client), self.droplets.current(&self.client))?;
        Ok(Listing { snapshots, droplets, of })
    }

    /// All Snapshots as soon as somebody had the list read after this reading, and which reading it is; reads nothing by itself.
    pub async fn snapshots_after(&self, known: u64) -> Option<(u64, Vec<Snapshot>)> {
        let (reading, index) = self.snapshots.after(known).await?;
        Some((reading, index.iter().cloned().collect()))
    }

    /// How many Snapshots a Droplet has, past every cache; none if it is gone.
    pub async fn count_snapshots(&self, of: DropletId) -> Result<Option<usize>, Unresolved> {
        match self.ask(queries::droplet_snapshots(of)).await {
            Ok(snapshots) => Ok(Some(snapshots.len())),
            Err(Absent::Failed(Error::NotFound { .. })) => Ok(None),
            Err(absent) => Err(absent.into()),
        }
    }

    /// Looks at one Snapshot, past every cache.
    pub async fn snapshot_now(&self, id: SnapshotId) -> Result<Snapshot, Unresolved> {
        match self.ask(queries::snapshot(id)).await {
            Ok(snapshot) => Ok(snapshot),
            Err(Absent::Failed(Error::NotFound { .. })) => Err(Unresolved::NotFound { nearest: Vec::new() }),
            Err(absent) => Err(absent.into()),
        }
    }
}
