//! Announces what no rule wants, and has it deleted a day later.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::{Begun, LIST_PAUSE, Scheduler, candidates};
use crate::{
    digitalocean::{model::Snapshot, queries},
    operation::{
        Target,
        ids::{OperationId, SnapshotId},
        kinds::{Delete, Kind, SnapshotRef},
        reading::SnapshotReading,
        trigger::Trigger,
    },
    schedule::{
        Schedule,
        notice::Notice,
        pruning::{AFTER_A_RESTORE, Candidate, Circumstances},
    },
    store::{Error, ScheduleSnapshot},
};

impl Scheduler {
    /// Announces what no rule wants, asks where that is too much at once, and deletes what was announced a day ago; when to look again. `now` says that the schedule's row has
    /// changed.
    pub(super) async fn prune(
        &self,
        schedule: &mut Schedule,
        notices: &mut Vec<Notice>,
        around: &Circumstances,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let known = self.store.schedule_snapshots(schedule.id).await?;
        let sources = self.sources(schedule, now).await?;
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
            return Ok(pruning.wake);
        }
        // A day must have passed by DigitalOcean's clock too, which shows whole seconds.
        let theirs = self.client.server_now().map_or(now, |theirs| theirs.min(now));
        if schedule.prune(&wanted(&known, &sources), around, theirs).due.is_empty() {
            return Ok(Some(now + SignedDuration::from_secs(2).max(now.duration_since(theirs))));
        }
        Box::pin(self.delete(schedule, (&known, &sources, around), (now, theirs))).await
    }

    /// What was put back onto a Droplet of the schedule lately, which nobody may delete yet.
    async fn sources(&self, schedule: &Schedule, now: Timestamp) -> Result<Vec<SnapshotId>, Error> {
        let since = now.checked_sub(AFTER_A_RESTORE).unwrap_or(Timestamp::UNIX_EPOCH);
        self.store.restored_from(schedule.id, since).await
    }

    /// Looks at what is listed, decides once more, and has one Snapshot deleted.
    async fn delete(
        &self,
        schedule: &Schedule,
        (known, sources, around): (&[ScheduleSnapshot], &[SnapshotId], &Circumstances),
        (now, theirs): (Timestamp, Timestamp),
    ) -> Result<Option<Timestamp>, Error> {
        let listed: HashMap<SnapshotId, Snapshot> = match self.client.run(queries::snapshots()).await {
            Ok(listed) => listed.into_iter().map(|snapshot| (snapshot.id, snapshot)).collect(),
            Err(error) => {
                tracing::info!(schedule.id = %schedule.id, %error, "nothing is deleted before the list of Snapshots can be read");
                return Ok(Some(now + LIST_PAUSE));
            }
        };
        let mut left = Vec::new();
        for one in known {
            match one.snapshot.and_then(|id| listed.get(&id)) {
                Some(seen) if is_the_same(one, seen) => left.push(one.clone()),
                Some(_) | None => self.store.forget_schedule_snapshot(schedule.id, one.operation).await?,
            }
        }
        if left.len() < known.len() {
            return Ok(Some(now));
        }
        for one in left.iter().filter(|one| one.size.is_none()) {
            if let Some(seen) = one.snapshot.and_then(|id| listed.get(&id)) {
                self.store.note_schedule_snapshot(one.operation, &reading(seen)).await?;
            }
        }
        let due = schedule.prune(&wanted(&left, sources), around, theirs).due;
        let Some(one) = left.iter().find(|one| due.contains(&one.operation)) else { return Ok(Some(now + LIST_PAUSE)) };
        if self.store.has_another_owner(schedule.id, one.operation).await? {
            // It leaves this schedule, and is the others' to keep or to delete.
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
}

/// What is known of each, where what was put back lately counts as kept.
fn wanted(known: &[ScheduleSnapshot], sources: &[SnapshotId]) -> Vec<Candidate> {
    let is_source = |one: &ScheduleSnapshot| one.snapshot.is_some_and(|id| sources.contains(&id));
    known
        .iter()
        .zip(candidates(known))
        .map(|(one, it)| Candidate { is_kept: it.is_kept || is_source(one), ..it })
        .collect()
}

/// Whether a listed Snapshot is the one of our record, and no other one under its id.
fn is_the_same(record: &ScheduleSnapshot, seen: &Snapshot) -> bool {
    seen.name == record.name
        && seen.droplet.is_none_or(|droplet| droplet == record.droplet)
        && (record.created_at.is_none() || seen.created_at == record.created_at)
}

fn reading(seen: &Snapshot) -> SnapshotReading {
    SnapshotReading {
        id: seen.id,
        name: seen.name.clone(),
        created_at: seen.created_at,
        size_gigabytes: seen.size_gigabytes,
    }
}
