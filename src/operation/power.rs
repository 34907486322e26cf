//! What an operation owes a Droplet: to be on again.
//!
//! Power back only ever turns on. The debt is written in the transaction of the intent that may turn the Droplet off, and only
//! three things end it: the Droplet was seen active, the Droplet does not exist any more, or a person said so.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    ids::UserId,
    pace::later,
    reading::{Failure, PowerState},
    step::{Checks, State, Step, Task},
};

/// How long after its intent a shutdown may still take effect, although the Droplet reads `active`: a guest may sit on the
/// request, and DigitalOcean's `completed` says only that it was delivered.
pub const LATE_OFF: SignedDuration = SignedDuration::from_mins(15);
/// How long a Droplet may be off without the operation getting on, before people are called.
const CALL_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// People who were called are not called again before the operation got on for so long.
const GOT_ON_FOR: SignedDuration = SignedDuration::from_mins(5);
/// Calls of one operation are at least this far apart.
const CALL_PAUSE: SignedDuration = SignedDuration::from_mins(30);
/// While it does not get on at all, people are called again after so long.
const CALL_AGAIN: SignedDuration = SignedDuration::from_hours(6);
/// Evidence of getting on counts for so long.
const EVIDENCE_LASTS: SignedDuration = SignedDuration::from_mins(2);
/// A Droplet that could not be looked at for so long is turned on without a look.
const BLIND_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// The same while our own restore was last seen in progress: it overwrites the disk.
const BLIND_AFTER_IN_RESTORE: SignedDuration = SignedDuration::from_mins(30);
/// So many looks must have been tried and failed before that.
const BLIND_LOOKS: u32 = 4;
/// Between two attempts to turn a Droplet on without a look.
const BLIND_PAUSE: SignedDuration = SignedDuration::from_mins(10);

const _: () = assert!(GOT_ON_FOR.as_secs() < CALL_AFTER.as_secs() && CALL_AFTER.as_secs() < CALL_PAUSE.as_secs());
const _: () = assert!(BLIND_AFTER.as_secs() < CALL_AFTER.as_secs(), "the cure is tried before people are called");

/// The power side of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Power {
    /// How the Droplet was when we first looked.
    pub before: Option<PowerState>,
    /// The debt, from the first intent that may turn the Droplet off.
    pub owed: Option<Owed>,
    /// The step that pays it.
    pub back: Step,
    /// The Droplet was seen off while we owed.
    pub seen_off: bool,
    /// The Droplet was seen active while a late off is still possible: the operation may end, the debt stays.
    pub parked: bool,
    /// When the operation was last seen to get on while it owes: the Droplet was seen on, or our own Action in progress.
    #[serde(default)]
    pub got_on_at: Option<Timestamp>,
    /// Since when it gets on again after people were called.
    #[serde(default)]
    pub recovering_since: Option<Timestamp>,
    /// The Droplet is off and the operation does not get on; people were called, and we try on while power is owed. Kept as
    /// history after that.
    pub stuck: Option<Stuck>,
    /// How often people were called.
    #[serde(default)]
    pub calls: u32,
    /// When they were called last.
    #[serde(default)]
    pub called_at: Option<Timestamp>,
    /// Looks in a row that were tried and brought no reading, while we owe.
    #[serde(default)]
    pub unseen: Option<Unseen>,
    /// Since when the Droplet is to be turned on without a look.
    #[serde(default)]
    pub blind: Option<Timestamp>,
    /// When it was last turned on without a look.
    #[serde(default)]
    pub blind_at: Option<Timestamp>,
    /// When this operation first intended to turn the Droplet on. Nothing that needs it off is sent after that.
    #[serde(default)]
    pub on_intended_at: Option<Timestamp>,
    /// Somebody else turned the Droplet off after us: it is theirs to turn on.
    #[serde(default)]
    pub theirs: Option<Theirs>,
    /// How the Droplet was seen last.
    #[serde(default)]
    pub last_seen: Option<PowerState>,
    /// Attempts at power back that failed, since it was last seen active.
    pub failures: u32,
    /// A person took the debt from us.
    pub released: Option<Release>,
    /// When the first intent to turn off was written.
    pub went_off: Option<Timestamp>,
    /// When the Droplet was seen active again after it was off.
    pub came_back: Option<Timestamp>,
    /// The Droplet was seen not to exist any more.
    #[serde(default)]
    pub gone: bool,
    /// How the Droplet was seen at the very end, where nothing is owed.
    pub after: Option<PowerState>,
    /// A late off was made good after the operation had ended.
    pub repaired: Option<Timestamp>,
}

/// Power that we owe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// Since which intent.
    pub since: Timestamp,
    /// Until when what we sent may still turn the Droplet off; absent once it is known to be over.
    pub late_until: Option<Timestamp>,
    /// The same for what was sent before the latest command: what remains should that one not have been carried out.
    #[serde(default)]
    pub earlier_until: Option<Timestamp>,
}

/// Looks in a row that brought no reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseen {
    /// When the first of them failed, by a clock that is never set.
    pub since: Timestamp,
    /// How many there were.
    pub looks: u32,
}

