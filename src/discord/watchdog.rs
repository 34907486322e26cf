//! Checks whether the bot receives anything, and ends it if it does not.
//!
//! serenity reconnects forever, whatever Discord answers, has no timeout on a handshake, and does not report when it starts over. What can
//! be seen from outside is the stage of its connection and the latency, which changes with each answered heartbeat.
//!
//! serenity records a connection as not begun after it has begun: a fast Discord sends READY before that, and the record stays wrong until
//! the first heartbeat is answered. Until serenity knows more about a connection, the relay's session counts.

use std::{sync::Arc, time::Duration};

use serenity::{
    gateway::{ConnectionStage, ShardManager},
    model::id::ShardId,
};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, MissedTickBehavior, interval},
};

/// The timeouts of the watchdog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The pause between two looks.
    pub look: Duration,
    /// After this time without a sign of life, a connection counts as lost. Discord answers a heartbeat every 41 s.
    pub silence: Duration,
    /// After this time without a connection, the bot ends.
    pub deafness: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let deafness = Duration::from_mins(5);
        Self { look: Duration::from_secs(1), silence: Duration::from_secs(100), deafness }
    }
}

/// Watches the bot's one connection.
pub(super) struct Watchdog {
    pub(super) shards: Arc<ShardManager>,
    /// The open session, as the relay saw it.
    pub(super) session: watch::Receiver<Option<u64>>,
    /// Notified when something arrived that may change the result.
    pub(super) stirred: Arc<Notify>,
    /// Where it reports whether the bot is connected.
    pub(super) ready: watch::Sender<bool>,
    pub(super) patience: Patience,
}

impl Watchdog {
    /// Reports whether the bot is connected until it gives up, then returns how long nothing was received.
    pub(super) async fn watch(mut self) -> Duration {
        let mut hearing = Hearing::new(self.patience, Instant::now());
        let mut looks = interval(self.patience.look);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                () = self.stirred.notified() => {}
                Ok(()) = self.session.changed() => {}
            }
            let runner = self.shards.runners.lock().await.get(&ShardId(0)).map(|runner| (runner.stage, runner.latency));
            let seen = Seen { runner, session: *self.session.borrow_and_update() };
            let hears = hearing.judge(seen, Instant::now());
            let is_ready = hears == Hears::Well;
            self.ready.send_if_modified(|ready| std::mem::replace(ready, is_ready) != is_ready);
            if let Hears::Nothing { since } = hears {
                return since.elapsed();
            }
        }
    }
}

/// The observed state of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// What serenity has recorded about it; `None` while serenity waits to begin one.
    runner: Option<(ConnectionStage, Option<Duration>)>,
    /// The session that Discord opened or resumed, if its connection is still open.
    session: Option<u64>,
}

