//! The legal transitions. Every observation is folded in here, or refused with an error that names both the state and the observation.
//!
//! This file handles people, time and answers to commands; `on_reading` handles looks, `recover` handles looks after a lost answer.

use jiff::{SignedDuration, Timestamp};

use super::{
    Blocker, FirstAnswer, Focus, Instructed, Launched, Obstacle, Operation, Rules,
    backoff::later,
    effect::{Answer, Command, Look},
    evidence::Asked,
    reading::{ActionReading, DropletReading, Failure, PowerState, Trouble},
    step::{Checks, Doubt, Ours, Run, State, Step, Task},
};

/// Something that happened to an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// Time passed.
    Woke,
    /// A person said something, or the reporter did on behalf of people.
    Instructed(Instructed),
    /// The command that [`next`](Operation::next) names is about to be sent.
    Intended,
    /// The process that sent the command is gone, and its answer is lost.
    AnswerLost,
    /// The request limit has no room for this operation before this moment, for this reason.
    Deferred(Blocker, Timestamp),
    /// Time passed, and its turn among our own operations may have come.
    Called,
    /// A process takes up an operation that it has not handled before, perhaps with another token and another clock. Nobody attended to the
    /// operation for this long.
    Restarted(SignedDuration),
    /// DigitalOcean refuses the token, as another operation or check found out.
    TokenRefused,
    /// The token is not known to belong to the Droplet's account.
    OtherAccount,
    /// A look was answered.
    Seen(Look, Answer),
    /// A command was answered.
    Answered(Command, Answer),
}

/// The longest time by which an attempt to turn a Droplet on without a look can be deferred.
const LONGEST_BLIND_PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// After this long without a process that attends to it, an operation starts nothing destructive without asking again.
pub const LONGEST_UNATTENDED: SignedDuration = SignedDuration::from_mins(15);
/// How far apart the clocks of two machines may be that take turns attending to one operation.
const LONGEST_SKEW: SignedDuration = SignedDuration::from_hours(1);

/// An observation that does not fit the state: a bug in the bot, or a row that somebody else wrote.
#[derive(Debug, thiserror::Error)]
#[error("operation cannot go on from {state} with {observation}")]
pub struct IllegalTransition {
    /// The operation's state.
    pub state: String,
    /// The observation that does not fit.
    pub observation: String,
}

impl Operation {
    /// Folds in an observation and all its consequences.
    pub fn apply(&self, observation: Observation, rules: &Rules, now: Timestamp) -> Result<Self, IllegalTransition> {
        let mut next = self.clone();
        let focus = next.focus();
        match observation {
            Observation::Woke | Observation::Called => {
                if matches!(observation, Observation::Called) && next.waits_its_turn() {
                    next.timer.ask_at_once();
                }
                next.judge_first_answer(now);
                next.judge_silence(rules, now);
            }
            Observation::Instructed(instructed) => {
                next.note_decision(instructed);
                next.hear(instructed);
            }
            Observation::Intended => next.intend(focus, now)?,
            Observation::AnswerLost => next.lose_answer(focus)?,
            Observation::Deferred(why, until) => {
                next.hinder(why, now);
                next.timer.ask_at(until);
                // Its turn may be hours away, but a Droplet that needs to be turned on does not wait that long.
                next.power.defer(until.min(later(now, LONGEST_BLIND_PAUSE)));
            }
            Observation::Restarted(unattended_for) => {
                // The process that was to report the result of the first answer is gone.
                next.hear_first_answer(FirstAnswer::Lost);
                next.restart(unattended_for, now);
            }
            Observation::TokenRefused => next.lose_token(focus, now),
            Observation::OtherAccount => next.call_for_token(Failure::OtherAccount, now),
            Observation::Seen(look, answer) => {
                let is_taken_in = next.watch(focus, &look, &answer, rules, now);
                if matches!(look, Look::Droplet(_)) {
                    next.power.note_look(now);
                }
                if !is_taken_in {
                    next.timer.ask_at_once();
                    next.on_reading(focus, &look, answer, rules, now)?;
                }
            }
            Observation::Answered(command, answer) => {
                next.timer.ask_at_once();
                next.answered(focus, &command, answer, rules, now)?;
            }
        }
        next.advance(now);
        Ok(next)
    }

