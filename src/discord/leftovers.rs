//! Finds Snapshots that may no longer be needed, by class. Each Snapshot is in at most one class; those that are pinned or in use are in
//! none.
//!
//! `/snapshot orphans` and the monthly report use this. It is pure: the caller provides all facts.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::messages::cost::Leftover;
use crate::{
    inventory::{DropletLocation, Snapshot},
    operation::{
        Operation,
        ids::{DropletId, SnapshotId},
        undo::{UNDO_WINDOW, is_safety_name},
    },
};

/// A safety Snapshot whose restore is unknown may be needed for as long as an Undo is offered, and as long again.
const UNKNOWN_SAFETY: SignedDuration = SignedDuration::from_hours(2 * 24);

/// The facts that the classification needs.
pub(super) struct Known<'a> {
    /// The operations that took Snapshots, by Snapshot name.
    pub(super) origins: &'a HashMap<String, Operation>,
    /// Where each Droplet is.
    pub(super) locations: &'a HashMap<DropletId, DropletLocation>,
    /// The Snapshots that are pinned, or that a running operation names.
    pub(super) needed: &'a HashSet<SnapshotId>,
    /// The Snapshots that schedules took and that no schedule prunes.
    pub(super) unpruned: &'a HashSet<SnapshotId>,
    pub(super) now: Timestamp,
}

/// The Snapshots that may be left over, each with its class.
pub(super) fn leftovers<'s>(
    snapshots: impl Iterator<Item = &'s Snapshot> + Clone,
    known: &Known<'_>,
) -> Vec<(&'s Snapshot, Leftover)> {
    let mut first: HashMap<&str, SnapshotId> = HashMap::new();
    for snapshot in snapshots.clone().filter(|snapshot| known.origins.contains_key(&snapshot.name)) {
        let lowest = first.entry(&snapshot.name).or_insert(snapshot.id);
        *lowest = (*lowest).min(snapshot.id);
    }
    let class = |snapshot: &Snapshot| {
        let is_gone = |droplet| known.locations.get(&droplet) == Some(&DropletLocation::Gone);
        if known.needed.contains(&snapshot.id) {
            None
        } else if first.get(snapshot.name.as_str()).is_some_and(|first| *first != snapshot.id) {
            Some(Leftover::Extra)
        } else if snapshot.droplet.is_some_and(is_gone) {
            Some(Leftover::DropletGone)
        } else if is_safety_name(&snapshot.name) && is_over(snapshot, known) {
            Some(Leftover::SafetyOver)
        } else if known.unpruned.contains(&snapshot.id) {
            Some(Leftover::Unpruned)
        } else {
            None
        }
    };
    snapshots.filter_map(|snapshot| Some((snapshot, class(snapshot)?))).collect()
}

/// Whether no Undo offers this safety Snapshot any more.
fn is_over(snapshot: &Snapshot, known: &Known<'_>) -> bool {
    let origin = known.origins.get(&snapshot.name);
    if origin.is_some_and(Operation::is_running) {
        return false;
    }
    let until = match origin.and_then(|origin| origin.undo_until().or(origin.ended)) {
        Some(until) => Some(until),
        None => snapshot.created_at.and_then(|made| made.checked_add(UNKNOWN_SAFETY.max(UNDO_WINDOW)).ok()),
    };
    until.is_some_and(|until| until <= known.now)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::discord::messages::examples;

    fn snapshot(id: u64, name: &str, droplet: u64, age: i64) -> Snapshot {
        let made = examples::ago(age * 3_600).to_string();
        serde_json::from_value(json!({ "id": id, "name": name, "resource_id": droplet, "created_at": made })).unwrap()
    }

    #[test]
    fn each_is_in_one_class_and_what_is_needed_in_none() {
        let taken = examples::completed();
        let twin = taken.snapshot_name.clone();
        let safety = "web-1-safety-20261101-0300-aaaaaaaa";
        let all = [
            snapshot(1, &twin, 10, 1),
            snapshot(2, &twin, 11, 1),
            snapshot(3, "before", 11, 1),
            snapshot(4, safety, 11, 900),
            snapshot(5, safety, 10, 900),
            snapshot(6, "web-1-safety-20261122-1700-bbbbbbbb", 10, 1),
            snapshot(7, "pinned", 11, 900),
            snapshot(8, "of a removed schedule", 12, 900),
            snapshot(9, "by hand", 12, 900),
        ];
        let origins = HashMap::from([(twin, taken)]);
        let there = DropletLocation::There("web-1".to_owned());
        let locations = HashMap::from([
            (DropletId(10), there),
            (DropletId(11), DropletLocation::Gone),
            (DropletId(12), DropletLocation::Unlisted),
        ]);
        let needed = HashSet::from([SnapshotId(7)]);
        let unpruned = HashSet::from([SnapshotId(3), SnapshotId(7), SnapshotId(8)]);
        let known = Known {
            origins: &origins,
            locations: &locations,
            needed: &needed,
            unpruned: &unpruned,
            now: examples::NOW,
        };
        let found: Vec<_> =
            leftovers(all.iter(), &known).into_iter().map(|(snapshot, class)| (snapshot.id.0, class)).collect();
        let wanted = [
            (2, Leftover::Extra),
            (3, Leftover::DropletGone),
            (4, Leftover::DropletGone),
            (5, Leftover::SafetyOver),
            (8, Leftover::Unpruned),
        ];
        assert_eq!(found, wanted, "what somebody took by hand, and what cannot be looked at, is never left over");
    }
}
