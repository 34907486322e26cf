//! Advances the runs of groups: begins the next member when its turn has come, and checks that each Droplet came back.
//!
//! `active` runs it, under the lease. A pure function of `schedule` decides from stored facts which member may begin. A member's operation
//! is an ordinary take, which the worker carries out like any other. After a crash, a new process continues where the last one stopped.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::{
    droplet_check,
    sharing::{self, Wanted},
    snapshot_records::Records,
};
use crate::{
    clock::Clock,
    digitalocean::{client::Client, error::Error as Cloud, model::DropletStatus, queries},
    discord::incident::chain,
    operation::{
        NewOperation, Operation, Outcome, Requester, Target, TypicalDurations,
        announce::Answering,
        ids::{DropletId, OperationId},
        kinds::{Downtime, IfHung, Kind, Take},
        power::Status,
        reading::FailureKind,
        trigger::Trigger,
    },
    schedule::{
        self, Power, State,
        notice::Notice,
        run::{Around, Lost, Member, Next, PATIENCE, Phase, Run},
    },
    store::{CreateError, Error, Store, deadlines::PASS},
};

/// The pause after the store did not answer.
const STORE_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// How soon to check again whether a Droplet is back on, and to retry a member that was busy.
const LOOK_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// How often to check on a running operation: no notification arrives here when it gets stuck.
const TAKING_PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// How often an id is drawn if it is taken.
const DRAWS: usize = 3;

/// The loop that advances the runs of groups.
pub(super) struct Groups {
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
    pub(super) client: Client,
    pub(super) records: Records,
}

/// The result of looking at a run.
enum Looked {
    /// Something was stored, so the run must be looked at again.
    Changed,
    /// There is nothing to do before this moment.
    Until(Option<Timestamp>),
}

