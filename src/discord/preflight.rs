//! Whether something destructive can be done at all, looked up past every cache: before the question, and again before the deed.

use super::{face::Face, lookup, messages::refusal::Refusal, responder::Stop};
use crate::{
    inventory::{Droplet, DropletStatus, Inspection, Snapshot},
    operation::ids::DropletId,
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

fn unusable(droplet: &Droplet, status: &str) -> Stop {
    Refusal::Unusable { droplet: droplet.name.clone(), status: status.to_owned() }.into()
}
