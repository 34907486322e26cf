//! When people are called because a Droplet stays off: ten minutes without getting on, or an obstacle that only they can remove.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Power;
use crate::operation::{backoff::later, reading::Failure};

/// How long a Droplet may be off without the operation getting on, before people are called.
pub(super) const CALL_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// People who were called are not called again before the operation got on for so long.
const GOT_ON_FOR: SignedDuration = SignedDuration::from_mins(5);
/// Calls of one operation are at least this far apart.
const CALL_PAUSE: SignedDuration = SignedDuration::from_mins(30);
/// While it does not get on at all, people are called again after so long.
const CALL_AGAIN: SignedDuration = SignedDuration::from_hours(6);
/// Evidence of getting on counts for so long.
const EVIDENCE_LASTS: SignedDuration = SignedDuration::from_mins(2);

const _: () = assert!(GOT_ON_FOR.as_secs() < CALL_AFTER.as_secs() && CALL_AFTER.as_secs() < CALL_PAUSE.as_secs());

/// Whether an operation that owes power gets on, and how often people were called because it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Calls {
    /// When the operation was last seen to get on while it owes: the Droplet was seen on, or our own Action in progress.
    pub(super) got_on_at: Option<Timestamp>,
    /// Since when it gets on again after people were called.
    pub(super) recovering_since: Option<Timestamp>,
    /// What people were called for. Kept as history once nothing is owed any more.
    pub(super) stuck: Option<Stuck>,
    /// How often people were called.
    pub(super) count: u32,
    /// When they were called last.
    pub(super) called_at: Option<Timestamp>,
}

/// A Droplet is off and its operation does not get on: people were called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stuck {
    /// Since when people know.
    pub since: Timestamp,
    /// What stands in the way; absent where DigitalOcean only kept us waiting.
    pub why: Option<Failure>,
}

impl Calls {
    /// Calls people who are due to be called.
    pub(super) fn judge(&mut self, now: Timestamp) {
        let idle_since = *self.got_on_at.get_or_insert(now);
        if now >= later(idle_since, CALL_AFTER) {
            self.call(None, now);
        }
        if self.stuck.is_some() && self.called_at.is_some_and(|called| now >= later(called, CALL_AGAIN)) {
            self.count_call(now);
        }
    }

    /// An attempt failed in a way for which people are called.
    pub(super) fn call_for(&mut self, why: Option<Failure>, now: Timestamp) {
        match &mut self.stuck {
            Some(stuck) => stuck.why = why.or(stuck.why.take()),
            None => self.call(why, now),
        }
    }

    /// Calls people, unless they were called for this already, or a moment ago.
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

    /// Anyone who answers a call has heard it: the next one has its whole pause again.
    pub(super) fn keep_quiet(&mut self, at: Timestamp) {
        self.called_at = Some(at);
    }

    /// When people are called next if nothing gets on until then.
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
    /// The operation was seen to get on. After enough of that, the call for help is over.
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

    /// The next moment at which people are called, or called again.
    pub(in crate::operation) fn call_at(&self) -> Option<Timestamp> {
        if self.is_owed() { self.calls.next_call() } else { None }
    }

    /// How often people were called.
    pub fn calls(&self) -> u32 {
        // A row from before calls were counted has its one call.
        self.calls.count.max(u32::from(self.calls.stuck.is_some()))
    }

    /// What people were last called for, also where nothing is owed any more.
    pub fn last_call(&self) -> Option<&Stuck> {
        self.calls.stuck.as_ref()
    }

    /// Whether people are called about the Droplet now: it is off, or may be, and its operation does not get on.
    pub fn is_called_about(&self) -> bool {
        self.is_owed() && self.calls.stuck.is_some()
    }

    /// What people were called for and what still stands in the way.
    pub fn stuck(&self) -> Option<&Stuck> {
        self.calls.stuck.as_ref().filter(|_| self.owed().is_some())
    }
}

#[cfg(test)]
impl Power {
    /// When the operation was last seen to get on while it owes.
    pub(in crate::operation) fn got_on_at(&self) -> Option<Timestamp> {
        self.calls.got_on_at
    }
}
