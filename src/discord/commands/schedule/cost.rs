//! What the Snapshots of a schedule are expected to cost.

use crate::{
    discord::{messages::schedule::Cost, state::AppState},
    operation::ids::DropletId,
};

/// What a Snapshot of a Droplet is expected to cost: as its newest one, else at most as its disk.
pub(super) async fn cost(state: &AppState, droplet: DropletId, disk_gb: Option<u64>) -> Cost {
    let newest = state.inventory.listing(Some(droplet)).await.ok();
    let size = newest.and_then(|listing| {
        let mut sizes = listing.snapshots().filter_map(|snapshot| snapshot.size_gigabytes);
        sizes.find(|size| size.is_finite() && *size > 0.0)
    });
    let disk = disk_gb.and_then(|disk| u32::try_from(disk).ok()).map(f64::from);
    size.map(Cost::AsNewest).or(disk.map(Cost::AtMost)).unwrap_or(Cost::Unknown)
}
