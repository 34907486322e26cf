//! Snapshots that were put back onto a Droplet. A Snapshot that was just needed is not deleted before there is a newer one to rely on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    Schedule,
    pruning::{AFTER_A_RESTORE, Candidate},
};
use crate::operation::ids::{DropletId, SnapshotId};

/// A restore of a Droplet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The Droplet.
    pub droplet: DropletId,
    /// The Snapshot that was put back.
    pub source: SnapshotId,
    /// When the restore ended; `None` while it runs.
    pub ended_at: Option<Timestamp>,
    /// Whether the Snapshot is on the Droplet now, as far as is known.
    pub is_done: bool,
}

impl Schedule {
    /// The Snapshots that no policy may drop because of a restore. A restore protects its source for a week; the source of a Droplet's last
    /// restore is also protected until a good Snapshot was taken after it.
    pub fn sources(&self, restored: &[Restored], candidates: &[Candidate], now: Timestamp) -> BTreeSet<SnapshotId> {
        let mut last: BTreeMap<DropletId, Timestamp> = BTreeMap::new();
        for one in restored.iter().filter(|one| one.is_done) {
            let before = last.entry(one.droplet).or_default();
            *before = one.ended_at.unwrap_or_default().max(*before);
        }
        let has_newer = |droplet: DropletId, since: Timestamp| {
            let group: Vec<&Candidate> = candidates.iter().filter(|candidate| candidate.droplet == droplet).collect();
            self.members(&group).iter().any(|member| member.quality.is_good() && member.planned > Some(since))
        };
        let is_kept = |one: &&Restored| match one.ended_at {
            None => true,
            Some(ended_at) if now.duration_since(ended_at) < AFTER_A_RESTORE => true,
            Some(ended_at) => {
                one.is_done && last.get(&one.droplet) == Some(&ended_at) && !has_newer(one.droplet, ended_at)
            }
        };
        restored.iter().filter(is_kept).map(|one| one.source).collect()
    }
}
