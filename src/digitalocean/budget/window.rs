//! A sliding window: the times at which requests were sent.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// The times at which requests were sent, oldest first.
#[derive(Debug, Default)]
pub(super) struct Window(pub(super) VecDeque<Timestamp>);

impl Window {
    pub(super) fn forget(&mut self, length: SignedDuration, now: Timestamp) {
        while self.0.front().is_some_and(|sent| later(*sent, length) <= now) {
            self.0.pop_front();
        }
    }

    pub(super) fn within(&self, length: SignedDuration, now: Timestamp) -> usize {
        self.0.len() - self.0.partition_point(|sent| later(*sent, length) <= now)
    }

    /// When fewer than `most` requests will be within the window, which is when the oldest of the newest `most` leaves it.
    pub(super) fn free_at(&self, length: SignedDuration, most: usize, now: Timestamp) -> Option<Timestamp> {
        let sent = self.0.get(self.0.len().checked_sub(most)?)?;
        Some(later(*sent, length)).filter(|at| *at > now)
    }
}

/// `moment + by`, saturating.
pub(super) fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(moment)
}
