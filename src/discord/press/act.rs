//! The buttons of an operation that runs or whose Droplet still has to be turned on, and the right that each needs.

use crate::{
    access::Right,
    operation::{Instruction, ids::UserId},
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

    /// The right that a person needs to press it, for an operation that `requester` requested. To keep a Droplet off takes it away from
    /// everybody, so that needs the greatest right, from the requester too.
    pub fn right(self, requester: UserId, person: UserId) -> Right {
        match self {
            Self::LeaveOff | Self::HandleIt => Right::Restore,
            Self::KeepWaiting | Self::TurnOn | Self::Postpone => Right::Take,
            Self::Cancel | Self::Force | Self::Live => Right::over(requester, person),
        }
    }

    /// The instruction that this button sends to the operation.
    pub fn instruction(self) -> Instruction {
        match self {
            Self::Cancel => Instruction::Cancel,
            Self::Force => Instruction::Force,
            Self::Live => Instruction::Live,
            Self::LeaveOff => Instruction::LeaveOff,
            Self::HandleIt => Instruction::HandleIt,
            Self::KeepWaiting => Instruction::KeepWaiting,
            Self::TurnOn => Instruction::TurnOn,
            Self::Postpone => Instruction::Postpone,
        }
    }
}
