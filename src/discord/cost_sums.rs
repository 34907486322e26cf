//! Sums of what Snapshots cost: in total, by cause, and from month to month. Pure: the caller provides all facts.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::messages::cost::{Month, Sum};
use crate::{inventory::Snapshot, store::DayTotal};

/// The cost of Snapshots by cause, highest first. A Snapshot may count under several causes.
pub(super) fn by_cause<'s>(
    snapshots: impl IntoIterator<Item = &'s Snapshot>,
    causes: impl Fn(&Snapshot) -> Vec<String>,
    price_per_gb: f64,
) -> Vec<(String, Sum)> {
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for snapshot in snapshots {
        for cause in causes(snapshot) {
            sums.entry(cause).or_default().add(snapshot, price_per_gb);
        }
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by(|(_, one), (_, other)| other.dollars.total_cmp(&one.dollars));
    sums
}

/// The first days of this month and of `count` − 1 months before it, oldest first.
pub(super) fn months(today: Date, count: usize) -> Vec<Date> {
    let mut first = today.first_of_month();
    let mut months = vec![first];
    for _ in 1..count {
        let Ok(before) = first.yesterday() else { break };
        first = before.first_of_month();
        months.push(first);
    }
    months.reverse();
    months
}

/// The average daily cost in each month, over the recorded days.
pub(super) fn trend(months: &[Date], days: &[DayTotal], price_per_gb: f64) -> Vec<Month> {
    let mut by_day: BTreeMap<Date, f64> = BTreeMap::new();
    for day in days {
        *by_day.entry(day.day).or_default() += day.gigabytes * price_per_gb;
    }
    let average = |first: &Date| {
        let of_month: Vec<f64> =
            by_day.iter().filter(|(day, _)| day.first_of_month() == *first).map(|(_, dollars)| *dollars).collect();
        let days = u32::try_from(of_month.len()).ok().filter(|days| *days > 0)?;
        Some(of_month.iter().sum::<f64>() / f64::from(days))
    };
    months.iter().map(|first| Month { first: *first, dollars: average(first) }).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;
    use crate::operation::ids::DropletId;

    fn snapshot(id: u64, size: Option<f64>) -> Snapshot {
        serde_json::from_value(json!({ "id": id, "name": "s", "size_gigabytes": size })).unwrap()
    }

    #[test]
    fn a_size_that_is_not_known_yet_costs_nothing_and_is_counted() {
        let all = [snapshot(1, Some(10.0)), snapshot(2, None), snapshot(3, Some(0.0)), snapshot(4, Some(0.01))];
        let sum = Sum::of(&all, 0.06);
        assert_eq!((sum.count, sum.unknown), (4, 2));
        assert!((sum.dollars - 0.61).abs() < 1e-9, "{sum:?}");
    }

    #[test]
    fn causes_come_dearest_first_and_one_snapshot_may_have_several() {
        let all = [snapshot(1, Some(1.0)), snapshot(2, Some(20.0))];
        let causes = |snapshot: &Snapshot| {
            let own = format!("of {}", snapshot.id);
            if snapshot.id.0 == 1 { vec![own, "both".to_owned()] } else { vec![own] }
        };
        let sums = by_cause(&all, causes, 0.06);
        assert_eq!(sums.iter().map(|(cause, _)| cause.as_str()).collect::<Vec<_>>(), ["of 2", "both", "of 1"]);
    }

    #[test]
    fn a_month_is_the_average_of_the_days_that_were_written_down() {
        let months = months(date(2026, 1, 15), 3);
        assert_eq!(months, [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1)]);
        let day = |day, droplet, gigabytes| DayTotal { day, droplet: Some(DropletId(droplet)), count: 1, gigabytes };
        let days = [
            day(date(2025, 12, 1), 1, 100.0),
            day(date(2025, 12, 1), 2, 100.0),
            day(date(2025, 12, 31), 1, 100.0),
            day(date(2026, 1, 2), 1, 10.0),
        ];
        let trend: Vec<_> = trend(&months, &days, 0.1).into_iter().map(|month| month.dollars).collect();
        assert_eq!(trend, [None, Some(15.0), Some(1.0)]);
    }
}
