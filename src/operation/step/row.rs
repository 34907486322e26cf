//! A step as stored in a row: only its task. What the task works with is stored in the operation's kind.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::{State, Step, Task, Work};

/// A step as stored in a row.
#[derive(Deserialize)]
pub(in crate::operation) struct StepRow {
    pub(in crate::operation) task: Task,
    state: State,
    began: Option<Timestamp>,
    answer_lost: bool,
}

impl StepRow {
    pub(in crate::operation) fn with(self, work: Work) -> Step {
        Step { work, state: self.state, began: self.began, answer_lost: self.answer_lost }
    }
}

/// Reads the step that turns a Droplet on, which is owed whatever task the row names.
pub(in crate::operation) fn power_on<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Step, D::Error> {
    StepRow::deserialize(deserializer).map(|row| row.with(Work::PowerOn))
}
