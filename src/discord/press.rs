//! What a button means, written into its `custom_id`, so that a press works after a restart.
//!
//! A `custom_id` comes back from the client and may be anything: it is parsed strictly and proves nothing.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

use crate::{
    access::Right,
    operation::{
        Wish,
        ids::{DropletId, OperationId, ScheduleId, SnapshotId, UserId},
    },
    store::ConfirmationId,
};

/// What a button is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// A wish about a running operation, or what it owes.
    Wish {
        /// What is wished for.
        act: Act,
        /// Of which operation.
        operation: OperationId,
    },
    /// *Keep waiting for all* that the call of this operation lists.
    KeepWaiting(OperationId),
    /// *Undo*: put back the safety Snapshot of this restore. Asks first.
    Undo(OperationId),
    /// Delete this Snapshot. Asks first.
    Delete(SnapshotId),
    /// Yes, do it.
    Confirm(ConfirmationId),
    /// No, leave it.
    Decline(ConfirmationId),
    /// Yes, to the review of a schedule.
    Schedule(ConfirmationId),
    /// *Keep…*: a schedule does not delete what was chosen of what it has announced.
    KeepAnnounced(ScheduleId),
    /// A schedule may delete what is announced, and rely on a Snapshot that is small.
    Approve(ScheduleId),
    /// *Take over* a schedule.
    TakeOver(ScheduleId),
    /// *Try again*: have a schedule take a Snapshot now. Asks first.
    TryAgain(ScheduleId),
    /// Show another page of the list of Snapshots.
    Page {
        /// Of one Droplet, or of all.
        of: Option<DropletId>,
        /// Counted from 1.
        number: u32,
    },
}

/// What can be pressed.
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
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Cancel, Self::Force, Self::Live, Self::LeaveOff, Self::HandleIt, Self::KeepWaiting, Self::TurnOn];

    fn word(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Force => "force",
            Self::Live => "live",
            Self::LeaveOff => "leave",
            Self::HandleIt => "handle",
            Self::KeepWaiting => "wait",
            Self::TurnOn => "on",
        }
    }

    /// What a person needs to press it, about an operation that `asker` asked for. Whoever keeps a Droplet off takes it away from
    /// everybody, so that takes the greatest right, also from the asker.
    pub fn right(self, asker: UserId, person: UserId) -> Right {
        match self {
            Self::LeaveOff | Self::HandleIt => Right::Restore,
            Self::KeepWaiting | Self::TurnOn => Right::Take,
            Self::Cancel | Self::Force | Self::Live => Right::over(asker, person),
        }
    }

    /// The wish that the operation hears.
    pub fn wish(self) -> Wish {
        match self {
            Self::Cancel => Wish::Cancel,
            Self::Force => Wish::Force,
            Self::Live => Wish::Live,
            Self::LeaveOff => Wish::LeaveOff,
            Self::HandleIt => Wish::HandleIt,
            Self::KeepWaiting => Wish::KeepWaiting,
            Self::TurnOn => Wish::TurnOn,
        }
    }
}

/// Stands for all Droplets in the id of a page.
const EVERY: &str = "all";

impl Press {
    /// What a person needs to press it. `asker` asked for the operation that it says something to, where it does.
    pub fn right(self, asker: Option<UserId>, person: UserId) -> Right {
        let asker = asker.unwrap_or(person);
        match self {
            Self::Wish { act, .. } => act.right(asker, person),
            Self::KeepWaiting(_) => Act::KeepWaiting.right(asker, person),
            // All of these overwrite or delete something, or let it be begun.
            Self::Undo(_)
            | Self::Delete(_)
            | Self::Confirm(_)
            | Self::Schedule(_)
            | Self::Approve(_)
            | Self::TakeOver(_)
            | Self::TryAgain(_) => Right::Restore,
            Self::KeepAnnounced(_) => Right::Take,
            Self::Decline(_) | Self::Page { .. } => Right::View,
        }
    }

    fn parse(word: &str, rest: &str) -> Option<Self> {
        Some(match word {
            "waitall" => Self::KeepWaiting(rest.parse().ok()?),
            "undo" => Self::Undo(rest.parse().ok()?),
            "delete" => Self::Delete(rest.parse().ok()?),
            "confirm" => Self::Confirm(rest.parse().ok()?),
            "decline" => Self::Decline(rest.parse().ok()?),
            "schedule" => Self::Schedule(rest.parse().ok()?),
            "keep" => Self::KeepAnnounced(rest.parse().ok()?),
            "approve" => Self::Approve(rest.parse().ok()?),
            "own" => Self::TakeOver(rest.parse().ok()?),
            "again" => Self::TryAgain(rest.parse().ok()?),
            "page" => {
                let (of, number) = rest.split_once(':')?;
                let of = if of == EVERY { None } else { Some(of.parse().ok()?) };
                Self::Page { of, number: number.parse().ok()? }
            }
            word => {
                let act = Act::ALL.into_iter().find(|act| act.word() == word)?;
                Self::Wish { act, operation: rest.parse().ok()? }
            }
        })
    }
}

