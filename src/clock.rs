//! The time, as an argument: the wall's clock in the bot, one that tests move in tests.
//!
//! Rooms ask this clock and never the system; `clippy.toml` bans the ways around it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// A source of the present moment. Clones share what [`Clock::advance`] added.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_millis: watch::Sender<i64>,
}

impl Clock {
    /// The machine's own clock.
    pub fn wall() -> Self {
        Self::default()
    }

    /// The present moment.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
    pub fn now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(*self.ahead_millis.borrow());
        let now = Timestamp::now();
        now.checked_add(ahead).unwrap_or(now)
    }

    /// Moves this clock and all of its clones forward, so that a test need not wait.
    pub fn advance(&self, by: SignedDuration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ahead_millis.send_modify(|ahead| *ahead = ahead.saturating_add(millis));
    }

    /// Waits until this clock shows `moment`, also when it is moved there.
    pub async fn sleep_until(&self, moment: Timestamp) {
        let mut moved = self.ahead_millis.subscribe();
        loop {
            let left = Duration::try_from(moment.duration_since(self.now())).unwrap_or_default();
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                Ok(()) = moved.changed() => {}
            }
        }
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

    #[tokio::test]
    async fn who_sleeps_is_woken_when_the_clock_is_moved() {
        let clock = Clock::wall();
        let hour = SignedDuration::from_hours(1);
        let moment = clock.now() + hour;
        tokio::join!(clock.sleep_until(moment), async { clock.advance(hour) });
        assert!(clock.now() >= moment);
    }
}
