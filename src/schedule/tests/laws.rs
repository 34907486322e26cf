//! A year of one schedule, in zones with odd clock changes. The process dies, freezes, is taken over and has its clock set. Decisions and
//! pruning run against a model of what the store keeps.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{at, rule, schedule};
use crate::{
    operation::ids::{DropletId, OperationId, UserId},
    schedule::{
        Accounts, OwnerSeen, Paused, Policy, Record, Right, Schedule, State,
        pruning::{Candidate, Circumstances, Hold, LATE, NOTICE},
        retention::Quality,
        slot::{Failed, Slot, SlotState},
    },
};

const ZONES: [&str; 3] = ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"];
/// How long a take lasts.
const TAKE: SignedDuration = SignedDuration::from_mins(12);

/// An event in the life of the schedule.
#[derive(Clone, Copy, Debug)]
enum Happens {
    /// No process runs for a while: it was killed or frozen, or another has not taken over yet.
    Away(i64),
    /// The clock is set by this many minutes.
    ClockSet(i64),
    /// The take that runs, or the next one, fails.
    Fails,
    /// The Snapshot is taken while the Droplet runs.
    Live,
    /// The Snapshot is much smaller than the one before it.
    Small,
    /// The owner leaves, and another person takes over after this many days.
    OwnerLeaves(i64),
    /// A person pauses it for this many days.
    Pauses(i64),
    /// A Snapshot is put back.
    Restored,
    /// The process dies between the commit of a slot and its operation, and everything is decided again.
    DecidedTwice,
}

fn happenings() -> impl Strategy<Value = Vec<(i64, Happens)>> {
    let one = prop_oneof![
        (1_i64..24 * 60 * 9).prop_map(Happens::Away),
        (-300_i64..300).prop_map(Happens::ClockSet),
        Just(Happens::Fails),
        Just(Happens::Live),
        Just(Happens::Small),
        (1_i64..12).prop_map(Happens::OwnerLeaves),
        (1_i64..20).prop_map(Happens::Pauses),
        Just(Happens::Restored),
        Just(Happens::DecidedTwice),
    ];
    prop::collection::vec((0_i64..365 * 24 * 60, one), 0..60)
}

/// What the store keeps, and the state of the world.
#[expect(clippy::struct_excessive_bools, reason = "each is something that happens once, and none follows from another")]
struct Year {
    schedule: Schedule,
    now: Timestamp,
    accounts: Accounts,
    /// The state of every planned time that has a row. Consecutive ones have one entry each here.
    slots: BTreeMap<Timestamp, SlotState>,
    /// The number of Snapshots taken for each planned time.
    taken: BTreeMap<Timestamp, u32>,
    running: Option<(Timestamp, Timestamp)>,
    group: Vec<Candidate>,
    deleted: BTreeSet<OperationId>,
    restored_at: Option<Timestamp>,
    /// Since when a question about deletions has been open.
    asked_since: Option<Timestamp>,
    leaves_until: Option<Timestamp>,
    next: u64,
    fails: bool,
    live: bool,
    small: bool,
    twice: bool,
}

impl Year {
    fn new(schedule: Schedule) -> Self {
        Self {
            now: schedule.created_at,
            schedule,
            accounts: Accounts { last: None, waiting: None, is_running: false },
            slots: BTreeMap::new(),
            taken: BTreeMap::new(),
            running: None,
            group: Vec::new(),
            deleted: BTreeSet::new(),
            restored_at: None,
            asked_since: None,
            leaves_until: None,
            next: 1,
            fails: false,
            live: false,
            small: false,
            twice: false,
        }
    }

    fn happen(&mut self, happens: Happens) {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        match happens {
            Happens::Away(minutes) | Happens::ClockSet(minutes) => self.now += SignedDuration::from_mins(minutes),
            Happens::Fails => self.fails = true,
            Happens::Live => self.live = true,
            Happens::Small => self.small = true,
            Happens::OwnerLeaves(count) => self.leaves_until = Some(self.now + days(count)),
            Happens::Pauses(count) if self.schedule.is_active() => {
                let until = Some(self.now + days(count));
                self.schedule.state = State::Paused { until, why: Paused::By(UserId(5)) };
            }
            Happens::Pauses(_) => {}
            Happens::Restored => self.restored_at = Some(self.now),
            Happens::DecidedTwice => self.twice = true,
        }
    }

    fn close(&mut self, from: Timestamp, until: Timestamp, state: SlotState) {
        for slot in self.schedule.rule.runs_between(from - SignedDuration::from_millis(1), until) {
            assert!(slot > self.schedule.created_at, "nothing before the floor");
            let before = self.slots.insert(slot, state);
            assert_eq!(before, None, "{slot} had a fate already");
            self.accounts.last = self.accounts.last.max(Some(slot));
        }
    }

