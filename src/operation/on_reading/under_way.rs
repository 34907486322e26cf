//! Looks while an Action of a forward step is in progress.

use jiff::{SignedDuration, Timestamp};

use crate::operation::{
    Blocker, Focus, Operation, Rules,
    backoff::later,
    power::Theirs,
    reading::{ActionReading, ActionStatus, DropletReading, Failure, PowerState},
    step::{Run, State, Step, Task},
};

/// How long an Action in progress counts as progress; or four times its usual duration, if that is longer.
const LONGEST_PROGRESS: SignedDuration = SignedDuration::from_hours(3);
/// After this many failed looks at an Action, the Droplet's own state is believed instead.
pub(super) const UNREAD_ENOUGH: u32 = 2;
/// A new Droplet that is active usually has its address; after this many looks the operation ends without one.
const LOOKS_FOR_ADDRESS: u32 = 10;

impl Operation {
    /// Handles a look at the Droplet while a forward Action runs or has just ended.
    pub(in crate::operation) fn run_droplet(
        &mut self,
        focus: Focus,
        run: &Run,
        reading: &DropletReading,
        rules: &Rules,
        now: Timestamp,
    ) {
        let Some(step) = self.step_at(focus) else { return };
        let (task, began) = (step.task(), step.began.unwrap_or(now));
        if task.turns_off() && reading.power() == Some(PowerState::Off) {
            return self.run_off(focus, run, reading, rules, now);
        }
        self.obstacle = None;
        match task {
            Task::Snapshot if Self::is_snapshot_over(run, reading, rules, now) => {
                if let Some(run) = self.step_mut(focus).and_then(Step::run_mut) {
                    (run.completed, run.concluded, run.asks_action) = (Some(now), true, false);
                }
                if self.focus() == Focus::Back {
                    // The same reading serves as the look before the Droplet is turned on.
                    self.owe_droplet(reading, rules, now);
                }
            }
            Task::PowerOff if run.broken.is_some() => self.fail_step(focus, Failure::ActionErrored, now),
            Task::PowerOff if now >= later(run.intended_at.unwrap_or(began), rules.shutdown_timeout) => {
                self.fail_step(focus, Failure::Hung, now);
            }
            Task::Restore if run.broken.is_some() => self.fail_step(focus, Failure::RestoreUnclear, now),
            Task::Restore if run.completed.is_some() => {
                self.power.note_after(reading.power());
                self.complete(focus, now);
            }
            Task::Restart if run.ended() => self.complete(focus, now),
            Task::Create => self.launched_droplet(focus, reading, rules, now),
            task if task.traits().ends_with_its_action && run.broken.is_some() => {
                self.fail_step(focus, Failure::ActionVanished, now);
            }
            Task::ShutDown | Task::PowerOff => {
                let since = run.completed.or(run.broken).unwrap_or(began);
                self.note_lock(focus, reading);
                self.look_again(focus, task, since, rules, now);
            }
            Task::Snapshot
            | Task::Restart
            | Task::Restore
            | Task::Delete
            | Task::PowerOn
            | Task::EnableBackups
            | Task::ChangeBackups
            | Task::DisableBackups
            | Task::KeepBackup => {
                self.note_lock(focus, reading);
                let is_ours = run.action.is_some() && reading.locked && reading.power() == Some(PowerState::Off);
                if is_ours && self.longest_progress(task).is_some_and(|longest| now < later(began, longest)) {
                    // DigitalOcean started our Action and has held the Droplet since.
                    self.power.get_on(now);
                }
                self.look_again(focus, task, began, rules, now);
            }
        }
    }

