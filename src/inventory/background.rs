//! Reads that continue after their caller gave up: the next keystroke finds their results.
//!
//! Started by [`super::single_flight`], ended with [`Inventory::run`](super::Inventory::run).

use std::future::Future;

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The tasks that have not finished.
#[derive(Default)]
pub(super) struct Background {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Background {
    /// Starts a task.
    pub(super) fn begin(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move { stop.run_until_cancelled_owned(task).await });
    }

    /// Aborts all tasks.
    pub(super) async fn end(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
