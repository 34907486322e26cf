//! How many Snapshots a schedule will have, which determines what it costs.

use jiff::Timestamp;

use super::{at, rule, schedule};
use crate::{
    operation::ids::OperationId,
    schedule::{
        Forecast, Schedule, most_kept,
        policy::Policy,
        retention::{Member, PruneDecision, Quality, plan},
    },
};

fn of(every: &str, keep: &str) -> Forecast {
    let now = at("2026-11-26T12:00:00Z");
    let it = schedule(rule(every, None, None, "UTC"), now);
    Schedule { keep: Policy::read(keep).unwrap(), ..it }.forecast(now)
}

#[test]
fn what_waits_to_be_deleted_counts_and_rules_fill_up_over_months() {
    assert_eq!(of("day", "3 last"), Forecast { month: 4, year: 4, steady: 4, waiting: 1 });
    assert_eq!(of("2h", "3 last").waiting, 12, "as many as are taken in a day");
    assert_eq!(of("week", "4 weekly"), Forecast { month: 4, year: 5, steady: 5, waiting: 1 });
    let long = of("day", "7 daily 4 weekly 6 monthly");
    assert!(long.month < long.year && long.year <= long.steady && long.steady == 18, "{long:?}");
    assert_eq!(long.year, long.steady, "its rules are full after six months");
    let years = of("day", "2 yearly");
    assert!(years.year < years.steady || years.year == 3, "{years:?}");
}

#[test]
fn rules_that_keep_the_same_snapshots_are_counted_once() {
    let steady = |every, keep| {
        let it = of(every, keep);
        it.steady - it.waiting
    };
    assert_eq!(steady("day", "2 latest 3 daily"), 3, "the latest are of the last days too");
    assert_eq!(steady("6h", "2 latest 3 daily"), 5, "the latest may be of one day");
    assert_eq!(steady("week", "5 latest 3 daily 4 weekly 6 monthly"), 5 + 6);
    assert_eq!(steady("month", "5 latest 3 daily 4 weekly 6 monthly"), 6);
    assert_eq!(steady("day", "7 daily 4 weekly 6 monthly"), 17);
}

#[test]
fn there_are_never_more_than_the_forecast_says() {
    for (every, keep) in
        [("day", "2 latest 3 daily"), ("6h", "2 latest 3 daily 2 weekly"), ("week", "3 daily 2 monthly")]
    {
        let now = at("2026-11-26T12:00:00Z");
        let it = Schedule { keep: Policy::read(keep).unwrap(), ..schedule(rule(every, None, None, "UTC"), now) };
        let runs: Vec<Member> =
            (0..).zip(it.rule.runs_after(now).take(400)).map(|(number, run)| member(number, run)).collect();
        for count in 1..runs.len() {
            let decisions = plan(&runs[..count], it.keep, &it.rule.time_zone(), runs[count].planned.unwrap());
            let kept = decisions.iter().filter(|decision| **decision != PruneDecision::Drop).count();
            assert!(kept <= usize::try_from(most_kept(it.keep, &it.rule)).unwrap(), "{every} {keep}: {kept}");
        }
    }
}

fn member(number: u64, planned: Timestamp) -> Member {
    let (operation, planned) = (OperationId::from_random(number), Some(planned));
    Member { operation, planned, quality: Quality::Consistent, pinned: false }
}
