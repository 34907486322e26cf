//! Announces Snapshots that no rule wants, and deletes them a day later.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::{Begun, LIST_PAUSE, Scheduler, candidates};
use crate::{
    app::snapshot_records::reading,
    digitalocean::{error::Error as Cloud, model::Snapshot, queries},
    operation::{
        Target,
        ids::{OperationId, SnapshotId},
        kinds::{Delete, Kind, SnapshotRef},
        trigger::Trigger,
    },
    schedule::{
        Paused, Schedule, State,
        notice::Notice,
        pruning::{Circumstances, SIZES_COME},
    },
    store::{Error, ScheduleSnapshot, wanted},
};

impl Scheduler {
    /// Announces what no rule wants, asks if that is too much at once, and deletes what was announced a day ago. Returns when to look
    /// again. `now` says that the schedule's row has changed.
    pub(super) async fn prune(
        &self,
        schedule: &mut Schedule,
        notices: &mut Vec<Notice>,
        around: &Circumstances,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let known = self.store.schedule_snapshots(schedule.id).await?;
        let sized_at = match self.learn_sizes(&known, now).await? {
            Sizes::Known => None,
            Sizes::Learnt => return Ok(Some(now)),
            Sizes::Unknown => Some(now + LIST_PAUSE),
        };
        let sources = schedule.sources(&self.store.restores(schedule.id).await?, &candidates(&known), now);
        schedule.forget_answers(|operation| known.iter().any(|one| one.operation == operation));
        let pruning = schedule.prune(&wanted(&known, &sources), around, now);
        notices.extend(schedule.ask_about_deletions(&pruning));
        let schedule = &*schedule;
        let announced: Vec<OperationId> =
            known.iter().filter(|one| one.announced_at.is_some()).map(|one| one.operation).collect();
        let is_as_announced = pruning.again.is_empty()
            && announced.len() == pruning.announced.len()
            && pruning.announced.iter().all(|operation| announced.contains(operation));
        if !is_as_announced {
            self.store.announce_deletions(schedule.id, (&pruning.announced, &pruning.again), now).await?;
            return Ok(Some(now));
        }
        let is_deleting = known.iter().any(|one| one.deletion.is_some());
        if pruning.due.is_empty() || is_deleting {
            return Ok([pruning.wake, sized_at].into_iter().flatten().min());
        }
        // A day must have passed by DigitalOcean's clock too, which has a resolution of one second.
        let theirs = self.client.server_now().map_or(now, |theirs| theirs.min(now));
        if schedule.prune(&wanted(&known, &sources), around, theirs).due.is_empty() {
            return Ok(Some(now + SignedDuration::from_secs(2).max(now.duration_since(theirs))));
        }
        Box::pin(self.delete(schedule, (&known, &sources, around), (now, theirs))).await
    }

    /// Reads the sizes that were unknown when Snapshots were taken, since DigitalOcean may report them later. A list that was just read for
    /// another purpose will do. Otherwise they are read before something is deleted.
    async fn learn_sizes(&self, known: &[ScheduleSnapshot], now: Timestamp) -> Result<Sizes, Error> {
        let is_young = |one: &&ScheduleSnapshot| one.planned.is_some_and(|at| now.duration_since(at) < SIZES_COME);
        let unsized_ones: Vec<_> =
            known.iter().filter(|one| one.size.is_none() && one.snapshot.is_some()).filter(is_young).collect();
        if unsized_ones.is_empty() {
            return Ok(Sizes::Known);
        }
        let Ok(listing) = self.inventory.listing(None).await else { return Ok(Sizes::Unknown) };
        let mut sizes = Sizes::Unknown;
        for one in unsized_ones {
            let seen = listing.snapshots().find(|seen| Some(seen.id) == one.snapshot).map(reading);
            if let Some(seen) = seen.filter(|seen| seen.known_size().is_some()) {
                self.store.note_schedule_snapshot(one.operation, &seen).await?;
                sizes = Sizes::Learnt;
            }
        }
        Ok(sizes)
    }

