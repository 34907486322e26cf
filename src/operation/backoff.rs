//! How long to wait before looking again.

use jiff::{SignedDuration, Timestamp};

use super::{Operation, Rules, reading::PowerState, step::Task};

/// The longest pause between looks while a Droplet is off, so that people do not wait longer than this for it to be turned on.
const LONGEST_WHILE_OFF: SignedDuration = SignedDuration::from_secs(15);
/// The pause between two looks at a Droplet that is off. Together with the time that a request takes, that is some 2.5 seconds.
const WHILE_OFF: SignedDuration = SignedDuration::from_secs(2);
/// While a Droplet is off, a step is looked at as often as possible for this long. Nearly every Snapshot is done by then.
const LOOKED_AT_CLOSELY: SignedDuration = SignedDuration::from_hours(1);
/// The longest pause between looks while the Droplet is not off because of us.
const LONGEST_LIVE: SignedDuration = SignedDuration::from_secs(60);
/// The pause before the second attempt to turn the Droplet on. It doubles before each later attempt.
const FIRST_RETRY: SignedDuration = SignedDuration::from_secs(10);
/// The longest pause between two attempts to turn the Droplet on.
const LONGEST_RETRY: SignedDuration = SignedDuration::from_mins(2);

/// `from + by`, saturating at the end of time: a database row may hold any value.
pub(super) fn later(from: Timestamp, by: SignedDuration) -> Timestamp {
    from.saturating_add(by).unwrap_or(Timestamp::MAX)
}

impl Operation {
    /// The pause before the next look at a task that began at `since`: brief while a Droplet is off, otherwise a tenth of the elapsed time.
    /// It is longer while, judging by earlier operations, the task cannot have finished.
    pub(super) fn pause(&self, task: Task, since: Timestamp, now: Timestamp, rules: &Rules) -> SignedDuration {
        let elapsed = now.duration_since(since);
        let tenth = elapsed / 10;
        let worthwhile = self.typical.of(task).map(|typical| typical * 6 / 10 - elapsed);
        if self.keeps_droplet_off() && self.question.is_none() {
            let brief = WHILE_OFF.min(rules.poll_interval);
            // A step that takes hours may be noticed some seconds late.
            let share = (elapsed - LOOKED_AT_CLOSELY) / 120;
            return share.max(worthwhile.unwrap_or_default()).clamp(brief, LONGEST_WHILE_OFF.max(brief));
        }
        let longest = if self.keeps_droplet_off() { LONGEST_WHILE_OFF } else { LONGEST_LIVE };
        tenth.max(worthwhile.unwrap_or_default()).clamp(rules.poll_interval, longest.max(rules.poll_interval))
    }

    /// The pause before looking again at an obstacle that has existed since `since`.
    pub(super) fn patience(&self, since: Timestamp, now: Timestamp, rules: &Rules) -> SignedDuration {
        let longest = if self.keeps_droplet_off() { LONGEST_WHILE_OFF } else { LONGEST_LIVE };
        (now.duration_since(since) / 5).clamp(rules.poll_interval, longest.max(rules.poll_interval))
    }

    /// The pause between looks at a Droplet on which a late off is still possible.
    pub(super) fn watch_pause(rules: &Rules) -> SignedDuration {
        LONGEST_WHILE_OFF.max(rules.poll_interval)
    }

    /// The pause after a failed attempt to turn the Droplet on.
    pub(super) fn retry_pause(&self) -> SignedDuration {
        let doublings = self.power.failures().saturating_sub(1).min(8);
        (FIRST_RETRY * (1 << doublings)).min(LONGEST_RETRY)
    }

    fn keeps_droplet_off(&self) -> bool {
        self.power.is_owed() && self.power.before() == Some(PowerState::On)
    }
}
