//! Which operations may begin a downtime: the [`downtime_queue`](super::downtime_queue), with the data that it decides by, for the run
//! loop.

use std::{collections::HashSet, sync::Arc};

use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};

use super::{
    downtime_queue::DowntimeQueue,
    schedule::{self, Ending},
};
use crate::{
    digitalocean::client::Client,
    operation::{Operation, ids::OperationId},
    store::{Error, Store},
};

/// Decides which operations may begin a downtime.
pub(super) struct Admission {
    queue: Mutex<DowntimeQueue>,
    store: Arc<Store>,
    client: Client,
}

impl Admission {
    /// An admission with an empty queue.
    pub(super) fn new(store: Arc<Store>, client: Client) -> Self {
        Self { queue: Mutex::default(), store, client }
    }

    /// Records that a turn begins. Returns whether its operation is in the queue.
    pub(super) fn take_up(&self, id: OperationId) -> bool {
        self.queue().take_up(id)
    }

    /// Records that a turn ended.
    pub(super) fn turn_ended(&self, id: OperationId, ending: Ending) {
        self.queue().turn_ended(id, ending == Ending::Stored);
    }

    /// `None` if an operation may begin its downtime now. Otherwise it waits in the queue, at most until the returned time.
    pub(super) async fn turn_at(&self, operation: &Operation, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        if self.queue().has_place(operation.id) || self.asks_for_a_place(operation, now).await? {
            return Ok(None);
        }
        Ok(Some(schedule::called_until(operation, now)))
    }

    /// Whether an operation begins its downtime outside a batch, so that its look does not wait for others.
    pub(super) fn begins_alone(&self, id: OperationId) -> bool {
        self.queue().begins_alone(id)
    }

    async fn asks_for_a_place(&self, operation: &Operation, now: Timestamp) -> Result<bool, Error> {
        if !self.queue().may_place(operation, now) {
            self.queue().stand(operation);
            return Ok(false);
        }
        let owed = self.store.power_owed().await?;
        let mut queue = self.queue();
        queue.update(&owed, now);
        let others = schedule::other_downtimes(&owed, queue.placed(), Some(operation.id));
        Ok(queue.ask(operation, self.client.room_for_downtimes(others), now))
    }

    /// Calls the operations whose turn it is, and returns all called ones that are not `busy`.
    pub(super) async fn called(&self, busy: &HashSet<OperationId>, now: Timestamp) -> Result<Vec<OperationId>, Error> {
        let may_call = self.queue().may_call(now);
        if may_call {
            let owed = self.store.power_owed().await?;
            let mut queue = self.queue();
            queue.update(&owed, now);
            let downtimes = schedule::other_downtimes(&owed, queue.placed(), None);
            queue.call(self.client.room_for_downtimes(downtimes), now);
        }
        Ok(self.queue().called(busy).collect())
    }

    /// When an operation may be called next; `None` if none waits.
    pub(super) fn next_call_at(&self) -> Option<Timestamp> {
        self.queue().next_call_at()
    }

    fn queue(&self) -> MutexGuard<'_, DowntimeQueue> {
        self.queue.lock()
    }
}
