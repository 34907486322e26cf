//! How long each part of the bot may take to end, and ending it.

use std::time::Duration;

use tokio::{task::JoinSet, time::timeout};

use crate::store::Store;

/// For requests to DigitalOcean in flight.
pub(super) const TURNS: Duration = Duration::from_millis(4_500);
/// For the last messages, and for closing the gateway.
pub(super) const MESSAGES: Duration = Duration::from_secs(2);
/// For the loops that fill the cache and maintain the database.
pub(super) const INVENTORY: Duration = Duration::from_millis(500);
/// For releasing the lease; otherwise a successor waits until it expires.
pub(super) const RELEASE: Duration = Duration::from_millis(500);
/// For closing the connections to the database.
const CLOSING: Duration = Duration::from_millis(500);
/// The maximum time that a stop takes, as docs/operating.md states.
const WHOLE: Duration = Duration::from_secs(8);

const _: () = assert!(
    TURNS.as_millis() + MESSAGES.as_millis() + INVENTORY.as_millis() + RELEASE.as_millis() + CLOSING.as_millis()
        <= WHOLE.as_millis(),
    "supervisors kill what takes longer than it said"
);

/// Waits for loops to end, and aborts them after `patience`: the next start takes up whatever they leave.
pub(super) async fn finish<T: Send + 'static>(loops: &mut JoinSet<T>, patience: Duration, what: &str) {
    let ended = timeout(patience, async { while loops.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        tracing::warn!(what, "not finished in time; the next start goes on there");
        loops.shutdown().await;
    }
}

/// Closes the connections, so that SQLite leaves one complete file. Skipped while power is owed: on a full disk the existing write-ahead
/// log is the only space for the next start.
pub(super) async fn close(store: &Store) {
    let closing = async {
        if store.power_owed().await.is_ok_and(|owed| owed.is_empty()) {
            store.close().await;
        }
    };
    if timeout(CLOSING, closing).await.is_err() {
        tracing::warn!("the database does not answer; its connections are left to it");
    }
}