    /// The first Snapshot that is due and whose Droplet still exists. The Snapshots of a Droplet that is gone may be all that is left of
    /// it.
    async fn of_a_droplet_that_is_there<'s>(&self, left: &'s [ScheduleSnapshot], due: &[OperationId]) -> Found<'s> {
        let mut found = Found::Unknown;
        for one in left.iter().filter(|one| due.contains(&one.operation)) {
            match self.client.run(queries::droplet(one.droplet)).await {
                Ok(_) => return Found::One(one),
                Err(Cloud::NotFound { .. }) => match self.client.run(queries::every_droplet(None)).await {
                    // A single "not found" between good answers is no evidence.
                    Ok(all) if all.iter().any(|droplet| droplet.id == one.droplet) => return Found::Unknown,
                    Ok(_) => found = Found::Gone,
                    Err(_) => return Found::Unknown,
                },
                Err(error) => {
                    tracing::info!(droplet.id = %one.droplet, %error, "nothing is deleted before its Droplet can be looked at");
                    return Found::Unknown;
                }
            }
        }
        found
    }

    /// Reads the lists, decides again, and begins the deletion of one Snapshot.
    async fn delete(
        &self,
        schedule: &Schedule,
        (known, sources, around): (&[ScheduleSnapshot], &BTreeSet<SnapshotId>, &Circumstances),
        (now, theirs): (Timestamp, Timestamp),
    ) -> Result<Option<Timestamp>, Error> {
        let listed: HashMap<SnapshotId, Snapshot> = match self.client.run(queries::snapshots()).await {
            Ok(listed) => listed.into_iter().map(|snapshot| (snapshot.id, snapshot)).collect(),
            Err(error) => {
                tracing::info!(schedule.id = %schedule.id, %error, "nothing is deleted before the list of Snapshots can be read");
                return Ok(Some(now + LIST_PAUSE));
            }
        };
        let Some(Checked { left, unreadable }) = self.check(schedule, known, &listed).await? else {
            return Ok(Some(now));
        };
        for one in left.iter().filter(|one| one.size.is_none()) {
            if let Some(seen) = one.snapshot.and_then(|id| listed.get(&id)) {
                self.store.note_schedule_snapshot(one.operation, &reading(seen)).await?;
            }
        }
        let mut due = schedule.prune(&wanted(&left, sources), around, theirs).due;
        // A Snapshot with an unreadable time counts, but is not deleted.
        due.retain(|operation| !unreadable.contains(operation));
        let one = match self.of_a_droplet_that_is_there(&left, &due).await {
            Found::One(one) => one,
            Found::Unknown => return Ok(Some(now + LIST_PAUSE)),
            // For a group, pruning continues with the others; its next run leaves this Droplet out.
            Found::Gone if schedule.group.is_some() => return Ok(Some(now + LIST_PAUSE)),
            Found::Gone => {
                tracing::warn!(schedule.id = %schedule.id, droplet.id = %schedule.droplet, "its Droplet is gone, so nothing is deleted");
                let pause = |schedule: &mut Schedule| {
                    schedule.state = State::Paused { until: None, why: Paused::DropletGone };
                };
                self.store.tell(schedule.id, &Notice::Gone, pause).await?;
                return Ok(Some(now));
            }
        };
        if self.store.has_another_owner(schedule.id, one.operation).await? {
            // The Snapshot leaves this schedule, and others decide about it.
            self.store.forget_schedule_snapshot(schedule.id, one.operation).await?;
            return Ok(Some(now));
        }
        let Some(id) = one.snapshot else { return Ok(Some(now + LIST_PAUSE)) };
        let kind = Kind::Delete(Delete { snapshot: SnapshotRef { id, name: one.name.clone() } });
        let target = Target { droplet: None, name: schedule.droplet_name.clone(), region: None, disk_gb: None };
        let trigger = Trigger::Prune { schedule: schedule.id, taken_by: one.operation };
        Ok(Some(match self.create(schedule, (kind, target), trigger, now).await? {
            Begun::Yes => now,
            Begun::NotYet => now + LIST_PAUSE,
        }))
    }

    /// Compares the records with the list of all Snapshots, and forgets those that it lacks. `None` if there were any.
    async fn check(
        &self,
        schedule: &Schedule,
        known: &[ScheduleSnapshot],
        listed: &HashMap<SnapshotId, Snapshot>,
    ) -> Result<Option<Checked>, Error> {
        let (mut left, mut missing, mut unreadable) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let mut has_forgotten = false;
        for one in known {
            let seen = one.snapshot.map(|id| (id, listed.get(&id)));
            match seen.map(|(id, seen)| (id, seen.map(|seen| compared(one, seen)))) {
                Some((_, Some(Compared::Same))) => left.push(one.clone()),
                Some((_, Some(Compared::Unreadable))) => {
                    unreadable.insert(one.operation);
                    left.push(one.clone());
                }
                Some((id, None)) => {
                    missing.insert(id);
                }
                Some((_, Some(Compared::Other))) | None => {
                    self.store.forget_schedule_snapshot(schedule.id, one.operation).await?;
                    has_forgotten = true;
                }
            }
        }
        has_forgotten |= self.records.forget_gone(missing).await?;
        Ok((!has_forgotten).then_some(Checked { left, unreadable }))
    }
}

