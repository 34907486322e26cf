//! What is kept: restic's cases in our terms, and the laws.

use jiff::{SignedDuration, Timestamp, civil::date, tz::TimeZone};
use proptest::prelude::*;

use super::at;
use crate::{
    operation::ids::OperationId,
    schedule::{
        policy::Policy,
        retention::{Member, PruneDecision, Quality, Reason, plan},
    },
};

const NOW: &str = "2026-11-26T12:00:00Z";

fn member(number: u64, planned: Timestamp) -> Member {
    Member {
        operation: OperationId::from_random(number),
        planned: Some(planned),
        quality: Quality::Consistent,
        pinned: false,
    }
}

fn policy(text: &str) -> Policy {
    Policy::read(text).unwrap()
}

/// The planned times that stay, newest first, with the initials of the reasons.
fn kept(times: &[&str], keep: &str) -> Vec<String> {
    let members: Vec<Member> = (0..).zip(times).map(|(number, time)| member(number, at(time))).collect();
    let decisions = plan(&members, policy(keep), &TimeZone::UTC, at(NOW));
    let mut lines: Vec<String> = members
        .iter()
        .zip(decisions)
        .filter_map(|(member, decision)| match decision {
            PruneDecision::Keep(reasons) => Some(format!("{} {reasons:?}", member.planned?.strftime("%m-%d %H"))),
            PruneDecision::Drop => None,
        })
        .collect();
    lines.sort_unstable_by(|a, b| b.cmp(a));
    lines
}

#[test]
fn only_days_that_hold_something_count() {
    assert_eq!(
        kept(
            &[
                "2026-11-01T03:00:00Z",
                "2026-11-08T03:00:00Z",
                "2026-11-09T03:00:00Z",
                "2026-11-09T15:00:00Z",
                "2026-11-20T03:00:00Z"
            ],
            "3 daily"
        ),
        ["11-20 03 [Newest, NewestConsistent, Daily]", "11-09 15 [Daily]", "11-08 03 [Daily]",]
    );
}

#[test]
fn while_a_rule_is_not_full_the_oldest_stays() {
    // The second of the 20th is the oldest of its day and the oldest of all. Without it, the rule would lose its first Snapshot.
    assert_eq!(
        kept(&["2026-11-20T03:00:00Z", "2026-11-20T15:00:00Z", "2026-11-21T03:00:00Z"], "7 daily"),
        ["11-21 03 [Newest, NewestConsistent, Daily]", "11-20 15 [Daily]", "11-20 03 [Oldest]"]
    );
    assert_eq!(
        kept(&["2026-11-20T03:00:00Z", "2026-11-20T15:00:00Z", "2026-11-21T03:00:00Z"], "2 daily"),
        ["11-21 03 [Newest, NewestConsistent, Daily]", "11-20 15 [Daily]"]
    );
}

#[test]
fn rules_are_independent() {
    assert_eq!(
        kept(
            &[
                "2025-12-30T03:00:00Z",
                "2026-10-31T03:00:00Z",
                "2026-11-15T03:00:00Z",
                "2026-11-16T03:00:00Z",
                "2026-11-17T03:00:00Z"
            ],
            "1 last 2 daily 2 weekly 2 monthly 1 yearly"
        ),
        [
            "11-17 03 [Newest, NewestConsistent, Last, Daily, Weekly, Monthly, Yearly]",
            "11-16 03 [Daily]",
            "11-15 03 [Weekly]",
            "10-31 03 [Monthly]",
        ]
    );
}

#[test]
fn weeks_are_iso_weeks_also_around_new_year() {
    // 2024-12-30 and 2025-01-05 are in one ISO week.
    let lines = kept(&["2024-12-29T03:00:00Z", "2024-12-30T03:00:00Z", "2025-01-05T03:00:00Z"], "2 weekly");
    assert_eq!(lines, ["12-29 03 [Weekly]", "01-05 03 [Newest, NewestConsistent, Weekly]"]);
}

#[test]
fn a_day_is_a_day_of_the_schedules_zone() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    // 23:30 UTC is the next day in Berlin.
    let members = [
        member(1, at("2026-07-01T23:30:00Z")),
        member(2, at("2026-07-02T10:00:00Z")),
        member(3, at("2026-07-03T10:00:00Z")),
    ];
    let decisions = plan(&members, policy("2 daily"), &berlin, at(NOW));
    assert_eq!(decisions[0], PruneDecision::Drop);
    let decisions = plan(&members, policy("2 daily"), &TimeZone::UTC, at(NOW));
    assert_eq!(decisions[0], PruneDecision::Drop, "two days are full");
    let decisions = plan(&members, policy("3 daily"), &TimeZone::UTC, at(NOW));
    assert_eq!(decisions[0], PruneDecision::Keep(vec![Reason::Daily]));
}

