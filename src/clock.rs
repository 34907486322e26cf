//! The time, as an argument: the wall's clock in the bot, one that tests move in tests.
//!
//! Rooms ask this clock and never the system; `clippy.toml` bans the ways around it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::{SignedDuration, Timestamp};

/// A source of the present moment. Clones share what [`Clock::advance`] added.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_millis: Arc<AtomicI64>,
}

impl Clock {
    /// The machine's own clock.
    pub fn wall() -> Self {
        Self::default()
    }

    /// The present moment.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.ahead_millis.load(Ordering::Relaxed));
        let now = Timestamp::now();
        now.checked_add(ahead).unwrap_or(now)
    }

    /// Moves this clock and all of its clones forward, so that a test need not wait.
    pub fn advance(&self, by: SignedDuration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ahead_millis.fetch_add(millis, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_move_together() {
        let clock = Clock::wall();
        let clone = clock.clone();
        let before = clone.now();
        clock.advance(SignedDuration::from_hours(1));
        assert!(clone.now() >= before + SignedDuration::from_hours(1));
    }
}
