//! Finds a good Snapshot of a Droplet that another schedule took, so that one Snapshot serves for both.
//!
//! The scheduler asks before a planned time of one Droplet begins, and the loop of groups before a member begins.

use jiff::Timestamp;

use super::snapshot_records::Records;
use crate::{
    operation::ids::{DropletId, OperationId, ScheduleId, SnapshotId},
    schedule::{Power, pruning::Candidate, retention::Quality},
    store::{Error, ScheduleSnapshot, Store},
};

/// What a Snapshot must be to serve for a planned time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// The schedule that needs one.
    pub(super) schedule: ScheduleId,
    /// The Droplet.
    pub(super) droplet: DropletId,
    /// The planned time: the Snapshot must have been begun after it.
    pub(super) since: Timestamp,
    /// Whether the schedule shuts the Droplet down: then the Snapshot must be consistent.
    pub(super) power: Power,
}

/// The schedule and the operation that took a Snapshot that serves and that still exists, if there is one.
pub(super) async fn serving(
    (store, records): (&Store, &Records),
    wanted: Wanted,
) -> Result<Option<(ScheduleId, OperationId)>, Error> {
    for (other, operation) in store.taken_by_others(wanted.schedule, wanted.droplet, wanted.since).await? {
        let Some(other) = store.schedule(other).await? else { continue };
        let known = store.schedule_snapshots(other.schedule.id).await?;
        let all: Vec<Candidate> = known.iter().map(ScheduleSnapshot::candidate).collect();
        let of_droplet: Vec<&Candidate> = all.iter().filter(|one| one.droplet == wanted.droplet).collect();
        let members = other.schedule.members(&of_droplet);
        let quality = members.iter().find(|member| member.operation == operation).map(|member| member.quality);
        let serves = match quality {
            Some(Quality::Consistent) => true,
            Some(Quality::Live) => wanted.power == Power::Live,
            Some(Quality::Doubtful | Quality::Unsized) | None => false,
        };
        if serves
            && let Some(id) = id_of(&known, operation)
            && records.is_there(id).await?
        {
            return Ok(Some((other.schedule.id, operation)));
        }
    }
    Ok(None)
}

fn id_of(known: &[ScheduleSnapshot], operation: OperationId) -> Option<SnapshotId> {
    known.iter().find(|one| one.operation == operation).and_then(|one| one.snapshot)
}
