//! The limits hold no matter who asks, and the priorities keep their order.

use proptest::prelude::*;

use super::*;

mod crowd;

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_secs_f64(seconds)
}

fn answer(status: u16, headers: &[(&str, &str)], now: Timestamp) -> HttpAnswer {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    HttpAnswer { status, headers, body: Vec::new(), received_at: now }
}

fn may(budget: &mut Budget, priority: Priority, now: Timestamp) -> bool {
    matches!(budget.admit(priority, now), Admission::Now(_))
}

fn sent(budget: &mut Budget, priority: Priority, now: Timestamp) -> usize {
    std::iter::repeat_with(|| may(budget, priority, now)).take_while(|admitted| *admitted).count()
}

/// Permission for a request that has left.
fn ticket(budget: &mut Budget, now: Timestamp) -> Ticket {
    match budget.admit(Priority::PowerOn, now) {
        Admission::Now(ticket) => {
            budget.depart(&ticket, now).unwrap();
            ticket
        }
        Admission::At(moment) => panic!("not before {moment}"),
    }
}

const RANKS: [Priority; 10] = [
    Priority::PowerOn,
    Priority::PowerOnBlind,
    Priority::Off,
    Priority::LookUp,
    Priority::Person,
    Priority::Shutdown,
    Priority::BeforeShutdown,
    Priority::Poll,
    Priority::Watch,
    Priority::Inventory,
];

#[test]
fn each_rank_leaves_room_for_those_before_it() {
    let mut budget = Budget::default();
    let mut last = 0;
    for priority in RANKS.into_iter().rev() {
        assert!(sent(&mut budget, priority, at(0.0)) > 0, "{priority:?} finds the room that those behind it left");
        let used = budget.all.len();
        assert!(used > last);
        last = used;
    }
    assert_eq!(last, 250, "bringing power back may use the minute up");
}

#[test]
fn those_turned_on_without_a_look_use_a_fifth_of_the_minute() {
    let mut budget = Budget::default();
    assert_eq!(sent(&mut budget, Priority::PowerOnBlind, at(0.0)), 50);
    assert_eq!(sent(&mut budget, Priority::PowerOn, at(0.0)), 200);
    assert_eq!(sent(&mut budget, Priority::PowerOnBlind, at(63.0)), 50);
}

#[test]
fn polls_use_half_of_the_minute_and_of_the_hour() {
    let mut budget = Budget::default();
    assert_eq!(sent(&mut budget, Priority::Poll, at(0.0)), 125);
    let rest: usize = (1..57).map(|minute| sent(&mut budget, Priority::Poll, at(f64::from(minute) * 63.0))).sum();
    assert_eq!(125 + rest, 2_500);
    assert!(may(&mut budget, Priority::Shutdown, at(57.0 * 63.0)));
}

#[test]
fn what_was_looked_at_can_be_shut_down_at_once() {
    for limit in ["200", "1000", "5000"] {
        let mut budget = Budget::default();
        let leave = ticket(&mut budget, at(0.0));
        budget.observe(&leave, &answer(200, &[("ratelimit-limit", limit)], at(0.0)));
        assert!(sent(&mut budget, Priority::BeforeShutdown, at(100.0)) > 0);
        assert!(may(&mut budget, Priority::Shutdown, at(100.0)), "{limit} an hour");
    }
}

#[test]
fn however_low_the_limit_is_one_request_is_kept_for_turning_on_and_one_for_looking_at_what_is_off() {
    for limit in ["60", "100", "400"] {
        let mut budget = Budget::default();
        let leave = ticket(&mut budget, at(0.0));
        budget.observe(&leave, &answer(200, &[("ratelimit-limit", limit)], at(0.0)));
        for priority in RANKS.into_iter().filter(|rank| *rank > Priority::Off).rev() {
            sent(&mut budget, priority, at(100.0));
        }
        assert!(may(&mut budget, Priority::Off, at(100.0)), "{limit} an hour");
        sent(&mut budget, Priority::Off, at(100.0));
        assert!(may(&mut budget, Priority::PowerOn, at(100.0)), "{limit} an hour");
    }
}