/// Somebody else turned the Droplet off after us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theirs {
    /// DigitalOcean's word for their Action, such as `power_off`.
    pub kind: String,
    /// When we learnt of it.
    pub at: Timestamp,
}

/// Power back does not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stuck {
    /// Since when people know.
    pub since: Timestamp,
    /// What stands in the way; absent where DigitalOcean only kept us waiting.
    pub why: Option<Failure>,
}

/// A person took the debt from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Who.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
    /// In which words.
    pub how: Released,
}

/// The words in which a person took the debt from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Released {
    /// *Leave it off*.
    LeftOff,
    /// *I'll handle it*.
    Handled,
}

impl Default for Power {
    fn default() -> Self {
        Self {
            before: None,
            owed: None,
            back: Step::new(Task::PowerOn),
            seen_off: false,
            parked: false,
            got_on_at: None,
            recovering_since: None,
            stuck: None,
            calls: 0,
            called_at: None,
            unseen: None,
            blind: None,
            blind_at: None,
            on_intended_at: None,
            theirs: None,
            last_seen: None,
            failures: 0,
            released: None,
            went_off: None,
            came_back: None,
            gone: false,
            after: None,
            repaired: None,
        }
    }
}

impl Power {
    /// A command that may turn the Droplet off is about to leave: from here on we owe, if the Droplet was on.
    pub(super) fn owe(&mut self, now: Timestamp) {
        if self.before != Some(PowerState::On) || self.released.is_some() {
            return;
        }
        self.went_off.get_or_insert(now);
        let since = self.owed.map_or(now, |owed| owed.since);
        let earlier_until = self.owed.and_then(|owed| owed.late_until);
        self.owed = Some(Owed { since, late_until: Some(later(now, LATE_OFF)), earlier_until });
        self.parked = false;
        self.get_on(now);
    }

    /// The operation was seen to get on. After enough of that, the call for help is over.
    pub(super) fn get_on(&mut self, now: Timestamp) {
        let is_new_streak = self.got_on_at.is_none_or(|last| now > later(last, EVIDENCE_LASTS));
        self.got_on_at = Some(now);
        if self.stuck.is_none() || self.owed.is_none() {
            self.recovering_since = None;
            return;
        }
        let since = if is_new_streak { now } else { self.recovering_since.unwrap_or(now) };
        self.recovering_since = Some(since);
        if now >= later(since, GOT_ON_FOR) {
            self.stuck = None;
            self.recovering_since = None;
        }
    }

    /// A command to turn the Droplet on is about to leave.
    pub(super) fn intend_on(&mut self, now: Timestamp) {
        self.on_intended_at.get_or_insert(now);
        if self.blind.take().is_some() {
            self.blind_at = Some(now);
        }
    }

    /// A process takes it up that has not had it before: looks that failed in another one count no more, and no moment lies ahead.
    pub(super) fn restart(&mut self, now: Timestamp) {
        (self.unseen, self.blind) = (None, None);
        for moment in [&mut self.got_on_at, &mut self.recovering_since, &mut self.called_at, &mut self.blind_at] {
            *moment = moment.map(|moment| moment.min(now));
        }
        for moment in [&mut self.went_off, &mut self.came_back, &mut self.on_intended_at] {
            *moment = moment.map(|moment| moment.min(now));
        }
        if let Some(owed) = &mut self.owed {
            owed.since = owed.since.min(now);
            for until in [&mut owed.late_until, &mut owed.earlier_until] {
                *until = until.map(|until| until.min(later(now, LATE_OFF)));
            }
        }
        if let Some(release) = &mut self.released {
            release.at = release.at.min(now);
        }
        self.back.restart(now);
    }

    /// A look brought a reading.
    pub(super) fn see(&mut self) {
        self.unseen = None;
        self.blind = None;
    }

    /// A look was tried and brought no reading.
    pub(super) fn miss(&mut self, now: Timestamp) {
        if self.is_owed() {
            let unseen = self.unseen.get_or_insert(Unseen { since: now, looks: 0 });
            unseen.looks = unseen.looks.saturating_add(1);
        }
    }

    /// Whether the Droplet may be off because of us and was not seen on since.
    pub fn is_owed(&self) -> bool {
        self.owed.is_some() && !self.parked
    }

    /// Draws the conclusions of time: people are called, and a Droplet that cannot be looked at is turned on all the same.
    pub(super) fn judge(&mut self, is_restoring: bool, now: Timestamp) {
        if !self.is_owed() {
            (self.unseen, self.blind) = (None, None);
            return;
        }
        let idle_since = *self.got_on_at.get_or_insert(now);
        if now >= later(idle_since, CALL_AFTER) {
            self.call(None, now);
        }
        if self.stuck.is_some() && self.called_at.is_some_and(|called| now >= later(called, CALL_AGAIN)) {
            self.count_call(now);
        }
        let longest = if is_restoring { BLIND_AFTER_IN_RESTORE } else { BLIND_AFTER };
        let is_unseen =
            self.unseen.is_some_and(|unseen| unseen.looks >= BLIND_LOOKS && now >= later(unseen.since, longest));
        let may_repeat = self.blind_at.is_none_or(|last| now >= later(last, BLIND_PAUSE));
        if is_unseen && may_repeat && self.blind.is_none() {
            self.blind = Some(now);
            self.back.state = State::Waiting(Checks::default());
        }
    }

