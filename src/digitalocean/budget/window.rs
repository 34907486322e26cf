//! A sliding window: the times at which requests were sent.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

/// How soon to ask again if permissions that are not used yet take all the room.
const UNUSED_PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// The times at which requests were sent, oldest first, and how many are still to be sent.
#[derive(Debug, Default)]
pub(super) struct Window {
    sent: VecDeque<Timestamp>,
    /// Permissions that are not used yet: each may leave at any moment, so it counts in every window.
    unused: usize,
}

impl Window {
    /// Counts a permission.
    pub(super) fn admit(&mut self) {
        self.unused += 1;
    }

    /// The request for which permission was given leaves at this moment.
    pub(super) fn depart(&mut self, at: Timestamp) {
        self.unused = self.unused.saturating_sub(1);
        let place = self.sent.partition_point(|sent| *sent <= at);
        self.sent.insert(place, at);
    }

    pub(super) fn forget(&mut self, length: SignedDuration, now: Timestamp) {
        while self.sent.front().is_some_and(|sent| later(*sent, length) <= now) {
            self.sent.pop_front();
        }
    }

    /// How many there are that were not forgotten.
    pub(super) fn len(&self) -> usize {
        self.sent.len() + self.unused
    }

    pub(super) fn within(&self, length: SignedDuration, now: Timestamp) -> usize {
        self.len() - self.sent.partition_point(|sent| later(*sent, length) <= now)
    }

    /// When fewer than `most` requests will be within the window, which is when the oldest of the newest `most` leaves it.
    pub(super) fn free_at(&self, length: SignedDuration, most: usize, now: Timestamp) -> Option<Timestamp> {
        let Some(most) = most.checked_sub(self.unused).filter(|most| *most > 0) else {
            return Some(later(now, UNUSED_PAUSE));
        };
        let sent = self.sent.get(self.sent.len().checked_sub(most)?)?;
        Some(later(*sent, length)).filter(|at| *at > now)
    }

    /// The moments, to be moved when the clock was set back.
    pub(super) fn moments(&mut self) -> impl Iterator<Item = &mut Timestamp> {
        self.sent.iter_mut()
    }
}

/// `moment + by`, saturating.
pub(super) fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(moment)
}
