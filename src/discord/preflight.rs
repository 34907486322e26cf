//! Checks whether something destructive can be done at all, past every cache: before the question, and again before the operation.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{lookup, messages::refusal::Refusal, responder::Stop, state::AppState};
use crate::{
    access::Person,
    inventory::{Droplet, DropletStatus, Inspection, Snapshot, Unresolved},
    operation::{
        Operation, Target,
        ids::{ActionId, DropletId, SnapshotId},
        kinds::Kind,
    },
    store::Pin,
};

/// A Droplet and one of its Snapshots or backups that can be put back onto it.
#[derive(Clone, Debug)]
pub(super) struct Restorable {
    pub(super) droplet: Droplet,
    pub(super) snapshot: Snapshot,
    /// Whether DigitalOcean took it automatically, while the Droplet ran.
    pub(super) is_backup: bool,
    /// The Actions that have rewritten the disk so far, if they could be read.
    pub(super) rewrites: Option<Vec<ActionId>>,
}

/// The Droplet as the target of an operation.
pub(super) fn target(droplet: &Droplet) -> Target {
    let Droplet { id, name, region, disk_gb, .. } = droplet;
    Target { droplet: Some(*id), name: name.clone(), region: region.clone(), disk_gb: *disk_gb }
}

/// The present Droplet of an operation that has ended, if no other operation runs on it and DigitalOcean does not lock it.
pub(super) async fn free(state: &AppState, who: &Person, operation: &Operation) -> Result<Droplet, Stop> {
    let name = operation.target.name.clone();
    let id = operation.target.droplet.ok_or_else(|| Refusal::DropletGone { droplet: Some(name.clone()) })?;
    if let Some(running) = state.store.running_on(id).await? {
        let progress = state.store.progress_message(running).await?;
        let by = state.occupant(who, running, progress).await?;
        return Err(Refusal::Busy { droplet: name, by, again: None }.into());
    }
    let inspected = state.inventory.inspect(id).await;
    let gone = |unresolved| lookup::called(lookup::no_droplet(&id.to_string(), unresolved), &name);
    let droplet = inspected.map_err(gone)?.droplet;
    match &droplet.status {
        _ if droplet.locked => Err(Refusal::Locked { droplet: droplet.name }.into()),
        DropletStatus::Active | DropletStatus::Off => Ok(droplet),
        DropletStatus::New => Err(Refusal::StillNew { droplet: droplet.name }.into()),
        DropletStatus::Archive => Err(unusable(&droplet, "archived")),
        DropletStatus::Other(word) => Err(unusable(&droplet, word)),
    }
}

/// Checks whether a Snapshot, given by id or by name, can be put back onto this Droplet now.
pub(super) async fn restore(state: &AppState, droplet: DropletId, text: &str) -> Result<Restorable, Stop> {
    let (inspection, rewrites) = tokio::join!(state.inventory.inspect(droplet), state.inventory.rewrites(droplet));
    let inspection = inspection.map_err(|gone| lookup::no_droplet(&droplet.to_string(), gone))?;
    let snapshot = state.inventory.resolve_restorable(&inspection, text).await;
    let Inspection { droplet, backups, .. } = inspection;
    let snapshot = snapshot.map_err(|unresolved| lookup::no_snapshot(text, Some(&droplet.name), unresolved))?;
    match &droplet.status {
        DropletStatus::Active | DropletStatus::Off => {}
        DropletStatus::New => return Err(Refusal::StillNew { droplet: droplet.name }.into()),
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
        let (snapshot, droplet) = (snapshot.name, droplet.name);
        return Err(Refusal::NotWithDroplet { snapshot, droplet, region, regions }.into());
    }
    if droplet.locked {
        return Err(Refusal::Locked { droplet: droplet.name }.into());
    }
    let is_backup = backups.contains(&snapshot.id);
    Ok(Restorable { droplet, snapshot, is_backup, rewrites })
}

/// A Snapshot that can be deleted, and the consequences of its deletion.
#[derive(Clone, Debug)]
pub(super) struct Deletable {
    pub(super) snapshot: Snapshot,
    pub(super) droplet: Option<String>,
    pub(super) siblings: Option<usize>,
    /// The operation that took it.
    pub(super) origin: Option<Operation>,
    /// Until when an Undo needs it.
    pub(super) undo_until: Option<Timestamp>,
    /// Its pin, with who wants it kept.
    pub(super) pin: Option<Pin>,
}