#[test]
fn nobody_waits_in_line_for_a_long_silence() {
    let mut budget = Budget::default();
    let leave = ticket(&mut budget, at(0.0));
    budget.observe(&leave, &answer(503, &[("retry-after", "86400")], at(0.0)));
    assert_eq!(budget.long_silence(Priority::Poll, at(1.0)), Some(at(3_600.0)));
    assert_eq!(budget.long_silence(Priority::Off, at(1.0)), Some(at(120.0)), "it may probe by then");
    assert_eq!(budget.long_silence(Priority::Off, at(95.0)), None);
    assert_eq!(budget.long_silence(Priority::Poll, at(3_590.0)), None);
}

#[test]
fn a_refused_request_may_leave_at_the_moment_it_was_told() {
    let mut budget = Budget::default();
    for second in 0..250 {
        assert!(may(&mut budget, Priority::PowerOn, at(f64::from(second) / 10.0)));
    }
    let Admission::At(moment) = budget.admit(Priority::PowerOn, at(30.0)) else { panic!("the minute is used up") };
    assert_eq!(moment, at(62.0));
    assert!(may(&mut budget, Priority::PowerOn, moment));
    assert!(!may(&mut budget, Priority::PowerOn, moment));
}

#[test]
fn nobody_sends_before_retry_after_is_over() {
    let mut budget = Budget::default();
    let leave = ticket(&mut budget, at(0.0));
    let burst = answer(429, &[("retry-after", "30"), ("ratelimit-remaining", "0")], at(1.0));
    budget.observe(&leave, &burst);
    for priority in RANKS {
        assert_eq!(budget.admit(priority, at(30.9)), Admission::At(at(31.0)));
    }
    assert!(sent(&mut budget, Priority::Inventory, at(31.0)) > 100, "the 0 of a burst says nothing of the hour");
}

#[test]
fn a_shorter_wait_does_not_lift_a_longer_one() {
    let mut budget = Budget::default();
    let (first, second) = (ticket(&mut budget, at(0.0)), ticket(&mut budget, at(0.0)));
    budget.observe(&first, &answer(429, &[("retry-after", "60")], at(1.0)));
    budget.observe(&second, &answer(429, &[("retry-after", "1")], at(1.0)));
    assert_eq!(budget.admit(Priority::PowerOn, at(3.0)), Admission::At(at(61.0)));
}

#[test]
fn what_others_used_of_the_hour_counts_too() {
    let mut budget = Budget::default();
    let leave = ticket(&mut budget, at(0.0));
    budget.observe(&leave, &answer(200, &[("ratelimit-limit", "5000"), ("ratelimit-remaining", "120")], at(0.2)));
    assert!(!may(&mut budget, Priority::Person, at(0.3)), "5 % are kept for those before");
    assert_eq!(sent(&mut budget, Priority::Off, at(0.3)), 70);
    assert_eq!(sent(&mut budget, Priority::PowerOn, at(0.3)), 50);
}

#[test]
fn a_used_up_hour_is_probed_once_a_second() {
    let mut budget = Budget::default();
    let leave = ticket(&mut budget, at(0.0));
    budget.observe(&leave, &answer(200, &[("ratelimit-remaining", "0")], at(0.0)));
    let admitted = (0..100).filter(|tenth| may(&mut budget, Priority::PowerOn, at(f64::from(*tenth) / 10.0))).count();
    assert_eq!(admitted, 9);
}

/// A budget after an answer that says how many requests remain.
fn with_remaining(remaining: u32, now: Timestamp) -> Budget {
    let mut budget = Budget::default();
    let leave = ticket(&mut budget, now);
    budget.observe(&leave, &answer(200, &[("ratelimit-remaining", &remaining.to_string())], now));
    budget
}