impl Seen {
    fn is_connected(self) -> bool {
        match self.runner {
            Some((ConnectionStage::Connected, _)) => true,
            // serenity records this for a connection about which it has not received anything yet.
            Some((ConnectionStage::Disconnected, None)) => self.session.is_some(),
            Some(_) | None => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hears {
    Well,
    /// Not connected at the moment; serenity is trying.
    NotNow,
    /// Not connected for too long.
    Nothing {
        since: Instant,
    },
}

/// What was observed so far.
struct Hearing {
    patience: Patience,
    seen: Seen,
    /// When the observation last changed.
    changed: Instant,
    /// When the connection was last good.
    well: Instant,
}

impl Hearing {
    fn new(patience: Patience, now: Instant) -> Self {
        Self { patience, seen: Seen::default(), changed: now, well: now }
    }

    fn judge(&mut self, seen: Seen, now: Instant) -> Hears {
        if self.seen != seen {
            self.seen = seen;
            self.changed = now;
        }
        if seen.is_connected() && now.duration_since(self.changed) <= self.patience.silence {
            // When a connection falls silent, nothing was received since its last sign of life.
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

    fn connected(latency: u64) -> Seen {
        in_stage(ConnectionStage::Connected, Some(Duration::from_millis(latency)))
    }

    fn in_stage(stage: ConnectionStage, latency: Option<Duration>) -> Seen {
        Seen { runner: Some((stage, latency)), session: None }
    }

    fn hearing() -> (Hearing, Instant) {
        let now = Instant::now();
        (Hearing::new(Patience::default(), now), now)
    }

    #[test]
    fn answered_heartbeats_keep_it_well_forever() {
        let (mut hearing, start) = hearing();
        for beat in 1..100_u32 {
            assert_eq!(hearing.judge(connected(beat.into()), start + beat * 41 * SECOND), Hears::Well);
        }
    }

    #[test]
    fn a_connection_that_fell_silent_counts_as_none_although_serenity_calls_it_connected() {
        let (mut hearing, start) = hearing();
        assert_eq!(hearing.judge(connected(1), start), Hears::Well);
        assert_eq!(hearing.judge(connected(1), start + 100 * SECOND), Hears::Well);
        assert_eq!(hearing.judge(connected(1), start + 101 * SECOND), Hears::NotNow);
        assert_eq!(hearing.judge(connected(1), start + 301 * SECOND), Hears::Nothing { since: start });
    }

    #[test]
    fn trying_without_success_is_given_up_after_a_while() {
        let (mut hearing, start) = hearing();
        for second in 0..300_u32 {
            let stage = if second % 2 == 0 { ConnectionStage::Connecting } else { ConnectionStage::Disconnected };
            assert_eq!(hearing.judge(in_stage(stage, None), start + second * SECOND), Hears::NotNow);
        }
        assert_eq!(hearing.judge(Seen::default(), start + 301 * SECOND), Hears::Nothing { since: start });
    }

    #[test]
    fn success_restarts_the_count() {
        let (mut hearing, start) = hearing();
        assert_eq!(hearing.judge(Seen::default(), start + 299 * SECOND), Hears::NotNow);
        let connected_at = start + 300 * SECOND;
        assert_eq!(hearing.judge(connected(1), connected_at), Hears::Well);
        assert_eq!(hearing.judge(Seen::default(), connected_at + 300 * SECOND), Hears::NotNow);
        assert_eq!(hearing.judge(Seen::default(), connected_at + 301 * SECOND), Hears::Nothing { since: connected_at });
    }

    #[test]
    fn a_connection_that_serenity_has_not_entered_yet_counts_while_its_session_stands() {
        let (mut hearing, start) = hearing();
        let entered = |session| Seen { session, ..in_stage(ConnectionStage::Disconnected, None) };
        assert_eq!(hearing.judge(entered(None), start), Hears::NotNow);
        assert_eq!(hearing.judge(entered(Some(1)), start + SECOND), Hears::Well);
        assert_eq!(hearing.judge(entered(None), start + 2 * SECOND), Hears::NotNow, "it broke");
        assert_eq!(hearing.judge(entered(Some(2)), start + 3 * SECOND), Hears::Well);
        assert_eq!(hearing.judge(entered(Some(2)), start + 104 * SECOND), Hears::NotNow, "it fell silent");
    }

    #[test]
    fn what_serenity_knows_of_a_connection_counts_more_than_its_session() {
        let (mut hearing, start) = hearing();
        for stage in [ConnectionStage::Resuming, ConnectionStage::Connecting, ConnectionStage::Identifying] {
            let seen = Seen { session: Some(1), ..in_stage(stage, None) };
            assert_eq!(hearing.judge(seen, start), Hears::NotNow, "{stage:?}");
        }
        let broken = Seen { session: Some(1), ..in_stage(ConnectionStage::Disconnected, Some(SECOND)) };
        assert_eq!(hearing.judge(broken, start), Hears::NotNow);
        assert_eq!(hearing.judge(Seen { session: Some(1), runner: None }, start), Hears::NotNow);
    }
}
