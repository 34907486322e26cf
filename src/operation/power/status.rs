//! What everybody else reads of power: how the Droplet stands, in one word.

use jiff::{SignedDuration, Timestamp};

use super::{Duty, Power, Release, Theirs, calls::Stuck};
use crate::operation::reading::PowerState;

/// How a Droplet stands with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status<'a> {
    /// It was on when we first looked, or nobody looked yet, and it has not gone off because of us.
    Untouched,
    /// It was off when we first looked, so it is not turned on.
    OffBefore,
    /// It is off because of us, or may be.
    Owed,
    /// It is off because of us, and people were called because that does not end.
    Stuck(&'a Stuck),
    /// It is on, and what we sent may still turn it off until this moment.
    Watched(Option<Timestamp>),
    /// It was off because of us and is on again after so long: from the intent to turn it off, so rather too long than too short.
    Back(SignedDuration),
    /// Somebody else turned it off after us.
    Theirs(&'a Theirs),
    /// A person took it over.
    Released(&'a Release),
    /// It does not exist any more.
    Gone,
}

impl Power {
    /// How the Droplet stands.
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

    /// How long the Droplet was down, once it was back: from the intent to turn it off, so rather too long than too short.
    pub fn downtime(&self) -> Option<SignedDuration> {
        Some(self.history.came_back?.duration_since(self.history.went_off?))
    }

    /// Whether a command that may turn the Droplet off was sent, or was about to be, and is not known not to have been carried out.
    pub fn was_told_to_turn_off(&self) -> bool {
        self.history.went_off.is_some()
    }

    /// When the Droplet was seen active again after it was off.
    pub fn came_back(&self) -> Option<Timestamp> {
        self.history.came_back
    }

    /// How the Droplet was seen right after a restore.
    pub fn after(&self) -> Option<PowerState> {
        self.history.after
    }

    /// When a late off was made good after the operation had ended.
    pub fn repaired(&self) -> Option<Timestamp> {
        self.history.repaired
    }

    /// When a person took it over.
    pub fn released_at(&self) -> Option<Timestamp> {
        match &self.duty {
            Duty::Released(release) => Some(release.at),
            Duty::Nothing | Duty::Owed(_) | Duty::Watched(_) | Duty::Theirs(_) | Duty::Gone => None,
        }
    }
}
