//! serenity's rate limits, when the machine's clock is set back.
//!
//! serenity 0.12 keeps until when a route may not be asked by the system's clock (`Ratelimit::reset`), and waits for the difference. Set back by an
//! hour, it waits for an hour, and everybody behind it. What it knows of the routes can be forgotten at no cost but a 429: Discord says it
//! again with each answer.

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serenity::http::Http;
use tokio::time::{Instant, sleep};

/// Between two looks at the clock.
const PAUSE: Duration = Duration::from_secs(1);
/// Clocks that are slewed differ by less.
const TOLERANCE: Duration = Duration::from_millis(500);

/// Forgets what serenity knows of the routes each time that the clock is set back. To be run alongside the bot; never returns.
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

/// What two clocks say at one moment: one that is set, and one that only runs.
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
