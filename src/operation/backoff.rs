//! How long to wait before looking again.

use jiff::{SignedDuration, Timestamp};

use super::{Operation, Rules, reading::PowerState, step::Task};

/// While a Droplet is off, nobody waits longer than this for us to notice that it may be turned on.
const LONGEST_WHILE_OFF: SignedDuration = SignedDuration::from_secs(15);
/// Between two looks at a Droplet that is off; with the time that a request takes it is some 2.5 seconds.
const WHILE_OFF: SignedDuration = SignedDuration::from_secs(2);
/// For so long a step is looked at as often as can be while a Droplet is off: nearly every Snapshot is done by then.
const LOOKED_AT_CLOSELY: SignedDuration = SignedDuration::from_hours(1);
/// While nobody is down, we may be slower.
const LONGEST_LIVE: SignedDuration = SignedDuration::from_secs(60);
/// Before the second attempt at power back; twice as long before each later one.
const FIRST_RETRY: SignedDuration = SignedDuration::from_secs(10);
/// The longest pause between two attempts at power back.
const LONGEST_RETRY: SignedDuration = SignedDuration::from_mins(2);

/// A moment so much later; at the end of time where the sum is beyond it, because what a database holds may be anything.
pub(super) fn later(from: Timestamp, by: SignedDuration) -> Timestamp {
    from.saturating_add(by).unwrap_or(Timestamp::MAX)
}

impl Operation {
    /// The pause before the next look at a task that began at `since`: brief while a Droplet is off, else a tenth of the elapsed time;
    /// longer while, by history, nothing can have finished.
    pub(super) fn pause(&self, task: Task, since: Timestamp, now: Timestamp, rules: &Rules) -> SignedDuration {
        let elapsed = now.duration_since(since);
        let tenth = elapsed / 10;
        let worthwhile = self.usual.of(task).map(|usual| usual * 6 / 10 - elapsed);
        if self.keeps_droplet_off() && self.question.is_none() {
            let brief = WHILE_OFF.min(rules.poll_interval);
            // What takes hours may be noticed some seconds later.
            let share = (elapsed - LOOKED_AT_CLOSELY) / 120;
            return share.max(worthwhile.unwrap_or_default()).clamp(brief, LONGEST_WHILE_OFF.max(brief));
        }
        let longest = if self.keeps_droplet_off() { LONGEST_WHILE_OFF } else { LONGEST_LIVE };
        tenth.max(worthwhile.unwrap_or_default()).clamp(rules.poll_interval, longest.max(rules.poll_interval))
    }

    /// The pause before looking again at what stands in the way since `since`.
    pub(super) fn patience(&self, since: Timestamp, now: Timestamp, rules: &Rules) -> SignedDuration {
        let longest = if self.keeps_droplet_off() { LONGEST_WHILE_OFF } else { LONGEST_LIVE };
        (now.duration_since(since) / 5).clamp(rules.poll_interval, longest.max(rules.poll_interval))
    }

    /// The pause between looks at a Droplet on which a late off is still possible.
    pub(super) fn watch_pause(rules: &Rules) -> SignedDuration {
        LONGEST_WHILE_OFF.max(rules.poll_interval)
    }

    /// The pause after a failed attempt at power back.
    pub(super) fn retry_pause(&self) -> SignedDuration {
        let doublings = self.power.failures().saturating_sub(1).min(8);
        (FIRST_RETRY * (1 << doublings)).min(LONGEST_RETRY)
    }

    fn keeps_droplet_off(&self) -> bool {
        self.power.is_owed() && self.power.before() == Some(PowerState::On)
    }
}
