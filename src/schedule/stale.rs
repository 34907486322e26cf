//! When a schedule has no recent Snapshot, and when people are told.

use jiff::{SignedDuration, Timestamp, civil::Time};

use super::{
    Paused, Schedule, State,
    rule::{Every, Rule},
    slot::{Fate, Slot},
    weekday::Weekday,
};

/// When people are reminded, by the clock of the schedule's zone.
const MORNING: Time = Time::constant(9, 0, 0, 0);
/// Where runs are as far apart as this, one without a Snapshot is enough.
const RARE: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Schedule {
    /// Since when it is stale, going by its latest planned times, newest first: since the end of the second one in a row without a good
    /// Snapshot, or of the first where they are rare. Those that wait, run or were left out on purpose say nothing, nor do those before the
    /// newest good Snapshot, which a person may have had it take.
    pub fn stale_since(&self, latest: &[Slot], newest_good: Option<Timestamp>) -> Option<Timestamp> {
        // Nobody takes Snapshots any more, and nobody wanted that.
        let unowned = matches!(self.state, State::Paused { why: Paused::OwnerLost, .. });
        if let Some(since) = unowned.then(|| self.owner.paused_at()).flatten() {
            return Some(since);
        }
        let enough = if self.rule.shortest_gap().is_some_and(|gap| gap >= RARE) { 1 } else { 2 };
        let telling = latest.iter().filter(|slot| !slot.fate.is_open() && !matches!(slot.fate, Fate::Skipped(_)));
        let is_without = |slot: &&Slot| !slot.fate.is_good() && newest_good.is_none_or(|newest| newest < slot.last);
        let without: Vec<&Slot> = telling.take_while(is_without).collect();
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
        self.next_morning(self.reminded_at.map_or(stale_since, |reminded| reminded.max(stale_since)), Every::Day)
    }

    /// When people are told next that its owner is lost, which they are at once, and then each morning.
    pub fn next_owner_reminder(&self) -> Option<Timestamp> {
        let since = self.owner.lost_since?;
        match self.watched.owner_told_at.filter(|told| *told >= since) {
            None => Some(since),
            Some(told) => self.next_morning(told, Every::Day),
        }
    }

    /// When people are told next how old the newest Snapshot of a paused schedule is: on Mondays.
    pub fn next_pause_reminder(&self) -> Option<Timestamp> {
        self.next_morning(self.watched.pause_told_at?, Every::Week(Weekday::Monday))
    }

    fn next_morning(&self, after: Timestamp, every: Every) -> Option<Timestamp> {
        Rule { every, at: MORNING, zone: self.rule.zone.clone(), spread: 0 }.next_after(after)
    }
}
