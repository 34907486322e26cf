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
    /// Since when the Droplet should be turned on and was not yet seen on.
    #[serde(default)]
    pub due_since: Option<Timestamp>,
    /// Power could not be brought back; people were told, and we try on while it is owed. Kept as history after that.
    pub stuck: Option<Stuck>,
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
            due_since: None,
            stuck: None,
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
    pub(super) fn see_off(&mut self) {
        if self.owed.is_some() {
            self.seen_off = true;
            self.parked = false;
        }
        if let Some(owed) = &mut self.owed {
            (owed.late_until, owed.earlier_until) = (None, None);
        }
    }

    /// The Droplet was seen off while the answer to our own off is lost: that command may still be carried out, and turn the
    /// Droplet off once more.
    pub(super) fn see_off_in_doubt(&mut self, lost_until: Timestamp) {
        self.see_off();
        if let Some(owed) = &mut self.owed {
            owed.late_until = Some(lost_until);
        }
    }

    /// The Droplet was seen active: pays the debt, unless a late off is still possible.
    pub(super) fn see_on(&mut self, now: Timestamp, ended: bool) {
        let Some(owed) = self.owed else { return };
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
        let hopeless = matches!(why, Some(Failure::Unauthorized | Failure::Forbidden { .. }));
        // It was last seen on, and what may still turn it off has time left: nobody is called for that.
        let is_watched = self.parked && self.owed.is_some_and(|owed| owed.late_until.is_some_and(|until| now < until));
        if self.stuck.is_none() && !is_watched && (hopeless || self.failures >= 2) {
            self.stuck = Some(Stuck { since: now, why });
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