    /// Ends the forward part after a bug in the bot. Turning the Droplet back on continues from a new look.
    #[must_use]
    pub fn halt(&self, now: Timestamp) -> Self {
        let mut next = self.clone();
        let focus = next.focus();
        if let Some(step) = next.step_mut(focus) {
            step.abandon();
        }
        next.fail_step(focus, Failure::Internal, now);
        next.advance(now);
        next
    }

    fn intend(&mut self, focus: Focus, now: Timestamp) -> Result<(), IllegalTransition> {
        let illegal = self.illegal(&Observation::Intended);
        let Some(step) = self.step_mut(focus) else { return Err(illegal) };
        if !matches!(step.state, State::Waiting(_)) {
            return Err(illegal);
        }
        step.state = State::Intended { at: now, doubt: None };
        step.began.get_or_insert(now);
        let task = step.task();
        if task.traits().may_turn_off {
            // A command that is refused again and again is no progress.
            let is_refused =
                self.obstacle.as_ref().is_some_and(|it| matches!(it.what, Blocker::Event(_) | Blocker::Throttled));
            self.power.owe(now, !is_refused);
        }
        match task {
            Task::PowerOn => self.power.intend_on(now),
            Task::Snapshot => self.taken_off = Some(self.power.last_seen() == Some(PowerState::Off)),
            Task::ShutDown
            | Task::PowerOff
            | Task::Restart
            | Task::Restore
            | Task::Create
            | Task::Delete
            | Task::EnableBackups
            | Task::ChangeBackups
            | Task::DisableBackups
            | Task::KeepBackup => {}
        }
        self.timer.ask_at_once();
        Ok(())
    }

    fn lose_answer(&mut self, focus: Focus) -> Result<(), IllegalTransition> {
        let illegal = self.illegal(&Observation::AnswerLost);
        let Some(step) = self.step_mut(focus) else { return Err(illegal) };
        let State::Intended { doubt: doubt @ None, .. } = &mut step.state else { return Err(illegal) };
        *doubt = Some(Doubt::default());
        step.answer_lost = true;
        self.obstacle = None;
        Ok(())
    }

    /// Looks again at once at whatever the operation was waiting for, since the token and the clock may have changed. No time in the row
    /// may lie in the future, or the operation would wait for as long as the clock was set back.
    fn restart(&mut self, unattended_for: SignedDuration, now: Timestamp) {
        self.timer.ask_at_once();
        self.denied = None;
        self.unattended |= unattended_for > LONGEST_UNATTENDED;
        self.unattended_since_decision |= unattended_for > LONGEST_UNATTENDED;
        // Another clock may have written these times, so people and shutdowns get their whole time again.
        let is_in_time = unattended_for <= LONGEST_SKEW;
        if let Some(question) = &mut self.question {
            question.opened_at = if is_in_time { now } else { question.opened_at.min(now) };
            question.shown_at = question.shown_at.map(|shown| if is_in_time { now } else { shown.min(now) });
        }
        if let Some(obstacle) = &mut self.obstacle {
            obstacle.since = obstacle.since.min(now);
        }
        if let Some(missing) = &mut self.missing {
            missing.since = missing.since.min(now);
        }
        self.asked_at = self.asked_at.min(now);
        self.restart_warning(now);
        for step in &mut self.steps {
            step.restart(now);
        }
        self.power.restart(is_in_time, now);
    }

    /// The token is refused: no forward step is possible, and the Droplet cannot be turned on until there is a new token. Reported once.
    fn lose_token(&mut self, focus: Focus, now: Timestamp) {
        if let Focus::Forward(_) = focus {
            if let Some(step) = self.step_mut(focus) {
                step.abandon();
            }
            self.fail_step(focus, Failure::Unauthorized, now);
        }
        self.call_for_token(Failure::Unauthorized, now);
    }

    /// Calls people if power is owed; once the token is right, everything continues.
    fn call_for_token(&mut self, why: Failure, now: Timestamp) {
        if self.power.is_owed() && self.power.stuck().is_none() {
            self.power.fail(Some(why), now);
        }
    }