impl fmt::Display for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wish { act, operation } => write!(f, "{}:{operation}", act.word()),
            Self::KeepWaiting(operation) => write!(f, "waitall:{operation}"),
            Self::Undo(operation) => write!(f, "undo:{operation}"),
            Self::Delete(snapshot) => write!(f, "delete:{snapshot}"),
            Self::Confirm(id) => write!(f, "confirm:{id}"),
            Self::Decline(id) => write!(f, "decline:{id}"),
            Self::Schedule(id) => write!(f, "schedule:{id}"),
            Self::KeepAnnounced(id) => write!(f, "keep:{id}"),
            Self::Approve(id) => write!(f, "approve:{id}"),
            Self::TakeOver(id) => write!(f, "own:{id}"),
            Self::TryAgain(id) => write!(f, "again:{id}"),
            Self::Page { of: Some(droplet), number } => write!(f, "page:{droplet}:{number}"),
            Self::Page { of: None, number } => write!(f, "page:{EVERY}:{number}"),
        }
    }
}

impl Serialize for Press {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The text is not the `custom_id` of a button of ours.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not the id of a button of ours")]
pub struct NotAPress;

impl FromStr for Press {
    type Err = NotAPress;

    fn from_str(custom_id: &str) -> Result<Self, Self::Err> {
        let (word, rest) = custom_id.split_once(':').ok_or(NotAPress)?;
        let press = Self::parse(word, rest).ok_or(NotAPress)?;
        // Numbers can be written in more than one way; ours are written in one.
        if press.to_string() == custom_id { Ok(press) } else { Err(NotAPress) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn presses() -> impl Strategy<Value = Press> {
        let operation = any::<u64>().prop_map(OperationId::from_random);
        let schedule = any::<u64>().prop_map(ScheduleId::from_random);
        let confirmation = any::<u64>().prop_map(|id| format!("{id:016x}").parse::<ConfirmationId>().unwrap());
        prop_oneof![
            (0_usize..5, operation.clone()).prop_map(|(act, operation)| Press::Wish { act: Act::ALL[act], operation }),
            operation.clone().prop_map(Press::KeepWaiting),
            operation.prop_map(Press::Undo),
            any::<u64>().prop_map(|id| Press::Delete(SnapshotId(id))),
            confirmation.clone().prop_map(Press::Confirm),
            confirmation.clone().prop_map(Press::Schedule),
            schedule.clone().prop_map(Press::KeepAnnounced),
            schedule.clone().prop_map(Press::Approve),
            schedule.clone().prop_map(Press::TakeOver),
            schedule.prop_map(Press::TryAgain),
            confirmation.prop_map(Press::Decline),
            (any::<Option<u64>>(), any::<u32>()).prop_map(|(of, number)| Press::Page { of: of.map(DropletId), number }),
        ]
    }

    proptest! {
        #[test]
        fn a_press_survives_its_custom_id(press in presses()) {
            let custom_id = press.to_string();
            prop_assert!((1..=100).contains(&custom_id.len()));
            prop_assert_eq!(custom_id.parse(), Ok(press));
        }

        #[test]
        fn what_is_almost_a_press_is_refused_without_panic(
            word in "(cancel|undo|delete|confirm|decline|page|all)", rest in "[+0-9a-f:all ]{0,24}"
        ) {
            let custom_id = format!("{word}:{rest}");
            if let Ok(press) = custom_id.parse::<Press>() {
                prop_assert_eq!(press.to_string(), custom_id);
            }
        }

        #[test]
        fn any_other_text_is_refused_without_panic(custom_id: String) {
            if let Ok(press) = custom_id.parse::<Press>() {
                prop_assert_eq!(press.to_string(), custom_id);
            }
        }
    }

    #[test]
    fn leaving_a_droplet_off_takes_the_restore_right_also_from_the_asker() {
        let (asker, other) = (UserId(1), UserId(2));
        for act in Act::ALL {
            let (own, others) = match act {
                Act::LeaveOff | Act::HandleIt => (Right::Restore, Right::Restore),
                // What brings a Droplet back sooner, or lets it be, takes nothing away from anybody.
                Act::KeepWaiting | Act::TurnOn => (Right::Take, Right::Take),
                Act::Cancel | Act::Force | Act::Live => (Right::Take, Right::Restore),
            };
            assert_eq!((act.right(asker, asker), act.right(asker, other)), (own, others), "{act:?}");
        }
    }

    #[test]
    fn what_overwrites_or_deletes_takes_the_restore_right_to_press() {
        let (asker, other, id) = (UserId(1), UserId(2), OperationId::from_random(7));
        assert_eq!(Press::Undo(id).right(None, other), Right::Restore);
        assert_eq!(Press::Delete(SnapshotId(5)).right(None, other), Right::Restore);
        assert_eq!(Press::Page { of: None, number: 1 }.right(None, other), Right::View);
        for act in Act::ALL {
            let press = Press::Wish { act, operation: id };
            assert_eq!(press.right(Some(asker), other), act.right(asker, other), "{act:?}");
        }
    }

    #[test]
    fn near_misses_are_refused() {
        for custom_id in
            ["", ":", "cancel", "cancel:", "cancel:7f3kq2xl", "Cancel:7f3kq2xa", "cancel:7f3kq2xa ", "x:7f3kq2xa"]
        {
            assert_eq!(custom_id.parse::<Press>(), Err(NotAPress), "{custom_id}");
        }
    }
}
