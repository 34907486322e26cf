//! The buttons of an operation that runs or whose Droplet still has to be turned on, and the right that each needs.

use crate::{
    access::Right,
    operation::{Wish, ids::UserId},
};

/// A button of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// *Cancel*.
    Cancel,
    /// *Force power off*.
    Force,
    /// *Take it live*, or under a restore *Go on live*.
    Live,
    /// *Leave it off*.
    LeaveOff,
    /// *I'll handle it*.
    HandleIt,
    /// *Keep waiting*.
    KeepWaiting,
    /// *Turn it on as soon as possible*.
    TurnOn,
    /// *Postpone 10 min*.
    Postpone,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Cancel,
        Self::Force,
        Self::Live,
        Self::LeaveOff,
        Self::HandleIt,
        Self::KeepWaiting,
        Self::TurnOn,
        Self::Postpone,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Force => "force",
            Self::Live => "live",
            Self::LeaveOff => "leave",
            Self::HandleIt => "handle",
            Self::KeepWaiting => "wait",
            Self::TurnOn => "on",
            Self::Postpone => "postpone",
        }
    }

    /// The right that a person needs to press it, for an operation that `asker` requested. To keep a Droplet off takes it away from
    /// everybody, so that needs the greatest right, from the asker too.
    pub fn right(self, asker: UserId, person: UserId) -> Right {
        match self {
            Self::LeaveOff | Self::HandleIt => Right::Restore,
            Self::KeepWaiting | Self::TurnOn | Self::Postpone => Right::Take,
            Self::Cancel | Self::Force | Self::Live => Right::over(asker, person),
        }
    }

    /// The wish that this button sends to the operation.
    pub fn wish(self) -> Wish {
        match self {
            Self::Cancel => Wish::Cancel,
            Self::Force => Wish::Force,
            Self::Live => Wish::Live,
            Self::LeaveOff => Wish::LeaveOff,
            Self::HandleIt => Wish::HandleIt,
            Self::KeepWaiting => Wish::KeepWaiting,
            Self::TurnOn => Wish::TurnOn,
            Self::Postpone => Wish::Postpone,
        }
    }
}
