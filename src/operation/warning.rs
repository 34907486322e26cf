//! The warning before a Droplet goes down, which gives its readers time to finish or to ask for more.
//!
//! It is due once a look has shown the Droplet on, so nobody is warned about a Droplet that is off or stays on. Its time begins when people
//! can read it. Until that time is over nothing is sent, and a new look precedes the shutdown.

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

/// How much time one press on *Postpone* adds.
pub const POSTPONED_BY: SignedDuration = SignedDuration::from_mins(10);
/// How often *Postpone* can be pressed.
const MOST_TIMES: u8 = 3;
/// The least time that is left when a process takes up the operation again: people may have been able to read nothing meanwhile.
const LEFT_AFTER_RESTART: SignedDuration = SignedDuration::from_mins(1);
/// How long the bot tries to post the warning before the operation is too old to begin.
const LONGEST_UNREAD: SignedDuration = SignedDuration::from_hours(1);

/// A warning that the requester requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warn {
    /// The channel to warn.
    pub channel: ChannelId,
    /// How long people have once they can read it: 1 to 60 minutes.
    pub minutes: u8,
}

/// A warning and its progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What the requester requested.
    pub warn: Warn,
    /// Since when it is due; absent until the Droplet was seen on.
    #[serde(default)]
    pub due: Option<Timestamp>,
    /// Until when the shutdown waits, as people were told; absent until they can read the warning.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Until when the shutdown waits because of a restart. It does not extend the age at which the operation is too old to begin.
    #[serde(default)]
    pub restarted: Option<Timestamp>,
    /// How often somebody asked for more time.
    #[serde(default)]
    pub postponed: u8,
}

/// The situation of a Droplet about which people were warned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warned {
    /// It is on, and goes down at the given time.
    Ahead {
        /// When it goes down; absent until people can read the warning.
        at: Option<Timestamp>,
        /// Whether it can be postponed once more.
        may_be_postponed: bool,
    },
    /// It was told to shut down at this moment, and as far as is known is still on.
    ShuttingDown(Timestamp),
    /// It has been down since this moment.
    Down(Timestamp),
    /// It is on again after this long.
    Back(SignedDuration),
    /// It is off, and not ours to turn on.
    LeftOff,
    /// It no longer exists.
    Gone,
    /// It stayed on after all.
    CalledOff,
}

impl Warn {
    /// How long people have once they can read it.
    pub fn time(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.minutes))
    }
}

impl Warning {
    /// A warning that nobody can read yet.
    pub(super) fn new(warn: Warn) -> Self {
        Self { warn, due: None, until: None, restarted: None, postponed: 0 }
    }

    fn time(&self) -> SignedDuration {
        self.warn.time()
    }

    /// When the Droplet goes down; absent until people can read it.
    pub fn begins(&self) -> Option<Timestamp> {
        self.until.map(|until| self.restarted.map_or(until, |restarted| restarted.max(until)))
    }

    /// Limits the remaining time to what was promised, since the clock may have been set, but always leaves some.
    fn restart(&mut self, now: Timestamp) {
        let longest = self.time() + POSTPONED_BY * i32::from(self.postponed);
        self.due = self.due.map(|due| due.min(now));
        self.until = self.until.map(|until| until.min(later(now, longest)));
        self.restarted = Some(later(now, LEFT_AFTER_RESTART));
    }
}

impl Operation {
    /// The Droplet's situation, once people are to be warned.
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

    /// Whether *Postpone* still has an effect.
    pub fn may_be_postponed(&self) -> bool {
        self.cancelled.is_none() && matches!(self.warned(), Some(Warned::Ahead { may_be_postponed: true, .. }))
    }

    fn shutdown_is_ahead(&self) -> bool {
        let is_ahead = |step: &Step| {
            step.task() == Task::ShutDown && step.began.is_none() && matches!(step.state, State::Waiting(_))
        };
        self.current().is_some_and(is_ahead)
    }

    /// Makes the warning due: the Droplet was seen on right before it would be shut down.
    pub(super) fn call_for_warning(&mut self, now: Timestamp) {
        if let Some(warning) = self.warning.as_mut().filter(|warning| warning.due.is_none()) {
            warning.due = Some(now);
            // Whatever was in the way is gone.
            self.obstacle = None;
        }
    }

    /// Until when the warning holds back the shutdown; `None` once it may begin, or if an older operation's off has landed late.
    pub(super) fn held_by_warning(&self, now: Timestamp) -> Option<Timestamp> {
        let warning = self.warning.filter(|_| self.shutdown_is_ahead() && !self.may_be_off_by_inheritance())?;
        let until = warning.begins().unwrap_or(later(warning.due?, LONGEST_UNREAD));
        (now < until).then_some(until)
    }

    /// Since when the shutdown could have begun as far as the warning is concerned.
    pub(super) fn free_of_warning(&self) -> Option<Timestamp> {
        let warning = self.warning?;
        warning.until.or(warning.due)
    }

    /// Records that people can read the warning.
    pub(super) fn warning_shown(&mut self, at: Timestamp) {
        if let Some(warning) = self.warning.as_mut().filter(|warning| warning.due.is_some()) {
            let until = later(at, warning.time());
            warning.until.get_or_insert(until);
        }
    }

    /// Keeps the Droplet on, because nobody can be warned in the chosen channel.
    pub(super) fn warning_refused(&mut self, at: Timestamp) {
        let index = self.steps.iter().position(|step| !step.is_over());
        let is_unread = self.warning.is_some_and(|warning| warning.due.is_some() && warning.until.is_none());
        if let (true, true, Some(index)) = (is_unread, self.shutdown_is_ahead(), index) {
            self.fail_step(Focus::Forward(index), Failure::NotWarned, at);
        }
    }

    /// Gives people more time, if somebody may still ask for it.
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
