//! What people type, and how it is parsed or refused.

use jiff::{SignedDuration, civil::time};
use proptest::prelude::*;

use super::rule;
use crate::schedule::{
    policy::{BadPolicy, Policy},
    rule::{Every, Invalid, Rule, Typed, zones_like},
    weekday::Weekday,
};

fn read<'t>(every: &'t str, at: impl Into<Option<&'t str>>, on: impl Into<Option<&'t str>>) -> Result<Rule, Invalid> {
    Rule::read(Typed { every, at: at.into(), on: on.into(), timezone: None })
}

#[test]
fn what_is_usual_is_understood() {
    for (every, at, on, wanted, when) in [
        ("day", None, None, Every::Day, time(3, 0, 0, 0)),
        ("Every day", Some("22:30"), None, Every::Day, time(22, 30, 0, 0)),
        ("6h", None, None, Every::Hours(6), time(0, 0, 0, 0)),
        ("every 12 hours", Some("1"), None, Every::Hours(12), time(1, 0, 0, 0)),
        ("week", None, None, Every::Week(Weekday::Sunday), time(3, 0, 0, 0)),
        ("weekly", None, Some("wed"), Every::Week(Weekday::Wednesday), time(3, 0, 0, 0)),
        ("month", None, Some("last"), Every::Month(31), time(3, 0, 0, 0)),
        ("monthly", None, Some("15th"), Every::Month(15), time(3, 0, 0, 0)),
        ("cron 0 3 * * 1-5", None, None, Every::Cron("0 3 * * 1-5".to_owned()), time(0, 0, 0, 0)),
    ] {
        let rule = read(every, at, on).unwrap();
        assert_eq!((rule.every, rule.at), (wanted, when), "{every}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_its_reason() {
    let typed = |text: &str| text.to_owned();
    for (every, at, on, wanted) in [
        ("fortnight", None, None, Invalid::Every { typed: typed("fortnight") }),
        ("tag:prod", None, None, Invalid::Every { typed: typed("tag:prod") }),
        ("5h", None, None, Invalid::Hours { typed: typed("5h") }),
        ("0h", None, None, Invalid::Hours { typed: typed("0h") }),
        ("day", Some("25:00"), None, Invalid::At { typed: typed("25:00") }),
        ("day", Some("noon"), None, Invalid::At { typed: typed("noon") }),
        ("day", None, Some("monday"), Invalid::OnWithoutUse),
        ("week", None, Some("someday"), Invalid::Weekday { typed: typed("someday") }),
        ("month", None, Some("32"), Invalid::MonthDay { typed: typed("32") }),
        ("cron 0 3 * *", None, None, Invalid::CronFields { found: 4 }),
        ("cron 0 0 3 * * *", None, None, Invalid::CronFields { found: 6 }),
        ("cron 0 3 30 2 *", None, None, Invalid::Never),
        ("cron 0 3 * * *", Some("03:00"), None, Invalid::AtWithCron),
        ("cron * * * * *", None, None, Invalid::TooOften { gap: SignedDuration::from_mins(1) }),
        ("cron 0,30 3 1 1 *", None, None, Invalid::TooOften { gap: SignedDuration::from_mins(30) }),
    ] {
        assert_eq!(read(every, at, on), Err(wanted), "{every} {at:?} {on:?}");
    }
    assert!(matches!(read("cron 0 99 * * *", None, None), Err(Invalid::Cron { .. })));
}

#[test]
fn a_time_zone_is_found_in_any_case_and_names_like_it_are_offered() {
    let zone = |typed| Rule::read(Typed { every: "day", timezone: Some(typed), ..Typed::default() });
    assert_eq!(zone("europe/berlin").unwrap().zone, "Europe/Berlin");
    let Err(Invalid::Zone { nearest, .. }) = zone("berlin") else { panic!("a city alone is no zone") };
    assert_eq!(nearest, ["Europe/Berlin"]);
    assert_eq!(zones_like("st johns", 1), ["America/St_Johns"]);
}

#[test]
fn only_who_did_not_say_when_is_spread() {
    let daily = rule("day", None, None, "UTC");
    let spread = daily.clone().spread_by(123_456_789);
    assert!(spread.spread < 600 && spread.spread > 0, "{}", spread.spread);
    assert_eq!(spread, daily.spread_by(123_456_789), "the same seed gives the same");
    let hourly = rule("1h", None, None, "UTC").spread_by(u64::MAX);
    assert!(hourly.spread < 360, "at most a tenth of the gap");
}

#[test]
fn a_policy_is_read_in_several_ways() {
    let typical = Policy { daily: 7, weekly: 4, monthly: 6, ..Policy::default() };
    for typed in ["7 daily · 4 weekly · 6 monthly", "7d 4w 6m", "7d,4w,6m", "7 days + 4 weeks + 6 months"] {
        assert_eq!(Policy::read(typed), Ok(typical), "{typed}");
    }
    assert_eq!(Policy::read("3 last").unwrap().last, 3);
    assert_eq!(Policy::read(""), Err(BadPolicy::Empty));
    assert_eq!(Policy::read("0 daily"), Err(BadPolicy::Empty));
    assert_eq!(Policy::read("some"), Err(BadPolicy::Part { typed: "some".to_owned() }));
    assert_eq!(Policy::read("7 lunar"), Err(BadPolicy::Part { typed: "7 lunar".to_owned() }));
    assert_eq!(Policy::read("5000 d"), Err(BadPolicy::TooMany { typed: "5000 d".to_owned() }));
}

proptest! {
    #[test]
    fn any_text_is_a_rule_or_a_refusal(every: String, at: Option<String>, on: Option<String>, zone: Option<String>) {
        let typed = Typed { every: &every, at: at.as_deref(), on: on.as_deref(), timezone: zone.as_deref() };
        let _ = Rule::read(typed);
        let _ = Policy::read(&every);
    }

    #[test]
    fn any_cron_that_is_taken_fires_and_not_more_than_hourly(
        minute in "([0-9]|[1-5][0-9]|\\*|\\*/[1-9])", hour in "([0-9]|1[0-9]|\\*|\\*/[1-9])",
        day in "(\\*|[1-9]|[12][0-9]|3[01]|L)", month in "(\\*|[1-9]|1[0-2])", weekday in "(\\*|[0-7]|1-5)"
    ) {
        let typed = format!("cron {minute} {hour} {day} {month} {weekday}");
        if let Ok(rule) = read(&typed, None, None) {
            let runs: Vec<_> = rule.runs_after(super::at("2026-01-01T00:00:00Z")).take(5).collect();
            prop_assert_eq!(runs.len(), 5);
            for pair in runs.windows(2) {
                prop_assert!(pair[1].duration_since(pair[0]) >= SignedDuration::from_hours(1), "{}", typed);
            }
        }
    }
}
