//! Calls `HEARTBEAT_URL` about once a minute while this process holds the lease and its scheduler makes progress, so that a monitor notices
//! when Snapshots are no longer taken, whatever the reason.

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

/// The pause between two calls.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// How long one turn of the scheduler may take.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// The scheduler's progress, shared with the heartbeat by clones.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    turns: AtomicU64,
    asked: Notify,
    done: Notify,
}

impl Progress {
    /// Records that the scheduler has finished a turn whose writes were made under the lease.
    pub(super) fn turned(&self) {
        self.0.turns.fetch_add(1, Ordering::Relaxed);
        self.0.done.notify_one();
    }

    /// Waits until the heartbeat asks for a turn.
    pub(super) async fn asked(&self) {
        self.0.asked.notified().await;
    }

    /// Waits until the scheduler has finished another turn.
    async fn next_turn(&self) {
        let before = self.0.turns.load(Ordering::Relaxed);
        self.0.asked.notify_one();
        while self.0.turns.load(Ordering::Relaxed) == before {
            self.0.done.notified().await;
        }
    }
}

/// The loop that calls the heartbeat address.
pub(super) struct Heartbeat {
    pub(super) address: Address,
    pub(super) reach: Reach,
    pub(super) clock: Clock,
    pub(super) progress: Progress,
}

impl Heartbeat {
    /// Calls the address until `stop`. While the scheduler makes no progress, it waits and does not call.
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

    /// Calls the address and returns whether that failed. The first of consecutive failures is logged as a warning.
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