    /// Handles a look that shows the Droplet off while our Action to turn it off runs or has just ended. The Action has done its work, so
    /// nobody is asked about it. The bot waits for whatever still holds the Droplet, and calls people if that takes long.
    pub(in crate::operation) fn run_off(
        &mut self,
        focus: Focus,
        run: &Run,
        reading: &DropletReading,
        rules: &Rules,
        now: Timestamp,
    ) {
        let Some(step) = self.step_at(focus) else { return };
        let (task, sent) = (step.task(), run.intended_at.or(step.began).unwrap_or(now));
        let is_overdue = now >= later(sent, rules.shutdown_timeout);
        self.power.note_off(now);
        self.question = None;
        // After a cancellation the Droplet is to be on again, whatever holds it.
        let may_go_on = !reading.locked || (is_overdue && self.cancelled.is_some());
        if may_go_on && (run.ended() || run.seen_locked || run.unread >= UNREAD_ENOUGH || is_overdue) {
            self.obstacle = None;
            self.power.see_off(now);
            return self.complete_off(focus, reading, rules, now);
        }
        self.note_lock(focus, reading);
        if !reading.locked {
            // The Action's own state will show whether that is all.
            self.obstacle = None;
            return;
        }
        if is_overdue {
            self.hinder(Blocker::Locked, now);
        }
        self.look_again(focus, task, sent, rules, now);
    }

    /// Notes what a look at the Droplet says about the running Action. If it is locked, the Action is in progress; if it is unlocked and
    /// not yet in the wanted state, the Action itself must be read, since not every Droplet shows a lock.
    pub(in crate::operation) fn note_lock(&mut self, focus: Focus, reading: &DropletReading) {
        if let Some(run) = self.step_mut(focus).and_then(Step::run_mut) {
            run.seen_locked |= reading.locked;
            run.seen_off = reading.power() == Some(PowerState::Off);
            run.free_at = reading.asked_at.filter(|_| run.seen_off && !reading.locked);
            run.asks_action = !reading.locked && !run.ended();
        }
    }

    /// Whether the Droplet itself shows that a Snapshot is over: it is off, and no longer locked as it was before. If it was never seen
    /// locked, that counts only while the Action cannot be read.
    pub(in crate::operation) fn is_snapshot_over(
        run: &Run,
        reading: &DropletReading,
        rules: &Rules,
        now: Timestamp,
    ) -> bool {
        let is_free = reading.power() == Some(PowerState::Off) && !reading.locked;
        let may_have_begun = run.intended_at.is_some_and(|sent| now >= later(sent, rules.settle_time));
        let is_unreadable = run.unread >= UNREAD_ENOUGH;
        run.completed.is_none() && is_free && (run.seen_locked || is_unreadable && may_have_begun)
    }

