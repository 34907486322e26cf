//! The notices about a schedule that get a message of their own, as plain facts. `discord` words them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::owner::Owner;
use crate::operation::ids::{OperationId, RunId};

/// A notice that is sent once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// A run brought no Snapshot.
    Failed {
        /// When it was planned; the last of several that failed for one reason.
        planned: Timestamp,
        /// The operation, which records the reason.
        operation: OperationId,
        /// A word for the reason, equal for equal reasons; empty in older rows.
        #[serde(default)]
        why: String,
        /// How many failed in a row for this reason.
        #[serde(default = "once")]
        count: u32,
    },
    /// A run of a group has ended, and not every Droplet has a good Snapshot.
    Group {
        /// The run, which records the Droplets without one.
        run: RunId,
        /// When it was planned or begun.
        planned: Timestamp,
        /// A word for the Droplets without one and the reasons, equal for equal outcomes; empty in older rows.
        #[serde(default)]
        why: String,
        /// How many runs in a row ended in this way.
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
        /// The bot was not running; otherwise the Droplet was busy.
        was_away: bool,
        /// DigitalOcean did not answer.
        #[serde(default)]
        was_outage: bool,
    },
    /// There is no recent Snapshot. Sent once a day.
    Stale {
        /// Since when.
        since: Timestamp,
        /// When the newest good one was planned.
        newest: Option<Timestamp>,
    },
    /// The owner has left or lost the right. Sent once a day.
    OwnerLost {
        /// Since when this has been known.
        since: Timestamp,
    },
    /// It has paused because no one took it over.
    Unowned,
    /// Its time zone is no longer known, so it runs by UTC.
    Zone {
        /// The zone's name.
        zone: String,
    },
    /// The next run has another time although nobody changed the schedule: this program has other time zone data than the one before it.
    Moved {
        /// When it was expected.
        was: Timestamp,
        /// When it is.
        is: Timestamp,
    },
    /// Its Droplet no longer exists, so it has paused.
    Gone,
    /// A Snapshot that no rule wants could not be deleted.
    Undeleted {
        /// The operation that tried to delete it.
        operation: OperationId,
        /// The Snapshot's name.
        name: String,
        /// A word for the reason, equal for equal reasons.
        why: String,
        /// How many attempts in a row failed for this reason. If more than one, people know of the first.
        count: u32,
    },
    /// A good Snapshot was taken after one or more failures.
    GoodAgain,
    /// Several shutdowns in a row hung. Asks what to do from now on.
    Hung {
        /// How many.
        count: u8,
    },
    /// The newest Snapshot is much smaller than the one before it.
    Doubtful {
        /// The operation that took it.
        operation: OperationId,
        /// How many in a row are. If more than one, people know of the first.
        #[serde(default = "once")]
        count: u32,
    },
    /// For a day, DigitalOcean has not reported the size of a Snapshot.
    Unsized {
        /// The operation that took it.
        operation: OperationId,
        /// How many in a row. If more than one, people know of the first.
        #[serde(default = "once")]
        count: u32,
    },
    /// Asks whether Snapshots may be deleted that are many at once, or that an edit no longer keeps. Asked once, and edited while it is
    /// open.
    Deletions {
        /// The number of the question.
        question: u32,
        /// How many Snapshots it last asked about.
        count: u32,
    },
    /// For a day, the address to notify of its runs could not be reached.
    Unheard {
        /// The host of the address.
        host: String,
        /// Since when.
        since: Timestamp,
    },
    /// It is paused, and its newest Snapshot grows old. Sent once a week.
    Paused {
        /// When the newest Snapshot was planned.
        newest: Option<Timestamp>,
    },
}

fn once() -> u32 {
    1
}

/// Notices that share one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Something went wrong.
    Trouble,
    /// Something works again.
    Relief,
}

impl Notice {
    /// Whether the notice pings `FAILURE_ROLE`. A lack of recent Snapshots calls the owner, or the role if the schedule has none.
    pub fn calls_role(&self, owner: &Owner) -> bool {
        match self {
            Self::Failed { .. }
            | Self::Group { .. }
            | Self::Undeleted { .. }
            | Self::OwnerLost { .. }
            | Self::Unowned => true,
            Self::Stale { .. } => owner.lost_since.is_some(),
            Self::Missed { .. }
            | Self::Gone
            | Self::GoodAgain
            | Self::Hung { .. }
            | Self::Doubtful { .. }
            | Self::Unsized { .. }
            | Self::Deletions { .. }
            | Self::Paused { .. }
            | Self::Zone { .. }
            | Self::Moved { .. }
            | Self::Unheard { .. } => false,
        }
    }

    /// Whether the notice pings the owner.
    pub fn calls_owner(&self) -> bool {
        !matches!(self, Self::GoodAgain | Self::Paused { .. } | Self::Unheard { .. } | Self::Moved { .. })
    }

    /// The notices that it can share a message with; `None` if it needs a message of its own.
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

    /// The notice that this one becomes if `again` needs no message of its own: one more failure for the same reason, one more unreliable
    /// Snapshot, or the same question about other Snapshots.
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

    /// Whether a notice is compared with `other` before a new message is posted.
    pub fn is_like(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Self::Deletions { .. }, Self::Deletions { .. })
                | (Self::Undeleted { .. }, Self::Undeleted { .. })
                | (Self::Doubtful { .. }, Self::Doubtful { .. })
                | (Self::Unsized { .. }, Self::Unsized { .. })
        ) || (self.is_of_a_run() && other.is_of_a_run())
    }

    /// Whether it reports how the latest planned time went.
    pub fn is_of_a_run(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Group { .. } | Self::Missed { .. } | Self::GoodAgain)
    }
}
