//! What is deleted automatically: only after a day's notice, and only without an objection.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{at, rule, schedule};
use crate::{
    operation::ids::{DropletId, OperationId, SnapshotId, UserId},
    schedule::{
        Paused, Right, Schedule, State,
        notice::Notice,
        policy::Policy,
        pruning::{Candidate, Circumstances, Hold},
        restored::Restored,
    },
};

const WELL: Circumstances = Circumstances { right: Right::Full, is_stale: false, restored_lately: BTreeSet::new() };

fn candidate(day: u32) -> Candidate {
    Candidate {
        operation: OperationId::from_random(u64::from(day)),
        droplet: DropletId(1),
        is_current: true,
        planned: Some(at(&format!("2026-11-{day:02}T03:00:00Z"))),
        size: Some(10.0),
        is_consistent: true,
        is_kept: false,
        announced_at: None,
    }
}

fn keeps_last(count: u16) -> Schedule {
    let mut it = schedule(rule("day", None, None, "UTC"), at("2026-11-01T00:00:00Z"));
    it.keep = Policy { last: count, ..Policy::default() };
    it
}

fn id(day: u32) -> OperationId {
    OperationId::from_random(u64::from(day))
}

#[test]
fn what_is_not_wanted_is_announced_and_goes_a_day_later() {
    let (it, now) = (keeps_last(2), at("2026-11-05T04:00:00Z"));
    let mut candidates = vec![candidate(3), candidate(4), candidate(5)];
    let first = it.prune(&candidates, &WELL, now);
    assert_eq!((first.announced.as_slice(), first.due.len()), ([id(3)].as_slice(), 0));
    candidates[0].announced_at = Some(now);
    let day = SignedDuration::from_hours(24);
    let soon = it.prune(&candidates, &WELL, now + day - SignedDuration::from_secs(1));
    assert_eq!((soon.due.len(), soon.wake), (0, Some(now + day)));
    assert_eq!(it.prune(&candidates, &WELL, now + day).due, [id(3)]);
    let late = it.prune(&candidates, &WELL, now + day + SignedDuration::from_mins(61));
    assert_eq!(
        (late.due.len(), late.again.as_slice()),
        (0, [id(3)].as_slice()),
        "nobody was there: it is announced once more"
    );
    candidates[0].is_kept = true;
    assert_eq!(it.prune(&candidates, &WELL, now + day).announced, [], "somebody keeps it");
}

#[test]
fn nothing_goes_while_anything_speaks_against_it() {
    let now = at("2026-11-08T04:00:00Z");
    let announced = |day| Candidate { announced_at: Some(at("2026-11-07T04:00:00Z")), ..candidate(day) };
    let candidates = vec![announced(3), candidate(4), candidate(5)];
    let it = keeps_last(2);
    assert_eq!(it.prune(&candidates, &WELL, now).due, [id(3)]);
    for (around, hold) in [
        (Circumstances { right: Right::TakeOnly, ..WELL }, Hold::Unowned),
        (Circumstances { is_stale: true, ..WELL }, Hold::Stale),
        (Circumstances { restored_lately: BTreeSet::from([DropletId(1)]), ..WELL }, Hold::RestoredLately),
    ] {
        let held = it.prune(&candidates, &around, now);
        assert_eq!((held.due.len(), held.announced.len(), held.hold), (0, 0, Some(hold)));
    }
    let mut paused = it.clone();
    paused.state = State::Paused { until: None, why: Paused::By(UserId(5)) };
    assert_eq!(paused.prune(&candidates, &WELL, now).hold, Some(Hold::Paused));
    let mut shrunk = candidates.clone();
    shrunk[2].size = Some(4.0);
    assert_eq!(
        it.prune(&shrunk, &WELL, now).due,
        [],
        "with a newest one that cannot be relied on, nothing is superfluous"
    );
    shrunk.insert(0, announced(2));
    assert_eq!(it.prune(&shrunk, &WELL, now).hold, Some(Hold::Doubtful(id(5))));
    let mut accepted = it.clone();
    accepted.rely_on(id(5));
    assert_eq!(accepted.prune(&shrunk, &WELL, now).due, [id(2), id(3)]);
}

#[test]
fn many_at_once_need_somebody_to_say_so() {
    let now = at("2026-11-20T04:00:00Z");
    let mut candidates: Vec<Candidate> = (1..=6).map(candidate).collect();
    let mut it = keeps_last(2);
    let held = it.prune(&candidates, &WELL, now);
    assert_eq!((held.hold, held.due.len(), held.announced.len()), (Some(Hold::TooMany(4)), 0, 0));
    it.approved = (1..=4).map(id).collect();
    let approved = it.prune(&candidates, &WELL, now);
    assert_eq!(
        (approved.hold, approved.due.len(), approved.announced.len()),
        (None, 0, 4),
        "they are announced like others"
    );
    for candidate in &mut candidates {
        candidate.announced_at = Some(at("2026-11-19T04:00:00Z"));
    }
    assert_eq!(it.prune(&candidates, &WELL, now).due.len(), 4);
}

