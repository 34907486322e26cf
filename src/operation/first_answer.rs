//! "Accepted means answered": a person's operation asks nothing of DigitalOcean until Discord took its first answer.
//!
//! The front end creates the operation, answers, and says as a wish what became of that answer. Somebody who read "did not respond"
//! believes that nothing happens and may ask again, so for them nothing must happen. Where nobody can know what they read, a take goes
//! on, because it harms nothing; what overwrites, deletes or costs money is withdrawn.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Operation, Outcome, backoff::later};

/// How long the outcome of the first answer is waited for, from when it was asked for: two tries of ten seconds each, and some more.
/// A process that does not say it by then has died.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// What became of the first answer to the person who asked for an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FirstAnswer {
    /// Discord took it, or nobody waits for one. Rows of earlier versions count as answered.
    #[default]
    Taken,
    /// It is about to leave, or under way.
    Awaited,
    /// It left, and nothing came back: the person may have read it.
    Lost,
    /// It never left, or Discord refused it: the person read that the bot did not respond.
    Refused,
}

impl Operation {
    /// Whether requests to DigitalOcean still wait for the first answer to the person who asked.
    pub fn awaits_first_answer(&self) -> bool {
        self.first_answer == FirstAnswer::Awaited && self.verdict.is_none()
    }

    /// Whether it ended before it began because the person who asked was not answered.
    pub fn is_withdrawn(&self) -> bool {
        self.verdict == Some(Outcome::Cancelled)
            && match self.first_answer {
                FirstAnswer::Taken | FirstAnswer::Awaited => false,
                FirstAnswer::Lost => self.kind.needs_a_sure_answer(),
                FirstAnswer::Refused => true,
            }
    }

    /// One word for how the forward part ended, for logs, metrics and the database; none while it runs.
    pub fn outcome(&self) -> Option<&'static str> {
        if self.is_withdrawn() { Some("withdrawn") } else { self.verdict.as_ref().map(Outcome::word) }
    }

    /// When the worker looks at a new operation first.
    pub fn first_due(&self) -> Timestamp {
        if self.awaits_first_answer() { later(self.asked_at, PATIENCE) } else { self.asked_at }
    }

    /// Until when the first answer is waited for; none if it is not. A clock that was set back does not prolong it.
    pub(super) fn first_answer_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        self.awaits_first_answer().then(|| later(self.asked_at.min(now), PATIENCE))
    }

    /// The outcome is known now. Only the first word counts.
    pub(super) fn hear_first_answer(&mut self, outcome: FirstAnswer) {
        if self.first_answer != FirstAnswer::Awaited {
            return;
        }
        self.first_answer = outcome;
        let withdraw = match outcome {
            FirstAnswer::Taken | FirstAnswer::Awaited => false,
            FirstAnswer::Lost => self.kind.needs_a_sure_answer(),
            FirstAnswer::Refused => true,
        };
        if withdraw && self.verdict.is_none() {
            self.verdict = Some(Outcome::Cancelled);
            if self.kind.owes_power() {
                self.power.give_up(self.asked_at);
            }
        }
    }

    /// Nobody said what became of the first answer in time.
    pub(super) fn judge_first_answer(&mut self, now: Timestamp) {
        if self.first_answer_deadline(now).is_some_and(|deadline| now >= deadline) {
            self.hear_first_answer(FirstAnswer::Lost);
        }
    }
}
