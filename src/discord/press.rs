//! What a button means: an act and an operation, written into its `custom_id`, so that a press works after a restart.
//!
//! A `custom_id` comes back from the client and may be anything: it is parsed strictly and proves nothing.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

use crate::operation::{Wish, ids::OperationId};

/// A button of an operation's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Press {
    /// What is wished for.
    pub act: Act,
    /// Of which operation.
    pub operation: OperationId,
}

/// What can be pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// *Cancel*.
    Cancel,
    /// *Force power off*.
    Force,
    /// *Take it live*.
    Live,
    /// *Leave it off*.
    LeaveOff,
    /// *I'll handle it*.
    HandleIt,
}

impl Act {
    const ALL: [Self; 5] = [Self::Cancel, Self::Force, Self::Live, Self::LeaveOff, Self::HandleIt];

    fn word(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Force => "force",
            Self::Live => "live",
            Self::LeaveOff => "leave",
            Self::HandleIt => "handle",
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
        }
    }
}

impl fmt::Display for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.act.word(), self.operation)
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
        let (word, operation) = custom_id.split_once(':').ok_or(NotAPress)?;
        let act = Act::ALL.into_iter().find(|act| act.word() == word).ok_or(NotAPress)?;
        let operation = operation.parse().map_err(|_| NotAPress)?;
        Ok(Self { act, operation })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_press_survives_its_custom_id(random: u64, index in 0_usize..5) {
            let press = Press { act: Act::ALL[index], operation: OperationId::from_random(random) };
            let custom_id = press.to_string();
            prop_assert!((1..=100).contains(&custom_id.len()));
            prop_assert_eq!(custom_id.parse(), Ok(press));
        }

        #[test]
        fn any_other_text_is_refused_without_panic(custom_id: String) {
            if let Ok(press) = custom_id.parse::<Press>() {
                prop_assert_eq!(press.to_string(), custom_id);
            }
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
