//! Readings that go on although nobody waits for them any more: the next key finds what they brought.
//!
//! Begun by [`super::single_flight`], ended with [`Inventory::run`](super::Inventory::run).

use std::future::Future;

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What was begun and is not done.
#[derive(Default)]
pub(super) struct Background {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Background {
    /// Begins one.
    pub(super) fn begin(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move { stop.run_until_cancelled_owned(task).await });
    }

    /// Ends all of them, where they stand.
    pub(super) async fn end(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
