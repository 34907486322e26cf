//! Keeps serenity's rate limits correct when the machine's clock is set back.
//!
//! serenity 0.12 stores the end of a route's rate limit as a system time (`Ratelimit::reset`) and waits for the difference. If the clock is
//! set back by an hour, that request waits for an hour, and so does every request behind it. Forgetting what serenity knows about the
//! routes costs at most one 429, because Discord repeats the limits with each answer.

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serenity::http::Http;
use tokio::time::{Instant, sleep};

/// The pause between two looks at the clock.
const PAUSE: Duration = Duration::from_secs(1);
/// Slewed clocks differ by less than this.
const TOLERANCE: Duration = Duration::from_millis(500);

/// Clears serenity's rate limits each time the clock is set back. Run it together with the bot; it never returns.
pub(super) async fn watch(http: Arc<Http>) -> Infallible {
    let mut clocks = Clocks::read();
    loop {
        sleep(PAUSE).await;
        let earlier = std::mem::replace(&mut clocks, Clocks::read());
        if clocks.is_set_back_since(&earlier)
            && let Some(limits) = &http.ratelimiter
        {
            tracing::info!("the system's clock was set back, so rate limits are learnt again");
            limits.routes().write().await.clear();
        }
    }
}

/// The readings of two clocks at one moment: the wall clock, which can be set, and the monotonic clock.
struct Clocks {
    wall: SystemTime,
    running: Instant,
}

impl Clocks {
    #[expect(clippy::disallowed_methods, reason = "serenity asks this clock, which no Clock of ours moves")]
    fn read() -> Self {
        Self { wall: SystemTime::now(), running: Instant::now() }
    }

    fn is_set_back_since(&self, earlier: &Self) -> bool {
        let wanted = earlier.wall + self.running.duration_since(earlier.running);
        wanted.duration_since(self.wall).is_ok_and(|missing| missing > TOLERANCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_that_is_set_back_is_one() {
        let (start, hour) = (Clocks::read(), Duration::from_hours(1));
        let later = |wall: SystemTime| Clocks { wall, running: start.running + hour };
        assert!(!later(start.wall + hour).is_set_back_since(&start));
        assert!(!later(start.wall + hour * 2).is_set_back_since(&start), "set forward");
        assert!(!later(start.wall + hour - TOLERANCE).is_set_back_since(&start), "slewed");
        assert!(later(start.wall + hour - Duration::from_secs(1)).is_set_back_since(&start));
        assert!(later(start.wall - hour).is_set_back_since(&start));
    }
}
