//! Advances schedules: settles what has ended, begins what is due, and announces and deletes what no policy wants.
//!
//! `active` runs it, under the lease. Pure functions of `schedule` decide what to do from stored facts, so a new process decides the same
//! after any crash. The store ensures that a slot has only one operation.

mod prune;
mod remind;

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{groups::take, heartbeat::Progress, snapshot_records};
use crate::{
    access::Policy,
    clock::Clock,
    digitalocean::{budget::Priority, client::Client, error::Error as Cloud, metadata, queries},
    discord::{incident::chain, members::Members},
    inventory::Inventory,
    operation::{
        NewOperation, Outcome, Requester, Target, TypicalDurations,
        announce::Answering,
        ids::{DropletId, OperationId, SnapshotId},
        kinds::Kind,
        reading::Failure,
        trigger::Trigger,
    },
    schedule::{
        Paused, Power, Record, Schedule, State,
        pruning::{Candidate, Circumstances},
        retention::Quality,
        slot::{Slot, SlotState},
    },
    store::{CreateError, Error, ScheduleSnapshot, Settled, Store, StoredSchedule, deadlines::PASS},
};

/// The pause after the store did not answer.
const STORE_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The pause before a busy Droplet is tried again, unless something ends before.
const BUSY_PAUSE: SignedDuration = SignedDuration::from_secs(15);
/// The pause before the lists are read again.
const LIST_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// The pause before the newest Snapshot is looked at again while the schedule's runs bring none.
const NEWEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// How many schedules are loaded at a time.
const BATCH: usize = 50;
/// How many of the latest slots determine whether a schedule is stale.
const TELLING: usize = 12;
/// How often an id is drawn if it is taken.
const DRAWS: usize = 3;

/// The loop that advances schedules.
pub(super) struct Scheduler {
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
    pub(super) client: Client,
    pub(super) policy: Policy,
    pub(super) members: Members,
    pub(super) inventory: Arc<Inventory>,
    /// The Droplet that this process runs on, if known. Its Snapshot is taken live, because no other process would turn it back on.
    pub(super) own_droplet: Option<DropletId>,
    /// The origin of DigitalOcean's API.
    pub(super) digitalocean: Url,
    /// Where the scheduler reports its progress.
    pub(super) progress: Progress,
    /// When the newest Snapshot of each schedule was last looked at.
    pub(super) newest_looked_at: Mutex<HashMap<SnapshotId, Timestamp>>,
}

