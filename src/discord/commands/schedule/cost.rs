//! What the Snapshots of a schedule are expected to cost.

use crate::{
    discord::{messages::schedule::Cost, state::AppState},
    inventory::Droplet,
    operation::ids::DropletId,
};

/// The expected cost of one Snapshot of a Droplet: that of its newest Snapshot, else at most that of its whole disk.
pub(super) async fn cost(state: &AppState, droplet: DropletId, disk_gb: Option<u64>) -> Cost {
    let newest = state.inventory.listing(Some(droplet)).await.ok();
    let size = newest.and_then(|listing| {
        let mut sizes = listing.snapshots().filter_map(|snapshot| snapshot.size_gigabytes);
        sizes.find(|size| size.is_finite() && *size > 0.0)
    });
    size.map(Cost::AsNewest).or(disk(disk_gb).map(Cost::AtMost)).unwrap_or(Cost::Unknown)
}

/// The expected cost of one Snapshot of each of these Droplets.
pub(in crate::discord) async fn group_cost(state: &AppState, droplets: &[Droplet]) -> Cost {
    let listing = state.inventory.listing(None).await.ok();
    let newest = |droplet: &Droplet| {
        let mut snapshots = listing.as_ref()?.snapshots().filter(|snapshot| snapshot.droplet == Some(droplet.id));
        snapshots.find_map(|snapshot| snapshot.size_gigabytes.filter(|size| size.is_finite() && *size > 0.0))
    };
    let (mut sum, mut is_certain) = (0.0, true);
    for droplet in droplets {
        let known = newest(droplet);
        is_certain &= known.is_some();
        match known.or_else(|| disk(droplet.disk_gb)) {
            Some(size) => sum += size,
            None => return Cost::Unknown,
        }
    }
    if is_certain { Cost::AsNewest(sum) } else { Cost::AtMost(sum) }
}

fn disk(disk_gb: Option<u64>) -> Option<f64> {
    disk_gb.and_then(|disk| u32::try_from(disk).ok()).map(f64::from)
}