    fn answered(
        &mut self,
        focus: Focus,
        command: &Command,
        answer: Answer,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<(), IllegalTransition> {
        let Some(step) = self.step_at(focus).filter(|step| matches!(step.state, State::Intended { doubt: None, .. }))
        else {
            return Err(self.illegal(&Observation::Answered(command.clone(), answer)));
        };
        let task = step.task();
        match answer {
            Answer::Action(reading) if self.is_about_us(&reading, task) => {
                self.denied = None;
                self.power.on_reading();
                if matches!(task, Task::ShutDown | Task::PowerOff) {
                    // DigitalOcean accepts these only for a Droplet that is on, so nothing before them has turned it off.
                    self.baseline.raise(std::iter::once(&reading));
                }
                self.run(focus, &reading, Ours::Named);
                self.timer.ask_at(later(now, rules.poll_interval));
            }
            Answer::Droplets(made) if task == Task::Create && made.len() == 1 => self.adopt_launched(focus, &made),
            // DigitalOcean has accepted the deletion; a look shows whether the Snapshot is gone.
            Answer::Done if task == Task::Delete => self.doubt(focus, Doubt { accepted: true, ..Doubt::default() }),
            Answer::Trouble(trouble) => self.refused(focus, task, trouble, rules, now),
            // An answer about something else tells us nothing about what was done.
            Answer::Droplet(_)
            | Answer::Actions(_)
            | Answer::Action(_)
            | Answer::Snapshots(_)
            | Answer::Image(_)
            | Answer::Droplets(_)
            | Answer::Done => self.lose_answer(focus)?,
        }
        Ok(())
    }

    /// Handles a command that was answered without an Action: it was not carried out, or the outcome is unknown.
    fn refused(&mut self, focus: Focus, task: Task, trouble: Trouble, rules: &Rules, now: Timestamp) {
        let was_lost = self.step_at(focus).is_some_and(|step| step.answer_lost);
        match trouble {
            Trouble::Unclear { retry_at } => {
                self.doubt(focus, Doubt::default());
                self.timer.ask_at(retry_at.min(later(now, rules.settle_time / 3)));
            }
            Trouble::NotSent { retry_at } => {
                self.not_carried_out(focus, task, Checks::DROPLET_STALE);
                self.hinder(Blocker::Outage, now);
                self.timer.ask_at(retry_at);
            }
            Trouble::Throttled { until } => {
                self.not_carried_out(focus, task, Checks::DROPLET_STALE);
                self.hinder(Blocker::Throttled, now);
                self.timer.ask_at(until.min(self.longest_silence(now)));
            }
            // The pending event may be the one that our lost command started. Cutting the power is tried again all the same.
            Trouble::Busy if was_lost && task != Task::PowerOff => self.doubt(focus, Doubt::default()),
            Trouble::Busy if task.traits().waits_for_others && !task.traits().shows_in_its_image => {
                self.power.on_reading();
                self.withdraw_conclusion();
                self.doubt(focus, Doubt { busy: true, ..Doubt::default() });
                self.hinder(Blocker::Event(None), now);
            }
            Trouble::Busy => {
                self.power.on_reading();
                self.withdraw_conclusion();
                self.not_carried_out(focus, task, Checks::default());
                if let Some(step) = self.step_mut(focus).filter(|step| step.task() == Task::PowerOff) {
                    // What a proxy sends twice is carried out once and refused once, so an Action like it may be ours.
                    step.answer_lost = true;
                }
                self.wait_for(Blocker::Event(None), rules, now);
            }
            // A single "not found" between good answers proves nothing: a look decides.
            Trouble::NotFound if task == Task::Delete => self.doubt(focus, Doubt::default()),
            Trouble::NotFound if matches!(task, Task::Create | Task::KeepBackup) => {
                self.fail_step(focus, Failure::SnapshotGone, now);
            }
            Trouble::NotFound => {
                // The Droplet itself decides whether it exists.
                let refused = Some(if task == Task::Restore { Failure::SnapshotGone } else { Failure::NotKnown });
                self.doubt(focus, Doubt { refused, ..Doubt::default() });
            }
            Trouble::Refused { message } => {
                // The Droplet may already be in the wanted state, or the command was carried out anyway: a look decides.
                let refused = Some(Failure::Refused { message });
                self.doubt(focus, Doubt { refused, ..Doubt::default() });
            }
            Trouble::Unauthorized | Trouble::Forbidden { .. } => {
                self.not_carried_out(focus, task, Checks::default());
                if !self.is_believed(&trouble, Asked::Command, rules, now) {
                    return;
                }
                let why = trouble.fatal().unwrap_or(Failure::Internal);
                self.fail_step(focus, why, now);
            }
        }
    }

    /// Withdraws the conclusion that a Snapshot was over because its Droplet was unlocked: something still runs on the Droplet.
    pub(super) fn withdraw_conclusion(&mut self) {
        for run in self.steps.iter_mut().filter_map(Step::run_mut).filter(|run| run.concluded) {
            (run.completed, run.concluded, run.unread) = (None, false, 0);
            (run.seen_locked, run.asks_action) = (false, true);
        }
    }

    /// Returns a step to waiting after its command was certainly not carried out, so that it cannot turn anything off late.
    pub(super) fn not_carried_out(&mut self, focus: Focus, task: Task, checks: Checks) {
        let Some(step) = self.step_mut(focus) else { return };
        step.state = State::Waiting(checks);
        if !step.answer_lost {
            // The command was never carried out, so the step has not begun.
            step.began = None;
            if matches!(task, Task::ShutDown | Task::Restart) {
                self.power.withdraw();
            }
        }
    }

    fn doubt(&mut self, focus: Focus, doubt: Doubt) {
        if !doubt.busy {
            self.obstacle = None;
        }
        if let Some(step) = self.step_mut(focus)
            && let State::Intended { doubt: open, .. } = &mut step.state
        {
            step.answer_lost |= doubt.refused.is_none() && !doubt.busy;
            *open = Some(doubt);
        }
    }

    /// Accepts a refusal after a look has shown that the command was not carried out.
    pub(super) fn believe_refusal(&mut self, focus: Focus, why: Failure, now: Timestamp) {
        if let Some(task) = self.step_at(focus).map(Step::task) {
            self.not_carried_out(focus, task, Checks::default());
        }
        self.fail_step(focus, why, now);
    }

    /// Records that DigitalOcean is working on the step.
    pub(super) fn run(&mut self, focus: Focus, action: &ActionReading, ours: Ours) {
        let presumed = ours == Ours::Presumed;
        if let Some(step) = self.step_mut(focus) {
            let (action, started_at, intended_at) = (Some(action.id), action.started_at, step.intended_at());
            step.state = State::Running(Run { action, started_at, intended_at, presumed, ..Run::default() });
        }
        self.obstacle = None;
    }

    /// Records the new Droplet.
    pub(super) fn adopt_launched(&mut self, focus: Focus, made: &[super::reading::DropletReading]) {
        let Some(droplet) = made.first() else { return };
        let DropletReading { id, address, monthly_cents, .. } = droplet.clone();
        self.launched = Some(Launched { droplet: id, address, monthly_cents });
        if let Some(step) = self.step_mut(focus) {
            step.state = State::Running(Run::default());
        }
    }

    /// Whether an Action belongs to our Droplet and has the task's type.
    pub(super) fn is_about_us(&self, action: &ActionReading, task: Task) -> bool {
        let our_droplet = action.droplet.is_none() || action.droplet == self.droplet();
        our_droplet && Some(action.kind.as_str()) == task.action_kind()
    }

    /// Notes an obstacle; if it already existed, its start time is kept.
    pub(super) fn hinder(&mut self, what: Blocker, now: Timestamp) {
        let since = self.obstacle.as_ref().map_or(now, |obstacle| obstacle.since);
        self.obstacle = Some(Obstacle { what, since });
    }

    /// Notes an obstacle, and looks again after a while.
    pub(super) fn wait_for(&mut self, what: Blocker, rules: &Rules, now: Timestamp) {
        self.hinder(what, now);
        let since = self.obstacle.as_ref().map_or(now, |obstacle| obstacle.since);
        self.timer.ask_at(later(now, self.patience(since, now, rules)));
    }

    pub(super) fn illegal(&self, observation: &Observation) -> IllegalTransition {
        let state = self.step_at(self.focus()).map_or_else(|| "rest".to_owned(), |step| format!("{step:?}"));
        IllegalTransition { state, observation: format!("{observation:?}") }
    }
}
