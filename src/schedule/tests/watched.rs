//! What is watched about a schedule: shutdowns that hang, lost owners, long pauses, and notices that are sent once.

use jiff::SignedDuration;

use super::{at, rule, schedule};
use crate::{
    operation::ids::{OperationId, UserId},
    schedule::{
        Owner, OwnerSeen, Paused, Power, Record, Schedule, State,
        hung_shutdowns::{Asked, HangAnswer, Shutdown},
        notice::Notice,
    },
};

fn nightly() -> Schedule {
    schedule(rule("day", Some("03:00"), None, "Europe/Berlin"), at("2026-11-02T12:00:00Z"))
}

#[test]
fn three_hung_shutdowns_in_a_row_are_one_question_and_keep_the_droplet_on() {
    let mut it = nightly();
    let told: Vec<bool> = [Shutdown::Hung, Shutdown::Hung, Shutdown::Done, Shutdown::Hung, Shutdown::Hung]
        .into_iter()
        .map(|went| it.note_shutdown(went))
        .collect();
    assert_eq!((told, it.power_now()), (vec![false; 5], Power::Off));
    assert!(it.note_shutdown(Shutdown::Hung));
    assert_eq!((it.watched.hangs.asked, it.power_now()), (Asked::Open, Power::Live));
    assert!(!it.note_shutdown(Shutdown::Hung), "once");
    assert_eq!(it.power, Power::Off, "what somebody wants is not changed");
}

#[test]
fn an_answer_about_hung_shutdowns_counts_once() {
    let by = UserId(9);
    let asked = || {
        let mut it = nightly();
        let _ = [Shutdown::Hung; 3].map(|went| it.note_shutdown(went));
        it
    };
    let (mut goes_on, mut live, mut paused) = (asked(), asked(), asked());
    assert!(goes_on.answer_hangs(HangAnswer::ShutDown, by) && !goes_on.answer_hangs(HangAnswer::Pause, by));
    assert_eq!((goes_on.power_now(), goes_on.is_active()), (Power::Off, true));
    assert!((0..9).all(|_| !goes_on.note_shutdown(Shutdown::Hung)), "they said so");
    goes_on.note_shutdown(Shutdown::Done);
    assert_eq!([Shutdown::Hung; 3].map(|went| goes_on.note_shutdown(went)), [false, false, true]);
    assert!(live.answer_hangs(HangAnswer::StayLive, by));
    assert_eq!((live.power, live.power_now()), (Power::Live, Power::Live));
    assert!(paused.answer_hangs(HangAnswer::Pause, by));
    assert_eq!(paused.state, State::Paused { until: None, why: Paused::By(by) });
    assert!(!nightly().answer_hangs(HangAnswer::Pause, by), "nobody was asked");
}

#[test]
fn people_hear_at_once_and_each_morning_that_an_owner_is_lost() {
    let mut it = nightly();
    assert_eq!(it.next_owner_reminder(), None);
    let lost = at("2026-11-03T02:00:00Z");
    it.owner = it.owner.seen(OwnerSeen::Lost, lost);
    assert_eq!(it.next_owner_reminder(), Some(lost));
    it.watched.owner_told_at = Some(lost);
    assert_eq!(it.next_owner_reminder(), Some(at("2026-11-03T08:00:00Z")), "nine in Berlin");
    it.watched.owner_told_at = it.next_owner_reminder();
    assert_eq!(it.next_owner_reminder(), Some(at("2026-11-04T08:00:00Z")));
    assert_eq!(it.owner.paused_at(), Some(lost + SignedDuration::from_hours(24 * 7)));
    // A schedule that was taken over, and whose owner was lost again.
    it.owner = Owner::new(UserId(6), at("2026-11-05T00:00:00Z")).seen(OwnerSeen::Lost, at("2026-11-09T00:00:00Z"));
    assert_eq!(it.next_owner_reminder(), Some(at("2026-11-09T00:00:00Z")));
}

#[test]
fn one_that_paused_for_want_of_an_owner_is_stale_and_any_other_is_told_of_on_mondays() {
    let mut it = nightly();
    it.owner = it.owner.seen(OwnerSeen::Lost, at("2026-11-03T02:00:00Z"));
    it.state = State::Paused { until: None, why: Paused::OwnerLost };
    let nothing = Record { slots: &[], snapshots: &[], run: None };
    assert_eq!(it.stale_since(nothing, at("2026-11-11T02:00:00Z")), Some(at("2026-11-10T02:00:00Z")));
    it.state = State::Paused { until: None, why: Paused::By(UserId(5)) };
    assert_eq!((it.stale_since(nothing, at("2026-11-11T02:00:00Z")), it.next_pause_reminder()), (None, None));
    it.watched.pause_told_at = Some(at("2026-11-04T12:00:00Z"));
    assert_eq!(it.next_pause_reminder(), Some(at("2026-11-09T08:00:00Z")));
}

#[test]
fn the_same_reason_once_more_is_counted_and_another_is_told() {
    let (first, second) = (at("2026-11-03T02:00:00Z"), at("2026-11-04T02:00:00Z"));
    let failed = |planned, number, why: &str, count| Notice::Failed {
        planned,
        operation: OperationId::from_random(number),
        why: why.to_owned(),
        count,
    };
    let told = failed(first, 1, "hung", 1);
    let again = told.repeated(&failed(second, 2, "hung", 1)).unwrap();
    assert_eq!(again, failed(second, 2, "hung", 2));
    assert_eq!(again.repeated(&failed(second, 3, "hung", 1)), Some(failed(second, 3, "hung", 3)));
    assert_eq!(told.repeated(&failed(second, 2, "cancelled", 1)), None);
    assert_eq!(failed(first, 1, "", 1).repeated(&failed(second, 2, "", 1)), None, "an older row does not say why");
    assert_eq!(Notice::Unowned.repeated(&told), None);
    let doubtful = |number, count| Notice::Doubtful { operation: OperationId::from_random(number), count };
    assert_eq!(
        doubtful(1, 1).repeated(&doubtful(2, 2)),
        Some(doubtful(2, 2)),
        "it is known, and asks about the newest"
    );
    assert_eq!(doubtful(2, 2).repeated(&doubtful(3, 2)), Some(doubtful(3, 3)));
    assert_eq!(doubtful(1, 1).repeated(&doubtful(2, 1)), None, "a good one came between");
}

#[test]
fn a_restore_holds_for_a_week_or_until_somebody_lets_it_prune_again() {
    let mut it = nightly();
    let now = at("2026-11-20T12:00:00Z");
    assert_eq!(it.restores_count_since(now), at("2026-11-13T12:00:00Z"));
    it.watched.prunes_after_restores_until = Some(at("2026-11-18T12:00:00Z"));
    assert_eq!(it.restores_count_since(now), at("2026-11-18T12:00:00Z"));
    assert_eq!(it.restores_count_since(at("2026-11-30T12:00:00Z")), at("2026-11-23T12:00:00Z"));
}
