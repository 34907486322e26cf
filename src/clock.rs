//! The time, as an argument: the machine's clock in the bot, a clock that tests can move in tests.
//!
//! All modules use this clock and never the system's; `clippy.toml` bans the alternatives. It reads the machine's clock once and counts on
//! from there, so that nothing waits or ends because that clock is set while operations are running.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

/// A source of the current time. Clones share what [`Clock::advance`] added.
#[derive(Clone, Debug)]
pub struct Clock {
    ahead_millis: watch::Sender<i64>,
    anchor: Arc<Mutex<Anchor>>,
    /// When the first of the clones was created.
    made: Anchor,
}

/// What the machine's clock showed, and when that was on a monotonic clock.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    wall: Timestamp,
    read_at: Instant,
}

impl Anchor {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clocks")]
    fn now() -> Self {
        Self { wall: Timestamp::now(), read_at: Instant::now() }
    }
}

impl Clock {
    /// The machine's own clock.
    pub fn wall() -> Self {
        let made = Anchor::now();
        Self { ahead_millis: watch::Sender::default(), anchor: Arc::new(Mutex::new(made)), made }
    }

    /// The current time. It advances evenly even if the machine's clock is set.
    pub fn now(&self) -> Timestamp {
        let Anchor { wall, read_at } = *self.anchor();
        let passed = SignedDuration::try_from(read_at.elapsed()).unwrap_or(SignedDuration::ZERO);
        let ahead = SignedDuration::from_millis(*self.ahead_millis.borrow());
        wall.checked_add(passed).and_then(|now| now.checked_add(ahead)).unwrap_or(wall)
    }

    /// How long ago this clock was created. It is not affected by setting the machine's clock, and stops while the machine sleeps.
    pub fn uptime(&self) -> Duration {
        self.made.read_at.elapsed()
    }

    /// How far the machine's clock is ahead of what it would show if it had not been set since, and the machine had not slept.
    pub fn machine_ahead(&self) -> SignedDuration {
        let Anchor { wall, read_at } = Anchor::now();
        let passed = SignedDuration::try_from(read_at.duration_since(self.made.read_at)).unwrap_or(SignedDuration::MAX);
        wall.duration_since(self.made.wall).saturating_sub(passed)
    }

    /// Adopts the time of the machine's clock. Call it only while nothing is running whose waits would be affected.
    pub fn follow_the_machine(&self) {
        *self.anchor() = Anchor::now();
    }

    fn anchor(&self) -> MutexGuard<'_, Anchor> {
        self.anchor.lock()
    }

    /// Moves this clock and all of its clones forward, so that a test does not have to wait.
    pub fn advance(&self, by: SignedDuration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ahead_millis.send_modify(|ahead| *ahead = ahead.saturating_add(millis));
    }

    /// Waits until this clock shows `moment`, even if it is moved there.
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

    /// Waits until this clock shows `moment`; without one, waits forever.
    pub async fn wake_at(&self, moment: Option<Timestamp>) {
        match moment {
            Some(moment) => self.sleep_until(moment).await,
            None => std::future::pending().await,
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

    #[test]
    fn a_clock_that_is_set_changes_nothing_until_it_is_followed() {
        let clock = Clock::wall();
        // Simulates that the machine's clock was set by an hour after it was read.
        let hour = SignedDuration::from_hours(1);
        let before = clock.now();
        clock.anchor().wall -= hour;
        assert!(clock.now() < before);
        clock.follow_the_machine();
        assert!(clock.now() >= before);
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
