//! What people are told about a schedule in a message of its own, as plain facts. Words are found for it elsewhere.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::operation::ids::{OperationId, RunId};

/// Something that is said once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// No Snapshot came of a run.
    Failed {
        /// When it was planned.
        planned: Timestamp,
        /// The operation that knows why.
        operation: OperationId,
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
}