#[test]
fn the_last_requests_of_the_hour_are_kept_for_turning_on() {
    let mut budget = with_remaining(30, at(0.0));
    let mut remaining = 30;
    for second in 1..600_i32 {
        let now = at(f64::from(second));
        for priority in [Priority::Off, Priority::LookUp, Priority::Poll, Priority::Watch, Priority::Inventory] {
            if let Admission::Now(leave) = budget.admit(priority, now) {
                remaining -= 1;
                budget.observe(&leave, &answer(200, &[("ratelimit-remaining", &remaining.to_string())], now));
            }
        }
    }
    assert_eq!(budget.left(at(600.0)), 21, "a look every minute or so");
}

#[test]
fn a_downtime_begins_only_with_room_in_the_hour_which_is_looked_for_once_a_minute() {
    let mut budget = with_remaining(600, at(0.0));
    assert_eq!(budget.room_for_downtimes(0, at(30.0)).more, 0);
    assert_eq!(budget.room_for_downtimes(0, at(60.0)).more, 1);
    assert_eq!(budget.room_for_downtimes(1, at(60.0)).more, 0, "one looks for all");
    let Admission::Now(leave) = budget.admit(Priority::BeforeShutdown, at(60.0)) else { panic!("it looks") };
    assert_eq!(budget.room_for_downtimes(0, at(61.0)).more, 0);
    assert_eq!(budget.admit(Priority::Shutdown, at(61.0)), Admission::At(at(120.0)), "a shutdown is no probe");
    budget.observe(&leave, &answer(200, &[("ratelimit-remaining", "4000")], at(61.0)));
    assert!(budget.room_for_downtimes(0, at(61.0)).more > 100 && may(&mut budget, Priority::Shutdown, at(61.0)));
}

#[test]
fn an_answer_that_was_overtaken_is_not_believed() {
    let mut budget = Budget::default();
    let (old, new) = (ticket(&mut budget, at(0.0)), ticket(&mut budget, at(0.0)));
    budget.observe(&new, &answer(200, &[("ratelimit-remaining", "4998")], at(0.1)));
    budget.observe(&old, &answer(200, &[("ratelimit-remaining", "0")], at(0.2)));
    assert!(may(&mut budget, Priority::Inventory, at(0.3)));
}

#[test]
fn a_raised_limit_raises_the_burst() {
    let mut budget = Budget::default();
    let leave = ticket(&mut budget, at(0.0));
    budget.observe(&leave, &answer(200, &[("ratelimit-limit", "10000")], at(0.0)));
    assert_eq!(sent(&mut budget, Priority::PowerOn, at(0.0)), 499);
}

#[test]
fn absurd_limits_neither_stop_us_nor_eat_the_memory() {
    for limit in ["0", "1", "99999999999999999999", "-1", "many"] {
        let mut budget = Budget::default();
        let leave = ticket(&mut budget, at(0.0));
        budget.observe(&leave, &answer(200, &[("ratelimit-limit", limit)], at(0.0)));
        assert!(budget.hour_limit <= HIGHEST_LIMIT);
        assert!(may(&mut budget, Priority::Inventory, at(3_700.0)), "{limit}");
    }
}

#[test]
fn a_limit_that_is_stated_too_low_keeps_no_droplet_off_for_longer_than_a_minute() {
    for limit in ["0", "1", "10"] {
        let mut budget = Budget::default();
        let said = [("ratelimit-limit", limit)];
        for minute in 0..18 {
            let now = at(f64::from(minute) * 62.0);
            let Admission::Now(leave) = budget.admit(Priority::Off, now) else { panic!("{limit}, minute {minute}") };
            budget.depart(&leave, now).unwrap();
            budget.observe(&leave, &answer(200, &said, now));
        }
        assert!(may(&mut budget, Priority::PowerOn, at(1_060.0)), "{limit}: it follows its look");
        assert!(!may(&mut budget, Priority::Poll, at(1_116.0)), "{limit} is kept by those that can wait");
    }
}

#[test]
fn a_limit_that_answers_disprove_is_not_believed() {
    let mut budget = Budget::default();
    let mut now = at(0.0);
    for _ in 0..60 {
        let leave = ticket(&mut budget, now);
        budget.observe(&leave, &answer(200, &[("ratelimit-limit", "10")], now));
        now += SignedDuration::from_secs(62);
    }
    assert_eq!(budget.hour_limit, USUAL_LIMIT);
    let leave = ticket(&mut budget, now);
    budget.observe(&leave, &answer(429, &[("ratelimit-limit", "10"), ("retry-after", "1")], now));
    assert_eq!(budget.hour_limit, 10, "a refusal confirms it");
}

