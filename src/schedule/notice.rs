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
        /// Which Droplets have none, and why, as a word that is the same for the same; empty in older rows.
        #[serde(default)]
        why: String,
        /// How many runs in a row ended so.
        #[serde(default = "once")]
        count: u32,
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
        /// Because DigitalOcean did not answer.
        #[serde(default)]
        was_outage: bool,
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
    /// Its time zone is not known any more, so it runs by UTC.
    Zone {
        /// The zone's name.
        zone: String,
    },
    /// The next run has another time although nobody changed the schedule: this program knows other clocks than the one before it.
    Moved {
        /// When it was expected.
        was: Timestamp,
        /// When it is.
        is: Timestamp,
    },
    /// Its Droplet does not exist any more, so it has paused.
    Gone,
    /// A Snapshot that no rule wants could not be deleted.
    Undeleted {
        /// The operation that tried to.
        operation: OperationId,
        /// The Snapshot's name.
        name: String,
        /// Why, as a word that is the same for the same reason.
        why: String,
        /// How many tries in a row failed for this reason; more than one says that people know of the first.
        count: u32,
    },
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
        /// How many in a row are; more than one says that people know of the first.
        #[serde(default = "once")]
        count: u32,
    },
    /// DigitalOcean has not said for a day how large a Snapshot is.
    Unsized {
        /// The operation that took it.
        operation: OperationId,
        /// How many in a row; more than one says that people know of the first.
        #[serde(default = "once")]
        count: u32,
    },
    /// So many Snapshots would be deleted at once, or an edit does not want them: may they go? Asked once, and edited while it is open.
    Deletions {
        /// The number of the question.
        question: u32,
        /// How many Snapshots it asked about last.
        count: u32,
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
        matches!(
            self,
            Self::Failed { .. } | Self::Group { .. } | Self::Undeleted { .. } | Self::OwnerLost { .. } | Self::Unowned
        )
    }

    /// Whether the owner is called.
    pub fn calls_owner(&self) -> bool {
        !matches!(self, Self::GoodAgain | Self::Paused { .. } | Self::Unheard { .. } | Self::Moved { .. })
    }

    /// What it is told together with; none for what needs a message of its own.
    pub fn family(&self) -> Option<Family> {
        match self {
            Self::Failed { .. }
            | Self::Group { .. }
            | Self::Missed { .. }
            | Self::Stale { .. }
            | Self::OwnerLost { .. }
            | Self::Gone
            | Self::Undeleted { .. }
            | Self::Unowned => Some(Family::Trouble),
            Self::GoodAgain => Some(Family::Relief),
            Self::Hung { .. }
            | Self::Doubtful { .. }
            | Self::Unsized { .. }
            | Self::Deletions { .. }
            | Self::Paused { .. }
            | Self::Zone { .. }
            | Self::Moved { .. }
            | Self::Unheard { .. } => None,
        }
    }

    /// What the message of this notice says from now on, if another one needs no message of its own: one more failure for the same reason,
    /// one more Snapshot that cannot be relied on, or the same question about other Snapshots.
    pub fn repeated(&self, again: &Self) -> Option<Self> {
        match (self, again) {
            (Self::Failed { why: before, count, .. }, Self::Failed { planned, operation, why, .. })
                if before == why && !why.is_empty() =>
            {
                let (planned, operation, why) = (*planned, *operation, why.clone());
                Some(Self::Failed { planned, operation, why, count: count.saturating_add(1) })
            }
            (Self::Group { why: before, count, .. }, Self::Group { run, planned, why, .. })
                if before == why && !why.is_empty() =>
            {
                let (run, planned, why) = (*run, *planned, why.clone());
                Some(Self::Group { run, planned, why, count: count.saturating_add(1) })
            }
            (
                Self::Missed { first, count: before, was_away: away_before, was_outage: outage_before, .. },
                Self::Missed { last, count, was_away, was_outage, .. },
            ) if (away_before, outage_before) == (was_away, was_outage) => {
                let (first, last, count) = (*first, *last, before.saturating_add(*count));
                Some(Self::Missed { first, last, count, was_away: *was_away, was_outage: *was_outage })
            }
            (Self::Undeleted { why: before, count, .. }, Self::Undeleted { operation, name, why, count: again })
                if before == why && *again > 1 =>
            {
                let (operation, name, why) = (*operation, name.clone(), why.clone());
                Some(Self::Undeleted { operation, name, why, count: count.saturating_add(1) })
            }
            (Self::Doubtful { count, .. }, Self::Doubtful { operation, count: again }) if *again > 1 => {
                Some(Self::Doubtful { operation: *operation, count: count.saturating_add(1) })
            }
            (Self::Unsized { count, .. }, Self::Unsized { operation, count: again }) if *again > 1 => {
                Some(Self::Unsized { operation: *operation, count: count.saturating_add(1) })
            }
            (Self::Deletions { question: before, .. }, Self::Deletions { question, .. }) => {
                (before == question).then(|| again.clone())
            }
            _ => None,
        }
    }

    /// Whether a message about this is compared with one about `other` before a new one is posted.
    pub fn is_like(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Self::Deletions { .. }, Self::Deletions { .. })
                | (Self::Undeleted { .. }, Self::Undeleted { .. })
                | (Self::Doubtful { .. }, Self::Doubtful { .. })
                | (Self::Unsized { .. }, Self::Unsized { .. })
        ) || (self.is_of_a_run() && other.is_of_a_run())
    }

    /// Whether it tells how the latest planned time went.
    pub fn is_of_a_run(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Group { .. } | Self::Missed { .. } | Self::GoodAgain)
    }
}
