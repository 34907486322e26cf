//! Messages of schedules that no channel accepts. The bot's operator is notified of them, since no one else can be.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use crate::operation::ids::ScheduleId;

/// The undeliverable messages, by schedule and number. They are kept only in memory: a new process tries each of them again.
#[derive(Debug, Default)]
pub(super) struct Undeliverable(Mutex<BTreeSet<(ScheduleId, i64)>>);

impl Undeliverable {
    /// Records that a message found no channel, or has found one after all.
    pub(super) fn note(&self, message: (ScheduleId, i64), is_unheard: bool) {
        let mut messages = self.0.lock();
        if is_unheard {
            messages.insert(message);
        } else {
            messages.remove(&message);
        }
    }

    /// Whether there are any.
    pub(super) fn are_some(&self) -> bool {
        !self.0.lock().is_empty()
    }
}