/// The warnings before a Snapshot is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Warnings {
    /// It is its Droplet's last Snapshot.
    last: bool,
    /// An Undo needs it.
    needed: bool,
    /// It is pinned.
    #[serde(default)]
    pinned: bool,
}

impl Warnings {
    /// Whether a person who read these warnings also knows the others.
    pub(super) fn cover(self, others: Self) -> bool {
        (self.last || !others.last) && (self.needed || !others.needed) && (self.pinned || !others.pinned)
    }
}

impl Deletable {
    pub(super) fn warnings(&self) -> Warnings {
        let last = self.siblings.is_some_and(|siblings| siblings <= 1);
        Warnings { last, needed: self.undo_until.is_some(), pinned: self.pin.is_some() }
    }
}

/// Checks whether a Snapshot, given by id or by name, can be deleted now.
pub(super) async fn delete(state: &AppState, who: &Person, text: &str) -> Result<Deletable, Stop> {
    let refused = |unresolved| lookup::no_snapshot(text, None, unresolved);
    let cached = state.inventory.resolve_snapshot(text).await.map_err(refused)?;
    // The cache tells which Droplet it belongs to and whether the tag permits access. Whether it still exists is read again.
    let snapshot = state.inventory.snapshot_now(cached.id).await.map_err(refused)?;
    let origin = state.store.origins([snapshot.name.as_str()]).await?.remove(&snapshot.name);
    if let Some(operation) = origin.as_ref().filter(|operation| operation.is_running()) {
        let progress = state.store.progress_message(operation.id).await?;
        let by = state.occupant(who, operation.id, progress).await?;
        return Err(Refusal::SnapshotInUse { by }.into());
    }
    // These are read before the Snapshots are counted: one that disappears in between is subtracted twice rather than not at all.
    let going = match snapshot.droplet {
        Some(droplet) => going(state, droplet, snapshot.id).await?,
        None => 0,
    };
    let (droplet, siblings) = match snapshot.droplet {
        Some(droplet) => source(state, droplet).await.map_err(refused)?,
        None => (None, None),
    };
    let siblings = siblings.map(|siblings| siblings.saturating_sub(going));
    let undo_until = match &origin {
        Some(origin) => undo_until(state, origin, snapshot.id).await?,
        None => None,
    };
    let pin = state.store.pinned(snapshot.id).await?;
    Ok(Deletable { snapshot, droplet, siblings, origin, undo_until, pin })
}

/// How many other Snapshots of this Droplet still exist and are about to be deleted by the bot.
async fn going(state: &AppState, droplet: DropletId, but: SnapshotId) -> Result<usize, Stop> {
    let running = state.store.running().await?;
    let deletions = running.iter().map(|stored| &stored.operation.kind).filter(|kind| kind.deletes());
    let mut going = 0;
    for deleted in deletions.filter_map(Kind::snapshot).filter(|deleted| deleted.id != but) {
        let there = state.inventory.snapshot_now(deleted.id).await;
        going += usize::from(there.is_ok_and(|there| there.droplet == Some(droplet)));
    }
    Ok(going)
}

/// Until when the Undo of the restore that took this safety Snapshot is offered; `None` if it was put back already.
async fn undo_until(state: &AppState, origin: &Operation, snapshot: SnapshotId) -> Result<Option<Timestamp>, Stop> {
    let is_safety = origin.safety_snapshot().is_some_and(|safety| safety.id == snapshot);
    let until = origin.undo_until().filter(|until| is_safety && state.clock.now() < *until);
    let (Some(until), Some(droplet), Some(ended)) = (until, origin.target.droplet, origin.ended) else {
        return Ok(None);
    };
    let was_put_back = state.store.was_put_back(snapshot, droplet, ended).await?;
    Ok((!was_put_back).then_some(until))
}

/// The name of a Droplet, `None` if it is gone, and how many Snapshots it has.
async fn source(state: &AppState, id: DropletId) -> Result<(Option<String>, Option<usize>), Unresolved> {
    let inventory = &state.inventory;
    let (droplet, counted) = tokio::try_join!(inventory.droplet_now(id), inventory.count_snapshots(id))?;
    let siblings = match counted {
        Some(count) => count,
        // Only the list still knows a Droplet that is gone.
        None => inventory.listing(Some(id)).await?.snapshots().count(),
    };
    Ok((droplet.map(|droplet| droplet.name), Some(siblings)))
}

fn unusable(droplet: &Droplet, status: &str) -> Stop {
    Refusal::Unusable { droplet: droplet.name.clone(), status: status.to_owned() }.into()
}
