//! What other rooms read about power: the Droplet's situation, in one value.

use jiff::{SignedDuration, Timestamp};

use super::{Duty, Power, Release, Theirs, calls::Stuck};
use crate::operation::reading::PowerState;

/// The situation of an operation's Droplet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status<'a> {
    /// It was on when we first looked, or nobody looked yet, and it has not gone off because of us.
    Untouched,
    /// It was off when we first looked, so it is not turned on.
    OffBefore,
    /// It is, or may be, off because of us.
    Owed,
    /// It is off because of us, and the bot called people because it stays off.
    Stuck(&'a Stuck),
    /// It is on, but a command of ours may still turn it off until this moment.
    Watched(Option<Timestamp>),
    /// It was off because of us and is on again after this long. The time counts from the intent to turn it off, so it is an upper bound.
    Back(SignedDuration),
    /// Somebody else turned it off after us.
    Theirs(&'a Theirs),
    /// A person took it over.
    Released(&'a Release),
    /// It no longer exists.
    Gone,
}

impl Power {
    /// The Droplet's situation.
    pub fn status(&self) -> Status<'_> {
        match &self.duty {
            Duty::Owed(_) | Duty::Watched(_) if self.stuck().is_some() => {
                self.stuck().map_or(Status::Owed, Status::Stuck)
            }
            Duty::Owed(_) => Status::Owed,
            Duty::Watched(owed) => Status::Watched(owed.late_until),
            Duty::Theirs(theirs) => Status::Theirs(theirs),
            Duty::Released(release) => Status::Released(release),
            Duty::Gone => Status::Gone,
            Duty::Nothing => match self.downtime() {
                Some(downtime) => Status::Back(downtime),
                None if self.before == Some(PowerState::Off) => Status::OffBefore,
                None => Status::Untouched,
            },
        }
    }

    /// How long the Droplet was down, once it is back. The time counts from the intent to turn it off, or from the last look after it that
    /// saw the Droplet on, so it is an upper bound.
    pub fn downtime(&self) -> Option<SignedDuration> {
        Some(self.history.came_back?.duration_since(self.history.went_off?))
    }

    /// Whether a command that may turn the Droplet off was sent, or was about to be, and may have been carried out.
    pub fn was_told_to_turn_off(&self) -> bool {
        self.history.went_off.is_some()
    }

    /// When the Droplet was seen active again after it was off.
    pub fn came_back(&self) -> Option<Timestamp> {
        self.history.came_back
    }

    /// The Droplet's power state right after a restore.
    pub fn after(&self) -> Option<PowerState> {
        self.history.after
    }

    /// When a late off was repaired after the operation had ended.
    pub fn repaired(&self) -> Option<Timestamp> {
        self.history.repaired
    }

    /// When a person took over the duty.
    pub fn released_at(&self) -> Option<Timestamp> {
        match &self.duty {
            Duty::Released(release) => Some(release.at),
            Duty::Nothing | Duty::Owed(_) | Duty::Watched(_) | Duty::Theirs(_) | Duty::Gone => None,
        }
    }
}