impl Groups {
    /// Looks at every open run until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let work = async {
            loop {
                let rung = self.store.changes().groups.notified();
                let wake = match AssertUnwindSafe(self.store.bounded_pass(PASS, Box::pin(self.turn())))
                    .catch_unwind()
                    .await
                {
                    Ok(Ok(wake)) => wake,
                    Ok(Err(error)) => {
                        tracing::warn!(error = chain(&error), "could not carry groups on; they are looked at again");
                        Some(self.clock.now() + STORE_PAUSE)
                    }
                    Err(_) => {
                        tracing::error!("carrying groups on panicked; they are looked at again");
                        Some(self.clock.now() + PATIENCE)
                    }
                };
                tokio::select! {
                    () = rung => {}
                    () = self.clock.wake_at(wake) => {}
                }
            }
        };
        stop.run_until_cancelled(work).await;
    }

    /// Does what is due. Returns when to look again.
    async fn turn(&self) -> Result<Option<Timestamp>, Error> {
        loop {
            let (mut wake, mut has_changed) = (None, false);
            for run in self.store.open_runs().await? {
                // A notification follows once the run is released.
                if self.store.is_held(run.plan.id) {
                    continue;
                }
                match Box::pin(self.look(&run)).await {
                    Ok(Looked::Changed) | Err(Error::LeaseLost) => has_changed = true,
                    Ok(Looked::Until(until)) => wake = [wake, until].into_iter().flatten().min(),
                    Err(error) => return Err(error),
                }
            }
            if !has_changed {
                return Ok(wake);
            }
        }
    }

    async fn look(&self, run: &Run) -> Result<Looked, Error> {
        let (mut wake, now) = (None, self.clock.now());
        for member in run.members.iter().filter(|member| member.phase.is_under_way()) {
            let (phase, look_at) = self.follow(run, member).await?;
            if phase != member.phase {
                tracing::info!(run.id = %run.plan.id, droplet.id = %member.droplet, ?phase, "a member of a group gets on");
                self.store.note_member(run, member, phase).await?;
                return Ok(Looked::Changed);
            }
            wake = [wake, look_at].into_iter().flatten().min();
        }
        let busy = self.store.busy_droplets().await?;
        let around = Around { busy: &busy, is_wanted: self.is_wanted(run).await? };
        Ok(match run.next(around, now) {
            Next::Wait(until) => Looked::Until([wake, until].into_iter().flatten().min()),
            Next::Begin(droplet) => {
                if self.share(run, droplet).await? || self.begin(run, droplet, now).await? {
                    Looked::Changed
                } else {
                    Looked::Until(Some(now + LOOK_PAUSE))
                }
            }
            // The scheduler settles the members' operations, and notifies.
            Next::End if self.store.is_being_settled(run.plan.id).await? => Looked::Until(Some(now + LOOK_PAUSE)),
            Next::End => {
                let (planned, why) = (run.plan.planned, self.why(run).await?);
                let notice = Notice::Group { run: run.plan.id, planned, why, count: 1 };
                self.store.end_run(run, Some(&notice).filter(|_| !run.is_success())).await?;
                tracing::info!(run.id = %run.plan.id, good = run.good(), of = run.taken().count(), "a run of a group has ended");
                Looked::Changed
            }
        })
    }

    /// The members without a good Snapshot and the reasons, as a word that is equal for equal outcomes.
    async fn why(&self, run: &Run) -> Result<String, Error> {
        let mut words = Vec::new();
        for member in run.taken().filter(|member| !matches!(member.phase, Phase::Done { is_good: true, .. })) {
            let operation = match member.operation {
                Some(id) => self.store.operation(id).await?.map(|stored| stored.operation),
                None => None,
            };
            let why = match (member.phase, operation.and_then(|operation| operation.outcome)) {
                (Phase::Lost { why, .. }, _) => format!("{why:?}"),
                (_, Some(Outcome::Failed(why))) => format!("{:?}", FailureKind::from(&why)),
                (_, Some(outcome)) => outcome.word().to_owned(),
                (_, None) => "left".to_owned(),
            };
            words.push(format!("{} {why}", member.droplet));
        }
        if run.taken().next().is_none() {
            words.push("nobody".to_owned());
        }
        words.sort_unstable();
        Ok(words.join(", "))
    }

    /// Whether the run's schedule still wants Snapshots. A run that a person requested continues while the schedule is paused.
    async fn is_wanted(&self, run: &Run) -> Result<bool, Error> {
        let Some(schedule) = run.plan.schedule else { return Ok(true) };
        let state = self.store.schedule(schedule).await?.map(|stored| stored.schedule.state);
        Ok(match state {
            Some(State::Active) => true,
            Some(State::Paused { .. }) => run.plan.slot.is_none(),
            Some(State::Removed) | None => false,
        })
    }

    /// The present phase of a member that is under way, and when to look again unless something ends before.
    async fn follow(&self, run: &Run, member: &Member) -> Result<(Phase, Option<Timestamp>), Error> {
        let operation = match member.operation {
            Some(id) => self.store.operation(id).await?.map(|stored| stored.operation),
            None => None,
        };
        let now = self.clock.now();
        match member.phase {
            // A row that is gone or cannot be read tells nothing, so the Droplet decides.
            Phase::Taking => Ok((
                operation.as_ref().map_or(Phase::Returning { is_good: false, since: now }, |it| after(it, now)),
                Some(now + TAKING_PAUSE),
            )),
            Phase::Returning { is_good, since } => {
                let was_off_anyway = operation.is_some_and(|it| !it.power.was_told_to_turn_off());
                let phase = self.returning(run, member.droplet, (is_good, since), was_off_anyway).await;
                Ok((phase, Some(now + LOOK_PAUSE)))
            }
            phase => Ok((phase, None)),
        }
    }

    /// Checks whether a Droplet is active and works again. No answer proves nothing.
    async fn returning(
        &self,
        run: &Run,
        droplet: DropletId,
        (is_good, since): (bool, Timestamp),
        was_off_anyway: bool,
    ) -> Phase {
        let seen = self.client.run(queries::droplet(droplet)).await;
        let now = self.clock.now();
        let done = Phase::Done { is_good, at: now };
        let missing = match seen {
            Ok(seen) if seen.status == DropletStatus::Active => match (&run.plan.group.check, seen.public_ipv4) {
                (None, _) => return done,
                (Some(check), Some(address)) if droplet_check::passes(address, check).await => return done,
                (Some(_), _) => Lost::Check,
            },
            Ok(_) if was_off_anyway => return done,
            Ok(_) => Lost::NotActive,
            Err(Cloud::NotFound { .. }) => return Phase::Done { is_good: false, at: now },
            Err(error) => {
                tracing::debug!(droplet.id = %droplet, %error, "a member of a group cannot be looked at");
                return Phase::Returning { is_good, since };
            }
        };
        if now.duration_since(since) < PATIENCE {
            Phase::Returning { is_good, since }
        } else {
            Phase::Lost { is_good, why: missing }
        }
    }

    /// Ends a member with a good Snapshot that another schedule began after the planned time, if there is one. A run that a person began
    /// takes its own.
    async fn share(&self, run: &Run, droplet: DropletId) -> Result<bool, Error> {
        let plan = &run.plan;
        let (Some(schedule), Some(since)) = (plan.schedule, plan.slot) else { return Ok(false) };
        let wanted = Wanted { schedule, droplet, since, power: plan.power };
        let Some(found) = sharing::serving((&self.store, &self.records), wanted).await? else { return Ok(false) };
        let is_shared = self.store.share_with_member(run, droplet, found).await?;
        if is_shared {
            tracing::info!(run.id = %plan.id, droplet.id = %droplet, other.id = %found.0, operation.id = %found.1, "shares a Snapshot");
        }
        Ok(is_shared)
    }

    /// Creates a member's operation. If the Droplet is busy or the member's turn is over, that is not an error: the run is looked at again.
    async fn begin(&self, run: &Run, droplet: DropletId, now: Timestamp) -> Result<bool, Error> {
        let plan = &run.plan;
        let name = run.members.iter().find(|member| member.droplet == droplet).map(|member| member.name.clone());
        let trigger = Trigger::Member { run: plan.id, schedule: plan.schedule, at: plan.planned, until: plan.until };
        for _ in 0..DRAWS {
            let request = NewOperation {
                id: OperationId::from_random(fastrand::u64(..)),
                kind: Kind::Take(take(plan.power, plan.if_hung)),
                requester: Requester { user: plan.owner, guild: plan.guild, channel: plan.channel },
                asked_at: now,
                target: Target {
                    droplet: Some(droplet),
                    name: name.clone().unwrap_or_default(),
                    region: None,
                    disk_gb: None,
                },
                snapshot_name: None,
                typical: TypicalDurations::default(),
            };
            match self.store.create_answered(request, trigger, None, Answering::by_itself(plan.warn)).await {
                Ok(operation) => {
                    tracing::info!(operation.id = %operation.id, run.id = %plan.id, droplet.id = %droplet, "begun by a group");
                    self.store.changes().group_messages.notify_one();
                    self.store.changes().schedule_messages.notify_one();
                    return Ok(true);
                }
                Err(CreateError::Unavailable(Error::IdTaken)) => {}
                Err(CreateError::Unavailable(error)) => return Err(error),
                Err(why) => {
                    tracing::debug!(run.id = %plan.id, droplet.id = %droplet, %why, "a member of a group is not begun yet");
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }
}

/// The phase of a member by the outcome of its operation.
fn after(operation: &Operation, now: Timestamp) -> Phase {
    let is_good = operation.has_taken_its_snapshot();
    let lost = Phase::Lost { is_good, why: Lost::NotActive };
    match operation.power.status() {
        // While DigitalOcean does not answer, nobody knows whether the Droplet is back. The next member waits, which costs only time.
        Status::Stuck(_) if operation.is_cut_off() => Phase::Taking,
        Status::Stuck(_) => lost,
        // It runs, or its last request may still turn the Droplet off.
        _ if operation.is_open() => Phase::Taking,
        Status::Theirs(_) | Status::Released(_) => lost,
        Status::Gone => Phase::Done { is_good: false, at: now },
        Status::Owed | Status::Watched(_) | Status::Untouched | Status::OffBefore | Status::Back(_) => {
            Phase::Returning { is_good, since: now }
        }
    }
}

/// The take that a schedule requests.
pub(super) fn take(power: Power, if_hung: schedule::IfHung) -> Take {
    Take {
        power: match power {
            Power::Off => Downtime::PowerOff,
            Power::Live => Downtime::None,
        },
        if_hung: match if_hung {
            schedule::IfHung::Live => IfHung::Live,
            schedule::IfHung::Skip => IfHung::Skip,
            schedule::IfHung::Force => IfHung::Force,
        },
    }
}
