//! How many Snapshots a schedule will have, which determines what it costs.

use super::{at, rule, schedule};
use crate::schedule::{Forecast, Schedule, policy::Policy};

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
    let years = of("day", "2 yearly");
    assert!(years.year < years.steady || years.year == 3, "{years:?}");
}