/// The records of a schedule's Snapshots, compared with the list of all Snapshots.
struct Checked {
    /// Those that the list has.
    left: Vec<ScheduleSnapshot>,
    /// Those among them whose time cannot be read.
    unreadable: BTreeSet<OperationId>,
}

/// Which sizes of Snapshots are known.
enum Sizes {
    /// All that can be known.
    Known,
    /// One more than before.
    Learnt,
    /// Not all; they will be read again.
    Unknown,
}

/// What to delete next.
enum Found<'s> {
    One(&'s ScheduleSnapshot),
    /// All Droplets with due Snapshots are gone.
    Gone,
    /// DigitalOcean does not tell.
    Unknown,
}

/// What a listed Snapshot is to a record with its id.
enum Compared {
    /// The recorded one.
    Same,
    /// The recorded one as far as it can be read: DigitalOcean does not say when it was created.
    Unreadable,
    /// Another one, or a renamed one that no longer belongs to the schedule.
    Other,
}

fn compared(record: &ScheduleSnapshot, seen: &Snapshot) -> Compared {
    let is_ours = seen.name == record.name && seen.droplet.is_none_or(|droplet| droplet == record.droplet);
    match (record.created_at, seen.created_at) {
        (Some(_), None) if is_ours => Compared::Unreadable,
        (None, _) if is_ours => Compared::Same,
        (recorded, seen) if is_ours && recorded == seen => Compared::Same,
        _ => Compared::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::ids::DropletId;

    fn record(created_at: Option<Timestamp>) -> ScheduleSnapshot {
        ScheduleSnapshot {
            operation: OperationId::from_random(1),
            droplet: DropletId(7),
            is_current: true,
            planned: None,
            name: "web-1-nightly".to_owned(),
            snapshot: Some(SnapshotId(5)),
            created_at,
            size: None,
            is_consistent: true,
            kept_by: None,
            announced_at: None,
            deletion: None,
        }
    }

    fn seen(name: &str, droplet: Option<u64>, created_at: Option<Timestamp>) -> Snapshot {
        let droplet = droplet.map(DropletId);
        let (id, name) = (SnapshotId(5), name.to_owned());
        Snapshot { id, name, created_at, regions: Vec::new(), min_disk_size: None, size_gigabytes: None, droplet }
    }

    #[test]
    fn a_snapshot_whose_time_cannot_be_read_is_neither_another_one_nor_to_be_deleted() {
        let [first, second] = [1_000, 2_000].map(|at| Some(Timestamp::from_second(at).unwrap()));
        let ours = |created_at| seen("web-1-nightly", Some(7), created_at);
        assert!(matches!(compared(&record(first), &ours(first)), Compared::Same));
        assert!(matches!(compared(&record(None), &ours(first)), Compared::Same));
        assert!(matches!(compared(&record(first), &ours(None)), Compared::Unreadable));
        assert!(matches!(compared(&record(first), &ours(second)), Compared::Other));
        for other in [seen("renamed", Some(7), None), seen("web-1-nightly", Some(8), None)] {
            assert!(matches!(compared(&record(first), &other), Compared::Other));
        }
        assert!(matches!(compared(&record(first), &seen("web-1-nightly", None, first)), Compared::Same));
    }
}
