//! What a living process keeps in memory: its request budget and its places. Both are lost with the process.
//!
//! The budget is the production code. Its promises are checked here against the requests that were really sent.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use snapshot_bot::{
    digitalocean::{
        budget::{Admission, Budget, HeldBack, Priority, Ticket},
        http_types::HttpAnswer,
    },
    operation::{Rules, ids::OperationId},
    worker::{downtime_queue::DowntimeQueue, schedule::Places},
};

use super::{
    Broken, Job, Lawful, Simulation,
    sabotage::Sabotage,
    watch::{Actions, Droplets, Snapshots, SweepGroup},
};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// The budget's own windows are a little longer than DigitalOcean's.
const OWN_MINUTE: SignedDuration = SignedDuration::from_secs(62);
const OWN_HOUR: SignedDuration = SignedDuration::from_secs(3_610);
/// How often a waiting request asks for permission again; the client does so each second.
const LOOK_UP: SignedDuration = SignedDuration::from_secs(5);

/// The memory of a process.
pub(crate) struct Process {
    pub(crate) budget: Budget,
    pub(crate) places: Places,
    pub(crate) droplets: SweepGroup<Droplets>,
    pub(crate) actions: SweepGroup<Actions>,
    pub(crate) snapshots: SweepGroup<Snapshots>,
    /// Which operations may begin a downtime next.
    pub(crate) queue: DowntimeQueue,
    /// Operations that are postponed until there is something to see, unless they get an instruction.
    pub(crate) put_off: BTreeMap<OperationId, Timestamp>,
    /// Operations that are left alone until this moment.
    pub(crate) left_alone: BTreeMap<OperationId, Timestamp>,
    /// The rules of each operation's last turn, from which its due time follows.
    pub(crate) paces: BTreeMap<OperationId, Rules>,
    /// When each request of the last hour got permission, and with which priority.
    granted: VecDeque<(Timestamp, Priority)>,
    /// When each request of the last hour was sent.
    left: VecDeque<Timestamp>,
    /// The hourly limit, and since when an answer has reported it.
    limit: Option<(Timestamp, usize)>,
}

impl Process {
    /// A new process. Some have few places, so that places are scarce.
    pub(crate) fn begin(dice: &mut fastrand::Rng, poll_interval: SignedDuration) -> Self {
        let all = dice.usize(2..5);
        let few = Places { all, for_power: dice.usize(1..all) };
        Self {
            places: if dice.u8(..4) == 0 { few } else { Places::USUAL },
            budget: Budget::default(),
            droplets: SweepGroup::new(poll_interval),
            actions: SweepGroup::new(poll_interval),
            snapshots: SweepGroup::new(poll_interval),
            queue: DowntimeQueue::default(),
            put_off: BTreeMap::new(),
            paces: BTreeMap::new(),
            left_alone: BTreeMap::new(),
            granted: VecDeque::new(),
            left: VecDeque::new(),
            limit: None,
        }
    }

    /// Processes the answer to a request.
    pub(crate) fn observe(&mut self, ticket: &Ticket, answer: &HttpAnswer, now: Timestamp) {
        self.budget.observe(ticket, answer);
        let told = answer.header("ratelimit-limit").and_then(|limit| limit.parse().ok());
        self.limit = told.map(|told| (self.limit.map_or(now, |(since, _)| since), told)).or(self.limit);
    }

    /// The hourly limit, once all requests of this minute were sent with knowledge of it.
    fn limit(&self, now: Timestamp) -> Option<usize> {
        self.limit.filter(|(since, _)| now.duration_since(*since) >= OWN_MINUTE).map(|(_, limit)| limit)
    }

    /// How many requests got permission within a window: all of them, and those that pass `which`.
    fn granted(&self, window: SignedDuration, now: Timestamp, which: impl Fn(Priority) -> bool) -> (usize, usize) {
        let recent = self.granted.iter().filter(|(at, _)| now.duration_since(*at) < window);
        recent.fold((0, 0), |(all, some), (_, rank)| (all + 1, some + usize::from(which(*rank))))
    }
}

