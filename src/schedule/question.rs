//! The questions to people about deletions: whether many Snapshots may be deleted at once, and whether a much smaller one is fine.
//!
//! An answer counts only for what was shown. Approval of one edition of a question does not cover a Snapshot that a later edition adds, and
//! accepting a small Snapshot deletes nothing.

use serde::{Deserialize, Serialize};

use super::{
    Schedule,
    notice::Notice,
    pruning::{Hold, Pruning},
};
use crate::operation::ids::{OperationId, UserId};

/// The question whether Snapshots may be deleted that are many at once, or that an edit no longer keeps. A schedule has one at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionQuestion {
    /// The number of the question within the schedule, from 1.
    #[serde(default)]
    pub number: u32,
    /// The number of the edition, across all questions, from 1. A button carries it.
    #[serde(default)]
    pub edition: u32,
    /// The operations that took the Snapshots in question; empty if no question is open.
    #[serde(default)]
    pub asked: Vec<OperationId>,
    /// Who approved the latest question; `None` while it is open, and if it closed on its own.
    #[serde(default)]
    pub answered_by: Option<UserId>,
}

impl DeletionQuestion {
    /// Whether it waits for an answer.
    pub fn is_open(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Whether the question with this number waits for an answer.
    pub fn asks(&self, number: u32) -> bool {
        self.is_open() && self.number == number
    }
}

impl Schedule {
    /// Opens, changes or closes the question about deletions, depending on what pruning waits for. Returns the notice to send: a new
    /// question, or the same one with other Snapshots.
    pub fn ask_about_deletions(&mut self, pruning: &Pruning) -> Option<Notice> {
        let question = &mut self.watched.deletions;
        if pruning.asked == question.asked {
            return None;
        }
        if !question.is_open() {
            // While another reason holds deletions back, no decision is needed.
            if !pruning.hold.is_some_and(Hold::is_a_question_of_number) {
                return None;
            }
            question.number = question.number.saturating_add(1);
            question.answered_by = None;
        }
        question.asked.clone_from(&pruning.asked);
        if !question.is_open() {
            return None;
        }
        question.edition = question.edition.saturating_add(1);
        let count = u32::try_from(question.asked.len()).unwrap_or(u32::MAX);
        Some(Notice::Deletions { question: question.number, count })
    }

    /// Approves the deletion of what this edition shows. Returns `false` if it is not the open edition.
    pub fn approve_deletions(&mut self, edition: u32, by: UserId) -> bool {
        let question = &mut self.watched.deletions;
        if !question.is_open() || question.edition != edition {
            return false;
        }
        question.answered_by = Some(by);
        self.approved.append(&mut question.asked);
        self.approved.sort_unstable();
        self.approved.dedup();
        self.narrowed = false;
        true
    }

    /// Accepts a much smaller Snapshot.
    pub fn rely_on(&mut self, operation: OperationId) {
        if !self.watched.relied_on.contains(&operation) {
            self.watched.relied_on.push(operation);
        }
    }

    /// Forgets answers about Snapshots that no longer exist, so that the lists stay short.
    pub fn forget_answers(&mut self, is_there: impl Fn(OperationId) -> bool) {
        self.approved.retain(|operation| is_there(*operation));
        self.watched.relied_on.retain(|operation| is_there(*operation));
        self.watched.undeleted.retain(|operation| is_there(*operation));
    }
}
