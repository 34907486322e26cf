//! Whether DigitalOcean answers at all: in an outage, an occasional request finds out on behalf of all whether it is over.
//!
//! Otherwise every Droplet that is off would look individually, each look with its retries, and use up the minute in which all of them
//! could be turned on again. Pure: the client reports every outcome, and asks before every read that can wait.

use jiff::{SignedDuration, Timestamp};

/// How many consecutive reads must have failed before it counts as an outage.
const FAILURES: u32 = 6;
/// How long nothing must have been answered before it counts as an outage.
const SILENT_FOR: SignedDuration = SignedDuration::from_secs(20);
/// How often, during an outage, one read finds out whether it is over: as often as a single Droplet that is off would look.
const PROBE_EVERY: SignedDuration = SignedDuration::from_secs(15);

/// The state according to the latest outcomes.
#[derive(Debug, Default)]
pub(super) struct Outage {
    run: Option<Run>,
}

/// Consecutive failures without an answer between them.
#[derive(Debug)]
struct Run {
    since: Timestamp,
    failures: u32,
    /// When the next read may probe.
    probe_at: Timestamp,
}

impl Outage {
    /// Ends the outage: DigitalOcean answered, with any content.
    pub(super) fn end(&mut self) {
        self.run = None;
    }

    /// Records a read without an answer.
    pub(super) fn failed(&mut self, now: Timestamp) {
        let probe_at = later(now, PROBE_EVERY);
        let run = self.run.get_or_insert(Run { since: now, failures: 0, probe_at });
        run.failures = run.failures.saturating_add(1);
        run.probe_at = probe_at;
    }

    /// Whether DigitalOcean is known not to answer.
    pub(super) fn lasts(&self, now: Timestamp) -> bool {
        self.run.as_ref().is_some_and(|run| run.failures >= FAILURES && now >= later(run.since, SILENT_FOR))
    }

    /// Until when a read that can wait is held back; `None` if it may be sent now, which makes it the probe for all others.
    pub(super) fn holds_until(&mut self, now: Timestamp) -> Option<Timestamp> {
        if !self.lasts(now) {
            return None;
        }
        let run = self.run.as_mut()?;
        // A clock that was set back must not hold back requests for longer.
        run.probe_at = run.probe_at.min(later(now, PROBE_EVERY));
        if now < run.probe_at {
            return Some(run.probe_at);
        }
        run.probe_at = later(now, PROBE_EVERY);
        None
    }
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn down() -> Outage {
        let mut outage = Outage::default();
        for second in 0..=20 {
            outage.failed(at(second));
        }
        outage
    }

    #[test]
    fn a_few_failures_are_no_outage() {
        let mut outage = Outage::default();
        for second in [0, 30, 60, 90, 120] {
            outage.failed(at(second));
        }
        assert_eq!(outage.holds_until(at(121)), None);
    }

    #[test]
    fn many_failures_at_once_are_no_outage() {
        let mut outage = Outage::default();
        for _ in 0..100 {
            outage.failed(at(0));
        }
        assert_eq!(outage.holds_until(at(1)), None);
    }

    #[test]
    fn in_an_outage_one_read_every_quarter_of_a_minute_finds_out() {
        let mut outage = down();
        assert_eq!(outage.holds_until(at(21)), Some(at(35)));
        assert_eq!(outage.holds_until(at(35)), None);
        assert_eq!(outage.holds_until(at(35)), Some(at(50)), "one finds out for everybody");
        outage.failed(at(45));
        assert_eq!(outage.holds_until(at(50)), Some(at(60)), "counted from its answer");
    }

    #[test]
    fn any_answer_ends_it() {
        let mut outage = down();
        outage.end();
        assert_eq!(outage.holds_until(at(21)), None);
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nothing_up_for_long() {
        let mut outage = down();
        outage.run.as_mut().unwrap().since = at(-9_000);
        assert_eq!(outage.holds_until(at(-3_600)), Some(at(-3_585)));
    }
}