#[test]
fn a_schedule_of_many_runs_a_day_asks_nobody_about_its_daily_round() {
    let now = at("2026-11-20T04:00:00Z");
    let mut candidates: Vec<Candidate> = (1..=19).map(candidate).collect();
    for candidate in candidates.iter_mut().take(15) {
        candidate.announced_at = Some(now - SignedDuration::from_hours(5));
    }
    let pruning = keeps_last(2).prune(&candidates, &WELL, now);
    assert_eq!((pruning.hold, pruning.announced.len(), pruning.due.len()), (None, 17, 0));
}

#[test]
fn each_droplet_is_a_group_of_its_own_and_one_that_left_keeps_all() {
    let now = at("2026-11-08T04:00:00Z");
    let of = |droplet, day: u32| Candidate {
        operation: OperationId::from_random(u64::from(day) + 100 * droplet),
        droplet: DropletId(droplet),
        ..candidate(day)
    };
    let mut candidates: Vec<Candidate> =
        [1, 2].into_iter().flat_map(|droplet| [3, 4, 5].map(|day| of(droplet, day))).collect();
    let it = keeps_last(2);
    let dropped = it.prune(&candidates, &WELL, now).announced;
    assert_eq!(dropped, [of(1, 3).operation, of(2, 3).operation], "the oldest of each");
    for candidate in candidates.iter_mut().filter(|candidate| candidate.droplet == DropletId(2)) {
        candidate.is_current = false;
    }
    assert_eq!(it.prune(&candidates, &WELL, now).announced, [of(1, 3).operation]);
    assert_eq!(it.decisions(&candidates, now).len(), 6, "each is decided about");
}

#[test]
fn a_restore_holds_what_was_taken_of_its_own_droplet() {
    let now = at("2026-11-08T04:00:00Z");
    let of = |droplet, day: u32| Candidate {
        operation: OperationId::from_random(u64::from(day) + 100 * droplet),
        droplet: DropletId(droplet),
        ..candidate(day)
    };
    let candidates: Vec<Candidate> =
        [1, 2].into_iter().flat_map(|droplet| [3, 4, 5].map(|day| of(droplet, day))).collect();
    let around = Circumstances { restored_lately: BTreeSet::from([DropletId(2)]), ..WELL };
    let pruning = keeps_last(2).prune(&candidates, &around, now);
    assert_eq!((pruning.announced, pruning.hold), (vec![of(1, 3).operation], Some(Hold::RestoredLately)));
}

#[test]
fn the_newest_of_any_droplet_may_be_doubtful() {
    let of = |droplet, day: u32, size| Candidate {
        operation: OperationId::from_random(u64::from(day) + 100 * droplet),
        droplet: DropletId(droplet),
        size: Some(size),
        ..candidate(day)
    };
    let mut it = keeps_last(2);
    let well = [of(1, 3, 10.0), of(2, 3, 2.0), of(1, 4, 10.0), of(2, 4, 2.0)];
    assert_eq!(it.doubtful(&well), None, "each is compared with those of its own Droplet");
    let shrunk = [of(1, 3, 10.0), of(2, 3, 10.0), of(1, 4, 4.0), of(2, 4, 10.0)];
    assert_eq!(it.doubtful(&shrunk), Some(of(1, 4, 4.0).operation));
    it.rely_on(of(1, 4, 4.0).operation);
    assert_eq!(it.doubtful(&shrunk), None);
}

#[test]
fn what_an_edit_drops_needs_somebody_to_say_so_once() {
    let now = at("2026-11-08T04:00:00Z");
    let candidates: Vec<Candidate> = (3..=6).map(candidate).collect();
    let (wide, narrow) = (keeps_last(4), keeps_last(3));
    assert_eq!(wide.narrowed_by(&narrow, &candidates, now), 1);
    assert_eq!(narrow.narrowed_by(&wide, &candidates, now), 0);
    assert_eq!(narrow.narrowed_by(&narrow, &candidates, now), 0, "that is dropped anyway");
    let mut edited = Schedule { narrowed: true, ..narrow };
    let held = edited.prune(&candidates, &WELL, now);
    assert_eq!((held.hold, held.announced.len(), held.due.len()), (Some(Hold::Narrowed(1)), 0, 0));
    assert_eq!(edited.narrowed_by(&keeps_last(2), &candidates, now), 2, "nobody has said yes to the first one yet");
    edited.narrowed = false;
    assert_eq!(edited.prune(&candidates, &WELL, now).announced, [id(3)]);
}

/// Asks what pruning waits for, and returns the notice about it.
fn ask(it: &mut Schedule, candidates: &[Candidate], around: &Circumstances) -> Option<Notice> {
    let pruning = it.prune(candidates, around, at("2026-11-20T04:00:00Z"));
    it.ask_about_deletions(&pruning)
}

