//! When a schedule has no recent Snapshot, and when people are reminded.

use jiff::{SignedDuration, Timestamp, civil::Time};

use super::{
    Paused, Schedule, State,
    pruning::{Candidate, SIZES_COME},
    retention::Quality,
    rule::{Every, Rule},
    run::Run,
    slot::{Slot, SlotState},
    weekday::Weekday,
};

/// When people are reminded, by the clock of the schedule's zone.
const MORNING: Time = Time::constant(9, 0, 0, 0);
/// If runs are at least this far apart, one without a Snapshot is enough.
const RARE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The results of a schedule so far.
#[derive(Clone, Copy, Debug)]
pub struct Record<'r> {
    /// Its latest planned times, newest first.
    pub slots: &'r [Slot],
    /// Its Snapshots.
    pub snapshots: &'r [Candidate],
    /// The latest run of its group, if it has one.
    pub run: Option<&'r Run>,
}

impl Schedule {
    /// Since when it has been stale: since the end of the second planned time in a row without a good Snapshot, or of the first if runs are
    /// rare. An unreliable Snapshot does not count. Planned times that wait, run or were skipped on purpose are ignored. So are those whose
    /// size may still arrive, and those before the newest good Snapshot, which a person may have requested.
    pub fn stale_since(&self, record: Record<'_>, now: Timestamp) -> Option<Timestamp> {
        // Snapshots stopped although no person wanted that.
        let unowned = matches!(self.state, State::Paused { why: Paused::OwnerLost, .. });
        if let Some(since) = unowned.then(|| self.owner.paused_at()).flatten() {
            return Some(since);
        }
        let enough = if self.rule.shortest_gap().is_some_and(|gap| gap >= RARE) { 1 } else { 2 };
        let newest_good = self.newest_good(record.snapshots, record.run);
        let worth = |slot: &Slot| self.worth(record.snapshots, slot.at).filter(|_| slot.state.has_snapshot());
        let may_be_sized =
            |slot: &Slot| worth(slot) == Some(Quality::Unsized) && now.duration_since(slot.at) < SIZES_COME;
        let is_telling =
            |slot: &&Slot| !slot.state.is_open() && !matches!(slot.state, SlotState::Skipped(_)) && !may_be_sized(slot);
        let is_without = |slot: &&Slot| {
            !worth(slot).is_some_and(Quality::is_good) && newest_good.is_none_or(|newest| newest < slot.last)
        };
        let without: Vec<&Slot> = record.slots.iter().filter(is_telling).take_while(is_without).collect();
        let mut count = 0_u32;
        without.iter().rev().find_map(|slot| {
            count = count.saturating_add(slot.count);
            (count >= enough).then_some(slot.last)
        })
    }

    /// Whether to remind people now of a schedule that has been stale since this moment: once a day, in the morning.
    pub fn must_remind(&self, stale_since: Timestamp, now: Timestamp) -> bool {
        self.next_reminder(stale_since).is_some_and(|at| at <= now)
    }

    /// When people are next reminded.
    pub fn next_reminder(&self, stale_since: Timestamp) -> Option<Timestamp> {
        self.next_morning(self.reminded_at.map_or(stale_since, |reminded| reminded.max(stale_since)), Every::Day)
    }

    /// When people are next notified that its owner is lost: at once, then each morning.
    pub fn next_owner_reminder(&self) -> Option<Timestamp> {
        let since = self.owner.lost_since?;
        match self.watched.owner_told_at.filter(|told| *told >= since) {
            None => Some(since),
            Some(told) => self.next_morning(told, Every::Day),
        }
    }

    /// When people are next notified of the age of a paused schedule's newest Snapshot: on Mondays.
    pub fn next_pause_reminder(&self) -> Option<Timestamp> {
        self.next_morning(self.watched.pause_told_at?, Every::Week(Weekday::Monday))
    }

    /// When its status message is next posted again, so that people need not scroll: on Mondays, even if nothing happened.
    pub fn next_move(&self) -> Option<Timestamp> {
        self.next_morning(self.watched.moved_at.unwrap_or(self.created_at), Every::Week(Weekday::Monday))
    }

    fn next_morning(&self, after: Timestamp, every: Every) -> Option<Timestamp> {
        Rule { every, at: MORNING, zone: self.rule.zone.clone(), spread: 0 }.next_after(after)
    }
}
