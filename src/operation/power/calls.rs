//! When the bot calls people because a Droplet stays off: after ten minutes without progress, or for an obstacle that only they can remove.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Power;
use crate::operation::{backoff::later, reading::Failure};

/// How long a Droplet may be off without its operation making progress, before the bot calls people.
pub(super) const CALL_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// How long the operation must make progress after a call before a further standstill leads to a new call.
const GOT_ON_FOR: SignedDuration = SignedDuration::from_mins(5);
/// The minimum time between two calls of one operation.
const CALL_PAUSE: SignedDuration = SignedDuration::from_mins(30);
/// While there is no progress at all, the bot calls people again after this long.
const CALL_AGAIN: SignedDuration = SignedDuration::from_hours(6);
/// How long evidence of progress counts.
const EVIDENCE_LASTS: SignedDuration = SignedDuration::from_mins(2);

const _: () = assert!(GOT_ON_FOR.as_secs() < CALL_AFTER.as_secs() && CALL_AFTER.as_secs() < CALL_PAUSE.as_secs());

/// Whether an operation that owes power makes progress, and how often the bot called people because it did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Calls {
    /// When the operation that owes power was last seen to make progress: the Droplet was seen on, or our own Action in progress.
    pub(super) got_on_at: Option<Timestamp>,
    /// Since when it has made progress again after people were called.
    pub(super) recovering_since: Option<Timestamp>,
    /// The cause of the call. Kept as history once nothing is owed.
    pub(super) stuck: Option<Stuck>,
    /// How often the bot called people.
    pub(super) count: u32,
    /// When the bot last called people.
    pub(super) called_at: Option<Timestamp>,
}

/// A Droplet is off and its operation makes no progress, so the bot called people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stuck {
    /// When the bot first called people about it.
    pub since: Timestamp,
    /// The obstacle; absent if DigitalOcean merely kept us waiting.
    pub why: Option<Failure>,
}

impl Calls {
    /// Calls people if a call is due.
    pub(super) fn judge(&mut self, now: Timestamp) {
        let idle_since = *self.got_on_at.get_or_insert(now);
        if now >= later(idle_since, CALL_AFTER) {
            self.call(None, now);
        }
        if self.stuck.is_some() && self.called_at.is_some_and(|called| now >= later(called, CALL_AGAIN)) {
            self.count_call(now);
        }
    }

    /// Records a failed attempt about which people are called.
    pub(super) fn call_for(&mut self, why: Option<Failure>, now: Timestamp) {
        match &mut self.stuck {
            Some(stuck) => stuck.why = why.or(stuck.why.take()),
            None => self.call(why, now),
        }
    }

    /// Calls people, unless they were already called about this standstill, or a moment ago.
    fn call(&mut self, why: Option<Failure>, now: Timestamp) {
        let is_too_soon = self.called_at.is_some_and(|called| now < later(called, CALL_PAUSE));
        if self.stuck.is_none() && !is_too_soon {
            self.stuck = Some(Stuck { since: now, why });
            self.count_call(now);
        }
    }

    fn count_call(&mut self, now: Timestamp) {
        self.count = self.count.saturating_add(1);
        self.called_at = Some(now);
        self.recovering_since = None;
    }

    /// Restarts the pause before the next call: a person who answers has read the last one.
    pub(super) fn keep_quiet(&mut self, at: Timestamp) {
        self.called_at = Some(at);
    }

    /// When the bot calls people next if there is no progress until then.
    fn next_call(&self) -> Option<Timestamp> {
        match (&self.stuck, self.got_on_at) {
            (Some(_), _) => self.called_at.map(|called| later(called, CALL_AGAIN)),
            (None, Some(last)) => {
                let earliest = self.called_at.map_or(Timestamp::MIN, |called| later(called, CALL_PAUSE));
                Some(later(last, CALL_AFTER).max(earliest))
            }
            (None, None) => None,
        }
    }

    pub(super) fn restart(&mut self, now: Timestamp) {
        for moment in [&mut self.got_on_at, &mut self.recovering_since, &mut self.called_at] {
            *moment = moment.map(|moment| moment.min(now));
        }
    }
}

impl Power {
    /// Records that the operation made progress. After enough of that, the call for help is over.
    pub(in crate::operation) fn get_on(&mut self, now: Timestamp) {
        let is_owed = self.owed().is_some();
        let calls = &mut self.calls;
        let is_new_streak = calls.got_on_at.is_none_or(|last| now > later(last, EVIDENCE_LASTS));
        calls.got_on_at = Some(now);
        if calls.stuck.is_none() || !is_owed {
            calls.recovering_since = None;
            return;
        }
        let since = if is_new_streak { now } else { calls.recovering_since.unwrap_or(now) };
        calls.recovering_since = Some(since);
        if now >= later(since, GOT_ON_FOR) {
            calls.stuck = None;
            calls.recovering_since = None;
        }
    }

    /// The next moment at which the bot calls people, or calls them again.
    pub(in crate::operation) fn call_at(&self) -> Option<Timestamp> {
        if self.is_owed() { self.calls.next_call() } else { None }
    }

    /// How often the bot called people.
    pub fn calls(&self) -> u32 {
        // A row written before calls were counted has one call if it is stuck.
        self.calls.count.max(u32::from(self.calls.stuck.is_some()))
    }

    /// What people were last called about, even if nothing is owed now.
    pub fn last_call(&self) -> Option<&Stuck> {
        self.calls.stuck.as_ref()
    }

    /// Whether people are being called about the Droplet now: it is off, or may be, and its operation makes no progress.
    pub fn is_called_about(&self) -> bool {
        self.is_owed() && self.calls.stuck.is_some()
    }

    /// What people were called about, while that obstacle remains.
    pub fn stuck(&self) -> Option<&Stuck> {
        self.calls.stuck.as_ref().filter(|_| self.owed().is_some())
    }
}

#[cfg(test)]
impl Power {
    /// When the operation that owes power was last seen to make progress.
    pub(in crate::operation) fn got_on_at(&self) -> Option<Timestamp> {
        self.calls.got_on_at
    }
}
