//! The look before a command, and a look while it is unknown whether a command arrived.

use jiff::Timestamp;

use crate::operation::{
    Blocker, Focus, Operation, Rules,
    backoff::later,
    evidence::Asked,
    reading::{DropletReading, Failure, PowerState, Status, Trouble},
    step::{Checks, Doubt, State, Step, Task},
};

impl Operation {
    /// Handles the look before a command of a forward step: is the Droplet ours to touch, unlocked, and not already in the wanted state?
    pub(in crate::operation) fn prepare(
        &mut self,
        index: usize,
        reading: &DropletReading,
        rules: &Rules,
        now: Timestamp,
    ) {
        let Some(power) = self.touchable(index, reading, rules, now) else { return };
        // A Droplet that was off and that somebody turned on meanwhile counts as on before: our next command may turn it off.
        let turned_on = power == PowerState::On;
        if self.power.owed().is_none() && (turned_on || self.steps.iter().all(|step| step.began.is_none())) {
            self.power.note_before(power);
        }
        if let Some(name) = &reading.name {
            self.target.name.clone_from(name);
        }
        let (focus, task) = (Focus::Forward(index), self.steps[index].task());
        let answer_lost = self.steps[index].answer_lost;
        match (task, power) {
            // The Droplet's Actions say who turned it off.
            (Task::ShutDown, PowerState::Off) if self.may_be_off_by_inheritance() && !self.has_read_actions(index) => {
                self.steps[index].state = State::Waiting(Checks::seen(reading.asked_by(now)));
            }
            (Task::ShutDown, PowerState::Off) if self.power.owed().is_some() && self.may_be_off_by_us(index) => {
                self.power.see_off(now);
                self.complete_off(focus, reading, rules, now);
            }
            // It does not matter who turned it off: there is no power to cut.
            (Task::PowerOff, PowerState::Off) => {
                self.power.see_off(now);
                self.complete_off(focus, reading, rules, now);
            }
            // It may have been restored and used since then; a second restore would lose that work.
            (Task::Restore, PowerState::On) if answer_lost => self.fail_step(focus, Failure::RestoreUnclear, now),
            // It was off when we first looked, and somebody turned it on since.
            (Task::Restore, PowerState::On) if self.was_found_off() => {
                self.fail_step(focus, Failure::ChangedMeanwhile, now);
            }
            // Somebody turned it on after we turned it off, and may have used it: the safety Snapshot does not contain the present disk.
            (Task::Restore, PowerState::On) if self.power.was_seen_off() => {
                self.fail_step(focus, Failure::ChangedMeanwhile, now);
            }
            // An earlier try cut the power and the Droplet did not come back: all that is left is to turn it on.
            (Task::Restart, PowerState::Off) if self.power.owed().is_some() => {
                self.power.see_off(now);
                self.complete(focus, now);
            }
            (Task::Restart, PowerState::Off) => self.skip_shutdown(index),
            (Task::ShutDown, PowerState::Off) => {
                if self.power.owed().is_some() {
                    // Our shutdown was certainly not carried out, so somebody else's was.
                    self.power.mark_never_ours();
                }
                self.skip_shutdown(index);
                self.prepare_next(index, Checks::default(), reading, rules, now);
            }
            (
                Task::ShutDown
                | Task::PowerOff
                | Task::Snapshot
                | Task::Restart
                | Task::Restore
                | Task::Create
                | Task::Delete
                | Task::PowerOn
                | Task::EnableBackups
                | Task::ChangeBackups
                | Task::DisableBackups
                | Task::KeepBackup,
                _,
            ) => {
                if let State::Waiting(checks) = &mut self.steps[index].state {
                    *checks = Checks { actions: checks.actions, ..Checks::seen(reading.asked_by(now)) };
                }
                if task == Task::ShutDown {
                    self.call_for_warning(now);
                }
            }
        }
    }

    /// The power state of a Droplet that is ours to touch and unlocked. Otherwise `None`, after applying the consequences.
    fn touchable(
        &mut self,
        index: usize,
        reading: &DropletReading,
        rules: &Rules,
        now: Timestamp,
    ) -> Option<PowerState> {
        let focus = Focus::Forward(index);
        match (&rules.droplet_tag, &reading.tags) {
            (Some(_), None) => {
                self.wait_for(Blocker::Outage, rules, now);
                return None;
            }
            (Some(tag), Some(tags)) if !tags.contains(tag) => {
                self.fail_step(focus, Failure::TagRemoved { tag: tag.clone() }, now);
                return None;
            }
            (Some(_) | None, _) => {}
        }
        let power = match &reading.status {
            Status::Settled(power) => *power,
            Status::New => {
                self.wait_for(Blocker::Unsettled("new".to_owned()), rules, now);
                return None;
            }
            Status::Other(status) => {
                let status = status.clone();
                self.fail_step(focus, Failure::DropletUnusable { status }, now);
                return None;
            }
        };
        let task = self.steps[index].task();
        // Cutting the power is the way out of a shutdown that hangs and keeps the Droplet locked: only DigitalOcean's refusal holds it up.
        let ignores_lock = match task {
            Task::PowerOff => true,
            Task::Snapshot => self.power.is_owed() && self.has_waited_for_lock(now),
            Task::ShutDown
            | Task::Restart
            | Task::Restore
            | Task::Create
            | Task::Delete
            | Task::PowerOn
            | Task::EnableBackups
            | Task::ChangeBackups
            | Task::DisableBackups
            | Task::KeepBackup => false,
        };
        if reading.locked && !ignores_lock {
            self.wait_for(Blocker::Locked, rules, now);
            return None;
        }
        Some(power)
    }

