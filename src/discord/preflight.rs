//! Whether something destructive can be done at all, looked up past every cache: before the question, and again before the deed.

use super::{face::Face, lookup, messages::refusal::Refusal, responder::Stop};
use crate::{
    inventory::{Droplet, DropletStatus, Inspection, Snapshot, Unresolved},
    operation::{Operation, ids::DropletId},
};

/// A Droplet and one of its Snapshots or backups, which can be put back onto it.
#[derive(Clone, Debug)]
pub(super) struct Restorable {
    pub(super) droplet: Droplet,
    pub(super) snapshot: Snapshot,
}

/// Looks whether a Snapshot, by id or by name, can be put back onto this Droplet now.
pub(super) async fn restore(face: &Face, droplet: DropletId, text: &str) -> Result<Restorable, Stop> {
    let inspection =
        face.inventory.inspect(droplet).await.map_err(|gone| lookup::no_droplet(&droplet.to_string(), gone))?;
    let snapshot = face.inventory.resolve_restorable(&inspection, text).await;
    let Inspection { droplet, .. } = inspection;
    let snapshot = snapshot.map_err(|unresolved| lookup::no_snapshot(text, Some(&droplet.name), unresolved))?;
    match &droplet.status {
        DropletStatus::Active | DropletStatus::Off => {}
        DropletStatus::New => return Err(unusable(&droplet, "new")),
        DropletStatus::Archive => return Err(unusable(&droplet, "archived")),
        DropletStatus::Other(word) => return Err(unusable(&droplet, word)),
    }
    if let (Some(disk), Some(needed)) = (droplet.disk_gb, snapshot.min_disk_size)
        && disk < needed
    {
        return Err(Refusal::DiskTooSmall { droplet: droplet.name, disk, snapshot: snapshot.name, needed }.into());
    }
    if let Some(region) = &droplet.region
        && !snapshot.regions.is_empty()
        && !snapshot.regions.contains(region)
    {
        let (region, regions) = (region.clone(), snapshot.regions);
        return Err(Refusal::NotInRegion { snapshot: snapshot.name, region, regions }.into());
    }
    if droplet.locked {
        return Err(Refusal::Locked { droplet: droplet.name }.into());
    }
    Ok(Restorable { droplet, snapshot })
}

/// A Snapshot that can be deleted, with what its deletion means.
#[derive(Clone, Debug)]
pub(super) struct Deletable {
    pub(super) snapshot: Snapshot,
    pub(super) droplet: Option<String>,
    pub(super) siblings: Option<usize>,
    /// The operation that took it.
    pub(super) origin: Option<Operation>,
}

/// Looks whether a Snapshot, by id or by name, can be deleted now.
pub(super) async fn delete(face: &Face, text: &str) -> Result<Deletable, Stop> {
    let refused = |unresolved| lookup::no_snapshot(text, None, unresolved);
    let cached = face.inventory.resolve_snapshot(text).await.map_err(refused)?;
    // The cache knows whose it is, and whether the tag lets us touch it; that it is still there is asked once more.
    let snapshot = face.inventory.snapshot_now(cached.id).await.map_err(refused)?;
    let origin = face.store.origins([snapshot.name.as_str()]).await?.remove(&snapshot.name);
    if let Some(operation) = origin.as_ref().filter(|operation| operation.is_running()) {
        let progress = face.store.progress_message(operation.id).await?;
        let progress = face.way_to(operation.id, progress).await?;
        return Err(Refusal::SnapshotInUse { operation: operation.id, progress }.into());
    }
    let (droplet, siblings) = match snapshot.droplet {
        Some(droplet) => source(face, droplet).await.map_err(refused)?,
        None => (None, None),
    };
    Ok(Deletable { snapshot, droplet, siblings, origin })
}

/// The name of a Droplet, none if it is gone, and how many Snapshots it has.
async fn source(face: &Face, id: DropletId) -> Result<(Option<String>, Option<usize>), Unresolved> {
    let inventory = &face.inventory;
    let (droplet, counted) = tokio::try_join!(inventory.droplet_now(id), inventory.count_snapshots(id))?;
    let siblings = match counted {
        Some(count) => count,
        // Of a Droplet that is gone only the list still knows.
        None => inventory.listing(Some(id)).await?.snapshots().count(),
    };
    Ok((droplet.map(|droplet| droplet.name), Some(siblings)))
}

fn unusable(droplet: &Droplet, status: &str) -> Stop {
    Refusal::Unusable { droplet: droplet.name.clone(), status: status.to_owned() }.into()
}
