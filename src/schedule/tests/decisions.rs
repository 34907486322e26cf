//! What is done when: catching up, windows and pauses. Every planned time gets a state, whatever the process does.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{at, rule, schedule};
use crate::{
    operation::ids::{DropletId, OperationId, UserId},
    schedule::{
        Accounts, Owner, OwnerSeen, Paused, Record, Right, Schedule, State, WINDOW,
        pruning::Candidate,
        slot::{Failed, Missed, Skipped, Slot, SlotState},
    },
};

const NOTHING: Accounts = Accounts { last: None, waiting: None, is_running: false };

fn nightly() -> Schedule {
    schedule(rule("day", Some("03:00"), None, "UTC"), at("2026-11-01T12:00:00Z"))
}

#[test]
fn nothing_before_the_floor_is_anybodys() {
    let due = nightly().decide(NOTHING, at("2026-11-01T13:00:00Z"));
    assert_eq!((due.opened, due.begin, due.closed.len()), (None, None, 0));
    assert_eq!(due.wake, Some(at("2026-11-02T03:00:00Z")));
}

#[test]
fn a_run_that_is_due_begins_once() {
    let (slot, now) = (at("2026-11-02T03:00:00Z"), at("2026-11-02T03:00:01Z"));
    let due = nightly().decide(NOTHING, now);
    assert_eq!((due.opened, due.begin), (Some(slot), Some(slot)));
    let running = Accounts { last: Some(slot), waiting: None, is_running: true };
    let due = nightly().decide(running, now);
    assert_eq!((due.opened, due.begin), (None, None));
    // This also holds when the clock is set back.
    let due = nightly().decide(running, at("2026-11-02T02:59:00Z"));
    assert_eq!((due.opened, due.begin), (None, None));
    assert_eq!(due.wake, Some(at("2026-11-03T03:00:00Z")));
}

#[test]
fn after_days_of_absence_one_run_catches_up_and_the_others_are_one_row() {
    let due = nightly().decide(NOTHING, at("2026-11-06T06:00:00Z"));
    assert_eq!(due.begin, Some(at("2026-11-06T03:00:00Z")));
    let [closed] = due.closed.as_slice() else { panic!("{due:?}") };
    assert_eq!((closed.count, closed.state), (4, SlotState::Missed(Missed::Away)));
    assert_eq!((closed.first, closed.last), (at("2026-11-02T03:00:00Z"), at("2026-11-05T03:00:00Z")));
    let late = nightly().decide(NOTHING, at("2026-11-06T07:00:00Z"));
    assert_eq!((late.begin, late.closed[0].count), (None, 5), "four hours later its window is over");
}

#[test]
fn a_busy_droplet_is_waited_for_until_the_window_ends() {
    let slot = at("2026-11-02T03:00:00Z");
    let waiting = Accounts { last: Some(slot), waiting: Some(slot), is_running: false };
    let due = nightly().decide(waiting, at("2026-11-02T06:59:59Z"));
    assert_eq!((due.begin, due.wake), (Some(slot), Some(slot + WINDOW)));
    let due = nightly().decide(waiting, slot + WINDOW);
    assert_eq!((due.begin, due.given_up), (None, Some((slot, SlotState::Missed(Missed::Busy)))));
}

#[test]
fn a_newer_planned_time_takes_the_place_of_one_that_waits() {
    let hourly = schedule(rule("1h", None, None, "UTC"), at("2026-11-02T00:30:00Z"));
    let slot = at("2026-11-02T01:00:00Z");
    let waiting = Accounts { last: Some(slot), waiting: Some(slot), is_running: true };
    let due = hourly.decide(waiting, at("2026-11-02T02:00:00Z"));
    assert_eq!(due.given_up, Some((slot, SlotState::Missed(Missed::Overtaken))));
    assert_eq!((due.opened, due.begin), (Some(at("2026-11-02T02:00:00Z")), None), "the one before it still runs");
}

#[test]
fn what_a_pause_leaves_out_is_one_row_and_its_end_sets_a_floor() {
    let mut schedule = nightly();
    let until = at("2026-11-05T12:00:00Z");
    schedule.state = State::Paused { until: Some(until), why: Paused::By(UserId(5)) };
    let due = schedule.decide(NOTHING, at("2026-11-06T03:30:00Z"));
    assert!(due.resumes);
    let [closed] = due.closed.as_slice() else { panic!("{due:?}") };
    assert_eq!((closed.count, closed.state), (4, SlotState::Skipped(Skipped::Paused)));
    schedule.resume(until);
    let due = schedule.decide(Accounts { last: Some(closed.last), ..NOTHING }, at("2026-11-06T03:30:00Z"));
    assert_eq!((due.begin, due.closed.len()), (Some(at("2026-11-06T03:00:00Z")), 0));
}

