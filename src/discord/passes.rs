//! The loop of the tasks that send messages on their own.

use std::fmt;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{incident::chain, pauses::STORE_PAUSE};
use crate::{
    clock::Clock,
    store::{self, Store, deadlines::SAYING},
};

/// Runs `pass`, which sends what is due and returns when more is due, at each of those times and at each ring of `bell`. Once `shutdown` is
/// cancelled, it sends what is due at that moment, and returns. `what` names the subject of the messages in the log.
pub(super) async fn repeat<F>(
    pass: impl Fn() -> F,
    (store, clock, bell): (&Store, &Clock, &Notify),
    shutdown: CancellationToken,
    what: impl fmt::Display,
) where
    F: Future<Output = Result<Option<Timestamp>, store::Error>>,
{
    loop {
        let rung = bell.notified();
        let is_last = shutdown.is_cancelled();
        let wake = store.bounded_pass(SAYING, pass()).await.unwrap_or_else(|error| {
            tracing::warn!(cause = chain(&error), "could not learn what is to be said about {what}");
            Some(clock.now() + STORE_PAUSE)
        });
        if is_last {
            return;
        }
        tokio::select! {
            () = rung => {}
            () = clock.wake_at(wake) => {}
            () = shutdown.cancelled() => {}
        }
    }
}