#[test]
fn a_downtime_begins_only_when_the_rest_of_all_of_them_fits() {
    let mut budget = Budget::default();
    let more = |budget: &mut Budget, downtimes| budget.room_for_downtimes(downtimes, at(0.0)).more;
    assert_eq!(more(&mut budget, 199), 1);
    assert_eq!(more(&mut budget, 200), 0, "one minute could not turn them all on");
    assert_eq!(budget.room_for_downtimes(200, at(0.0)).for_newcomers, 10, "who has none yet is let in nevertheless");
    let leave = ticket(&mut budget, at(0.0));
    budget.observe(&leave, &answer(200, &[("ratelimit-remaining", "730")], at(0.0)));
    assert_eq!((more(&mut budget, 10), more(&mut budget, 11)), (1, 0));
    budget.observe(&leave, &answer(429, &[("retry-after", "5")], at(0.0)));
    assert_eq!(more(&mut budget, 0), 0);
}

/// A budget of which others use this many requests of the token a minute, while we send one a second.
fn with_others(a_minute: usize) -> Budget {
    let mut budget = Budget::default();
    for second in 0..120_i32 {
        let now = at(f64::from(second));
        let leave = ticket(&mut budget, now);
        let used = usize::try_from(second).unwrap() * (a_minute + 60) / 60 + 1;
        let remaining = (5_000 - used).to_string();
        budget.observe(&leave, &answer(200, &[("ratelimit-remaining", &remaining)], now));
    }
    budget
}

#[test]
fn what_others_use_of_the_token_is_not_there_for_downtimes() {
    let room = |a_minute| with_others(a_minute).room_for_downtimes(0, at(120.0));
    assert_eq!((room(0).a_minute, room(0).more), (25, 200));
    let room = room(150);
    assert!((8..=11).contains(&room.a_minute) && (70..=90).contains(&room.more), "{room:?}");
}

#[test]
fn what_droplets_that_are_off_wait_for_uses_up_to_sixty_percent_of_a_minute_and_no_more() {
    let mut budget = Budget::default();
    assert_eq!(sent(&mut budget, Priority::Off, at(0.0)), 150);
    assert!(may(&mut budget, Priority::Person, at(0.0)), "people are heard all the same");
    assert!(may(&mut budget, Priority::Off, at(62.0)));
}

#[test]
fn nobody_else_takes_what_a_droplet_that_is_off_waits_for() {
    for rank in &RANKS[3..] {
        let mut budget = Budget::default();
        sent(&mut budget, *rank, at(0.0));
        assert!(sent(&mut budget, Priority::Off, at(0.0)) >= 20, "{rank:?}");
        assert!(sent(&mut budget, Priority::PowerOn, at(0.0)) >= 5, "{rank:?}");
    }
}

#[test]
fn eight_percent_are_always_free_for_people() {
    let mut budget = Budget::default();
    for rank in &RANKS[5..] {
        sent(&mut budget, *rank, at(0.0));
    }
    assert!(sent(&mut budget, Priority::Person, at(0.0)) >= 20);
}

fn silent(seconds: &str) -> Budget {
    let mut budget = Budget::default();
    let leave = ticket(&mut budget, at(0.0));
    budget.observe(&leave, &answer(503, &[("retry-after", seconds)], at(0.0)));
    budget
}

#[test]
fn two_minutes_of_silence_are_kept_by_everybody() {
    let mut budget = silent("120");
    for priority in RANKS {
        assert_eq!(budget.admit(priority, at(119.0)), Admission::At(at(120.0)));
    }
    assert!(RANKS.iter().all(|priority| may(&mut budget, *priority, at(120.0))));
}