#[test]
fn a_yes_counts_for_what_was_shown_and_for_nothing_else() {
    let mut it = keeps_last(2);
    let mut candidates: Vec<Candidate> = (1..=6).map(candidate).collect();
    assert_eq!(ask(&mut it, &candidates, &WELL), Some(Notice::Deletions { question: 1, count: 4 }));
    assert_eq!(ask(&mut it, &candidates, &WELL), None, "asked once");
    candidates.push(candidate(7));
    let edited = Notice::Deletions { question: 1, count: 5 };
    assert_eq!(ask(&mut it, &candidates, &WELL), Some(edited.clone()), "the same question about one more");
    let first = Notice::Deletions { question: 1, count: 4 };
    assert_eq!(first.repeated(&edited), Some(edited), "which is an edit");
    assert!(!it.approve_deletions(1, UserId(5)), "a press on what was shown before");
    assert!(it.approve_deletions(2, UserId(5)) && !it.approve_deletions(2, UserId(5)), "once");
    let approved = it.prune(&candidates, &WELL, at("2026-11-20T04:00:00Z"));
    assert_eq!((approved.hold, approved.announced.len()), (None, 5));
    candidates.extend((8..=11).map(candidate));
    let asked = it.prune(&candidates, &WELL, at("2026-11-20T04:00:00Z"));
    assert_eq!(asked.asked, [id(6), id(7), id(8), id(9)], "what came later is asked about by itself");
    assert_eq!(ask(&mut it, &candidates, &WELL), Some(Notice::Deletions { question: 2, count: 4 }), "by a new message");
}

#[test]
fn that_a_small_snapshot_is_fine_deletes_nothing() {
    let mut it = keeps_last(2);
    let mut candidates: Vec<Candidate> = (1..=7).map(candidate).collect();
    candidates[6].size = Some(1.0);
    let now = at("2026-11-20T04:00:00Z");
    assert_eq!(it.prune(&candidates, &WELL, now).hold, Some(Hold::Doubtful(id(7))));
    assert_eq!(ask(&mut it, &candidates, &WELL), None, "first of all somebody looks at the small one");
    assert!(it.is_doubtful(&candidates, id(7)) && !it.is_doubtful(&candidates, id(6)));
    it.rely_on(id(7));
    let held = it.prune(&candidates, &WELL, now);
    assert_eq!((held.hold, held.announced.len()), (Some(Hold::TooMany(5)), 0), "many at once are still asked about");
    candidates.push(candidate(8));
    assert!(!it.is_doubtful(&candidates, id(7)), "a larger one followed");
}

#[test]
fn a_question_stays_open_while_something_else_holds_and_closes_when_nothing_is_asked() {
    let mut it = Schedule { narrowed: true, ..keeps_last(3) };
    let candidates: Vec<Candidate> = (3..=6).map(candidate).collect();
    let stale = Circumstances { is_stale: true, ..WELL };
    assert_eq!(ask(&mut it, &candidates, &stale), None, "nobody has to decide now");
    assert!(ask(&mut it, &candidates, &WELL).is_some());
    assert_eq!(ask(&mut it, &candidates, &stale), None);
    assert!(it.watched.deletions.asks(1), "no second ping once it is not stale any more");
    it.keep = Policy { last: 9, ..Policy::default() };
    assert_eq!(ask(&mut it, &candidates, &WELL), None);
    assert!(!it.watched.deletions.is_open());
    assert!(!it.approve_deletions(1, UserId(5)), "nothing is asked any more");
}

#[test]
fn what_was_put_back_last_stays_for_a_week_and_until_a_newer_good_one_was_taken() {
    let it = keeps_last(1);
    let (restored_at, days) = (at("2026-11-06T12:00:00Z"), |days: i64| SignedDuration::from_hours(24 * days));
    let of =
        |number, ended_at, is_done| Restored { droplet: DropletId(1), source: SnapshotId(number), ended_at, is_done };
    let restored = [of(4, Some(restored_at), true), of(3, Some(at("2026-11-05T12:00:00Z")), true), of(9, None, false)];
    let sources = |candidates: &[Candidate], after| {
        let kept = it.sources(&restored, candidates, restored_at + after);
        kept.into_iter().map(|source| source.0).collect::<Vec<_>>()
    };
    let mut candidates: Vec<Candidate> = (3..=6).map(candidate).collect();
    assert_eq!(sources(&candidates, days(1)), [3, 4, 9]);
    assert_eq!(sources(&candidates, days(90)), [4, 9], "nothing good was taken since then");
    candidates.push(Candidate { size: None, ..candidate(8) });
    assert_eq!(sources(&candidates, days(90)), [4, 9], "of that one it is not known whether it is good");
    candidates.push(candidate(9));
    assert_eq!(sources(&candidates, days(6)), [4, 9]);
    assert_eq!(sources(&candidates, days(90)), [9]);
}