    /// One look of the scheduler, as `app` does it.
    fn look(&mut self) {
        self.settle();
        self.ask_for_owner();
        let due = self.schedule.decide(self.accounts, self.now);
        assert_eq!(due, self.schedule.decide(self.accounts, self.now), "the same question, the same answer");
        if let Some((slot, state)) = due.given_up {
            assert_eq!(self.slots.insert(slot, state), Some(SlotState::Waiting));
            self.accounts.waiting = None;
        }
        for closed in &due.closed {
            self.close(closed.first, closed.last, closed.state);
        }
        if due.resumes
            && let State::Paused { until: Some(until), .. } = self.schedule.state
        {
            self.schedule.resume(until);
        }
        if let Some(slot) = due.opened {
            self.close(slot, slot, SlotState::Waiting);
            self.accounts.waiting = Some(slot);
        }
        if std::mem::take(&mut self.twice) {
            // The process is killed here; its successor decides from what was stored.
            return;
        }
        if let Some(slot) = due.begin.filter(|_| self.schedule.owner.right(self.now) != Right::None) {
            assert_eq!(self.slots.insert(slot, SlotState::Running), Some(SlotState::Waiting));
            *self.taken.entry(slot).or_default() += 1;
            self.accounts = Accounts { waiting: None, is_running: true, ..self.accounts };
            self.running = Some((slot, self.now + TAKE));
        }
        self.prune();
    }

    fn ask_for_owner(&mut self) {
        let seen =
            if self.leaves_until.is_some_and(|until| self.now < until) { OwnerSeen::Lost } else { OwnerSeen::Good };
        if !self.schedule.is_active() {
            let unowned = matches!(self.schedule.state, State::Paused { why: Paused::OwnerLost, .. });
            if unowned && seen == OwnerSeen::Good {
                // A person takes it over. The planned times that the pause skipped are counted first, as in the store.
                let due = self.schedule.decide(self.accounts, self.now);
                if let Some((slot, state)) = due.given_up {
                    self.slots.insert(slot, state);
                    self.accounts.waiting = None;
                }
                for closed in &due.closed {
                    self.close(closed.first, closed.last, closed.state);
                }
                self.schedule.owner = self.schedule.owner.seen(seen, self.now);
                self.schedule.resume(self.now);
            }
            return;
        }
        self.schedule.owner = self.schedule.owner.seen(seen, self.now);
        if self.schedule.owner.right(self.now) == Right::None {
            self.schedule.state = State::Paused { until: None, why: Paused::OwnerLost };
        }
    }

    fn settle(&mut self) {
        let Some((slot, _)) = self.running.filter(|(_, ends)| *ends <= self.now) else { return };
        self.running = None;
        self.accounts.is_running = false;
        if std::mem::take(&mut self.fails) {
            self.slots.insert(slot, SlotState::Failed(Failed::Operation));
            return;
        }
        self.slots.insert(slot, SlotState::Ran);
        let operation = OperationId::from_random(self.next);
        self.next += 1;
        let size = if std::mem::take(&mut self.small) { 1.0 } else { 10.0 };
        let is_consistent = !std::mem::take(&mut self.live);
        let planned = Some(slot);
        self.group.push(Candidate {
            operation,
            droplet: DropletId(1),
            is_current: true,
            planned,
            size: Some(size),
            is_consistent,
            is_kept: false,
            announced_at: None,
        });
    }

    fn stale(&self) -> bool {
        let latest = self.slots.iter().rev().take(12);
        let slots: Vec<Slot> =
            latest.map(|(at, state)| Slot { at: *at, last: *at, count: 1, state: *state, operation: None }).collect();
        let record = Record { slots: &slots, snapshots: &self.group, run: None };
        self.schedule.stale_since(record, self.now).is_some()
    }

    fn prune(&mut self) {
        let since = self.schedule.restores_count_since(self.now);
        let around = Circumstances {
            right: self.schedule.owner.right(self.now),
            is_stale: self.stale(),
            restored_lately: self.restored_at.filter(|at| *at >= since).map(|_| DropletId(1)).into_iter().collect(),
        };
        let pruning = self.schedule.prune(&self.group, &around, self.now);
        let holds = around.is_stale
            || !around.restored_lately.is_empty()
            || around.right != Right::Full
            || !self.schedule.is_active();
        assert!(!holds || pruning.due.is_empty(), "{around:?} {pruning:?}");
        for candidate in &mut self.group {
            let is_announced = pruning.announced.contains(&candidate.operation);
            let before = candidate.announced_at.filter(|_| !pruning.again.contains(&candidate.operation));
            candidate.announced_at = if is_announced { before.or(Some(self.now)) } else { None };
        }
        self.schedule.ask_about_deletions(&pruning);
        self.answer(pruning.hold);
        let Some(one) = pruning.due.first() else { return };
        let members = self.schedule.members(&self.group.iter().collect::<Vec<_>>());
        let of = |operation| members.iter().find(|member| member.operation == operation).unwrap();
        let newest = |quality: &dyn Fn(Quality) -> bool| {
            let there = members.iter().filter(|member| quality(member.quality) && member.planned <= Some(self.now));
            there.max_by_key(|member| (member.planned, member.operation)).map(|member| member.operation)
        };
        assert_ne!(newest(&|quality| quality != Quality::Doubtful), Some(*one), "the newest good one");
        assert_ne!(newest(&|quality| quality == Quality::Consistent), Some(*one), "the newest consistent one");
        assert_ne!(of(*one).quality, Quality::Doubtful);
        let announced_at = self.group.iter().find(|candidate| candidate.operation == *one).unwrap().announced_at;
        assert!(announced_at.is_some_and(|at| at + NOTICE <= self.now), "a day's notice");
        assert!(announced_at.is_some_and(|at| self.now <= at + NOTICE + LATE), "which is not long over");
        self.group.retain(|candidate| candidate.operation != *one);
        assert!(self.deleted.insert(*one));
    }