#[test]
fn in_a_longer_silence_power_is_tried_once_a_minute_and_the_others_wait_an_hour_at_most() {
    let mut budget = silent("86400");
    assert_eq!(budget.admit(Priority::PowerOn, at(1.0)), Admission::At(at(120.0)));
    let mut tried = Vec::new();
    for second in 1..3_600 {
        let now = at(f64::from(second));
        assert!(RANKS[3..].iter().all(|priority| !may(&mut budget, *priority, now)), "{second}");
        let admission = budget.admit(if second % 2 == 0 { Priority::PowerOn } else { Priority::Off }, now);
        if let Admission::Now(leave) = admission {
            budget.depart(&leave, now).expect("leave was given since");
            tried.push(second);
            budget.observe(&leave, &answer(503, &[], now));
        }
    }
    assert_eq!(tried[..3], [120, 180, 240]);
    assert_eq!(tried.len(), 58);
    assert!(may(&mut budget, Priority::Inventory, at(3_600.0)));
}

/// A command may wait for a last look after it was given leave.
#[test]
fn unused_leave_counts_until_it_is_used() {
    let mut budget = Budget::default();
    let Admission::Now(waiting) = budget.admit(Priority::PowerOn, at(0.0)) else { panic!("nothing was sent yet") };
    assert_eq!(sent(&mut budget, Priority::PowerOn, at(70.0)), 249, "it may leave at any moment");
    budget.depart(&waiting, at(100.0)).unwrap();
    assert_eq!(budget.all.within(MINUTE, at(140.0)), 1);
    assert_eq!(sent(&mut budget, Priority::PowerOn, at(140.0)), 249);
    assert_eq!(sent(&mut budget, Priority::PowerOn, at(163.0)), 1);
}

#[test]
fn leave_that_nobody_will_use_counts_from_when_it_was_given() {
    let mut budget = Budget::default();
    assert_eq!(sent(&mut budget, Priority::PowerOn, at(0.0)), 250);
    assert_eq!(sent(&mut budget, Priority::PowerOn, at(61.9)), 0);
    assert_eq!(sent(&mut budget, Priority::PowerOn, at(62.0)), 250);
}

#[test]
fn an_answer_to_a_probe_ends_the_silence_and_one_from_before_it_does_not() {
    let mut budget = Budget::default();
    let (early, late) = (ticket(&mut budget, at(0.0)), ticket(&mut budget, at(0.0)));
    budget.observe(&early, &answer(503, &[("retry-after", "86400")], at(0.1)));
    budget.observe(&late, &answer(200, &[], at(0.2)));
    assert!(!may(&mut budget, Priority::Person, at(130.0)));
    assert!(budget.depart(&late, at(130.0)).is_err(), "it was given before");
    let probe = ticket(&mut budget, at(130.0));
    budget.observe(&probe, &answer(200, &[], at(130.1)));
    assert!(may(&mut budget, Priority::Inventory, at(130.2)));
}

#[test]
fn asked_for_a_day_at_every_probe_power_is_still_tried_once_a_minute() {
    let mut budget = silent("86400");
    let mut tried = 0;
    for second in 1..7_200 {
        let now = at(f64::from(second));
        if let Admission::Now(leave) = budget.admit(Priority::PowerOn, now) {
            tried += 1;
            budget.observe(&leave, &answer(503, &[("retry-after", "86400")], now));
        }
    }
    assert_eq!(tried, 118);
    assert!(!may(&mut budget, Priority::Person, at(7_200.0)));
}

#[test]
fn looks_slow_down_the_more_the_more_of_their_half_they_have_used() {
    let mut budget = Budget::default();
    let steady = Duration::from_secs(62) * 12 / 125;
    for (used, least, most) in [(31, 0, 0), (47, 4, 6), (62, 9, 11), (125, 30, 30)] {
        while budget.polls.len() < used {
            assert!(may(&mut budget, Priority::Poll, at(0.0)));
        }
        let floor = budget.poll_floor(12, at(0.0));
        assert!((steady * least / 10..=steady * most / 10).contains(&floor), "{used}: {floor:?} of {steady:?}");
    }
    assert_eq!(budget.poll_floor(12, at(62.0)), Duration::ZERO);
}

