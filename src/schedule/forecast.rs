//! How many Snapshots a schedule will have in a month, in a year and at most, including those that wait for the end of their notice.

use jiff::{SignedDuration, Timestamp};

use super::{
    Schedule,
    pruning::NOTICE,
    retention::{Member, PruneDecision, Quality, plan},
};
use crate::operation::ids::OperationId;

/// The maximum number of simulated runs; an hourly schedule has 8,760 a year.
const PLAYED: usize = 9_000;

/// The expected number of Snapshots per Droplet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// After 30 days.
    pub month: u32,
    /// After 365 days.
    pub year: u32,
    /// Once every rule is full.
    pub steady: u32,
    /// How many of the steady number no rule wants any more and wait to be deleted.
    pub waiting: u32,
}

impl Schedule {
    /// The forecast if every run from `now` on succeeds.
    pub fn forecast(&self, now: Timestamp) -> Forecast {
        let waiting = self.waiting();
        let steady = self.keep.most().saturating_add(waiting);
        let after = |days: i64| self.kept_after(now, SignedDuration::from_hours(24 * days)).min(steady);
        Forecast { month: after(30), year: after(365), steady, waiting }
    }

    /// How many Snapshots are announced for deletion at any time: as many as are taken during the notice, and at least one.
    fn waiting(&self) -> u32 {
        let gap = self.rule.shortest_gap().map_or(NOTICE.as_secs(), |gap| gap.as_secs()).max(1);
        let within = NOTICE.as_secs().saturating_add(gap - 1) / gap;
        u32::try_from(within.max(1)).unwrap_or(u32::MAX)
    }

    fn kept_after(&self, now: Timestamp, span: SignedDuration) -> u32 {
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
        count(kept).saturating_add(self.waiting().min(count(dropped)))
    }
}