#[test]
fn an_owner_is_lost_only_by_an_answer_or_after_a_week_of_silence() {
    let start = at("2026-11-01T00:00:00Z");
    let days = |days: i64| start + SignedDuration::from_hours(24 * days);
    let owner = Owner::new(UserId(5), start);
    let silent = owner.seen(OwnerSeen::Silence, days(30));
    assert_eq!(silent.right(days(30)), Right::Full, "one question without an answer, however long nobody asked");
    assert_eq!(silent.seen(OwnerSeen::Silence, days(37)).right(days(37)), Right::Full);
    assert_eq!(silent.seen(OwnerSeen::Silence, days(38)).right(days(38)), Right::TakeOnly, "a week of silence");
    let answered = silent.seen(OwnerSeen::Good, days(31)).seen(OwnerSeen::Silence, days(38));
    assert_eq!(answered.right(days(38)), Right::Full, "an answer ends it");
    let hour = SignedDuration::from_hours(1);
    assert_eq!((owner.ask_again_at(), silent.ask_again_at()), (None, Some(days(30) + hour)));
    let lost = owner.seen(OwnerSeen::Lost, days(1)).seen(OwnerSeen::Silence, days(2)).seen(OwnerSeen::Lost, days(3));
    assert_eq!(
        (lost.right(days(1)), lost.right(days(8)), lost.right(days(9))),
        (Right::TakeOnly, Right::TakeOnly, Right::None)
    );
    assert_eq!(lost.seen(OwnerSeen::Good, days(4)).right(days(30)), Right::Full);
}

fn slot(day: u32, state: SlotState, count: u32) -> Slot {
    let at = at(&format!("2026-11-{day:02}T03:00:00Z"));
    Slot { at, last: at, count, state, operation: None }
}

/// A Snapshot with this planned time and size in gigabytes.
fn snapshot(planned: &str, size: Option<f64>) -> Candidate {
    let planned = at(planned);
    Candidate {
        operation: OperationId::from_random(u64::try_from(planned.as_second()).unwrap()),
        droplet: DropletId(1),
        is_current: true,
        planned: Some(planned),
        size,
        is_consistent: true,
        is_kept: false,
        announced_at: None,
    }
}

fn stale_since(it: &Schedule, slots: &[Slot], snapshots: &[Candidate], now: &str) -> Option<Timestamp> {
    it.stale_since(Record { slots, snapshots, run: None }, at(now))
}

#[test]
fn two_in_a_row_without_a_snapshot_are_stale_and_told_once_each_morning() {
    let mut it = nightly();
    let failed = SlotState::Failed(Failed::Operation);
    let eighth = [snapshot("2026-11-08T03:00:00Z", Some(10.0))];
    let stale = |slots: &[Slot], snapshots: &[Candidate]| stale_since(&it, slots, snapshots, "2026-11-10T04:00:00Z");
    assert_eq!(stale(&[], &[]), None);
    assert_eq!(stale(&[slot(9, failed, 1), slot(8, SlotState::Ran, 1)], &eighth), None);
    let missed = [slot(10, failed, 1), slot(9, SlotState::Missed(Missed::Away), 1), slot(8, SlotState::Ran, 1)];
    let since = stale(&missed, &eighth);
    assert_eq!(since, Some(at("2026-11-10T03:00:00Z")));
    assert_eq!(stale(&[slot(9, SlotState::Skipped(Skipped::Paused), 9), slot(8, SlotState::Shared, 1)], &eighth), None);
    assert!(stale(&[slot(9, SlotState::Missed(Missed::Away), 2)], &[]).is_some(), "one row may stand for several");
    let two = [slot(10, failed, 1), slot(9, failed, 1), slot(8, SlotState::Ran, 1)];
    for (by_hand, is_stale) in
        [("2026-11-10T12:00:00Z", false), ("2026-11-09T12:00:00Z", false), ("2026-11-08T12:00:00Z", true)]
    {
        let taken = [eighth[0].clone(), snapshot(by_hand, Some(10.0))];
        assert_eq!(stale(&two, &taken).is_some(), is_stale, "a person had it take one {by_hand}");
    }
    let since = since.unwrap();
    assert!(!it.must_remind(since, at("2026-11-10T08:59:59Z")));
    assert!(it.must_remind(since, at("2026-11-10T09:00:00Z")));
    it.reminded_at = Some(at("2026-11-10T09:00:02Z"));
    assert!(!it.must_remind(since, at("2026-11-11T08:00:00Z")));
    assert!(it.must_remind(since, at("2026-11-11T09:00:00Z")));
    let weekly = schedule(rule("week", None, None, "UTC"), at("2026-11-01T12:00:00Z"));
    let first = [snapshot("2026-11-01T03:00:00Z", Some(10.0))];
    let slots = [slot(8, failed, 1), slot(1, SlotState::Ran, 1)];
    assert!(stale_since(&weekly, &slots, &first, "2026-11-08T04:00:00Z").is_some());
}

