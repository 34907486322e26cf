//! Consequences that follow without a further answer: from what was just seen, and from the passing of time.

use jiff::{SignedDuration, Timestamp};

use super::{
    Blocker, Cancelled, Focus, Obstacle, Operation, Outcome, Rules,
    backoff::later,
    kinds::IfHung,
    reading::{DropletReading, Failure},
    step::{Checks, Doubt, State, Step, Task, Work},
};

/// A step that has been able to begin for this long without doing so is dropped; somebody has to ask again.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);
/// Like `LONGEST_WAIT`, for a step that only waits its turn among our own operations, as people can see.
const LONGEST_TURN: SignedDuration = SignedDuration::from_hours(6);

impl Operation {
    /// Applies every consequence that holds at `now`. Called after each observation and each time the worker wakes up.
    pub(super) fn advance(&mut self, now: Timestamp) {
        self.count_open_question();
        if self.ended.is_none() {
            self.judge_question();
            self.judge_cancel(now);
            self.judge_age(now);
            self.judge_power_first(now);
            if self.outcome.is_none() && !self.awaits_first_answer() && self.steps.iter().all(Step::is_over) {
                self.outcome = Some(Outcome::Completed);
            }
        }
        self.power.judge(self.is_restoring(), now);
        if self.ended.is_none() && self.outcome.is_some() {
            self.question = None;
            for step in self.steps.iter_mut().filter(|step| !step.is_over()) {
                // An Action that still runs is ours.
                if let Some(action) = step.run().and_then(|run| run.action) {
                    self.baseline.add(action);
                }
                step.abandon();
                step.state = State::Skipped;
            }
            if self.focus() == Focus::Rest {
                self.ended = Some(now);
                self.obstacle = None;
            }
        }
    }

    /// The next moment at which a consequence follows from time alone.
    pub(super) fn deadline(&self, rules: &Rules) -> Option<Timestamp> {
        let silence = self.question.filter(|_| self.ended.is_none()).map(|question| question.deadline(rules));
        [silence, self.power.call_at()].into_iter().flatten().min()
    }

    /// Closes the question once the shutdown that it is about is over.
    fn judge_question(&mut self) {
        let shutting_down = |step: &Step| step.task() == Task::ShutDown && step.run().is_some();
        if !self.current().is_some_and(shutting_down) {
            self.question = None;
        }
    }

    /// Answers a question with *Cancel* if nobody answered it in time. Called only after all recorded instructions are folded in, so that no
    /// answer comes too late because the bot was slow.
    pub(super) fn judge_silence(&mut self, rules: &Rules, now: Timestamp) {
        if self.question.is_some_and(|question| now >= question.deadline(rules)) {
            self.note_silence(now);
            self.cancelled = Some(Cancelled { by: None, at: now });
            self.give_up_shutdown(now);
            self.outcome = Some(Outcome::Cancelled);
        }
    }

    /// Turns a shutdown that was just seen not to have turned the Droplet off, in time or at all, into a question or the decision that was
    /// made beforehand. Time alone proves nothing: a bot that was not running during the time-out looks at the Droplet first.
    pub(super) fn judge_shutdown(&mut self, rules: &Rules, now: Timestamp) {
        let Some(step) = self.current().filter(|step| step.task() == Task::ShutDown) else { return };
        let overdue = step.sent_at().is_some_and(|sent| now >= later(sent, rules.shutdown_timeout));
        let is_broken = step.run().is_some_and(|run| run.broken.is_some());
        let has_worked = step.run().is_some_and(|run| run.seen_off);
        if self.question.is_some() || has_worked || !(overdue || is_broken) {
            return;
        }
        match self.kind.if_hung() {
            _ if self.cancelled.is_some() => {
                self.give_up_shutdown(now);
                self.outcome = Some(Outcome::Cancelled);
            }
            // A scheduled operation may run at night, when nobody is there to answer.
            IfHung::Ask if self.is_automatic() => self.give_up_shutdown(now),
            IfHung::Ask => self.ask(now),
            IfHung::Force => self.force_power_off(now),
            IfHung::Live => self.give_up_shutdown(now),
            IfHung::Skip => {
                self.give_up_shutdown(now);
                self.outcome = Some(Outcome::Failed(Failure::Hung));
            }
        }
    }

