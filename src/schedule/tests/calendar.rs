//! Weeks with clock changes, in three zones with different rules, and short months.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::prelude::*;

use super::{at, rule};
use crate::schedule::rule::Rule;

/// The first runs from a moment on, by the clock of the schedule's zone, with the offset from UTC.
fn shown(rule: &Rule, from: &str, count: usize) -> Vec<String> {
    let zone = rule.time_zone();
    let runs = rule.runs_after(at(from)).take(count);
    runs.map(|run| run.to_zoned(zone.clone()).strftime("%d %H:%M %:z").to_string()).collect()
}

#[test]
fn a_run_in_the_hour_that_spring_skips_is_at_its_end() {
    let daily = rule("day", Some("02:30"), None, "Europe/Berlin");
    let wanted = ["28 02:30 +01:00", "29 03:00 +02:00", "30 02:30 +02:00"];
    assert_eq!(shown(&daily, "2026-03-28T00:00:00Z", 3), wanted);
    let by_cron = rule("cron 30 2 * * *", None, None, "Europe/Berlin");
    assert_eq!(shown(&by_cron, "2026-03-28T00:00:00Z", 3), wanted);
    let st_johns = rule("day", Some("02:15"), None, "America/St_Johns");
    assert_eq!(shown(&st_johns, "2026-03-07T12:00:00Z", 2), ["08 03:00 -02:30", "09 02:15 -02:30"]);
    // Lord Howe changes its clocks by half an hour.
    let lord_howe = rule("day", Some("02:15"), None, "Australia/Lord_Howe");
    assert_eq!(shown(&lord_howe, "2026-10-02T20:00:00Z", 2), ["04 02:30 +11:00", "05 02:15 +11:00"]);
}

#[test]
fn a_run_in_the_hour_that_autumn_shows_twice_happens_once() {
    let daily = rule("day", Some("02:30"), None, "Europe/Berlin");
    assert_eq!(shown(&daily, "2026-10-24T00:00:00Z", 3), ["24 02:30 +02:00", "25 02:30 +02:00", "26 02:30 +01:00"]);
    let hourly = rule("cron 0 * * * *", None, None, "Europe/Berlin");
    assert_eq!(
        shown(&hourly, "2026-10-24T23:30:00Z", 4),
        ["25 02:00 +02:00", "25 03:00 +01:00", "25 04:00 +01:00", "25 05:00 +01:00"]
    );
    let lord_howe = rule("day", Some("01:45"), None, "Australia/Lord_Howe");
    assert_eq!(shown(&lord_howe, "2026-04-04T10:00:00Z", 2), ["05 01:45 +11:00", "06 01:45 +10:30"]);
}

#[test]
fn hours_are_counted_on_the_clock_in_every_season() {
    let six = rule("6h", Some("01:30"), None, "Europe/Berlin");
    assert_eq!(
        shown(&six, "2026-03-28T20:00:00Z", 5),
        ["29 01:30 +01:00", "29 07:30 +02:00", "29 13:30 +02:00", "29 19:30 +02:00", "30 01:30 +02:00"]
    );
    let late = rule("12h", Some("20:00"), None, "UTC");
    assert_eq!(shown(&late, "2026-01-01T00:00:00Z", 3), ["01 08:00 +00:00", "01 20:00 +00:00", "02 08:00 +00:00"]);
    // Two of these times coincide when spring skips an hour.
    let hourly = rule("1h", None, None, "Europe/Berlin");
    assert_eq!(shown(&hourly, "2026-03-29T00:00:00Z", 3), ["29 03:00 +02:00", "29 04:00 +02:00", "29 05:00 +02:00"]);
}

