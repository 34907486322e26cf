//! Calls `HEARTBEAT_URL` about once a minute, while this process holds the lease and its scheduler gets on: whatever listens there notices
//! when Snapshots are taken no more, whatever the reason.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use jiff::SignedDuration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    ping::{Address, Reach, Signal},
};

/// Between two calls.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// How long the scheduler may take for a turn.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// Where the scheduler shows that it gets on. Clones show the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    turns: AtomicU64,
    asked: Notify,
    done: Notify,
}

impl Progress {
    /// The scheduler has done a turn, and what it wrote was written under the lease.
    pub(super) fn turned(&self) {
        self.0.turns.fetch_add(1, Ordering::Relaxed);
        self.0.done.notify_one();
    }

    /// Rung when somebody wants to see a turn.
    pub(super) async fn asked(&self) {
        self.0.asked.notified().await;
    }

    /// Returns once the scheduler has done another turn.
    async fn next_turn(&self) {
        let before = self.0.turns.load(Ordering::Relaxed);
        self.0.asked.notify_one();
        while self.0.turns.load(Ordering::Relaxed) == before {
            self.0.done.notified().await;
        }
    }
}

/// The loop that calls the address.
pub(super) struct Heartbeat {
    pub(super) address: Address,
    pub(super) reach: Reach,
    pub(super) clock: Clock,
    pub(super) progress: Progress,
}

impl Heartbeat {
    /// Calls until `stop`. A scheduler that does not get on is waited for, and nothing is called meanwhile.
    pub(super) async fn run(self, stop: CancellationToken) {
        let beating = async {
            let mut fails = false;
            loop {
                let next = self.clock.now() + PAUSE;
                tokio::select! {
                    () = self.progress.next_turn() => fails = self.call(fails).await,
                    () = self.clock.sleep_until(self.clock.now() + PATIENCE) => {
                        tracing::error!("the scheduler does not get on, so HEARTBEAT_URL is not called");
                    }
                }
                self.clock.sleep_until(next).await;
            }
        };
        stop.run_until_cancelled(beating).await;
    }

    /// Whether it failed; the first failure in a row is a warning.
    async fn call(&self, failed_before: bool) -> bool {
        match self.reach.call(&self.address, Signal::Success, None).await {
            Ok(()) => false,
            Err(error) if failed_before => {
                tracing::debug!(%error, "HEARTBEAT_URL still cannot be called");
                true
            }
            Err(error) => {
                tracing::warn!(%error, "HEARTBEAT_URL could not be called");
                true
            }
        }
    }
}