    /// Stops following the hung shutdown. The bot still owes power for what that shutdown may do later.
    pub(super) fn give_up_shutdown(&mut self, now: Timestamp) {
        self.question = None;
        self.timer.ask_at_once();
        if let Some(step) = self.steps.iter_mut().find(|step| step.task() == Task::ShutDown && !step.is_over()) {
            if let Some(action) = step.run().and_then(|run| run.action) {
                self.baseline.add(action);
            }
            step.state = State::Failed { at: now, why: Failure::Hung };
        }
    }

    /// Follows the hung shutdown by cutting the power.
    pub(super) fn force_power_off(&mut self, now: Timestamp) {
        self.give_up_shutdown(now);
        let after_shutdown =
            self.steps.iter().position(|step| step.task() == Task::ShutDown).map_or(0, |index| index + 1);
        self.steps.insert(after_shutdown, Step::new(Work::PowerOff));
    }

    /// Applies a cancellation as soon as no intent is open and nothing runs. A deletion whose answer was lost may still be carried out;
    /// until it no longer can, the bot tells nobody that the Snapshot is kept.
    fn judge_cancel(&mut self, now: Timestamp) {
        let Some(step) = self.current().filter(|step| matches!(step.state, State::Waiting(_))) else { return };
        if self.cancelled.is_none() {
            return;
        }
        if step.task().traits().shows_in_its_image && step.answer_lost {
            if let Some(step) = self.steps.iter_mut().find(|step| !step.is_over()) {
                step.state = State::Intended { at: now, doubt: Some(Doubt::default()) };
            }
        } else {
            self.outcome = Some(Outcome::Cancelled);
        }
    }

    /// Drops a step that waited too long: what was wanted then may do harm now.
    fn judge_age(&mut self, now: Timestamp) {
        let Some(index) = self.steps.iter().position(|step| !step.is_over()).filter(|_| self.outcome.is_none()) else {
            return;
        };
        let step = &self.steps[index];
        if !matches!(step.state, State::Waiting(_)) {
            return;
        }
        // This also applies if the command was sent before and is known not to have been carried out: a repetition would be just as old.
        let is_destructive = step.task().traits().is_destructive;
        let is_unattended = match step.task() {
            // Somebody may have decided on this since the operation was left unattended.
            Task::PowerOff => self.unattended_since_decision,
            Task::ShutDown
            | Task::Snapshot
            | Task::Restart
            | Task::Restore
            | Task::Create
            | Task::Delete
            | Task::PowerOn
            | Task::EnableBackups
            | Task::ChangeBackups
            | Task::DisableBackups
            | Task::KeepBackup => self.unattended,
        };
        if is_destructive && is_unattended {
            return self.fail_step(Focus::Forward(index), Failure::TooOld, now);
        }
        if step.began.is_some() {
            return;
        }
        let longest = if self.waits_its_turn() { LONGEST_TURN } else { LONGEST_WAIT };
        if now >= self.too_old_at(index, longest) {
            self.fail_step(Focus::Forward(index), Failure::TooOld, now);
        }
    }

    /// When a step that has not begun becomes too old to begin, if it may wait this long.
    fn too_old_at(&self, index: usize, longest: SignedDuration) -> Timestamp {
        let is_destructive = self.steps[index].task().traits().is_destructive;
        let longest = if is_destructive { longest.min(LONGEST_WAIT) } else { longest };
        let could_begin = self.steps[..index].iter().filter_map(Step::over_at).max().unwrap_or(self.asked_at);
        let could_begin = self.free_of_warning().map_or(could_begin, |free| free.max(could_begin));
        // A schedule sets the latest time at which its first step may begin.
        let window_end = self.window_end().filter(|_| index == 0);
        window_end.unwrap_or_else(|| later(could_begin, longest))
    }

    /// When the next step becomes too old to begin although it only waited its turn; `None` if no step is left to begin.
    pub fn turn_lapses_at(&self) -> Option<Timestamp> {
        let index = self.steps.iter().position(|step| !step.is_over())?;
        Some(self.too_old_at(index, LONGEST_TURN))
    }