    /// The next moment at which people are called, or called again.
    pub(super) fn call_at(&self) -> Option<Timestamp> {
        if !self.is_owed() {
            return None;
        }
        match (&self.stuck, self.got_on_at) {
            (Some(_), _) => self.called_at.map(|called| later(called, CALL_AGAIN)),
            (None, Some(last)) => {
                let earliest = self.called_at.map_or(Timestamp::MIN, |called| later(called, CALL_PAUSE));
                Some(later(last, CALL_AFTER).max(earliest))
            }
            (None, None) => None,
        }
    }

    /// Calls people, unless they have been called for this already, or a moment ago.
    fn call(&mut self, why: Option<Failure>, now: Timestamp) {
        let is_too_soon = self.called_at.is_some_and(|called| now < later(called, CALL_PAUSE));
        if self.stuck.is_none() && !is_too_soon {
            self.stuck = Some(Stuck { since: now, why });
            self.count_call(now);
        }
    }

    fn count_call(&mut self, now: Timestamp) {
        self.calls = self.calls.saturating_add(1);
        self.called_at = Some(now);
        self.recovering_since = None;
    }

    /// The Droplet is off, but not by us.
    pub(super) fn is_theirs(&mut self, theirs: Option<Theirs>) {
        self.owed = None;
        self.parked = false;
        self.before = Some(PowerState::Off);
        self.went_off = if theirs.is_some() { self.went_off } else { None };
        self.theirs = theirs;
        self.back.state = State::Skipped;
    }

    /// The latest command is known to be over, or never to have been: it cannot turn the Droplet off any more. What was sent before
    /// it still may.
    pub(super) fn settle(&mut self) {
        if let Some(owed) = &mut self.owed {
            owed.late_until = owed.earlier_until;
        }
    }

    /// The command to turn off was certainly not carried out. The debt stays until the Droplet is seen active, but the downtime
    /// has not begun.
    pub(super) fn withdraw(&mut self) {
        self.settle();
        if !self.seen_off {
            self.went_off = None;
        }
    }

    /// The Droplet was seen off while we owe: whatever was to turn it off has done so.
    pub(super) fn see_off(&mut self, now: Timestamp) {
        if self.owed.is_some() {
            if !self.seen_off || self.parked {
                self.get_on(now);
            }
            self.seen_off = true;
            self.parked = false;
        }
        if let Some(owed) = &mut self.owed {
            (owed.late_until, owed.earlier_until) = (None, None);
        }
    }

    /// The Droplet was seen off while the answer to our own off is lost: that command may still be carried out, and turn the
    /// Droplet off once more.
    pub(super) fn see_off_in_doubt(&mut self, lost_until: Timestamp, now: Timestamp) {
        self.see_off(now);
        if let Some(owed) = &mut self.owed {
            owed.late_until = Some(lost_until);
        }
    }

    /// The Droplet was seen active: pays the debt, unless a late off is still possible.
    pub(super) fn see_on(&mut self, now: Timestamp, ended: bool) {
        let Some(owed) = self.owed else { return };
        self.get_on(now);
        if owed.late_until.is_some_and(|until| now < until) {
            self.parked = true;
            return;
        }
        self.owed = None;
        self.parked = false;
        self.failures = 0;
        if self.seen_off {
            self.came_back = Some(now);
            self.repaired = ended.then_some(now);
        }
        let turned_on_by_us = matches!(self.back.state, State::Running(_) | State::Intended { .. });
        self.back.state = if turned_on_by_us { State::Done { at: now } } else { State::Skipped };
    }

    /// An attempt at power back failed: the next one begins from a new look.
    pub(super) fn fail(&mut self, why: Option<Failure>, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        self.back.state = State::Waiting(Checks::default());
        let hopeless = matches!(why, Some(Failure::Unauthorized | Failure::OtherAccount | Failure::Forbidden { .. }));
        // It was last seen on, and what may still turn it off has time left: nobody is called for that.
        let is_watched = self.parked && self.owed.is_some_and(|owed| owed.late_until.is_some_and(|until| now < until));
        if !is_watched && (hopeless || self.failures >= 2) {
            match &mut self.stuck {
                Some(stuck) => stuck.why = why.or(stuck.why.take()),
                None => self.call(why, now),
            }
        }
    }

    /// A person takes the debt from us.
    pub(super) fn release(&mut self, by: UserId, how: Released, at: Timestamp) {
        if self.owed.take().is_some() {
            self.released = Some(Release { by, at, how });
            self.parked = false;
            self.back.state = State::Skipped;
        }
    }

    /// How long the Droplet was down, once it is back: from the intent to turn it off, so rather too long than too short.
    pub fn downtime(&self) -> Option<SignedDuration> {
        Some(self.came_back?.duration_since(self.went_off?))
    }
}
