//! How many Snapshots a schedule will have in a month, in a year and at most, including those that wait for the end of their notice.

use jiff::{SignedDuration, Timestamp};

use super::{
    Schedule,
    policy::Policy,
    pruning::NOTICE,
    retention::{Member, PruneDecision, Quality, plan},
    rule::{Every, Rule},
};
use crate::operation::ids::OperationId;

/// The maximum number of simulated runs; an hourly schedule has 8,760 a year.
const PLAYED: usize = 9_000;
const MONTH: SignedDuration = days(30);
const YEAR: SignedDuration = days(365);

/// The expected number of Snapshots per Droplet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// After 30 days.
    pub month: u32,
    /// After 365 days.
    pub year: u32,
    /// The most that there are at any time, once every rule is full.
    pub steady: u32,
    /// How many of the steady number no rule wants any more and wait to be deleted.
    pub waiting: u32,
}

impl Schedule {
    /// The forecast if every run from `now` on succeeds. Once every rule is full, the number varies below the steady one.
    pub fn forecast(&self, now: Timestamp) -> Forecast {
        let waiting = waiting(&self.rule);
        let steady = most_kept(self.keep, &self.rule).saturating_add(waiting);
        let filled = self.fills_after();
        let after = |span| if filled <= span { steady } else { self.kept_after(now, span, waiting).min(steady) };
        Forecast { month: after(MONTH), year: after(YEAR), steady, waiting }
    }

    /// How long it takes until every rule is full and the first Snapshot is dropped.
    fn fills_after(&self) -> SignedDuration {
        let gap = gap(&self.rule);
        let each = buckets(self.keep).into_iter().filter(|(count, _)| *count > 0);
        let full = each.map(|(count, bucket)| bucket.max(gap).checked_mul(i32::from(count)));
        let longest = full.map(|full| full.unwrap_or(SignedDuration::MAX)).max().unwrap_or_default();
        longest.saturating_add(gap.max(NOTICE))
    }

    fn kept_after(&self, now: Timestamp, span: SignedDuration, waiting: u32) -> u32 {
        let end = now.checked_add(span).unwrap_or(Timestamp::MAX);
        let runs = self.rule.runs_after(now).take_while(|run| *run <= end).take(PLAYED);
        let members: Vec<Member> = runs
            .zip(0..)
            .map(|(run, number)| Member {
                operation: OperationId::from_random(number),
                planned: Some(run),
                quality: Quality::Consistent,
                pinned: false,
            })
            .collect();
        let decisions = plan(&members, self.keep, &self.rule.time_zone(), end);
        let kept = decisions.iter().filter(|decision| **decision != PruneDecision::Drop).count();
        let dropped = decisions.len().saturating_sub(kept);
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        count(kept).saturating_add(waiting.min(count(dropped)))
    }
}

/// The most Snapshots of a Droplet that a policy keeps. Rules whose buckets hold one run each keep the newest runs all alike, so only the
/// largest of them counts.
pub fn most_kept(keep: Policy, rule: &Rule) -> u32 {
    let gap = gap(rule);
    let (alike, apart): (Vec<_>, Vec<_>) = buckets(keep).into_iter().partition(|(_, bucket)| *bucket <= gap);
    let alike = alike.iter().map(|(count, _)| u32::from(*count)).max().unwrap_or_default();
    apart.iter().map(|(count, _)| u32::from(*count)).sum::<u32>() + alike
}

/// How many Snapshots are announced for deletion at any time: as many as are taken during the notice, and at least one.
pub fn waiting(rule: &Rule) -> u32 {
    let gap = rule.shortest_gap().map_or(NOTICE.as_secs(), |gap| gap.as_secs()).max(1);
    let within = NOTICE.as_secs().saturating_add(gap - 1) / gap;
    u32::try_from(within.max(1)).unwrap_or(u32::MAX)
}

/// What each rule keeps, and the longest bucket that it keeps one Snapshot of.
fn buckets(keep: Policy) -> [(u16, SignedDuration); 5] {
    let Policy { last, daily, weekly, monthly, yearly } = keep;
    [(last, SignedDuration::ZERO), (daily, days(1)), (weekly, days(7)), (monthly, days(31)), (yearly, days(366))]
}

/// The time between two runs. Monthly runs are never in the same month.
fn gap(rule: &Rule) -> SignedDuration {
    match rule.every {
        Every::Month(_) => days(31),
        Every::Hours(_) | Every::Day | Every::Week(_) | Every::Cron(_) => rule.shortest_gap().unwrap_or_default(),
    }
}

const fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}