#[test]
fn a_clock_that_is_set_back_stops_nobody() {
    let mut budget = Budget::default();
    assert_eq!(sent(&mut budget, Priority::PowerOn, at(86_400.0)), 250);
    assert!(!may(&mut budget, Priority::PowerOn, at(0.0)));
    assert!(may(&mut budget, Priority::PowerOn, at(62.0)));
}

#[test]
fn a_clock_that_is_set_back_prolongs_no_silence() {
    let mut budget = Budget::default();
    let leave = ticket(&mut budget, at(86_400.0));
    budget.observe(&leave, &answer(503, &[("retry-after", "600")], at(86_400.0)));
    assert_eq!(budget.admit(Priority::Person, at(0.0)), Admission::At(at(600.0)));
    assert_eq!(budget.admit(Priority::PowerOn, at(0.0)), Admission::At(at(120.0)));
}

proptest! {
    #[test]
    fn however_long_leave_is_kept_no_more_than_the_limit_leave(
        turns in prop::collection::vec((0u8..5, 0usize..8, 0.0f64..4.0), 1..300),
    ) {
        let mut budget = Budget::default();
        let leave = ticket(&mut budget, at(0.0));
        budget.observe(&leave, &answer(200, &[("ratelimit-limit", "240")], at(0.0)));
        let (mut now, mut kept, mut left) = (at(100.0), Vec::new(), Vec::new());
        for (what, which, pause) in turns {
            now += SignedDuration::from_secs_f64(pause);
            match what {
                0 if !kept.is_empty() => drop(kept.swap_remove(which % kept.len())),
                1 if !kept.is_empty() => {
                    budget.depart(&kept.swap_remove(which % kept.len()), now).unwrap();
                    left.push(now);
                }
                _ => kept.extend(match budget.admit(RANKS[which], now) {
                    Admission::Now(ticket) => Some(ticket),
                    Admission::At(_) => None,
                }),
            }
            left.retain(|at| now.duration_since(*at) < MINUTE);
            prop_assert!(left.len() <= 12, "{} left within a minute", left.len());
        }
    }

    #[test]
    fn the_vendors_windows_never_overflow(asks in prop::collection::vec((0usize..8, 0u32..40_000, 0u32..300), 1..60)) {
        let mut budget = Budget::default();
        let (mut now, mut all) = (at(0.0), Vec::new());
        for (rank, millis, times) in asks {
            now += SignedDuration::from_millis(millis.into());
            for _ in 0..times {
                if may(&mut budget, RANKS[rank], now) {
                    all.push(now);
                }
            }
        }
        for (window, limit) in [(SignedDuration::from_mins(1), 250), (SignedDuration::from_hours(1), 5_000)] {
            for (index, end) in all.iter().enumerate().skip(limit) {
                prop_assert!(end.duration_since(all[index - limit]) >= window);
            }
        }
    }

    #[test]
    fn whoever_waits_as_told_gets_leave(rank in 0usize..8, burst in 0usize..600, remaining in 0u32..400, pause in 0u32..90) {
        let mut budget = Budget::default();
        let leave = ticket(&mut budget, at(0.0));
        for _ in 0..burst {
            may(&mut budget, Priority::PowerOn, at(0.1));
        }
        let (remaining, pause) = (remaining.to_string(), pause.to_string());
        budget.observe(&leave, &answer(429, &[("retry-after", &pause)], at(0.2)));
        budget.observe(&leave, &answer(200, &[("ratelimit-remaining", &remaining)], at(0.3)));
        let mut now = at(0.4);
        for _ in 0..10 {
            match budget.admit(RANKS[rank], now) {
                Admission::Now(_) => return Ok(()),
                Admission::At(moment) => {
                    prop_assert!(moment > now);
                    now = moment;
                }
            }
            // A shutdown finds out nothing; the look before it does.
            if RANKS[rank] == Priority::Shutdown && let Admission::Now(leave) = budget.admit(Priority::BeforeShutdown, now) {
                budget.observe(&leave, &answer(200, &[("ratelimit-remaining", "4000")], now));
            }
        }
        prop_assert!(false, "still waiting at {now}");
    }
}
