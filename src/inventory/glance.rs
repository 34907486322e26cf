//! Something that is read when somebody asks and kept for a while: rarer than a list, so no loop keeps it up to date.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::OnceCell;

/// One value, read by whoever asks first; the others wait for that reading.
#[derive(Debug)]
pub(super) struct Glance<T> {
    slot: Mutex<Option<(Timestamp, Reading<T>)>>,
}

type Reading<T> = Arc<OnceCell<Arc<T>>>;

impl<T> Default for Glance<T> {
    fn default() -> Self {
        Self { slot: Mutex::new(None) }
    }
}

impl<T> Glance<T> {
    /// The value, at most `keep` old.
    pub(super) async fn get<E, F: Future<Output = Result<T, E>>>(
        &self,
        keep: SignedDuration,
        now: Timestamp,
        read: impl FnOnce() -> F,
    ) -> Result<Arc<T>, E> {
        let reading = {
            let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
            match &*slot {
                Some((since, reading)) if now.duration_since(*since) < keep => Arc::clone(reading),
                Some(_) | None => Arc::clone(&slot.insert((now, Reading::default())).1),
            }
        };
        reading.get_or_try_init(async || read().await.map(Arc::new)).await.cloned()
    }
}
