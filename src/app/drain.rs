//! How long each part of the bot may take to end, and the end itself.

use std::time::Duration;

use tokio::{task::JoinSet, time::timeout};

use crate::store::Store;

/// For requests to DigitalOcean that are under way.
pub(super) const TURNS: Duration = Duration::from_millis(4_500);
/// For the last words, and for closing the gateway.
pub(super) const MESSAGES: Duration = Duration::from_secs(2);
/// For what fills the cache, and what looks after the database.
pub(super) const INVENTORY: Duration = Duration::from_millis(500);
/// For giving the lease back; a successor waits until it has run out otherwise.
pub(super) const RELEASE: Duration = Duration::from_millis(500);
/// For ending the connections to the database.
const CLOSING: Duration = Duration::from_millis(500);
/// What a stop takes at the most, as docs/operating.md says.
const WHOLE: Duration = Duration::from_secs(8);

const _: () = assert!(
    TURNS.as_millis() + MESSAGES.as_millis() + INVENTORY.as_millis() + RELEASE.as_millis() + CLOSING.as_millis()
        <= WHOLE.as_millis(),
    "supervisors kill what takes longer than it said"
);

/// Waits for loops to end, and ends them after `patience`: whatever they leave is taken up at the next start.
pub(super) async fn finish<T: Send + 'static>(loops: &mut JoinSet<T>, patience: Duration, what: &str) {
    let ended = timeout(patience, async { while loops.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        tracing::warn!(what, "not finished in time; the next start goes on there");
        loops.shutdown().await;
    }
}

/// Ends the connections, so that SQLite leaves one whole file. Not while power is owed: on a full disk the next start has no room but the
/// write-ahead log that is there.
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
