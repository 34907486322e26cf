//! The question that a hung shutdown becomes: how it opens, how long it waits, and how it ended.
//!
//! The reporter asks it in a message of its own, once per question. The operation counts its questions, so that a later one is asked again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Operation, Rules, Wish, Wished, backoff, ids::UserId};

/// A hung shutdown, put to the people in the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// When it arose.
    pub opened_at: Timestamp,
    /// When people could first read it.
    pub shown_at: Option<Timestamp>,
}

impl Question {
    /// When the safe answer is taken: the time-out counts from when the question was shown, and twice from when it arose
    /// where it could not be shown at all.
    pub fn deadline(&self, rules: &Rules) -> Timestamp {
        match self.shown_at {
            Some(shown) => backoff::later(shown, rules.decision_timeout),
            None => backoff::later(self.opened_at, rules.decision_timeout * 2),
        }
    }
}

/// How the latest question was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What was chosen: *Force power off*, *Take it live* or *Cancel*.
    pub wish: Wish,
    /// Who chose it; nobody when the question ran out of time.
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
}

impl Operation {
    /// Puts a hung shutdown to the people in the channel.
    pub(super) fn ask(&mut self, now: Timestamp) {
        self.question = Some(Question { opened_at: now, shown_at: None });
        self.questions = self.questions.saturating_add(1);
        self.decision = None;
    }

    /// Remembers a wish that answers the open question, if it is one.
    pub(super) fn note_decision(&mut self, Wished { wish, by, at }: Wished) {
        if self.question.is_some() && matches!(wish, Wish::Force | Wish::Live | Wish::Cancel) {
            self.decision = Some(Decision { wish, by: Some(by), at });
        }
    }

    /// Remembers that nobody answered the open question in time.
    pub(super) fn note_silence(&mut self, now: Timestamp) {
        self.decision = Some(Decision { wish: Wish::Cancel, by: None, at: now });
    }

    /// A row that an earlier version wrote may hold an open question that was never counted, and never asked in its own message.
    pub(super) fn count_open_question(&mut self) {
        if self.question.is_some() {
            self.questions = self.questions.max(1);
        }
    }
}
