//! Messages of schedules that no channel takes: the bot's operator hears of them, since nobody else can.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use crate::operation::ids::ScheduleId;

/// Those messages, by schedule and number. Kept in memory alone: a new process tries each of them and finds out again.
#[derive(Debug, Default)]
pub(super) struct Unheard(Mutex<BTreeSet<(ScheduleId, i64)>>);

impl Unheard {
    /// A message found no channel, or has found one after all.
    pub(super) fn note(&self, message: (ScheduleId, i64), is_unheard: bool) {
        let mut messages = self.0.lock();
        if is_unheard {
            messages.insert(message);
        } else {
            messages.remove(&message);
        }
    }

    /// Whether there are some.
    pub(super) fn are_some(&self) -> bool {
        !self.0.lock().is_empty()
    }
}
