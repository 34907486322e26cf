//! When a schedule has no recent Snapshot, and when people are told.

use jiff::{SignedDuration, Timestamp, civil::Time};

use super::{
    Schedule,
    rule::{Every, Rule},
    slot::{Fate, Slot},
};

/// When people are reminded, by the clock of the schedule's zone.
const MORNING: Time = Time::constant(9, 0, 0, 0);
/// Where runs are as far apart as this, one without a Snapshot is enough.
const RARE: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Schedule {
    /// Since when it is stale, going by its latest planned times, newest first: since the end of the second one in a row without a good
    /// Snapshot, or of the first where they are rare. Those that wait, run or were left out on purpose say nothing.
    pub fn stale_since(&self, latest: &[Slot]) -> Option<Timestamp> {
        let enough = if self.rule.shortest_gap().is_some_and(|gap| gap >= RARE) { 1 } else { 2 };
        let telling = latest.iter().filter(|slot| !slot.fate.is_open() && !matches!(slot.fate, Fate::Skipped(_)));
        let without: Vec<&Slot> = telling.take_while(|slot| !slot.fate.is_good()).collect();
        let mut count = 0_u32;
        without.iter().rev().find_map(|slot| {
            count = count.saturating_add(slot.count);
            (count >= enough).then_some(slot.last)
        })
    }

    /// Whether people are to be reminded now that it has been stale since then: once a day, in the morning.
    pub fn must_remind(&self, stale_since: Timestamp, now: Timestamp) -> bool {
        self.next_reminder(stale_since).is_some_and(|at| at <= now)
    }

    /// When people are reminded next.
    pub fn next_reminder(&self, stale_since: Timestamp) -> Option<Timestamp> {
        let mornings = Rule { every: Every::Day, at: MORNING, zone: self.rule.zone.clone(), spread: 0 };
        mornings.next_after(self.reminded_at.map_or(stale_since, |reminded| reminded.max(stale_since)))
    }
}
