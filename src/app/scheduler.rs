//! Carries schedules on: settles what has ended, begins what is due, announces and deletes what no policy wants.
//!
//! `active` runs it, under the lease. What to do is decided by pure functions of `schedule` from what is stored, so a new process after any
//! crash decides the same; that a slot has one operation is the store's to hold.

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::groups::take;
use crate::{
    access::Policy,
    clock::Clock,
    digitalocean::{client::Client, metadata, model::Snapshot, queries},
    discord::{incident::chain, members::Members},
    inventory::Inventory,
    operation::{
        NewOperation, Outcome, Requester, Target, TypicalDurations,
        ids::{DropletId, OperationId, SnapshotId},
        kinds::{Delete, Kind, SnapshotRef},
        reading::{Failure, SnapshotReading},
        trigger::Trigger,
    },
    schedule::{
        Due, Paused, Power, Right, Schedule, State,
        notice::Notice,
        pruning::{Candidate, Circumstances},
        slot::{Fate, Missed, Slot},
    },
    store::{CreateError, Error, ScheduleSnapshot, Settled, Store, StoredSchedule},
};

/// The pause after the store did not answer.
const STORE_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// How soon a Droplet that was busy is tried again, unless something ends before.
const BUSY_PAUSE: SignedDuration = SignedDuration::from_secs(15);
/// How soon it is tried again to read what is listed.
const LIST_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// How many schedules are looked at in one go.
const BATCH: usize = 50;
/// How many of the latest slots tell whether a schedule is stale.
const TELLING: usize = 12;
/// Nothing is deleted for so long after a Snapshot was put back onto the Droplet.
const AFTER_A_RESTORE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How often an id is drawn again when it is taken.
const DRAWS: usize = 3;

/// The loop that carries schedules on.
pub(super) struct Scheduler {
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
    pub(super) client: Client,
    pub(super) policy: Policy,
    pub(super) members: Members,
    pub(super) inventory: Arc<Inventory>,
    /// The Droplet that this process runs on, if it is known to run on one. It is taken while it runs, since nobody else turns it on again.
    pub(super) own_droplet: Option<DropletId>,
    /// Where DigitalOcean is.
    pub(super) digitalocean: Url,
}

impl Scheduler {
    /// Looks at whatever is due until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        self.own_droplet = metadata::own_droplet(&self.digitalocean).await;
        let (mut is_awake, mut has_rung) = (false, false);
        let work = async {
            loop {
                let rung = self.store.changes().scheduler.notified();
                if !is_awake {
                    // Clock and time zones may be other ones than the last process had.
                    is_awake = self.store.wake_schedules().await.is_ok();
                }
                if std::mem::take(&mut has_rung)
                    && let Err(error) = self.store.wake_waiting_schedules().await
                {
                    tracing::warn!(
                        error = chain(&error),
                        "schedules that wait for a Droplet look again a little later"
                    );
                }
                let wake = match AssertUnwindSafe(self.turn()).catch_unwind().await {
                    Ok(Ok(wake)) => wake,
                    Ok(Err(error)) => {
                        tracing::warn!(error = chain(&error), "could not carry schedules on; they are looked at again");
                        Some(self.clock.now() + STORE_PAUSE)
                    }
                    Err(_) => {
                        tracing::error!("carrying schedules on panicked; they are looked at again");
                        Some(self.clock.now() + LIST_PAUSE)
                    }
                };
                let asleep = async {
                    match wake {
                        Some(wake) => self.clock.sleep_until(wake).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = rung => has_rung = true,
                    () = asleep => {}
                }
            }
        };
        stop.run_until_cancelled(work).await;
    }