    /// Whether only our own other operations hold the step back.
    pub(super) fn waits_its_turn(&self) -> bool {
        matches!(&self.obstacle, Some(Obstacle { what: Blocker::Turn, .. }))
    }

    /// Once the Droplet was told to turn on, starts no step that needs it off. If no step does, it was told to turn on to repair what an
    /// older operation had done.
    fn judge_power_first(&mut self, now: Timestamp) {
        let Some(index) = self.steps.iter().position(|step| !step.is_over()).filter(|_| self.outcome.is_none()) else {
            return;
        };
        let step = &self.steps[index];
        if step.task().traits().yields_to_power
            && self.turns_its_droplet_off()
            && matches!(step.state, State::Waiting(_))
            && self.power.was_told_to_turn_on()
        {
            self.fail_step(Focus::Forward(index), Failure::PowerFirst, now);
        }
    }

    /// Whether a restore was last seen in progress: it overwrites the disk.
    fn is_restoring(&self) -> bool {
        self.current().is_some_and(|step| step.task() == Task::Restore && step.run().is_some())
    }

    /// Fails a step, and with it the forward part. Turning the Droplet on never fails this way: it is retried.
    pub(super) fn fail_step(&mut self, focus: Focus, why: Failure, now: Timestamp) {
        match focus {
            Focus::Back => {
                self.power.fail(Some(why), now);
                self.timer.ask_at(later(now, self.retry_pause()));
            }
            Focus::Forward(index) => {
                if let Some(step) = self.steps.get_mut(index) {
                    if let Some(action) = step.run().and_then(|run| run.action) {
                        self.baseline.add(action);
                    }
                    step.state = State::Failed { at: now, why: why.clone() };
                }
                self.outcome = Some(Outcome::Failed(why));
                self.timer.ask_at_once();
                self.obstacle = None;
            }
            Focus::Rest => {}
        }
    }

    /// Records that the Droplet no longer exists: no power is owed, and no further step is possible.
    pub(super) fn droplet_is_gone(&mut self, focus: Focus, now: Timestamp) {
        self.power.mark_gone();
        self.timer.ask_at_once();
        match focus {
            Focus::Forward(_) => self.fail_step(focus, Failure::DropletGone, now),
            Focus::Back | Focus::Rest => {}
        }
    }

    /// Completes a step that reached its goal.
    pub(super) fn complete(&mut self, focus: Focus, now: Timestamp) {
        let Some(step) = self.step_mut(focus) else { return };
        let finished = step.run().and_then(|run| run.action);
        step.state = State::Done { at: now };
        if let Some(action) = finished {
            self.baseline.add(action);
        }
        self.timer.ask_at_once();
        self.obstacle = None;
    }

    /// Completes the current step because the Droplet is off, as the step intended. The same reading also serves as the look before the
    /// next command, if it shows the Droplet unlocked and still ours to touch.
    pub(super) fn complete_off(&mut self, focus: Focus, reading: &DropletReading, rules: &Rules, now: Timestamp) {
        // If the first look found it off, no command was sent and the Droplet's Actions are not known yet.
        let is_unsent = |step: &Step| matches!(step.state, State::Waiting(Checks { actions: false, .. }));
        // After a lost answer the Actions are read again, since those that existed before it may not be known.
        let is_unknown = |step: &Step| is_unsent(step) || step.answer_lost;
        let actions = self.baseline.is_known() && !self.step_at(focus).is_some_and(is_unknown);
        self.complete(focus, now);
        if let Focus::Forward(index) = focus {
            self.prepare_next(index, Checks { actions, ..Checks::default() }, reading, rules, now);
        }
    }

    /// Prepares the step after a completed one by the same reading and these checks. What a restore overwrites is looked at again.
    pub(super) fn prepare_next(
        &mut self,
        index: usize,
        checks: Checks,
        reading: &DropletReading,
        rules: &Rules,
        now: Timestamp,
    ) {
        let Some(next) = self.steps.get_mut(index + 1).filter(|next| next.state == State::Waiting(Checks::default()))
        else {
            return;
        };
        next.state = State::Waiting(if next.task() == Task::Restore { Checks::default() } else { checks });
        self.prepare(index + 1, reading, rules, now);
    }
}