#[test]
fn a_skipped_time_has_no_run_of_its_own_within_an_hour_of_another() {
    let hourly = |at, zone| rule("1h", Some(at), None, zone);
    let berlin = hourly("00:30", "Europe/Berlin");
    let wanted = ["29 00:30 +01:00", "29 01:30 +01:00", "29 03:30 +02:00", "29 04:30 +02:00"];
    assert_eq!(shown(&berlin, "2026-03-28T23:00:00Z", 4), wanted);
    let by_cron = rule("cron 30 * * * *", None, None, "Europe/Berlin");
    assert_eq!(shown(&by_cron, "2026-03-28T23:00:00Z", 4), wanted);
    let st_johns = hourly("00:15", "America/St_Johns");
    assert_eq!(shown(&st_johns, "2026-03-08T04:00:00Z", 3), ["08 01:15 -03:30", "08 03:15 -02:30", "08 04:15 -02:30"]);
    // Half an hour is skipped, so the next run is an hour and a half later.
    let lord_howe = hourly("00:15", "Australia/Lord_Howe");
    assert_eq!(shown(&lord_howe, "2026-10-03T14:00:00Z", 3), ["04 01:15 +10:30", "04 03:15 +11:00", "04 04:15 +11:00"]);
    let at_half_past = hourly("00:30", "Australia/Lord_Howe");
    assert_eq!(
        shown(&at_half_past, "2026-10-03T14:00:00Z", 3),
        ["04 01:30 +10:30", "04 03:30 +11:00", "04 04:30 +11:00"]
    );
    // Two hours apart, the run at the end of the gap is far enough from its neighbours.
    let every_two = rule("2h", Some("00:30"), None, "Europe/Berlin");
    assert_eq!(shown(&every_two, "2026-03-28T23:00:00Z", 3), ["29 00:30 +01:00", "29 03:00 +02:00", "29 04:30 +02:00"]);
}

#[test]
fn the_thirty_first_is_the_last_day_of_each_month() {
    let dates = |on| {
        let rule = rule("month", None, Some(on), "UTC");
        let runs = rule.runs_after(at("2028-01-01T00:00:00Z")).take(5);
        runs.map(|run| run.strftime("%m-%d").to_string()).collect::<Vec<_>>()
    };
    assert_eq!(dates("31"), ["01-31", "02-29", "03-31", "04-30", "05-31"]);
    assert_eq!(dates("29"), ["01-29", "02-29", "03-29", "04-29", "05-29"]);
    assert_eq!(dates("1"), ["01-01", "02-01", "03-01", "04-01", "05-01"]);
}

#[test]
fn a_zone_that_is_not_known_any_more_counts_as_utc() {
    let mut daily = rule("day", None, None, "Europe/Berlin");
    daily.zone = "Europe/Atlantis".to_owned();
    assert_eq!(shown(&daily, "2026-07-01T00:00:00Z", 1), ["01 03:00 +00:00"]);
}

fn rules() -> impl Strategy<Value = Rule> {
    let zones =
        prop::sample::select(vec!["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]);
    let every = prop::sample::select(vec!["day", "1h", "2h", "3h", "4h", "6h", "8h", "12h", "week", "month"]);
    (zones, every, 0..24_u8, 0..60_u8)
        .prop_map(|(zone, every, hour, minute)| rule(every, Some(&format!("{hour:02}:{minute:02}")), None, zone))
}

proptest! {
    #[test]
    fn runs_are_in_order_and_do_not_depend_on_where_one_begins_to_count(
        rule in rules(), from in 1_700_000_000_i64..1_900_000_000, later in 1_i64..2_000_000
    ) {
        let from = Timestamp::from_second(from).unwrap();
        let later = from + SignedDuration::from_secs(later);
        let all: Vec<Timestamp> = rule.runs_after(from).take_while(|run| *run <= later + SignedDuration::from_hours(9000)).take(400).collect();
        prop_assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
        prop_assert!(all.iter().all(|run| *run > from));
        prop_assert!(all.windows(2).all(|pair| pair[1].duration_since(pair[0]) >= SignedDuration::from_hours(1)), "too close");
        let end = *all.last().unwrap();
        let counted: Vec<Timestamp> = rule.runs_between(later, end);
        let expected: Vec<Timestamp> = all.into_iter().filter(|run| *run > later).collect();
        prop_assert_eq!(counted, expected);
    }

    #[test]
    fn a_daily_run_happens_once_on_each_day_of_a_year(zone in prop::sample::select(vec!["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]), hour in 0..24_u8, minute in 0..60_u8) {
        let rule = rule("day", Some(&format!("{hour}:{minute}")), None, zone);
        let zone = TimeZone::get(zone).unwrap();
        let days: Vec<_> = rule.runs_after(at("2025-12-31T23:59:59Z")).take(365).map(|run| run.to_zoned(zone.clone()).date()).collect();
        let unique: BTreeSet<_> = days.iter().collect();
        prop_assert_eq!(unique.len(), 365);
        prop_assert!(days.windows(2).all(|pair| pair[0].tomorrow().unwrap() == pair[1]));
    }
}