    /// A person approves, a day after the question was asked.
    fn answer(&mut self, hold: Option<Hold>) {
        if !matches!(hold, Some(Hold::TooMany(_) | Hold::Doubtful(_))) {
            self.asked_since = None;
            return;
        }
        let since = *self.asked_since.get_or_insert(self.now);
        if self.now.duration_since(since) > NOTICE {
            let edition = self.schedule.watched.deletions.edition;
            match hold {
                Some(Hold::Doubtful(operation)) => self.schedule.rely_on(operation),
                _ => assert!(self.schedule.approve_deletions(edition, UserId(5)), "{hold:?}"),
            }
        }
    }

    /// Checks the finished year: each planned time since the beginning has one state, and at most one Snapshot.
    fn account(&self) {
        let last = self.accounts.last.unwrap_or(self.schedule.created_at);
        let missing: Vec<Timestamp> = self
            .schedule
            .rule
            .runs_between(self.schedule.created_at, last)
            .into_iter()
            .filter(|slot| !self.slots.contains_key(slot))
            .collect();
        assert_eq!(missing, [], "every planned time is accounted for");
        assert!(
            self.taken.values().all(|count| *count == 1),
            "never two Snapshots of one planned time: {:?}",
            self.taken
        );
        assert!(self.slots.keys().all(|slot| *slot > self.schedule.created_at));
        assert!(self.slots.values().filter(|state| **state == SlotState::Waiting).count() <= 1);
    }
}

/// Plays a year: looks when one is due, and handles the events in between.
fn play(zone: usize, hours: bool, mut happenings: Vec<(i64, Happens)>) {
    let begin = at("2026-02-20T12:00:00Z");
    let every = if hours {
        rule("6h", Some("02:30"), None, ZONES[zone])
    } else {
        rule("day", Some("02:15"), None, ZONES[zone])
    };
    let keep = Policy { last: 2, daily: 3, weekly: 2, monthly: 1, yearly: 0 };
    let mut year = Year::new(Schedule { keep, ..schedule(every, begin) });
    happenings.sort_by_key(|(minute, _)| *minute);
    let mut happenings =
        happenings.into_iter().map(|(minute, it)| (begin + SignedDuration::from_mins(minute), it)).peekable();
    let end = begin + SignedDuration::from_hours(365 * 24);
    let mut looks = 0;
    while year.now < end {
        year.look();
        looks += 1;
        assert!(looks < 40_000, "it comes to rest");
        let due = year.schedule.decide(year.accounts, year.now);
        // Snapshots are deleted one at a time.
        let soonest = year.now + SignedDuration::from_mins(10);
        let announced =
            year.group.iter().filter_map(|candidate| candidate.announced_at).map(|at| (at + NOTICE).max(soonest));
        let soon = year.now + SignedDuration::from_hours(6);
        let wake =
            [due.wake, year.running.map(|(_, ends)| ends), due.begin.map(|_| year.now + SignedDuration::from_mins(1))];
        let next = wake.into_iter().flatten().chain(announced).filter(|at| *at > year.now).fold(soon, Timestamp::min);
        match happenings.next_if(|(at, _)| *at <= next) {
            Some((at, happens)) => {
                year.now = year.now.max(at);
                year.happen(happens);
            }
            None => year.now = next,
        }
    }
    year.account();
    assert!(!year.group.is_empty() || year.taken.is_empty() || year.deleted.is_empty(), "something is always left");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 60, ..ProptestConfig::default() })]
    #[test]
    fn a_year_in_odd_zones_keeps_every_law(zone in 0..ZONES.len(), hours: bool, happenings in happenings()) {
        play(zone, hours, happenings);
    }
}

#[test]
fn a_quiet_year_has_one_snapshot_for_each_planned_time() {
    for zone in 0..ZONES.len() {
        play(zone, false, Vec::new());
        play(zone, true, Vec::new());
    }
}
