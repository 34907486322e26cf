//! What people are told about a schedule in a message of its own, as plain facts. Words are found for it elsewhere.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::operation::ids::{OperationId, RunId};

/// Something that is said once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// No Snapshot came of a run.
    Failed {
        /// When it was planned; of several that failed for one reason, the last.
        planned: Timestamp,
        /// The operation that knows why.
        operation: OperationId,
        /// Why, as a word that is the same for the same reason; empty in older rows.
        #[serde(default)]
        why: String,
        /// How many failed in a row for this reason.
        #[serde(default = "once")]
        count: u32,
    },
    /// A run of a group has ended, and not every Droplet has a good Snapshot.
    Group {
        /// The run that knows which.
        run: RunId,
        /// When it was planned, or begun.
        planned: Timestamp,
    },
    /// Runs could not begin in time.
    Missed {
        /// The first.
        first: Timestamp,
        /// The last.
        last: Timestamp,
        /// How many.
        count: u32,
        /// Because the bot did not run; else the Droplet was busy.
        was_away: bool,
    },
    /// There is no recent Snapshot; said once a day.
    Stale {
        /// Since when.
        since: Timestamp,
        /// When the newest good one was planned.
        newest: Option<Timestamp>,
    },
    /// The owner has left or lost the right; said once a day.
    OwnerLost {
        /// Since when that is known.
        since: Timestamp,
    },
    /// It has paused because nobody took it over.
    Unowned,
    /// A good Snapshot was taken after one or more failed.
    GoodAgain,
    /// Several shutdowns in a row hung: what should happen from now on?
    Hung {
        /// How many.
        count: u8,
    },
    /// The newest Snapshot is much smaller than the one before it.
    Doubtful {
        /// The operation that took it.
        operation: OperationId,
    },
    /// The address that is to hear of its runs could not be told for a day.
    Unheard {
        /// Its host.
        host: String,
        /// Since when.
        since: Timestamp,
    },
    /// It is paused, and its newest Snapshot grows old; said once a week.
    Paused {
        /// When that one was planned.
        newest: Option<Timestamp>,
    },
}

fn once() -> u32 {
    1
}

/// Notices that one message can tell together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Something went wrong.
    Trouble,
    /// Something is well again.
    Relief,
}

impl Notice {
    /// Whether `FAILURE_ROLE` is called.
    pub fn calls_role(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Group { .. } | Self::OwnerLost { .. } | Self::Unowned)
    }

    /// Whether the owner is called.
    pub fn calls_owner(&self) -> bool {
        !matches!(self, Self::GoodAgain | Self::Paused { .. } | Self::Unheard { .. })
    }

    /// What it is told together with; none for what needs a message of its own.
    pub fn family(&self) -> Option<Family> {
        match self {
            Self::Failed { .. }
            | Self::Group { .. }
            | Self::Missed { .. }
            | Self::Stale { .. }
            | Self::OwnerLost { .. }
            | Self::Unowned => Some(Family::Trouble),
            Self::GoodAgain => Some(Family::Relief),
            Self::Hung { .. } | Self::Doubtful { .. } | Self::Paused { .. } | Self::Unheard { .. } => None,
        }
    }

    /// The same after one more failure, if it is one more for this reason.
    pub fn repeated(&self, again: &Self) -> Option<Self> {
        let Self::Failed { why, count, .. } = self else { return None };
        match again {
            Self::Failed { planned, operation, why: why_again, .. } if why == why_again && !why.is_empty() => {
                let (planned, operation, why) = (*planned, *operation, why.clone());
                Some(Self::Failed { planned, operation, why, count: count.saturating_add(1) })
            }
            _ => None,
        }
    }
}
