//! "Accepted means answered": a person's operation sends nothing to DigitalOcean until Discord accepted its first answer.
//!
//! The front end creates the operation, answers, and reports the result of that answer as an instruction. Somebody who read "did not respond"
//! believes that nothing happens and may ask again, so nothing must happen for them. If it is unknown what they read, a take continues,
//! because it harms nothing; an operation that overwrites, deletes or costs money is withdrawn.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Operation, Outcome, backoff::later};

/// How long to wait for the result of the first answer, counted from when the operation was asked for: two tries of ten seconds each, plus
/// a margin. A process that has not reported it by then has died.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// The result of the first answer to the person who asked for an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FirstAnswer {
    /// Discord accepted it, or nobody waits for one. Rows of earlier versions count as answered.
    #[default]
    Taken,
    /// It is about to be sent, or in flight.
    Awaited,
    /// It was sent, but the outcome is unknown: the person may have read it.
    Lost,
    /// It was never sent, or Discord refused it: the person read that the bot did not respond.
    Refused,
}

impl Operation {
    /// Whether requests to DigitalOcean still wait for the first answer to the person who asked.
    pub fn awaits_first_answer(&self) -> bool {
        self.first_answer == FirstAnswer::Awaited && self.outcome.is_none()
    }

    /// Whether the operation ended before it began because the person who asked was not answered.
    pub fn is_withdrawn(&self) -> bool {
        self.outcome == Some(Outcome::Cancelled)
            && match self.first_answer {
                FirstAnswer::Taken | FirstAnswer::Awaited => false,
                FirstAnswer::Lost => self.kind.needs_a_sure_answer(),
                FirstAnswer::Refused => true,
            }
    }

    /// One word for how the forward part ended, for logs, metrics and the database; `None` while it runs.
    pub fn outcome(&self) -> Option<&'static str> {
        if self.is_withdrawn() { Some("withdrawn") } else { self.outcome.as_ref().map(Outcome::word) }
    }

    /// When the worker first picks up a new operation.
    pub fn first_due(&self) -> Timestamp {
        if self.awaits_first_answer() { later(self.asked_at, PATIENCE) } else { self.asked_at }
    }

    /// Until when the operation waits for the first answer; `None` if it does not. Setting the clock back does not prolong it.
    pub(super) fn first_answer_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        self.awaits_first_answer().then(|| later(self.asked_at.min(now), PATIENCE))
    }

    /// Records the result of the first answer. Only the first report counts.
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
        if withdraw && self.outcome.is_none() {
            self.outcome = Some(Outcome::Cancelled);
            if self.kind.owes_power() {
                self.power.give_up(self.asked_at);
            }
        }
    }

    /// Treats the first answer as lost if nobody reported its result in time.
    pub(super) fn judge_first_answer(&mut self, now: Timestamp) {
        if self.first_answer_deadline(now).is_some_and(|deadline| now >= deadline) {
            self.hear_first_answer(FirstAnswer::Lost);
        }
    }
}
