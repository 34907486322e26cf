//! The person who is responsible for a schedule, and whether they still have the right to it.
//!
//! This is checked before each run. Only an answer that says that the person has left or has lost the right counts against them. Silence
//! counts only after it has lasted for a week.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::operation::ids::UserId;

/// How long the last good answer counts while there is none, and how long Snapshots continue for a lost owner.
const PATIENCE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The pause before Discord is asked again after it did not answer.
const ASK_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// The owner of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The owner's user id.
    pub user: UserId,
    /// When the right was last confirmed.
    pub good_at: Timestamp,
    /// Since when the right is known to be lost.
    #[serde(default)]
    pub lost_since: Option<Timestamp>,
    /// Since when there has been no answer about the right; `None` if the last question was answered.
    #[serde(default)]
    pub silent_since: Option<Timestamp>,
    /// When the last unanswered question was asked.
    #[serde(default)]
    pub unanswered_at: Option<Timestamp>,
}

/// Discord's answer about an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerSeen {
    /// They are a member and have the right.
    Good,
    /// They have left, or no longer have the right.
    Lost,
    /// No answer, or one that does not tell.
    Silence,
}

/// What a schedule may do by its owner's right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Take and prune.
    Full,
    /// Take for a while, and prune nothing.
    TakeOnly,
    /// Do nothing until another person takes it over.
    None,
}

impl Owner {
    /// An owner whose right was just confirmed.
    pub fn new(user: UserId, now: Timestamp) -> Self {
        Self { user, good_at: now, lost_since: None, silent_since: None, unanswered_at: None }
    }

    /// Records Discord's answer.
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

    /// When to ask again, if the last question was not answered.
    pub fn ask_again_at(self) -> Option<Timestamp> {
        self.unanswered_at?.checked_add(ASK_AGAIN).ok()
    }

    /// The moment from which nothing is done because no owner has the right.
    pub fn paused_at(self) -> Option<Timestamp> {
        self.lost_since?.checked_add(PATIENCE).ok()
    }

    /// What the schedule may do now by its owner's right.
    pub fn right(self, now: Timestamp) -> Right {
        match self.lost_since {
            None => Right::Full,
            Some(since) if now.duration_since(since) <= PATIENCE => Right::TakeOnly,
            Some(_) => Right::None,
        }
    }
}
