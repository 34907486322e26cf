//! Who answers for a schedule, and whether that person still may.
//!
//! Read before each run. Only an answer counts that says that the person has left or has no right any more; silence counts for nothing until
//! it has lasted for a week.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::operation::ids::UserId;

/// How long the last good answer counts while there is none, and how long Snapshots are taken on for an owner who is lost.
const PATIENCE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How soon it is asked again where there was no answer.
const ASK_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// Who answers for a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The member.
    pub user: UserId,
    /// When it was last known that they may.
    pub good_at: Timestamp,
    /// Since when it is known that they may not.
    #[serde(default)]
    pub lost_since: Option<Timestamp>,
    /// Since when there is no answer whether they may; absent while the last question was answered.
    #[serde(default)]
    pub silent_since: Option<Timestamp>,
    /// When the last question without an answer was asked.
    #[serde(default)]
    pub unanswered_at: Option<Timestamp>,
}

/// What Discord says of an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerSeen {
    /// They are a member and have the right.
    Good,
    /// They have left, or have no right any more.
    Lost,
    /// Nothing, or nothing that tells.
    Silence,
}

/// What a schedule may do by its owner's right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Take and prune.
    Full,
    /// Take, for a while, and prune nothing.
    TakeOnly,
    /// Nothing until somebody takes it over.
    None,
}

impl Owner {
    /// Somebody who has just shown that they may.
    pub fn new(user: UserId, now: Timestamp) -> Self {
        Self { user, good_at: now, lost_since: None, silent_since: None, unanswered_at: None }
    }

    /// Folds in what Discord says.
    #[must_use]
    pub fn seen(self, seen: OwnerSeen, now: Timestamp) -> Self {
        match seen {
            OwnerSeen::Good => Self::new(self.user, now),
            OwnerSeen::Lost => {
                Self { lost_since: self.lost_since.or(Some(now)), silent_since: None, unanswered_at: None, ..self }
            }
            OwnerSeen::Silence => {
                let silent_since = self.silent_since.unwrap_or(now);
                let is_too_long = now.duration_since(silent_since) > PATIENCE;
                Self {
                    lost_since: self.lost_since.or(is_too_long.then_some(now)),
                    silent_since: Some(silent_since),
                    unanswered_at: Some(now),
                    ..self
                }
            }
        }
    }

    /// When it is asked again whether they may, where the last question had no answer.
    pub fn ask_again_at(self) -> Option<Timestamp> {
        self.unanswered_at?.checked_add(ASK_AGAIN).ok()
    }

    /// From when on nothing is done any more for want of somebody who may.
    pub fn paused_at(self) -> Option<Timestamp> {
        self.lost_since?.checked_add(PATIENCE).ok()
    }

    /// What may be done by their right now.
    pub fn right(self, now: Timestamp) -> Right {
        match self.lost_since {
            None => Right::Full,
            Some(since) if now.duration_since(since) <= PATIENCE => Right::TakeOnly,
            Some(_) => Right::None,
        }
    }
}
