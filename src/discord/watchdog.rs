//! Whether the bot hears anything, and the end of one that is deaf.
//!
//! serenity reconnects forever, whatever Discord says, has no time-out on a handshake, and tells nobody when it starts over. What
//! can be seen from outside is the stage of its connection and the latency, which changes with each heartbeat that is answered.

use std::{sync::Arc, time::Duration};

use serenity::{
    gateway::{ConnectionStage, ShardManager},
    model::id::ShardId,
};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, MissedTickBehavior, interval},
};

/// How patient the watchdog is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Between two looks.
    pub look: Duration,
    /// After which a connection that nothing is heard of counts as none. Discord answers a heartbeat each 41 s.
    pub silence: Duration,
    /// After which a bot that is not connected ends.
    pub deafness: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let deafness = Duration::from_mins(5);
        Self { look: Duration::from_secs(1), silence: Duration::from_secs(100), deafness }
    }
}

/// Watches the one connection of the bot.
pub(super) struct Watchdog {
    pub(super) shards: Arc<ShardManager>,
    /// Rung when something was heard that may change the answer.
    pub(super) stirred: Arc<Notify>,
    /// Where it says whether the bot is connected.
    pub(super) ready: watch::Sender<bool>,
    pub(super) patience: Patience,
}

impl Watchdog {
    /// Says whether the bot is connected for as long as there is hope, and returns how long it has heard nothing then.
    pub(super) async fn watch(self) -> Duration {
        let mut hearing = Hearing::new(self.patience, Instant::now());
        let mut looks = interval(self.patience.look);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                () = self.stirred.notified() => {}
            }
            let seen = self.shards.runners.lock().await.get(&ShardId(0)).map(|runner| (runner.stage, runner.latency));
            let hears = hearing.judge(seen, Instant::now());
            let is_ready = hears == Hears::Well;
            self.ready.send_if_modified(|ready| std::mem::replace(ready, is_ready) != is_ready);
            if let Hears::Nothing { since } = hears {
                return since.elapsed();
            }
        }
    }
}

/// What is seen of a connection; none while serenity waits to begin one.
type Seen = Option<(ConnectionStage, Option<Duration>)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hears {
    Well,
    /// Not now, and serenity is at it.
    NotNow,
    /// For too long.
    Nothing {
        since: Instant,
    },
}

/// What was seen so far.
struct Hearing {
    patience: Patience,
    seen: Seen,
    /// When that changed last.
    changed: Instant,
    /// When it was well last.
    well: Instant,
}

impl Hearing {
    fn new(patience: Patience, now: Instant) -> Self {
        Self { patience, seen: None, changed: now, well: now }
    }

    fn judge(&mut self, seen: Seen, now: Instant) -> Hears {
        if self.seen != seen {
            self.seen = seen;
            self.changed = now;
        }
        let is_connected = seen.is_some_and(|(stage, _)| stage == ConnectionStage::Connected);
        if is_connected && now.duration_since(self.changed) <= self.patience.silence {
            // Of a connection that falls silent, nothing was heard since its last sign of life.
            self.well = self.changed;
            return Hears::Well;
        }
        if now.duration_since(self.well) > self.patience.deafness {
            return Hears::Nothing { since: self.well };
        }
        Hears::NotNow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn connected(latency: u64) -> (ConnectionStage, Option<Duration>) {
        (ConnectionStage::Connected, Some(Duration::from_millis(latency)))
    }

    fn hearing() -> (Hearing, Instant) {
        let now = Instant::now();
        (Hearing::new(Patience::default(), now), now)
    }

    #[test]
    fn answered_heartbeats_keep_it_well_for_ever() {
        let (mut hearing, start) = hearing();
        for beat in 1..100_u32 {
            assert_eq!(hearing.judge(Some(connected(beat.into())), start + beat * 41 * SECOND), Hears::Well);
        }
    }

    #[test]
    fn a_connection_that_fell_silent_counts_as_none_although_serenity_calls_it_connected() {
        let (mut hearing, start) = hearing();
        assert_eq!(hearing.judge(Some(connected(1)), start), Hears::Well);
        assert_eq!(hearing.judge(Some(connected(1)), start + 100 * SECOND), Hears::Well);
        assert_eq!(hearing.judge(Some(connected(1)), start + 101 * SECOND), Hears::NotNow);
        assert_eq!(hearing.judge(Some(connected(1)), start + 301 * SECOND), Hears::Nothing { since: start });
    }

    #[test]
    fn trying_without_success_is_given_up_after_a_while() {
        let (mut hearing, start) = hearing();
        for second in 0..300_u32 {
            let stage = if second % 2 == 0 { ConnectionStage::Connecting } else { ConnectionStage::Disconnected };
            assert_eq!(hearing.judge(Some((stage, None)), start + second * SECOND), Hears::NotNow);
        }
        assert_eq!(hearing.judge(None, start + 301 * SECOND), Hears::Nothing { since: start });
    }

    #[test]
    fn success_begins_the_count_anew() {
        let (mut hearing, start) = hearing();
        assert_eq!(hearing.judge(None, start + 299 * SECOND), Hears::NotNow);
        let connected_at = start + 300 * SECOND;
        assert_eq!(hearing.judge(Some(connected(1)), connected_at), Hears::Well);
        assert_eq!(hearing.judge(None, connected_at + 300 * SECOND), Hears::NotNow);
        assert_eq!(hearing.judge(None, connected_at + 301 * SECOND), Hears::Nothing { since: connected_at });
    }
}