#[test]
fn a_snapshot_that_cannot_be_relied_on_keeps_nothing_from_being_stale() {
    let it = nightly();
    let slots = [slot(10, SlotState::Ran, 1), slot(9, SlotState::Ran, 1), slot(8, SlotState::Ran, 1)];
    let nights = |ninth: Option<f64>, tenth: Option<f64>| {
        [
            snapshot("2026-11-08T03:00:00Z", Some(10.0)),
            snapshot("2026-11-09T03:00:00Z", ninth),
            snapshot("2026-11-10T03:00:00Z", tenth),
        ]
    };
    let stale = |snapshots: &[Candidate], now| stale_since(&it, &slots, snapshots, now);
    let (soon, later) = ("2026-11-10T04:00:00Z", "2026-11-11T04:00:00Z");
    assert_eq!(stale(&nights(Some(10.0), Some(10.0)), soon), None);
    assert_eq!(stale(&nights(Some(0.5), Some(10.0)), soon), None, "the newest is good");
    assert_eq!(stale(&nights(Some(10.0), Some(0.5)), soon), None, "one alone");
    assert_eq!(stale(&nights(Some(0.5), Some(0.5)), soon), Some(at("2026-11-10T03:00:00Z")));
    assert_eq!(stale(&nights(Some(0.5), None), soon), None, "its size may still come");
    assert!(stale(&nights(Some(0.5), None), later).is_some());
    assert!(stale(&nights(None, None), later).is_some());
    assert!(stale(&nights(Some(10.0), Some(10.0))[..1], soon).is_some(), "somebody has deleted the others");
    let mut fine = it.clone();
    fine.rely_on(nights(None, Some(0.5))[2].operation);
    assert_eq!(stale_since(&fine, &slots, &nights(Some(0.5), Some(0.5)), soon), None, "somebody says that it is fine");
    let mut elsewhere = nights(Some(10.0), Some(10.0));
    for one in &mut elsewhere {
        one.is_current = false;
    }
    assert_eq!(stale(&elsewhere, soon), None, "it was bound to another Droplet since");
}

#[test]
fn a_fate_survives_its_words() {
    use strum::IntoEnumIterator;
    let plain = [SlotState::Waiting, SlotState::Running, SlotState::Ran, SlotState::Shared].into_iter();
    let others = Failed::iter().map(SlotState::Failed).chain(Skipped::iter().map(SlotState::Skipped));
    let states = plain.chain(others).chain(Missed::iter().map(SlotState::Missed));
    for state in states {
        let (what, why) = state.words();
        assert_eq!(SlotState::of_words(what, why), state);
    }
}

/// Plays a schedule as the scheduler does, with looks at arbitrary moments, and collects the state of each planned time.
fn play(schedule: &Schedule, looks: &[(i64, bool)]) -> (BTreeMap<Timestamp, SlotState>, Timestamp, u32) {
    let (mut states, mut accounts, mut now, mut begun) = (BTreeMap::new(), NOTHING, schedule.floor, 0);
    let mut running: Option<Timestamp> = None;
    let mut latest = now;
    for (pause, is_free) in looks {
        now = Timestamp::from_second(now.as_second() + pause).unwrap();
        latest = latest.max(now);
        if let Some(slot) = running.take() {
            states.insert(slot, SlotState::Ran);
        }
        accounts.is_running = false;
        let due = schedule.decide(accounts, now);
        let runs = |first, last| schedule.rule.runs_between(first - SignedDuration::from_nanos(1), last);
        for closed in due.closed {
            let covered = runs(closed.first, closed.last);
            assert_eq!(covered.len(), usize::try_from(closed.count).unwrap());
            for slot in covered {
                assert_eq!(states.insert(slot, closed.state), None, "{slot} had a fate already");
            }
            accounts.last = Some(closed.last);
        }
        if let Some((slot, state)) = due.given_up {
            assert_eq!(states.insert(slot, state), Some(SlotState::Waiting));
            accounts.waiting = None;
        }
        if let Some(slot) = due.opened {
            assert_eq!(states.insert(slot, SlotState::Waiting), None, "{slot} had a fate already");
            (accounts.last, accounts.waiting) = (Some(slot), Some(slot));
        }
        if let Some(slot) = due.begin.filter(|_| *is_free) {
            assert_eq!(states.insert(slot, SlotState::Running), Some(SlotState::Waiting));
            assert!(now >= slot && now < slot + WINDOW);
            (accounts.waiting, accounts.is_running, running) = (None, true, Some(slot));
            begun += 1;
        }
    }
    (states, latest, begun)
}

proptest! {
    #[test]
    fn every_planned_time_is_accounted_for_once_whatever_the_process_does(
        every in prop::sample::select(vec!["day", "1h", "6h", "12h", "cron 30 1 * * 1-5"]),
        zone in prop::sample::select(vec!["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]),
        // Short looks, long absences, and clocks that are set back.
        looks in prop::collection::vec((prop_oneof![0_i64..600, 600_i64..20_000, 20_000_i64..600_000, -4_000_i64..0], any::<bool>()), 1..120),
        start in 1_770_000_000_i64..1_800_000_000,
    ) {
        let schedule = schedule(rule(every, None, None, zone), Timestamp::from_second(start).unwrap());
        let (states, latest, _) = play(&schedule, &looks);
        let planned = schedule.rule.runs_between(schedule.floor, latest);
        let accounted: Vec<Timestamp> = states.keys().copied().collect();
        prop_assert_eq!(accounted, planned);
    }
}