#[test]
fn the_newest_that_was_taken_off_outlives_any_number_of_live_ones() {
    let start = date(2026, 1, 1).at(3, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp();
    let mut members: Vec<Member> =
        (0..30).map(|day| member(day, start + SignedDuration::from_hours(24 * i64::try_from(day).unwrap()))).collect();
    for live in members.iter_mut().skip(1) {
        live.quality = Quality::Live;
    }
    let decisions = plan(&members, policy("3 last"), &TimeZone::UTC, at(NOW));
    assert_eq!(decisions[0], PruneDecision::Keep(vec![Reason::NewestConsistent]));
    assert_eq!(decisions.iter().filter(|decision| **decision == PruneDecision::Drop).count(), 26);
}

#[test]
fn what_is_doubtful_pinned_or_of_unknown_time_stays_and_fills_no_bucket() {
    let mut members: Vec<Member> = [
        "2026-11-20T03:00:00Z",
        "2026-11-21T03:00:00Z",
        "2026-11-22T03:00:00Z",
        "2026-11-23T03:00:00Z",
        "2027-11-23T03:00:00Z",
    ]
    .iter()
    .zip(0..)
    .map(|(time, number)| member(number, at(time)))
    .collect();
    members[3].quality = Quality::Doubtful;
    members[2].pinned = true;
    members.push(Member { planned: None, ..member(9, at(NOW)) });
    members.push(Member { quality: Quality::Unsized, ..member(10, at("2026-11-24T03:00:00Z")) });
    let decisions = plan(&members, policy("1 last"), &TimeZone::UTC, at(NOW));
    assert_eq!(
        decisions,
        [
            PruneDecision::Drop,
            PruneDecision::Keep(vec![Reason::Last]),
            PruneDecision::Keep(vec![Reason::Pinned, Reason::Newest, Reason::NewestConsistent]),
            PruneDecision::Keep(vec![Reason::Doubtful]),
            PruneDecision::Keep(vec![Reason::UnknownTime]),
            PruneDecision::Keep(vec![Reason::UnknownTime]),
            PruneDecision::Keep(vec![Reason::Unsized]),
        ]
    );
}

fn members() -> impl Strategy<Value = Vec<Member>> {
    let quality = prop_oneof![6 => Just(Quality::Consistent), 3 => Just(Quality::Live), 1 => Just(Quality::Doubtful), 1 => Just(Quality::Unsized)];
    let one = (1_700_000_000_i64..1_795_000_000, quality, prop::bool::weighted(0.1), prop::bool::weighted(0.05));
    prop::collection::vec(one, 0..60).prop_map(|all| {
        (0..)
            .zip(all)
            .map(|(number, (second, quality, pinned, is_unknown))| Member {
                operation: OperationId::from_random(number),
                planned: (!is_unknown).then(|| Timestamp::from_second(second).unwrap()),
                quality,
                pinned,
            })
            .collect()
    })
}

fn policies() -> impl Strategy<Value = Policy> {
    (0..5_u16, 0..9_u16, 0..6_u16, 0..8_u16, 0..3_u16)
        .prop_map(|(last, daily, weekly, monthly, yearly)| Policy { last, daily, weekly, monthly, yearly })
        .prop_filter("an empty policy is refused", |policy| !policy.is_empty())
}

fn dropped(members: &[Member], policy: Policy, zone: &TimeZone) -> Vec<OperationId> {
    let decisions = plan(members, policy, zone, at(NOW));
    members
        .iter()
        .zip(decisions)
        .filter(|(_, decision)| *decision == PruneDecision::Drop)
        .map(|(member, _)| member.operation)
        .collect()
}

proptest! {
    #[test]
    fn laws_of_retention(members in members(), policy in policies(), more in policies(), zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"])) {
        let zone = TimeZone::get(zone).unwrap();
        let gone = dropped(&members, policy, &zone);
        // What was dropped is gone: if the policy is applied again, nothing more is dropped.
        let left: Vec<Member> = members.iter().filter(|member| !gone.contains(&member.operation)).cloned().collect();
        prop_assert!(dropped(&left, policy, &zone).is_empty());
        // Greater limits never keep less.
        let greater = Policy {
            last: policy.last + more.last,
            daily: policy.daily + more.daily,
            weekly: policy.weekly + more.weekly,
            monthly: policy.monthly + more.monthly,
            yearly: policy.yearly + more.yearly,
        };
        prop_assert!(dropped(&members, greater, &zone).iter().all(|id| gone.contains(id)));
        // The newest good one and the newest consistent one stay.
        let newest = |fits: fn(&Member) -> bool| {
            members.iter().filter(|member| fits(member) && member.planned.is_some()).max_by_key(|member| (member.planned, member.operation))
        };
        for stays in [newest(|member| member.quality != Quality::Doubtful), newest(|member| member.quality == Quality::Consistent)].into_iter().flatten() {
            prop_assert!(!gone.contains(&stays.operation));
        }
        // Pinned ones, doubtful ones and those of unknown time are never dropped.
        for id in &gone {
            let member = members.iter().find(|member| member.operation == *id).unwrap();
            prop_assert!(!member.pinned && member.quality != Quality::Doubtful && member.planned.is_some());
        }
        // The order of the list does not matter.
        let mut turned = members.clone();
        turned.reverse();
        let mut as_before = dropped(&turned, policy, &zone);
        as_before.reverse();
        prop_assert_eq!(as_before, gone);
    }
}

/// The times in restic's own test of its policies, in our form.
fn published_times() -> Vec<Timestamp> {
    const SUMMER: [u8; 9] = [8, 10, 12, 13, 15, 18, 20, 21, 22];
    const AUTUMN: [u8; 10] = [1, 2, 5, 6, 8, 9, 10, 11, 20, 22];
    let mut times = Vec::new();
    for year in [2014, 2015] {
        for (month, days) in [(8, &SUMMER[..]), (9, &AUTUMN[..]), (10, &AUTUMN[..]), (11, &SUMMER[..])] {
            times.extend(days.iter().map(|day| format!("{year}-{month:02}-{day:02}T10:20:30Z")));
            times.extend((days.len() == 9).then(|| format!("{year}-{month:02}-13T10:20:30.1Z")));
        }
    }
    times.extend((0..4).map(|_| "2015-10-22T10:20:30Z".to_owned()));
    let january = "01 01:02 01 01:03 01 07:08 03 07:02 04 10:23 04 11:23 04 12:23 04 12:24 04 12:28 04 12:30 04 16:23 05 09:02 \
                   06 08:02 07 10:02 08 20:02 09 21:02 12 21:02 12 21:08 18 12:02";
    let words: Vec<&str> = january.split_whitespace().collect();
    times.extend(words.chunks(2).map(|pair| format!("2016-01-{}T{}:03Z", pair[0], pair[1])));
    times.iter().map(|time| at(time)).collect()
}

#[test]
fn cases_that_restic_has_published_end_alike() {
    let times = published_times();
    assert_eq!(times.len(), 103);
    let members: Vec<Member> = (0..).zip(&times).map(|(number, time)| member(number, *time)).collect();
    let kept = |keep: &str| {
        let decisions = plan(&members, policy(keep), &TimeZone::UTC, at(NOW));
        let kept = members.iter().zip(decisions).filter(|(_, decision)| *decision != PruneDecision::Drop);
        let mut kept: Vec<Timestamp> = kept.filter_map(|(member, _)| member.planned).collect();
        kept.sort_unstable_by(|a, b| b.cmp(a));
        kept.iter().map(|time| time.strftime("%y-%m-%d %H:%M").to_string()).collect::<Vec<_>>().join(", ")
    };
    for (keep, published) in [
        (
            "5 last 5 daily",
            "16-01-18 12:02, 16-01-12 21:08, 16-01-12 21:02, 16-01-09 21:02, 16-01-08 20:02, 16-01-07 10:02",
        ),
        ("3 daily 4 weekly", "16-01-18 12:02, 16-01-12 21:08, 16-01-09 21:02, 16-01-03 07:02"),
        // A rule that is not full keeps the oldest too.
        ("10 yearly", "16-01-18 12:02, 15-11-22 10:20, 14-11-22 10:20, 14-08-08 10:20"),
        (
            "7 daily 2 weekly 3 monthly 10 yearly",
            "16-01-18 12:02, 16-01-12 21:08, 16-01-09 21:02, 16-01-08 20:02, 16-01-07 10:02, 16-01-06 08:02, 16-01-05 09:02, \
             15-11-22 10:20, 15-10-22 10:20, 14-11-22 10:20, 14-08-08 10:20",
        ),
    ] {
        assert_eq!(kept(keep), published, "{keep}");
    }
}
