//! What the bot watches about a schedule, and which notices people got.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{hung_shutdowns::HungShutdowns, question::DeletionQuestion, rule::Rule};
use crate::{
    operation::ids::{OperationId, UserId},
    ping::Address,
};

/// Who answered a question, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The person who answered.
    pub by: UserId,
    /// When they answered.
    pub at: Timestamp,
}

/// The next run as it was expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upcoming {
    /// The rule that it was computed from.
    pub rule: Rule,
    /// When.
    pub at: Timestamp,
}

/// What the bot watches about a schedule. In rows that are older than a field, that field is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// Shutdowns that hang.
    #[serde(default)]
    pub hangs: HungShutdowns,
    /// Who answered the latest question about them; `None` while it is open, and if it closed on its own.
    #[serde(default)]
    pub hangs_answered: Option<Answered>,
    /// When people were last notified that its owner is lost.
    #[serde(default)]
    pub owner_told_at: Option<Timestamp>,
    /// When people were last notified of the newest Snapshot's age during the pause; before the first time, the moment from which that is
    /// counted.
    #[serde(default)]
    pub pause_told_at: Option<Timestamp>,
    /// When its status message was last due to be posted again because it was Monday.
    #[serde(default)]
    pub moved_at: Option<Timestamp>,
    /// The much smaller Snapshot that people were notified of.
    #[serde(default)]
    pub doubted: Option<OperationId>,
    /// The Snapshot without a size that people were notified of.
    #[serde(default)]
    pub unsized_told: Option<OperationId>,
    /// Much smaller Snapshots that a person accepted.
    #[serde(default)]
    pub relied_on: Vec<OperationId>,
    /// The Snapshot that was last accepted, and who accepted it.
    #[serde(default)]
    pub relied_on_last: Option<(OperationId, Answered)>,
    /// The Snapshots that could not be deleted at the last attempt.
    #[serde(default)]
    pub undeleted: Vec<OperationId>,
    /// The question about deletions.
    #[serde(default)]
    pub deletions: DeletionQuestion,
    /// Restores of the Droplet before this moment no longer hold back deletions, because a person released them.
    #[serde(default)]
    pub prunes_after_restores_until: Option<Timestamp>,
    /// The address that is notified of how its runs go.
    #[serde(default)]
    pub ping_url: Option<Address>,
    /// The unknown time zone that people were notified of.
    #[serde(default)]
    pub zone_told: Option<String>,
    /// The next run as it was last computed; absent in older rows.
    #[serde(default)]
    pub upcoming: Option<Upcoming>,
    /// Since when that address has not been reachable.
    #[serde(default)]
    pub pings_fail_since: Option<Timestamp>,
    /// Whether people were notified that it is unreachable.
    #[serde(default)]
    pub pings_told: bool,
}

impl Watched {
    /// Notifies this address from now on, or none. Resets what is known about the earlier address.
    pub fn hear_at(&mut self, address: Option<Address>) {
        if self.ping_url != address {
            (self.pings_fail_since, self.pings_told) = (None, false);
            self.ping_url = address;
        }
    }
}