    pub(in crate::operation) fn launched_droplet(
        &mut self,
        focus: Focus,
        reading: &DropletReading,
        rules: &Rules,
        now: Timestamp,
    ) {
        let looks = self.step_at(focus).and_then(Step::run).map_or(0, |run| run.looks);
        if let Some(launched) = &mut self.launched {
            launched.address.clone_from(&reading.address);
            launched.monthly_cents = reading.monthly_cents.or(launched.monthly_cents);
        }
        let patient = looks < LOOKS_FOR_ADDRESS;
        let ready = match reading.power() {
            Some(PowerState::On) => reading.address.is_some() || !patient,
            // Somebody turned it off before we saw it on; the creation still succeeded.
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

    /// Handles the Actions of a new Droplet, which show whether it is still being created.
    pub(in crate::operation) fn launched_actions(
        &mut self,
        focus: Focus,
        readings: &[ActionReading],
        rules: &Rules,
        now: Timestamp,
    ) {
        let create = readings.iter().find(|reading| Some(reading.kind.as_str()) == Task::Create.action_kind());
        if create.is_some_and(|create| create.status == ActionStatus::Errored) {
            return self.fail_step(focus, Failure::ActionErrored, now);
        }
        self.obstacle = None;
        let began = self.step_at(focus).and_then(|step| step.began).unwrap_or(now);
        self.look_again(focus, Task::Create, began, rules, now);
    }

    /// Handles the Actions of a Droplet that is off while its Snapshot is being taken: they show how that proceeds, and whether it was
    /// somebody else who turned the Droplet off since our own command.
    pub(in crate::operation) fn snapshot_actions(
        &mut self,
        focus: Focus,
        run: &Run,
        readings: &[ActionReading],
        rules: &Rules,
        now: Timestamp,
    ) {
        if let Some(kind) = self.foreign_off(readings).filter(|_| self.power.is_owed()) {
            self.power.mark_theirs(Theirs { kind, at: now });
        }
        match readings.iter().find(|reading| Some(reading.id) == run.action) {
            Some(ours) => self.see_action(focus, ours, rules, now),
            None => self.look_again(focus, Task::Snapshot, now, rules, now),
        }
    }

    pub(in crate::operation) fn see_action(
        &mut self,
        focus: Focus,
        reading: &ActionReading,
        rules: &Rules,
        now: Timestamp,
    ) {
        let Some(step) = self.step_at(focus) else { return };
        let (task, began) = (step.task(), step.began.unwrap_or(now));
        if !self.is_about_us(reading, task) {
            return self.wait_for(Blocker::Outage, rules, now);
        }
        self.obstacle = None;
        if let Some(run) = self.step_mut(focus).and_then(Step::run_mut) {
            (run.unread, run.asks_action) = (0, false);
            // For an image, a known Action proves nothing about the image itself.
            run.unknown_since = run.unknown_since.filter(|_| task == Task::KeepBackup);
            if task == Task::Snapshot {
                run.broken = None;
            }
        }
        match reading.status {
            ActionStatus::InProgress => {
                if task == Task::Snapshot {
                    self.withdraw_conclusion();
                }
                if task == Task::Snapshot && self.power.last_seen() == Some(PowerState::On) {
                    self.taken_off = Some(false);
                }
                if self.longest_progress(task).is_some_and(|longest| now < later(began, longest)) {
                    self.power.get_on(now);
                }
                self.look_again(focus, task, began, rules, now);
                if task == Task::PowerOn && self.power.last_seen() == Some(PowerState::On) {
                    self.await_end_of_power_on(now);
                }
            }
            ActionStatus::Completed if task.traits().ends_with_its_action => self.complete(focus, now),
            ActionStatus::Completed => {
                if task.leaves_power_open() {
                    self.power.settle();
                }
                if let Some(Step { state: State::Running(run), .. }) = self.step_mut(focus) {
                    (run.completed, run.concluded) = (run.completed.or(Some(now)), false);
                    run.started_at = run.started_at.or(reading.started_at);
                }
            }
            // The Droplet's state decides about its power.
            ActionStatus::Errored if task.traits().reaches.is_some() => {
                self.break_run(focus, now);
            }
            ActionStatus::Errored => {
                if task.leaves_power_open() {
                    self.power.settle();
                }
                self.baseline.add(reading.id);
                self.fail_step(focus, Failure::ActionErrored, now);
            }
        }
    }

    /// How long an Action in progress counts as progress. After that people are called, even if nothing is wrong. `None` for turning on or
    /// off, which takes a moment.
    pub(in crate::operation) fn longest_progress(&self, task: Task) -> Option<SignedDuration> {
        match task {
            Task::Snapshot | Task::Restore => {
                let typical = self.typical.of(task).unwrap_or(SignedDuration::ZERO);
                Some(typical.checked_mul(4).unwrap_or(SignedDuration::MAX).max(LONGEST_PROGRESS))
            }
            Task::ShutDown
            | Task::PowerOff
            | Task::PowerOn
            | Task::Restart
            | Task::Create
            | Task::Delete
            | Task::EnableBackups
            | Task::ChangeBackups
            | Task::DisableBackups
            | Task::KeepBackup => None,
        }
    }

    pub(in crate::operation) fn break_run(&mut self, focus: Focus, now: Timestamp) {
        if let Some(Step { state: State::Running(run), .. }) = self.step_mut(focus) {
            run.broken.get_or_insert(now);
        }
    }

    pub(in crate::operation) fn look_again(
        &mut self,
        focus: Focus,
        task: Task,
        since: Timestamp,
        rules: &Rules,
        now: Timestamp,
    ) {
        if let Some(Step { state: State::Running(run), .. }) = self.step_mut(focus) {
            run.looks = run.looks.saturating_add(1);
        }
        let mut again = later(now, self.pause(task, since, now, rules));
        if task == Task::ShutDown {
            let sent = self.current().and_then(Step::sent_at);
            let timeout = sent.map(|sent| later(sent, rules.shutdown_timeout)).filter(|timeout| *timeout > now);
            again = timeout.map_or(again, |timeout| again.min(timeout));
        }
        self.timer.ask_at(again);
        self.judge_shutdown(rules, now);
    }
}
