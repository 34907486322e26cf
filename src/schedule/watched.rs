//! What is watched over a schedule, and what people were told of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{hangs::Hangs, question::DeletionQuestion, rule::Rule};
use crate::{
    operation::ids::{OperationId, UserId},
    ping::Address,
};

/// Who answered a question, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Who.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
}

/// The next run, as it was expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upcoming {
    /// By which rule.
    pub rule: Rule,
    /// When.
    pub at: Timestamp,
}

/// What is watched over a schedule. Rows that are older than a field of it have none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// Shutdowns that hang.
    #[serde(default)]
    pub hangs: Hangs,
    /// Who answered the latest question about them; nobody while it is open, and where it closed by itself.
    #[serde(default)]
    pub hangs_answered: Option<Answered>,
    /// When people were last told that its owner is lost.
    #[serde(default)]
    pub owner_told_at: Option<Timestamp>,
    /// When people were last told how old its newest Snapshot is while it is paused; the moment from which that is counted at first.
    #[serde(default)]
    pub pause_told_at: Option<Timestamp>,
    /// When its message was last due to be posted again because it was Monday.
    #[serde(default)]
    pub moved_at: Option<Timestamp>,
    /// The much smaller Snapshot that people were told of.
    #[serde(default)]
    pub doubted: Option<OperationId>,
    /// The Snapshot that people were told has no size.
    #[serde(default)]
    pub unsized_told: Option<OperationId>,
    /// Much smaller Snapshots that somebody said are fine.
    #[serde(default)]
    pub relied_on: Vec<OperationId>,
    /// Of which of them somebody said so last, and who that was.
    #[serde(default)]
    pub relied_on_last: Option<(OperationId, Answered)>,
    /// The Snapshots that could not be deleted when that was tried last.
    #[serde(default)]
    pub undeleted: Vec<OperationId>,
    /// What people are asked about deletions.
    #[serde(default)]
    pub deletions: DeletionQuestion,
    /// Restores of the Droplet before this moment keep nothing from being deleted any more: somebody said so.
    #[serde(default)]
    pub prunes_after_restores_until: Option<Timestamp>,
    /// The address that is told how its runs go.
    #[serde(default)]
    pub ping_url: Option<Address>,
    /// The time zone that people were told is not known any more.
    #[serde(default)]
    pub zone_told: Option<String>,
    /// The next run, as it was computed last; none in older rows.
    #[serde(default)]
    pub upcoming: Option<Upcoming>,
    /// Since when that address cannot be told.
    #[serde(default)]
    pub pings_fail_since: Option<Timestamp>,
    /// Whether people were told so.
    #[serde(default)]
    pub pings_told: bool,
}

impl Watched {
    /// From now on this address is told how runs go, or none. What is known of another one counts for nothing.
    pub fn hear_at(&mut self, address: Option<Address>) {
        if self.ping_url != address {
            (self.pings_fail_since, self.pings_told) = (None, false);
            self.ping_url = address;
        }
    }
}
