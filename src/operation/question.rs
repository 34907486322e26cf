//! The question asked about a hung shutdown: how it opens, how long it waits, and how it ends.
//!
//! The reporter posts each question once, in a message of its own. The operation counts its questions, so that a later one gets a new
//! message.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Instructed, Instruction, Operation, Rules, backoff, ids::UserId};

/// A question to the people in the channel about a hung shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// When the shutdown was found to hang.
    pub opened_at: Timestamp,
    /// When people could first read it.
    pub shown_at: Option<Timestamp>,
}

impl Question {
    /// When the safe answer is taken. The time-out counts from when the question was shown; if it could not be shown at all, twice the
    /// time-out counts from when it arose.
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
    #[serde(rename = "wish")]
    pub instruction: Instruction,
    /// Who chose it; absent if the question timed out.
    pub by: Option<UserId>,
    /// When it was chosen.
    pub at: Timestamp,
}

impl Operation {
    /// Asks the people in the channel about a hung shutdown.
    pub(super) fn ask(&mut self, now: Timestamp) {
        self.question = Some(Question { opened_at: now, shown_at: None });
        self.questions = self.questions.saturating_add(1);
        self.decision = None;
    }

    /// Remembers an instruction if it answers the open question.
    pub(super) fn note_decision(&mut self, Instructed { instruction, by, at }: Instructed) {
        if self.question.is_some()
            && matches!(instruction, Instruction::Force | Instruction::Live | Instruction::Cancel)
        {
            self.decision = Some(Decision { instruction, by: Some(by), at });
        }
    }

    /// Remembers that nobody answered the open question in time.
    pub(super) fn note_silence(&mut self, now: Timestamp) {
        self.decision = Some(Decision { instruction: Instruction::Cancel, by: None, at: now });
    }

    /// Counts an open question from a row of an earlier version, which did not count it and never posted it in a message of its own.
    pub(super) fn count_open_question(&mut self) {
        if self.question.is_some() {
            self.questions = self.questions.max(1);
        }
    }
}
