//! What people say to a running operation, and what follows from it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Cancelled, FirstAnswer, Operation, Outcome, ids::UserId, power::Released};

/// What a person may say to a running operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Instruction {
    /// Stop, if possible.
    Cancel,
    /// Cut the power: an answer to a hung shutdown.
    Force,
    /// Go on with the Droplet running: an answer to a hung shutdown.
    Live,
    /// Do not turn the Droplet on again.
    LeaveOff,
    /// The Droplet could not be turned back on, and I see to it.
    HandleIt,
    /// The Droplet is off for longer than expected, and that is fine: call nobody for a while.
    KeepWaiting,
    /// Turn the Droplet on as soon as DigitalOcean allows it, and drop the remaining steps.
    TurnOn,
    /// The Droplet goes down later: people need more time.
    Postpone,
    /// Said by the reporter: people can read the question from now on.
    QuestionShown,
    /// Said by the reporter: people can read the warning from now on.
    WarningShown,
    /// Said by the reporter: the warning cannot be posted where it was wanted.
    WarningRefused,
    /// Said by the front end: Discord accepted the first answer.
    AnswerTaken,
    /// Said by the front end: the first answer was sent, but its outcome is unknown.
    AnswerLost,
    /// Said by the front end: the first answer was never sent, or Discord refused it.
    AnswerRefused,
}

/// An instruction, with its author and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instructed {
    /// The instruction.
    #[serde(rename = "wish")]
    pub instruction: Instruction,
    /// Who said it.
    pub by: UserId,
    /// When they said it.
    pub at: Timestamp,
}

impl Operation {
    pub(super) fn hear(&mut self, Instructed { instruction, by, at }: Instructed) {
        match instruction {
            Instruction::Cancel if self.ended.is_none() => {
                self.cancelled.get_or_insert(Cancelled { by: Some(by), at });
                if self.question.is_some() {
                    self.give_up_shutdown(at);
                    self.outcome = Some(Outcome::Cancelled);
                }
            }
            Instruction::Force if self.question.is_some() => {
                self.unattended_since_decision = false;
                self.force_power_off(at);
            }
            Instruction::Live if self.question.is_some() => self.give_up_shutdown(at),
            Instruction::LeaveOff if !self.power.is_turning_on() => self.power.release(by, Released::LeftOff, at),
            Instruction::HandleIt if self.power.stuck().is_some() => self.power.release(by, Released::Handled, at),
            Instruction::KeepWaiting if self.power.stuck().is_some() => self.power.keep_waiting(at),
            Instruction::TurnOn if self.power.is_owed() => self.turn_on_soon(by, at),
            Instruction::QuestionShown => {
                if let Some(question) = &mut self.question {
                    question.shown_at.get_or_insert(at);
                }
            }
            Instruction::Postpone => self.postpone(at),
            Instruction::WarningShown => self.warning_shown(at),
            Instruction::WarningRefused => self.warning_refused(at),
            Instruction::AnswerTaken => self.hear_first_answer(FirstAnswer::Taken),
            Instruction::AnswerLost => self.hear_first_answer(FirstAnswer::Lost),
            Instruction::AnswerRefused => self.hear_first_answer(FirstAnswer::Refused),
            // It is too late, or about something that is not the case. The history records it, but nothing follows from it.
            Instruction::Cancel
            | Instruction::Force
            | Instruction::Live
            | Instruction::LeaveOff
            | Instruction::HandleIt
            | Instruction::KeepWaiting
            | Instruction::TurnOn => {}
        }
        let is_new_to_it = instruction == Instruction::TurnOn || self.power.stuck().is_none();
        if instruction != Instruction::QuestionShown && is_new_to_it {
            self.timer.ask_at_once();
        }
    }

    /// Starts no further step, and turns the Droplet on before the running one has ended. A restore is waited for: while it overwrites the
    /// disk, the Droplet cannot start from it.
    fn turn_on_soon(&mut self, by: UserId, at: Timestamp) {
        self.power.hurry();
        if self.ended.is_some() {
            return;
        }
        self.cancelled.get_or_insert(Cancelled { by: Some(by), at });
        if self.current().is_some_and(|step| step.task().turns_off() && step.run().is_some()) {
            self.give_up_shutdown(at);
            self.outcome = Some(Outcome::Cancelled);
        }
    }
}
