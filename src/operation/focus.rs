//! Which step the rules consider: the next forward step, or turning the Droplet back on.

use super::{
    Operation,
    step::{State, Step, Task},
};

/// Which step the rules consider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Focus {
    Forward(usize),
    Back,
    Rest,
}

impl Operation {
    pub(super) fn focus(&self) -> Focus {
        let owes = self.power.owed().is_some();
        if self.ended.is_some() {
            return if owes { Focus::Back } else { Focus::Rest };
        }
        let back_is_due = self.power.is_owed();
        if self.outcome.is_some() {
            return if back_is_due { Focus::Back } else { Focus::Rest };
        }
        if back_is_due
            && (self.power.is_blind() || self.is_turning_on() || self.may_hurry() || self.is_off_for_nothing())
        {
            return Focus::Back;
        }
        match self.steps.iter().position(|step| !step.is_over()) {
            // The Snapshot is taken; the Droplet can run while the bot waits for it to be listed.
            Some(index) if back_is_due && index + 1 == self.steps.len() && self.is_unlisted(index) => Focus::Back,
            Some(index) => Focus::Forward(index),
            None if back_is_due => Focus::Back,
            None => Focus::Rest,
        }
    }

    /// Whether a command to turn the Droplet on is in flight or being carried out.
    fn is_turning_on(&self) -> bool {
        matches!(self.power.back().state, State::Intended { .. } | State::Running(_))
    }

    /// Whether somebody wants the Droplet on immediately and no answer to a command is outstanding or lost.
    fn may_hurry(&self) -> bool {
        let holds_up = |step: &Step| match step.state {
            State::Intended { .. } => true,
            State::Running(_) => step.task() == Task::Restore,
            State::Waiting(_) | State::Done { .. } | State::Skipped | State::Failed { .. } => false,
        };
        self.power.is_hurried() && !self.current().is_some_and(holds_up)
    }

    fn is_unlisted(&self, index: usize) -> bool {
        self.steps
            .get(index)
            .is_some_and(|step| step.task() == Task::Snapshot && step.run().is_some_and(|run| run.completed.is_some()))
    }

    pub(super) fn step_mut(&mut self, focus: Focus) -> Option<&mut Step> {
        match focus {
            Focus::Forward(index) => self.steps.get_mut(index),
            Focus::Back => Some(self.power.back_mut()),
            Focus::Rest => None,
        }
    }

    pub(super) fn step_at(&self, focus: Focus) -> Option<&Step> {
        match focus {
            Focus::Forward(index) => self.steps.get(index),
            Focus::Back => Some(self.power.back()),
            Focus::Rest => None,
        }
    }
}
