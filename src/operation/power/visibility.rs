//! What the bot sees of a Droplet to which it owes power, and when it turns the Droplet on blindly because every look fails.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Power;
use crate::operation::{backoff::later, reading::PowerState};

/// A Droplet that could not be looked at for this long is turned on without a look.
pub(super) const BLIND_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// Like `BLIND_AFTER`, while our own restore was last seen in progress: it overwrites the disk.
const BLIND_AFTER_IN_RESTORE: SignedDuration = SignedDuration::from_mins(30);
/// How many looks must have failed before that.
const BLIND_LOOKS: u32 = 4;
/// The pause between two attempts to turn a Droplet on without a look.
const BLIND_PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// What the bot sees of the Droplet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Visibility {
    /// The power state seen last.
    pub(super) last_seen: Option<PowerState>,
    /// When a look at the Droplet last received an answer of any kind.
    pub(super) looked_at: Option<Timestamp>,
    /// Consecutive looks without a reading while power is owed.
    pub(super) unseen: Option<Unseen>,
    /// From when the Droplet is to be turned on without a look, if it is.
    pub(super) blind: Option<Timestamp>,
    /// When it was last turned on without a look.
    pub(super) blind_at: Option<Timestamp>,
}

/// Consecutive looks without a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unseen {
    /// When the first of them failed, by a monotonic clock.
    since: Timestamp,
    /// How many failed.
    looks: u32,
}

impl Visibility {
    pub(super) fn on_reading(&mut self) {
        (self.unseen, self.blind) = (None, None);
    }

    /// Whether the decision to turn the Droplet on without a look is taken now.
    pub(super) fn judge(&mut self, is_restoring: bool, now: Timestamp) -> bool {
        let longest = if is_restoring { BLIND_AFTER_IN_RESTORE } else { BLIND_AFTER };
        let is_unseen =
            self.unseen.is_some_and(|unseen| unseen.looks >= BLIND_LOOKS && now >= later(unseen.since, longest));
        let may_repeat = self.blind_at.is_none_or(|last| now >= later(last, BLIND_PAUSE));
        let begins = is_unseen && may_repeat && self.blind.is_none();
        if begins {
            self.blind = Some(now);
        }
        begins
    }

    /// Records that a command to turn the Droplet on is about to be sent.
    pub(super) fn turn_on(&mut self, now: Timestamp) {
        if self.blind.take().is_some() {
            self.blind_at = Some(now);
        }
    }

    pub(super) fn restart(&mut self, now: Timestamp) {
        self.on_reading();
        self.looked_at = None;
        self.blind_at = self.blind_at.map(|at| at.min(now));
    }
}

impl Power {
    /// Records that a look brought a reading of any kind.
    pub(in crate::operation) fn on_reading(&mut self) {
        self.visibility.on_reading();
    }

    /// Records the power state that was seen.
    pub(in crate::operation) fn note_seen(&mut self, power: Option<PowerState>) {
        self.visibility.last_seen = power;
    }

    /// Records that a look at the Droplet received an answer of any kind.
    pub(in crate::operation) fn note_look(&mut self, now: Timestamp) {
        self.visibility.looked_at = Some(now);
    }

    /// When a look at the Droplet last received an answer of any kind.
    pub(in crate::operation) fn looked_at(&self) -> Option<Timestamp> {
        self.visibility.looked_at
    }

    /// The power state seen last.
    pub fn last_seen(&self) -> Option<PowerState> {
        self.visibility.last_seen
    }

    /// Records that a look brought no reading.
    pub(in crate::operation) fn miss(&mut self, now: Timestamp) {
        if self.is_owed() {
            let unseen = self.visibility.unseen.get_or_insert(Unseen { since: now, looks: 0 });
            unseen.looks = unseen.looks.saturating_add(1);
        }
    }

    /// Whether the latest looks have failed.
    pub fn is_unseen(&self) -> bool {
        self.visibility.unseen.is_some()
    }

    /// From when the Droplet is to be turned on without a look, if it is.
    pub(in crate::operation) fn blind_from(&self) -> Option<Timestamp> {
        self.visibility.blind
    }

    /// Postpones the attempt without a look: the request limit has no room for it before this moment.
    pub(in crate::operation) fn defer(&mut self, until: Timestamp) {
        self.visibility.blind = self.visibility.blind.map(|from| from.max(until));
    }

    /// Whether the Droplet is to be turned on without a look.
    pub fn is_blind(&self) -> bool {
        self.visibility.blind.is_some()
    }

    /// When the Droplet was last turned on without a look.
    pub fn turned_on_blind_at(&self) -> Option<Timestamp> {
        self.visibility.blind_at
    }
}