impl Scheduler {
    /// Looks at due schedules until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        self.own_droplet = metadata::own_droplet(&self.digitalocean).await;
        let (mut is_awake, mut has_rung) = (false, false);
        let work = async {
            loop {
                let rung = self.store.changes().scheduler.notified();
                if !is_awake {
                    // The clock and the time zones may differ from those of the last process.
                    is_awake = self.store.bounded(self.store.wake_schedules()).await.is_ok();
                }
                let can_write = !std::mem::take(&mut has_rung) || self.wake_waiting().await;
                let wake = match AssertUnwindSafe(self.store.bounded_pass(PASS, Box::pin(self.turn())))
                    .catch_unwind()
                    .await
                {
                    Ok(Ok(wake)) => {
                        if can_write {
                            self.progress.turned();
                        }
                        wake
                    }
                    Ok(Err(error)) => {
                        tracing::warn!(error = chain(&error), "could not carry schedules on; they are looked at again");
                        Some(self.clock.now() + STORE_PAUSE)
                    }
                    Err(_) => {
                        tracing::error!("carrying schedules on panicked; they are looked at again");
                        Some(self.clock.now() + LIST_PAUSE)
                    }
                };
                tokio::select! {
                    () = rung => has_rung = true,
                    () = self.progress.asked() => has_rung = true,
                    () = self.clock.wake_at(wake) => {}
                }
            }
        };
        stop.run_until_cancelled(work).await;
    }

    /// Wakes the schedules that wait for a Droplet. Returns whether that was stored, which also shows that this process holds the lease.
    async fn wake_waiting(&self) -> bool {
        let woken = self.store.bounded(self.store.wake_waiting_schedules()).await;
        if let Err(error) = &woken {
            tracing::warn!(error = chain(error), "schedules that wait for a Droplet look again a little later");
        }
        woken.is_ok()
    }

    /// Does what is due. Returns when to look again.
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

    /// Pauses a schedule whose Droplet no longer exists, so that it does not fail every night.
    async fn after(&self, settled: &Settled) -> Result<(), Error> {
        let Some(ended) = self.store.operation(settled.operation).await?.map(|stored| stored.operation) else {
            return Ok(());
        };
        if ended.outcome == Some(Outcome::Failed(Failure::DropletGone)) {
            let pause = |schedule: &mut Schedule| {
                // A group continues without a member that is gone.
                if ended.target.droplet == Some(schedule.droplet) {
                    schedule.state = State::Paused { until: None, why: Paused::DropletGone };
                }
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
        let mut notices = remind::of_missed(&due);
        if due.resumes {
            if let State::Paused { until: Some(until), .. } = schedule.state {
                schedule.resume(until);
            }
            due.wake = Some(now);
        }
        let owner_at = self.ask_for_owner(&mut schedule, &mut due, &mut notices, now).await;
        let mut slots = self.store.latest_slots(schedule.id, TELLING).await?;
        // A change that is about to be stored already counts.
        slots.retain(|slot| due.given_up.is_none_or(|(given_up, _)| given_up != slot.at));
        let snapshots = self.store.schedule_snapshots(schedule.id).await?;
        let run = self.store.latest_run(schedule.id).await?;
        if self.has_lost_its_newest(&snapshots, &slots, now).await? {
            // The schedule is due again without it.
            return Ok(());
        }
        let known = candidates(&snapshots);
        let newest = schedule.newest_good(&known, run.as_ref());
        let stale = schedule.stale_since(Record { slots: &slots, snapshots: &known, run: run.as_ref() }, now);
        // For a group, the newest Snapshot of any member is better than none.
        let newest = newest.or_else(|| snapshots.first().and_then(|newest| newest.planned));
        remind::of_zone(&mut schedule, &mut notices);
        remind::of_clocks(&mut schedule, &mut notices, now);
        let asked_before = asks(&schedule);
        remind::of_doubt(&mut schedule, &known, &mut notices);
        remind::of_size(&mut schedule, &known, &mut notices, now);
        let stale_at = remind::of_staleness(&mut schedule, (stale, newest), &mut notices, now);
        let pause_at = remind::of_pause(&mut schedule, &snapshots, &mut notices, now);
        let moved_at = remind::of_monday(&mut schedule, now);
        let around = self.circumstances(&schedule, stale.is_some(), now).await?;
        let pruned_at = Box::pin(self.prune(&mut schedule, &mut notices, &around, now)).await?;
        let retry = due.begin.map(|_| now + BUSY_PAUSE);
        let due_at = [due.wake, owner_at, stale_at, pause_at, moved_at, pruned_at, retry].into_iter().flatten().min();
        let latest =
            if pruned_at == Some(now) { self.store.schedule(schedule.id).await? } else { Some(stored.clone()) };
        // A change that a person made meanwhile is looked at first.
        let Some(latest) = latest.filter(|latest| latest.schedule == stored.schedule) else { return Ok(()) };
        self.store.keep_schedule(&latest, &schedule, &due, &notices, due_at).await?;
        if asked_before != asks(&schedule) {
            self.store.question_was_answered(schedule.id).await?;
        }
        match due.begin {
            // The run of a group takes each of its Droplets.
            Some(slot) if schedule.group.is_none() && self.share(&schedule, slot).await? => Ok(()),
            Some(slot) => self.begin(&schedule, slot, now).await.map(drop),
            None => Ok(()),
        }
    }

    async fn circumstances(&self, schedule: &Schedule, is_stale: bool, now: Timestamp) -> Result<Circumstances, Error> {
        let restored_lately = self.store.restored_droplets(schedule.id, schedule.restores_count_since(now)).await?;
        Ok(Circumstances { right: schedule.owner.right(now), is_stale, restored_lately })
    }

    /// Ends a planned time with a good Snapshot that another schedule began after it, if there is one. It must be consistent if this
    /// schedule requires that.
    async fn share(&self, schedule: &Schedule, slot: Timestamp) -> Result<bool, Error> {
        for (other, operation) in self.store.taken_by_others(schedule.id, schedule.droplet, slot).await? {
            let Some(other) = self.store.schedule(other).await? else { continue };
            let known = self.store.schedule_snapshots(other.schedule.id).await?;
            let all = candidates(&known);
            let of_droplet: Vec<&Candidate> = all.iter().filter(|one| one.droplet == schedule.droplet).collect();
            let members = other.schedule.members(&of_droplet);
            let quality = members.iter().find(|member| member.operation == operation).map(|member| member.quality);
            let serves = match quality {
                Some(Quality::Consistent) => true,
                Some(Quality::Live) => self.power(schedule) == Power::Live,
                Some(Quality::Doubtful | Quality::Unsized) | None => false,
            };
            if serves
                && self.is_there(&known, operation).await?
                && self.store.share(schedule, slot, (other.schedule.id, operation)).await?
            {
                tracing::info!(schedule.id = %schedule.id, other.id = %other.schedule.id, operation.id = %operation, "shares a Snapshot");
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the newest recorded Snapshot is gone; it is then forgotten. After a planned time that brought none, people rely on the one before,
    /// and nothing else reads the list.
    async fn has_lost_its_newest(
        &self,
        known: &[ScheduleSnapshot],
        slots: &[Slot],
        now: Timestamp,
    ) -> Result<bool, Error> {
        let Some(newest) = known.iter().find(|one| one.snapshot.is_some()) else { return Ok(false) };
        let Some(id) = newest.snapshot else { return Ok(false) };
        let has_failed =
            slots.first().is_some_and(|slot| matches!(slot.state, SlotState::Failed(_) | SlotState::Missed(_)));
        let is_recent = |at: &Timestamp| now.duration_since(*at).abs() < NEWEST_PAUSE;
        if !has_failed || self.newest_looked_at.lock().get(&id).is_some_and(is_recent) {
            return Ok(false);
        }
        match self.client.run(queries::snapshot(id).with_priority(Priority::Inventory)).await {
            Ok(_) => {}
            Err(Cloud::NotFound { .. }) => {
                if snapshot_records::forget_gone(&self.store, &self.client, &[id].into()).await? {
                    return Ok(true);
                }
            }
            Err(error) => tracing::debug!(snapshot.id = %id, %error, "the newest Snapshot cannot be looked at"),
        }
        let mut looked_at = self.newest_looked_at.lock();
        looked_at.retain(|_, at| is_recent(at));
        looked_at.insert(id, now);
        Ok(false)
    }

    /// Whether the Snapshot that an operation took still exists. A person may have deleted it since.
    async fn is_there(&self, known: &[ScheduleSnapshot], operation: OperationId) -> Result<bool, Error> {
        let recorded = known.iter().find(|one| one.operation == operation).and_then(|one| one.snapshot);
        let Some(id) = recorded else { return Ok(false) };
        match self.client.run(queries::snapshot(id)).await {
            Ok(_) => Ok(true),
            Err(Cloud::NotFound { .. }) => {
                snapshot_records::forget_gone(&self.store, &self.client, &[id].into()).await?;
                Ok(false)
            }
            Err(error) => {
                tracing::info!(snapshot.id = %id, %error, "a Snapshot that cannot be looked at serves for no other schedule");
                Ok(false)
            }
        }
    }

    /// Whether the Droplet is shut down for the next run.
    fn power(&self, schedule: &Schedule) -> Power {
        if self.own_droplet == Some(schedule.droplet) { Power::Live } else { schedule.power_now() }
    }

    async fn begin(&self, schedule: &Schedule, slot: Timestamp, now: Timestamp) -> Result<Begun, Error> {
        if let Some(group) = &schedule.group {
            return self.begin_group((schedule, group), slot, now).await;
        }
        let trigger = Trigger::Slot { schedule: schedule.id, at: slot, until: schedule.window_end(slot) };
        let kind = Kind::Take(take(self.power(schedule), schedule.if_hung));
        let name = schedule.droplet_name.clone();
        let target = Target { droplet: Some(schedule.droplet), name, region: None, disk_gb: None };
        self.create(schedule, (kind, target), trigger, now).await
    }

    /// Creates an operation of a schedule. If the Droplet is busy or the planned time is no longer free, that is not an error: the schedule
    /// is looked at again.
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
                requester: Requester { user: schedule.owner.user, guild: schedule.guild, channel: schedule.channel },
                asked_at: now,
                target: target.clone(),
                snapshot_name: None,
                typical: TypicalDurations::default(),
            };
            // People are warned only of an operation that turns a Droplet off.
            let warned = Answering::by_itself(schedule.warn.filter(|_| kind.may_turn_off()));
            match self.store.create_answered(request, trigger, None, warned).await {
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
}

/// Whether an operation could be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    Yes,
    NotYet,
}

/// Whether people are asked to accept a Snapshot, and whether they are asked about many deletions.
fn asks(schedule: &Schedule) -> (bool, bool) {
    (schedule.watched.doubted.is_some(), schedule.watched.deletions.is_open())
}

fn candidates(known: &[ScheduleSnapshot]) -> Vec<Candidate> {
    known.iter().map(ScheduleSnapshot::candidate).collect()
}
