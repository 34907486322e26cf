//! Waiting, with an end.

use std::time::Duration;

/// The result of `waiting`, if it comes within `patience`.
///
/// # Panics
/// Otherwise, with what `seen` returns: what the test was waiting for, and what it saw instead.
pub(crate) async fn within<T>(
    patience: Duration,
    waiting: impl Future<Output = T>,
    seen: impl AsyncFnOnce() -> String,
) -> T {
    let Ok(result) = tokio::time::timeout(patience, waiting).await else {
        panic!("waited for {patience:?} in vain: {}", seen().await);
    };
    result
}