    /// Does what is due; when to look again.
    async fn turn(&self) -> Result<Option<Timestamp>, Error> {
        loop {
            let settled = self.store.settle_schedules().await?;
            for one in &settled {
                self.after(one).await?;
            }
            let due = self.store.due_schedules(self.clock.now(), BATCH).await?;
            if settled.is_empty() && due.is_empty() {
                return self.store.next_schedule_due().await;
            }
            for stored in due {
                match Box::pin(self.look(&stored)).await {
                    Ok(()) => {}
                    Err(Error::LeaseLost) => tracing::debug!(schedule.id = %stored.schedule.id, "it changed meanwhile"),
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// A Droplet that does not exist any more is not tried again each night.
    async fn after(&self, settled: &Settled) -> Result<(), Error> {
        let ended = self.store.operation(settled.operation).await?;
        let verdict = ended.and_then(|stored| stored.operation.verdict);
        if verdict == Some(Outcome::Failed(Failure::DropletGone)) {
            let pause = |schedule: &mut Schedule| {
                schedule.state = State::Paused { until: None, why: Paused::DropletGone };
            };
            self.store.change_schedule(settled.schedule, pause).await?;
        }
        Ok(())
    }

    async fn look(&self, stored: &StoredSchedule) -> Result<(), Error> {
        let now = self.clock.now();
        let mut schedule = stored.schedule.clone();
        let accounts = self.store.accounts(schedule.id).await?;
        let mut due = schedule.decide(accounts, now);
        let mut notices = missed(&due);
        if due.resumes {
            if let State::Paused { until: Some(until), .. } = schedule.state {
                schedule.resume(until);
            }
            due.wake = Some(now);
        }
        if due.begin.is_some() {
            self.ask_for_owner(&mut schedule, &mut due, &mut notices, now).await;
        }
        let mut slots = self.store.latest_slots(schedule.id, TELLING).await?;
        // What is about to be written counts already.
        slots.retain(|slot| due.given_up.is_none_or(|(given_up, _)| given_up != slot.at));
        let stale = schedule.stale_since(&slots);
        let reminder = remind(&mut schedule, &slots, &mut notices, now);
        let around = self.circumstances(&schedule, stale.is_some(), now).await?;
        let pruned_at = Box::pin(self.prune(&schedule, around, now)).await?;
        let retry = due.begin.map(|_| now + BUSY_PAUSE);
        let due_at = [due.wake, reminder, pruned_at, retry].into_iter().flatten().min();
        let latest =
            if pruned_at == Some(now) { self.store.schedule(schedule.id).await? } else { Some(stored.clone()) };
        // Whatever a person changed meanwhile is looked at first.
        let Some(latest) = latest.filter(|latest| latest.schedule == stored.schedule) else { return Ok(()) };
        self.store.keep_schedule(&latest, &schedule, &due, &notices, due_at).await?;
        match due.begin {
            Some(slot) => self.begin(&schedule, slot, now).await.map(drop),
            None => Ok(()),
        }
    }

    /// Whether the owner still may, before a run begins.
    async fn ask_for_owner(&self, schedule: &mut Schedule, due: &mut Due, notices: &mut Vec<Notice>, now: Timestamp) {
        let seen = self.members.owner(&self.policy, schedule.guild, schedule.owner.user).await;
        schedule.owner = schedule.owner.seen(seen, now);
        match schedule.owner.right(now) {
            Right::Full => {}
            Right::TakeOnly => {
                let since = schedule.owner.lost_since.unwrap_or(now);
                // Once for each run, and a run is at most once an hour: daily schedules say it daily.
                if schedule.must_remind(since, now) || schedule.reminded_at.is_none_or(|told| told < since) {
                    notices.push(Notice::OwnerLost { since });
                    schedule.reminded_at = Some(now);
                }
            }
            Right::None => {
                schedule.state = State::Paused { until: None, why: Paused::OwnerLost };
                notices.push(Notice::Unowned);
                due.begin = None;
                due.wake = Some(now);
            }
        }
    }

    async fn circumstances(&self, schedule: &Schedule, is_stale: bool, now: Timestamp) -> Result<Circumstances, Error> {
        let since = now.checked_sub(AFTER_A_RESTORE).unwrap_or(Timestamp::UNIX_EPOCH);
        let restored_lately = self.store.was_restored(schedule.id, since).await?;
        Ok(Circumstances { right: schedule.owner.right(now), is_stale, restored_lately })
    }

    async fn begin(&self, schedule: &Schedule, slot: Timestamp, now: Timestamp) -> Result<Begun, Error> {
        if let Some(group) = &schedule.group {
            return self.begin_group((schedule, group), slot, now).await;
        }
        let trigger = Trigger::Slot { schedule: schedule.id, at: slot, until: schedule.window_end(slot) };
        let power = if self.own_droplet == Some(schedule.droplet) { Power::Live } else { schedule.power };
        let kind = Kind::Take(take(power, schedule.if_hung));
        let name = schedule.droplet_name.clone();
        let target = Target { droplet: Some(schedule.droplet), name, region: None, disk_gb: None };
        self.create(schedule, (kind, target), trigger, now).await
    }

    /// Creates an operation of a schedule. That the Droplet is busy, or the time not free any more, is no error: it is looked at again.
    async fn create(
        &self,
        schedule: &Schedule,
        (kind, target): (Kind, Target),
        trigger: Trigger,
        now: Timestamp,
    ) -> Result<Begun, Error> {
        for _ in 0..DRAWS {
            let request = NewOperation {
                id: OperationId::from_random(fastrand::u64(..)),
                kind: kind.clone(),
                asker: Requester { user: schedule.owner.user, guild: schedule.guild, channel: schedule.channel },
                asked_at: now,
                target: target.clone(),
                snapshot_name: None,
                usual: TypicalDurations::default(),
            };
            match self.store.create(request, trigger).await {
                Ok(operation) => {
                    let kind = operation.kind.word();
                    tracing::info!(operation.id = %operation.id, schedule.id = %schedule.id, kind, "begun by a schedule");
                    return Ok(Begun::Yes);
                }
                Err(CreateError::Unavailable(Error::IdTaken)) => {}
                Err(CreateError::Unavailable(error)) => return Err(error),
                Err(
                    why @ (CreateError::AlreadyRunning { .. }
                    | CreateError::SnapshotInUse { .. }
                    | CreateError::Repeated(_)
                    | CreateError::NotWaiting
                    | CreateError::TriedAgain { .. }
                    | CreateError::Unconfirmed(_)),
                ) => {
                    tracing::debug!(schedule.id = %schedule.id, %why, "not begun yet");
                    return Ok(Begun::NotYet);
                }
            }
        }
        Ok(Begun::NotYet)
    }

    /// Announces what no rule wants, and deletes what was announced a day ago; when to look again. `now` says that the schedule's row has
    /// changed.
    async fn prune(
        &self,
        schedule: &Schedule,
        around: Circumstances,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let known = self.store.schedule_snapshots(schedule.id).await?;
        let pruning = schedule.prune(&candidates(&known), around, now);
        let announced: Vec<OperationId> =
            known.iter().filter(|one| one.announced_at.is_some()).map(|one| one.operation).collect();
        let is_as_announced = announced.len() == pruning.announced.len()
            && pruning.announced.iter().all(|operation| announced.contains(operation));
        if !is_as_announced {
            self.store.announce_deletions(schedule.id, &pruning.announced, now).await?;
            return Ok(Some(now));
        }
        let is_deleting = known.iter().any(|one| one.deletion.is_some());
        if pruning.due.is_empty() || is_deleting {
            return Ok(pruning.wake);
        }
        // A day must have passed by DigitalOcean's clock too, which shows whole seconds.
        let theirs = self.client.server_now().map_or(now, |theirs| theirs.min(now));
        if schedule.prune(&candidates(&known), around, theirs).due.is_empty() {
            return Ok(Some(now + SignedDuration::from_secs(2).max(now.duration_since(theirs))));
        }
        Box::pin(self.delete(schedule, (&known, around), (now, theirs))).await
    }

    /// Looks at what is listed, decides once more, and has one Snapshot deleted.
    async fn delete(
        &self,
        schedule: &Schedule,
        (known, around): (&[ScheduleSnapshot], Circumstances),
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
        let due = schedule.prune(&candidates(&left), around, theirs).due;
        let Some(one) = left.iter().find(|one| due.contains(&one.operation)) else { return Ok(Some(now + LIST_PAUSE)) };
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

/// Whether an operation could be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    Yes,
    NotYet,
}

/// Tells people once a day that there is no recent Snapshot; when to do so next.
fn remind(schedule: &mut Schedule, slots: &[Slot], notices: &mut Vec<Notice>, now: Timestamp) -> Option<Timestamp> {
    let since = schedule.stale_since(slots).filter(|_| schedule.state != State::Removed)?;
    if schedule.must_remind(since, now) {
        let newest = slots.iter().find(|slot| slot.fate.is_good()).map(|slot| slot.last);
        notices.push(Notice::Stale { since, newest });
        schedule.reminded_at = Some(now);
    }
    schedule.next_reminder(since)
}

/// What was missed, for people.
fn missed(due: &Due) -> Vec<Notice> {
    let away = due.closed.iter().filter(|closed| closed.fate == Fate::Missed(Missed::Away));
    let away = away.map(|closed| Notice::Missed {
        first: closed.first,
        last: closed.last,
        count: closed.count,
        was_away: true,
    });
    let busy = due.given_up.filter(|(_, fate)| *fate == Fate::Missed(Missed::Busy));
    let busy = busy.map(|(slot, _)| Notice::Missed { first: slot, last: slot, count: 1, was_away: false });
    away.chain(busy).collect()
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

fn candidates(known: &[ScheduleSnapshot]) -> Vec<Candidate> {
    known.iter().map(ScheduleSnapshot::candidate).collect()
}