    /// Whether the shutdown was skipped because the Droplet was already off.
    fn was_found_off(&self) -> bool {
        self.steps.iter().any(|step| step.task() == Task::ShutDown && step.state == State::Skipped)
    }

    fn has_read_actions(&self, index: usize) -> bool {
        matches!(self.steps[index].state, State::Waiting(Checks { actions: true, .. }))
    }

    /// Skips the shutdown of a Droplet that somebody else turned off. The bot does not turn it on afterwards.
    pub(in crate::operation) fn skip_shutdown(&mut self, index: usize) {
        self.steps[index].state = State::Skipped;
        self.obstacle = None;
    }

    pub(in crate::operation) fn doubt_droplet(
        &mut self,
        focus: Focus,
        doubt: Doubt,
        reading: &DropletReading,
        rules: &Rules,
        now: Timestamp,
    ) {
        let Some(task) = self.step_at(focus).map(Step::task) else { return };
        let power = reading.power();
        match (task, power) {
            // Our first off was refused, and no other command of ours could have turned it off, so somebody else did.
            (Task::ShutDown, Some(PowerState::Off)) if doubt.refused.is_some() && !self.may_be_our_off(focus) => {
                self.power.mark_never_ours();
                if let Focus::Forward(index) = focus {
                    self.skip_shutdown(index);
                    self.prepare_next(index, Checks::default(), reading, rules, now);
                }
                return;
            }
            (Task::ShutDown | Task::PowerOff, Some(PowerState::Off)) if doubt.refused.is_some() => {
                // The command that was refused may have been carried out, so an Action like it may be ours.
                if let Some(step) = self.step_mut(focus) {
                    step.answer_lost |= doubt.is_refused_in_words();
                }
                self.power.see_off(now);
                return self.complete_off(focus, reading, rules, now);
            }
            (Task::ShutDown | Task::PowerOff, Some(PowerState::Off))
                if task == Task::PowerOff || self.may_have_been_off_by_us() =>
            {
                let sent = self.step_at(focus).and_then(Step::intended_at).unwrap_or(now);
                self.power.see_off_in_doubt(later(sent, rules.settle_time), now);
                return self.complete_off(focus, reading, rules, now);
            }
            // The Droplet's Actions say whether we turned it off.
            (Task::ShutDown, Some(PowerState::Off)) => {
                if let Some(Step { state: State::Intended { doubt: Some(doubt), .. }, .. }) = self.step_mut(focus) {
                    doubt.seen_off = true;
                }
                return;
            }
            (Task::PowerOn, Some(PowerState::On)) => {
                return self.see_it_back(rules, now);
            }
            _ => {}
        }
        if doubt.is_refused_in_words() && task.turns_off() {
            // It is on. Its Actions say whether it is about to go off.
            if let Some(Step { state: State::Intended { doubt: Some(doubt), .. }, .. }) = self.step_mut(focus) {
                doubt.round.droplet = true;
            }
            return;
        }
        if let Some(why) = doubt.refused {
            let is_not_found = matches!(why, Failure::NotKnown | Failure::SnapshotGone);
            if is_not_found && !self.is_believed(&Trouble::NotFound, Asked::Command, rules, now) {
                return self.not_carried_out(focus, task, Checks::default());
            }
            if task == Task::ShutDown {
                self.power.settle();
            }
            return self.fail_step(focus, why, now);
        }
        let seen_on = power == Some(PowerState::On);
        let free = !reading.locked;
        if let Some(Step { state: State::Intended { doubt: Some(doubt), .. }, .. }) = self.step_mut(focus) {
            doubt.seen_on |= seen_on;
            doubt.round.droplet = free || doubt.busy;
        }
        if !free && !doubt.busy {
            self.wait_for(Blocker::Locked, rules, now);
        }
    }

    /// Whether an off of this operation, or of one that it inherited from, may have taken effect before the current one.
    pub(in crate::operation) fn may_have_been_off_by_us(&self) -> bool {
        self.power.may_be_off_by_earlier()
    }

    /// Whether an off of ours may have been carried out before this step is sent again.
    pub(in crate::operation) fn may_be_off_by_us(&self, index: usize) -> bool {
        self.power.may_land_late() || self.may_be_our_off(Focus::Forward(index))
    }

    /// Whether our command may have been carried out although it was refused this time.
    fn may_be_our_off(&self, focus: Focus) -> bool {
        self.may_have_been_off_by_us() || self.step_at(focus).is_some_and(|step| step.answer_lost)
    }
}
