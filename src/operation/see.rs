//! What looks do to an operation: readings of the Droplet, its Actions and its Snapshots.

use jiff::{SignedDuration, Timestamp};

use super::{
    Focus, Hindrance, IllegalTransition, Observation, Operation, Rules,
    pace::later,
    reading::{ActionReading, ActionStatus, DropletReading, Failure, PowerState, Status, Trouble},
    request::{Answer, Look},
    step::{Checks, Doubt, Run, State, Step, Task},
};

/// How long a Droplet may read `off` after DigitalOcean completed its power-on, before we try again.
const POWER_ON_LAG: SignedDuration = SignedDuration::from_mins(3);
/// A new Droplet that is active usually has its address; after so many looks we end without one.
const LOOKS_FOR_ADDRESS: u32 = 10;

impl Operation {
    pub(super) fn see(
        &mut self,
        focus: Focus,
        look: &Look,
        answer: Answer,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<(), IllegalTransition> {
        let Some(state) = self.step_at(focus).map(|step| step.state.clone()) else {
            return Err(self.illegal(&Observation::Seen(look.clone(), answer)));
        };
        match (look, answer) {
            (_, Answer::Trouble(trouble)) => self.see_trouble(focus, look, &trouble, rules, now),
            (Look::Droplet(asked), Answer::Droplet(reading)) if reading.id == *asked => {
                self.missing_since = None;
                self.see_droplet(focus, state, &reading, rules, now);
            }
            (Look::Actions(_), Answer::Actions(readings)) => match state {
                State::Waiting(_) => self.take_baseline(focus, &readings, rules, now),
                State::Intended { .. } => self.seek_action(focus, &readings, rules, now),
                State::Running(_) if self.launched.is_some() => self.launched_actions(focus, &readings, rules, now),
                State::Running(_) | State::Done { .. } | State::Skipped | State::Failed { .. } => {
                    return Err(self.illegal(&Observation::Seen(look.clone(), Answer::Actions(readings))));
                }
            },
            (Look::Action(asked), Answer::Action(reading)) if reading.id == *asked => {
                self.see_action(focus, &reading, rules, now);
            }
            (Look::Snapshots(_), Answer::Snapshots(readings)) => match state {
                State::Intended { .. } => self.seek_snapshot(focus, &readings, rules, now),
                State::Running(run) => self.see_list(focus, &run, &readings, rules, now),
                State::Waiting(_) | State::Done { .. } | State::Skipped | State::Failed { .. } => {
                    return Err(self.illegal(&Observation::Seen(look.clone(), Answer::Snapshots(readings))));
                }
            },
            // Whoever cancels is not told so while the lost command may still delete.
            (Look::Snapshot(_), Answer::Snapshots(_)) if self.cancelled.is_some() => {
                self.empty_round(focus, rules, now);
            }
            // The Snapshot that a lost answer was to delete is still there: deleting twice does no harm.
            (Look::Snapshot(_), Answer::Snapshots(_)) => self.begin_again(focus),
            (Look::Launched(_), Answer::Droplets(found)) if found.is_empty() => self.empty_round(focus, rules, now),
            (Look::Launched(_), Answer::Droplets(found)) => self.adopt_launched(focus, &found, now),
            // DigitalOcean spoke of something else: as good as no answer.
            (
                _,
                Answer::Droplet(_)
                | Answer::Actions(_)
                | Answer::Action(_)
                | Answer::Snapshots(_)
                | Answer::Droplets(_)
                | Answer::Done,
            ) => self.wait_for(Hindrance::Outage, rules, now),
        }
        Ok(())
    }

    fn see_trouble(&mut self, focus: Focus, look: &Look, trouble: &Trouble, rules: &Rules, now: Timestamp) {
        match trouble {
            Trouble::NotSent { retry_at } | Trouble::Unclear { retry_at } => {
                self.wait_for(Hindrance::Outage, rules, now);
                self.not_before = self.not_before.max(Some(*retry_at));
            }
            Trouble::Throttled { until } => {
                self.hinder(Hindrance::Throttled, now);
                self.not_before = Some(*until);
            }
            Trouble::Busy => self.wait_for(Hindrance::Event(None), rules, now),
            Trouble::NotFound => match look {
                Look::Droplet(_) | Look::Actions(_) | Look::Snapshots(_) => {
                    self.miss_droplet(focus, look, rules, now);
                }
                Look::Action(_) => {
                    self.break_run(focus, now);
                    self.not_before = None;
                    self.seek_vanished(focus, rules, now);
                }
                Look::Snapshot(_) => self.complete(focus, now),
                Look::Launched(_) => self.empty_round(focus, rules, now),
            },
            Trouble::Unauthorized | Trouble::Forbidden { .. } | Trouble::Refused { .. } => {
                self.fail_step(focus, trouble.fatal().unwrap_or(Failure::Internal), now);
            }
        }
    }

    /// DigitalOcean says that it does not know the Droplet. A second look at the Droplet itself, some time later, must say the
    /// same: power that is owed is not given up for one strange answer.
    fn miss_droplet(&mut self, focus: Focus, look: &Look, rules: &Rules, now: Timestamp) {
        let pause = (rules.settle_time / 3).max(SignedDuration::from_millis(1));
        let since = *self.missing_since.get_or_insert(now);
        if now < later(since, pause) || !matches!(look, Look::Droplet(_)) {
            self.not_before = Some(later(now, pause));
        } else if self.step_at(focus).is_some_and(|step| step.task == Task::Create) {
            // The new Droplet was destroyed before it was ready.
            self.fail_step(focus, Failure::DropletGone, now);
        } else {
            self.droplet_is_gone(focus, now);
        }
    }

    fn see_droplet(&mut self, focus: Focus, state: State, reading: &DropletReading, rules: &Rules, now: Timestamp) {
        match (focus, state) {
            (Focus::Forward(index), State::Waiting(_)) => self.prepare(index, reading, rules, now),
            (_, State::Intended { doubt: Some(doubt), .. }) => self.doubt_droplet(focus, doubt, reading, rules, now),
            (Focus::Forward(_), State::Running(run)) => self.run_droplet(focus, &run, reading, rules, now),
            (Focus::Back, State::Running(run)) => self.back_droplet(&run, reading, rules, now),
            (Focus::Back, _) => self.owe_droplet(reading, rules, now),
            (Focus::Forward(_) | Focus::Rest, _) => {}
        }
    }

    /// The look before a command of a forward step: is the Droplet ours to touch, free, and not already as wanted?
    fn prepare(&mut self, index: usize, reading: &DropletReading, rules: &Rules, now: Timestamp) {
        let focus = Focus::Forward(index);
        if let Some(tag) = rules.droplet_tag.as_ref().filter(|tag| !reading.tags.contains(tag)) {
            return self.fail_step(focus, Failure::TagRemoved { tag: tag.clone() }, now);
        }
        let power = match &reading.status {
            Status::Settled(power) => *power,
            Status::New => return self.wait_for(Hindrance::Unsettled("new".to_owned()), rules, now),
            Status::Other(status) => {
                let status = status.clone();
                return self.fail_step(focus, Failure::DropletUnusable { status }, now);
            }
        };
        if reading.locked {
            return self.wait_for(Hindrance::Locked, rules, now);
        }
        // A Droplet that was off and that somebody turned on meanwhile is theirs: what we do next may turn it off.
        let turned_on = power == PowerState::On;
        if self.power.owed.is_none() && (turned_on || self.steps.iter().all(|step| step.began.is_none())) {
            self.power.before = Some(power);
        }
        self.target.name.clone_from(&reading.name);
        self.not_before = None;
        let task = self.steps[index].task;
        let answer_lost = self.steps[index].answer_lost;
        match (task, power) {
            (Task::ShutDown | Task::PowerOff, PowerState::Off) if self.was_on() => {
                self.power.see_off();
                self.complete(focus, now);
            }
            // It may have been restored, and be in use since then: sent again, that would be lost.
            (Task::Restore, PowerState::On) if answer_lost => self.fail_step(focus, Failure::RestoreUnclear, now),
            (Task::ShutDown, PowerState::Off) => {
                self.steps[index].state = State::Skipped;
                if let Some(next) = self.steps.get_mut(index + 1) {
                    next.state = State::Waiting(Checks { droplet: true, actions: false });
                }
            }
            (
                Task::ShutDown
                | Task::PowerOff
                | Task::Snapshot
                | Task::Restore
                | Task::Create
                | Task::Delete
                | Task::PowerOn,
                _,
            ) => {
                if let State::Waiting(checks) = &mut self.steps[index].state {
                    checks.droplet = true;
                }
            }
        }
    }

    fn doubt_droplet(&mut self, focus: Focus, doubt: Doubt, reading: &DropletReading, rules: &Rules, now: Timestamp) {
        let Some(task) = self.step_at(focus).map(|step| step.task) else { return };
        let power = reading.power();
        match (task, power) {
            (Task::ShutDown | Task::PowerOff, Some(PowerState::Off)) => {
                match self.step_at(focus).map(|step| &step.state) {
                    Some(State::Intended { at, .. }) if doubt.refused.is_none() => {
                        self.power.see_off_in_doubt(later(*at, rules.settle_time));
                    }
                    Some(_) | None => self.power.see_off(),
                }
                return self.complete(focus, now);
            }
            (Task::PowerOn, Some(PowerState::On)) => {
                self.power.see_on(now, self.ended.is_some());
                self.not_before = None;
                self.obstacle = None;
                return;
            }
            _ => {}
        }
        if let Some(why) = doubt.refused {
            if task == Task::ShutDown {
                self.power.settle();
            }
            return self.fail_step(focus, why, now);
        }
        let seen_on = power == Some(PowerState::On);
        let free = !reading.locked;
        if let Some(Step { state: State::Intended { doubt: Some(doubt), .. }, .. }) = self.step_mut(focus) {
            doubt.seen_on |= seen_on;
            doubt.round.droplet = free;
        }
        if free {
            self.not_before = None;
        } else {
            self.wait_for(Hindrance::Locked, rules, now);
        }
    }

    /// A look at the Droplet while a forward Action runs or has just ended.
    fn run_droplet(&mut self, focus: Focus, run: &Run, reading: &DropletReading, rules: &Rules, now: Timestamp) {
        let Some(step) = self.step_at(focus) else { return };
        let (task, began) = (step.task, step.began.unwrap_or(now));
        self.obstacle = None;
        match task {
            Task::ShutDown | Task::PowerOff
                if reading.power() == Some(PowerState::Off) && !reading.locked && run.ended() =>
            {
                self.power.see_off();
                self.complete(focus, now);
            }
            Task::PowerOff if run.broken.is_some() => self.fail_step(focus, Failure::ActionErrored, now),
            Task::PowerOff if now >= later(run.intended_at.unwrap_or(began), rules.shutdown_timeout) => {
                self.fail_step(focus, Failure::Hung, now);
            }
            Task::Restore if run.broken.is_some() => self.fail_step(focus, Failure::RestoreUnclear, now),
            Task::Restore if run.completed.is_some() => {
                self.power.after = reading.power();
                self.complete(focus, now);
            }
            Task::Create => self.launched_droplet(focus, reading, rules, now),
            Task::ShutDown | Task::PowerOff => {
                let since = run.completed.or(run.broken).unwrap_or(began);
                self.look_again(focus, task, since, rules, now);
            }
            Task::Snapshot | Task::Restore | Task::Delete | Task::PowerOn => {
                self.look_again(focus, task, began, rules, now);
            }
        }
    }

    fn launched_droplet(&mut self, focus: Focus, reading: &DropletReading, rules: &Rules, now: Timestamp) {
        let looks = self.step_at(focus).and_then(Step::run).map_or(0, |run| run.looks);
        if let Some(launched) = &mut self.launched {
            launched.address.clone_from(&reading.address);
            launched.monthly_cents = reading.monthly_cents.or(launched.monthly_cents);
        }
        let patient = looks < LOOKS_FOR_ADDRESS;
        let ready = match reading.power() {
            Some(PowerState::On) => reading.address.is_some() || !patient,
            // Somebody turned it off before we saw it on: it is made all the same.
            Some(PowerState::Off) => !patient,
            None => false,
        };
        if ready {
            self.complete(focus, now);
        } else {
            let began = self.step_at(focus).and_then(|step| step.began).unwrap_or(now);
            self.look_again(focus, Task::Create, began, rules, now);
        }
    }

    /// The Actions of a new Droplet: whether it is still being made.
    fn launched_actions(&mut self, focus: Focus, readings: &[ActionReading], rules: &Rules, now: Timestamp) {
        let create = readings.iter().find(|reading| Some(reading.kind.as_str()) == Task::Create.action_kind());
        if create.is_some_and(|create| create.status == ActionStatus::Errored) {
            return self.fail_step(focus, Failure::ActionErrored, now);
        }
        self.obstacle = None;
        let began = self.step_at(focus).and_then(|step| step.began).unwrap_or(now);
        self.look_again(focus, Task::Create, began, rules, now);
    }

    /// A look at the Droplet while its power-on runs or has just ended. Seen on is on, even where the Action never ends.
    fn back_droplet(&mut self, run: &Run, reading: &DropletReading, rules: &Rules, now: Timestamp) {
        self.obstacle = None;
        self.not_before = None;
        if reading.power() == Some(PowerState::On) {
            return self.power.see_on(now, self.ended.is_some());
        }
        match (run.completed, run.broken) {
            (Some(completed), _) if now < later(completed, POWER_ON_LAG) => {
                self.look_again(Focus::Back, Task::PowerOn, completed, rules, now);
            }
            (Some(_), _) => self.retry_power_back(None, run, now),
            (None, Some(_)) => self.retry_power_back(Some(Failure::ActionErrored), run, now),
            (None, None) => {
                let began = self.power.back.began.unwrap_or(now);
                self.look_again(Focus::Back, Task::PowerOn, began, rules, now);
            }
        }
    }

    fn retry_power_back(&mut self, why: Option<Failure>, run: &Run, now: Timestamp) {
        self.baseline.extend(run.action);
        self.power.fail(why, now);
        self.not_before = Some(later(now, self.retry_pause()));
    }

    /// A look at the Droplet whose power we owe.
    fn owe_droplet(&mut self, reading: &DropletReading, rules: &Rules, now: Timestamp) {
        self.not_before = None;
        match reading.power() {
            Some(PowerState::On) => {
                self.obstacle = None;
                self.power.see_on(now, self.ended.is_some());
                if self.power.parked && self.verdict.is_some() {
                    self.not_before = Some(later(now, Self::watch_pause(rules)));
                }
            }
            Some(PowerState::Off) => {
                self.power.see_off();
                let droplet = !reading.locked;
                self.power.back.state = State::Waiting(Checks { droplet, actions: true });
                if reading.locked {
                    self.wait_for(Hindrance::Locked, rules, now);
                }
            }
            None => self.wait_for(Hindrance::Unsettled("changing".to_owned()), rules, now),
        }
    }

    fn see_action(&mut self, focus: Focus, reading: &ActionReading, rules: &Rules, now: Timestamp) {
        let Some(step) = self.step_at(focus) else { return };
        let (task, began) = (step.task, step.began.unwrap_or(now));
        if !self.is_about_us(reading, task) {
            return self.wait_for(Hindrance::Outage, rules, now);
        }
        self.obstacle = None;
        if let Some(Step { task: Task::Snapshot, state: State::Running(run), .. }) = self.step_mut(focus) {
            run.broken = None;
        }
        match reading.status {
            ActionStatus::InProgress => self.look_again(focus, task, began, rules, now),
            ActionStatus::Completed => {
                if task == Task::Restore {
                    self.power.settle();
                }
                if let Some(Step { state: State::Running(run), .. }) = self.step_mut(focus) {
                    run.completed = Some(now);
                    run.started_at = run.started_at.or(reading.started_at);
                }
                self.not_before = None;
            }
            ActionStatus::Errored => match task {
                Task::Snapshot | Task::Restore | Task::Create | Task::Delete => {
                    if task == Task::Restore {
                        self.power.settle();
                    }
                    self.baseline.push(reading.id);
                    self.fail_step(focus, Failure::ActionErrored, now);
                }
                // The Droplet has the last word on its power.
                Task::ShutDown | Task::PowerOff | Task::PowerOn => {
                    self.break_run(focus, now);
                    self.not_before = None;
                }
            },
        }
    }

    fn break_run(&mut self, focus: Focus, now: Timestamp) {
        if let Some(Step { state: State::Running(run), .. }) = self.step_mut(focus) {
            run.broken.get_or_insert(now);
        }
    }

    fn look_again(&mut self, focus: Focus, task: Task, since: Timestamp, rules: &Rules, now: Timestamp) {
        if let Some(Step { state: State::Running(run), .. }) = self.step_mut(focus) {
            run.looks = run.looks.saturating_add(1);
        }
        let mut again = later(now, self.pause(task, since, now, rules));
        if task == Task::ShutDown {
            let sent = self.current().and_then(Step::sent_at);
            let timeout = sent.map(|sent| later(sent, rules.shutdown_timeout)).filter(|timeout| *timeout > now);
            again = timeout.map_or(again, |timeout| again.min(timeout));
        }
        self.not_before = Some(again);
        self.judge_shutdown(rules, now);
    }
}