impl Simulation {
    /// Permission for a request with this priority, or when to ask again.
    pub(crate) fn admit(&mut self, rank: Priority) -> Lawful<Result<Ticket, Timestamp>> {
        let wall = self.wall();
        match self.process.budget.admit(self.rank_shown(rank), wall) {
            Admission::Now(ticket) => {
                let granted = &mut self.process.granted;
                granted.retain(|(at, _)| self.now.duration_since(*at) < OWN_HOUR);
                granted.push_back((self.now, rank));
                Ok(Ok(ticket))
            }
            Admission::At(moment) => {
                self.judge_waiting_for_leave(rank)?;
                let at = moment.min(wall + LOOK_UP) - self.ahead;
                Ok(Err(at.max(self.now + SignedDuration::from_millis(1))))
            }
        }
    }

    /// Until when DigitalOcean asks for silence, if that is too long to wait in line.
    pub(crate) fn gives_up(&mut self, rank: Priority) -> Option<Timestamp> {
        let (shown, wall) = (self.rank_shown(rank), self.wall());
        self.process.budget.long_silence(shown, wall)
    }

    /// A sabotage gives all requests one priority.
    pub(crate) fn rank_shown(&self, rank: Priority) -> Priority {
        if self.sabotage == Some(Sabotage::Ranks) { Priority::PowerOn } else { rank }
    }

    /// No request for a Droplet that is off waits because of those for others.
    ///
    /// A request that is held back although this process has room by its own count waits for other users of the token, or for what an
    /// earlier process used up.
    fn judge_waiting_for_leave(&mut self, rank: Priority) -> Lawful {
        let (now, wall, shown) = (self.now, self.wall(), self.rank_shown(rank));
        let Some(HeldBack::Turn(_)) = self.process.budget.held_back(shown, wall) else { return Ok(()) };
        let Some(limit) = self.process.limit(now) else { return Ok(()) };
        let (percent, betters): (usize, fn(Priority) -> bool) = match rank {
            Priority::PowerOn => (2, |rank| rank == Priority::PowerOn),
            Priority::Off => (10, |rank| rank <= Priority::Off),
            _ => return Ok(()),
        };
        self.coverage.case("a Droplet that is off waits for leave");
        for (window, limit, percent) in [(OWN_MINUTE, limit / 20, percent), (OWN_HOUR, limit, percent / 2)] {
            let (all, of_betters) = self.process.granted(window, now, betters);
            let kept = (limit * percent / 100).max(1);
            if all >= limit && of_betters < kept {
                return Err(Broken::Law(format!(
                    "{rank:?} has to wait for those that come after it: {of_betters} of {all} requests were as urgent"
                )));
            }
        }
        Ok(())
    }

    /// Sends a look with the permission that it just got.
    pub(crate) fn depart(&mut self, ticket: &Ticket) -> Lawful {
        let departed = self.process.budget.depart(ticket, self.wall());
        debug_assert_eq!(departed, Ok(()), "leave was given this moment");
        self.judge_leaving()
    }

    /// The requests that were sent never exceed the limits.
    pub(crate) fn judge_leaving(&mut self) -> Lawful {
        let now = self.now;
        let left = &mut self.process.left;
        left.retain(|at| now.duration_since(*at) < HOUR);
        left.push_back(now);
        let minute = left.iter().filter(|at| now.duration_since(**at) < MINUTE).count();
        let hour = left.len();
        let Some(limit) = self.process.limit(now) else { return Ok(()) };
        if minute > (limit / 20).max(1) || hour > limit {
            return Err(Broken::Law(format!(
                "{minute} requests left within a minute and {hour} within an hour, where {limit} an hour may"
            )));
        }
        Ok(())
    }

    /// The turns of the active process. The turns of a process that was frozen take none of its places.
    pub(crate) fn turns_under_way(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| !job.frozen)
    }

    /// No operation that owes power waits for a place that one without owed power holds, beyond the places for all.
    pub(crate) fn judge_places(&self) -> Lawful {
        let Places { all, for_power } = self.process.places;
        let others = self.turns_under_way().filter(|job| !job.owes_power).count();
        if others <= all - for_power {
            return Ok(());
        }
        let waits = self.due_by_now().into_iter().find(|id| self.owed.values().any(|it| it == id));
        match waits {
            Some(id) => Err(Broken::Law(format!("{id} owes power and waits for a place that is kept for it"))),
            None => Ok(()),
        }
    }
}
