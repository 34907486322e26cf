//! Readings that go on although whoever wanted them has stopped waiting: the next key finds what they brought.
//!
//! Begun by [`super::single_flight`], run by [`Inventory::run`](super::Inventory::run).

use std::future::Future;

use futures_util::{
    StreamExt,
    future::{BoxFuture, FutureExt},
    stream::FuturesUnordered,
};
use tokio::sync::{Mutex, mpsc};

/// What was begun and is not done.
pub(super) struct Background {
    sender: mpsc::UnboundedSender<BoxFuture<'static, ()>>,
    begun: Mutex<mpsc::UnboundedReceiver<BoxFuture<'static, ()>>>,
}

impl Background {
    /// None yet.
    pub(super) fn new() -> Self {
        let (sender, begun) = mpsc::unbounded_channel();
        Self { sender, begun: Mutex::new(begun) }
    }

    /// Begins one.
    pub(super) fn begin(&self, task: impl Future<Output = ()> + Send + 'static) {
        // The other end is ours, so it is there.
        let _ = self.sender.send(task.boxed());
    }

    /// Runs all of them, forever.
    pub(super) async fn run(&self) {
        let mut begun = self.begun.lock().await;
        let mut running = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(task) = begun.recv() => running.push(task),
                Some(()) = running.next() => {}
            }
        }
    }
}
