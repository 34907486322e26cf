//! The warning before a Droplet goes down: its readers have time to finish, or to ask for more.
//!
//! It is called for once a look has shown the Droplet on, so nobody is warned of what is off or stays on. Its time begins when people can
//! read it; until then, and for as long as it lasts, nothing is sent, and the look before the shutdown is a new one.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Focus, Operation,
    backoff::later,
    ids::ChannelId,
    power::Status,
    reading::Failure,
    step::{State, Step, Task},
};

/// How much time one press on *Postpone* gives.
pub const POSTPONED_BY: SignedDuration = SignedDuration::from_mins(10);
/// How often it can be pressed.
const MOST_TIMES: u8 = 3;
/// So much is left at least when a process takes the operation up again: what people read meanwhile may have been nothing.
const LEFT_AFTER_RESTART: SignedDuration = SignedDuration::from_mins(1);
/// How long it is tried to post the warning before the operation is too old to begin.
const LONGEST_UNREAD: SignedDuration = SignedDuration::from_hours(1);

/// A warning that somebody asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warn {
    /// The channel that hears it.
    pub channel: ChannelId,
    /// How long people have from when they can read it: 1 to 60 minutes.
    pub minutes: u8,
}

/// A warning, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What was asked for.
    pub warn: Warn,
    /// Since when it is to be posted; absent until the Droplet was seen on.
    #[serde(default)]
    pub due: Option<Timestamp>,
    /// Until when the shutdown waits, as people were told; absent until they can read the warning.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// The same because of a restart. It makes the operation no younger.
    #[serde(default)]
    pub restarted: Option<Timestamp>,
    /// How often somebody asked for more time.
    #[serde(default)]
    pub postponed: u8,
}

/// How a Droplet stands that people were warned about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warned {
    /// It is on and goes down then.
    Ahead {
        /// When; absent until people can read it.
        at: Option<Timestamp>,
        /// Whether it can be postponed once more.
        may_be_postponed: bool,
    },
    /// It was told to shut down at this moment, and is still on by all we know.
    ShuttingDown(Timestamp),
    /// It is down, since this moment.
    Down(Timestamp),
    /// It is on again after so long.
    Back(SignedDuration),
    /// It is off, and not ours to turn on.
    LeftOff,
    /// It does not exist any more.
    Gone,
    /// It stayed on.
    CalledOff,
}

impl Warning {
    /// A warning of which nobody has read yet.
    pub(super) fn new(warn: Warn) -> Self {
        Self { warn, due: None, until: None, restarted: None, postponed: 0 }
    }

    fn time(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.warn.minutes))
    }

    /// When the Droplet goes down; absent until people can read it.
    pub fn begins(&self) -> Option<Timestamp> {
        self.until.map(|until| self.restarted.map_or(until, |restarted| restarted.max(until)))
    }

    /// No moment lies further ahead than was promised, since the clock may have been set, and some time is left in any case.
    fn restart(&mut self, now: Timestamp) {
        let longest = self.time() + POSTPONED_BY * i32::from(self.postponed);
        self.due = self.due.map(|due| due.min(now));
        self.until = self.until.map(|until| until.min(later(now, longest)));
        self.restarted = Some(later(now, LEFT_AFTER_RESTART));
    }
}

impl Operation {
    /// How the Droplet stands, once people are to be warned.
    pub fn warned(&self) -> Option<Warned> {
        let warning = self.warning.filter(|warning| warning.due.is_some())?;
        let power = &self.power;
        Some(match power.status() {
            Status::Gone => Warned::Gone,
            _ if self.shutdown_is_ahead() => {
                Warned::Ahead { at: warning.begins(), may_be_postponed: warning.postponed < MOST_TIMES }
            }
            Status::Released(_) | Status::Theirs(_) | Status::OffBefore => Warned::LeftOff,
            Status::Back(downtime) => Warned::Back(downtime),
            Status::Owed | Status::Stuck(_) => match power.owed() {
                Some(owed) if power.was_seen_off() => Warned::Down(owed.since),
                Some(owed) => Warned::ShuttingDown(owed.since),
                None => Warned::CalledOff,
            },
            Status::Watched(_) => power.downtime().map_or(Warned::CalledOff, Warned::Back),
            Status::Untouched => Warned::CalledOff,
        })
    }

    /// Whether *Postpone* still means something.
    pub fn may_be_postponed(&self) -> bool {
        self.cancelled.is_none() && matches!(self.warned(), Some(Warned::Ahead { may_be_postponed: true, .. }))
    }

    fn shutdown_is_ahead(&self) -> bool {
        let is_ahead = |step: &Step| {
            step.task() == Task::ShutDown && step.began.is_none() && matches!(step.state, State::Waiting(_))
        };
        self.current().is_some_and(is_ahead)
    }

    /// The Droplet was seen on right before it would be shut down: people are to be warned.
    pub(super) fn call_for_warning(&mut self, now: Timestamp) {
        if let Some(warning) = self.warning.as_mut().filter(|warning| warning.due.is_none()) {
            warning.due = Some(now);
            // Whatever was in the way is out of it.
            self.obstacle = None;
        }
    }

    /// Until when the shutdown waits for the sake of the warning; none once it may begin, or where an older operation's has come late.
    pub(super) fn held_by_warning(&self, now: Timestamp) -> Option<Timestamp> {
        let warning = self.warning.filter(|_| self.shutdown_is_ahead() && !self.may_be_off_by_inheritance())?;
        let until = warning.begins().unwrap_or(later(warning.due?, LONGEST_UNREAD));
        (now < until).then_some(until)
    }

    /// Since when the shutdown could begin, as far as the warning goes.
    pub(super) fn free_of_warning(&self) -> Option<Timestamp> {
        let warning = self.warning?;
        warning.until.or(warning.due)
    }

    /// People can read it now.
    pub(super) fn warning_shown(&mut self, at: Timestamp) {
        if let Some(warning) = self.warning.as_mut().filter(|warning| warning.due.is_some()) {
            let until = later(at, warning.time());
            warning.until.get_or_insert(until);
        }
    }

    /// Nobody can be warned where it was wanted, so the Droplet stays on.
    pub(super) fn warning_refused(&mut self, at: Timestamp) {
        let index = self.steps.iter().position(|step| !step.is_over());
        let is_unread = self.warning.is_some_and(|warning| warning.due.is_some() && warning.until.is_none());
        if let (true, true, Some(index)) = (is_unread, self.shutdown_is_ahead(), index) {
            self.fail_step(Focus::Forward(index), Failure::NotWarned, at);
        }
    }

    /// Somebody needs more time.
    pub(super) fn postpone(&mut self, at: Timestamp) {
        if !self.may_be_postponed() {
            return;
        }
        if let Some(warning) = &mut self.warning {
            warning.postponed = warning.postponed.saturating_add(1);
            warning.until = warning.begins().map(|begins| later(begins.max(at), POSTPONED_BY));
        }
    }

    pub(super) fn restart_warning(&mut self, now: Timestamp) {
        let is_ahead = self.shutdown_is_ahead();
        if let Some(warning) = self.warning.as_mut().filter(|_| is_ahead) {
            warning.restart(now);
        }
    }
}
