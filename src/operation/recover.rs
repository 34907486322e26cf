//! How looks find what a lost command did: our Action by the baseline, our Snapshot by its name, and how sure their absence is.

use jiff::{SignedDuration, Timestamp};

use super::{
    Blocker, Focus, Operation, Rules,
    backoff::later,
    ids::ActionId,
    power::Theirs,
    reading::{ActionReading, ActionStatus, Failure, PowerState, SnapshotReading},
    step::{Checks, Doubt, Ours, Round, Run, State, Step, Task, Traits, Work},
};

/// How long a completed Snapshot may be missing from DigitalOcean's lists before the bot reports that; the Droplet is back on long before.
/// Only a look proves that it is missing: a bot that was not running during this time looks first.
const LISTING_PATIENCE: SignedDuration = SignedDuration::from_mins(30);
/// How long a listed Snapshot may lack its size before it is announced without one: the figure is only displayed.
const SIZE_PATIENCE: SignedDuration = SignedDuration::from_mins(1);

impl Operation {
    /// Takes the baseline before a command: Actions in progress must end first, and listed Actions cannot be ours.
    pub(super) fn take_baseline(&mut self, focus: Focus, readings: &[ActionReading], rules: &Rules, now: Timestamp) {
        let task = self.step_at(focus).map(Step::task);
        if focus != Focus::Back && self.would_lose_what_is_new(task, readings) {
            return self.fail_step(focus, Failure::ChangedMeanwhile, now);
        }
        let is_found_off = self.power.owed().is_some() && self.power.last_seen() == Some(PowerState::Off);
        if let Some(kind) = self.foreign_off(readings).filter(|_| focus == Focus::Back || is_found_off) {
            self.power.mark_theirs(Theirs { kind, at: now });
            self.obstacle = None;
            if focus != Focus::Back {
                self.begin_again(focus);
            }
            return;
        }
        if focus == Focus::Back
            && self.power.last_seen() == Some(PowerState::On)
            && self.is_turned_on_by_others(readings)
        {
            self.obstacle = None;
            return self.power.see_on(now, self.ended.is_some());
        }
        let waits = task.is_none_or(|task| task.traits().waits_for_others);
        if let Some(kind) = self.foreign_in_progress(readings).filter(|_| waits) {
            if let Some(step) = self.step_mut(focus) {
                step.state = State::Waiting(Checks::default());
            }
            return self.wait_for(Blocker::Event(Some(kind)), rules, now);
        }
        self.raise_baseline(readings);
        if focus != Focus::Back && self.may_be_off_by_inheritance() {
            // The older operation turned it off; a look at the Droplet decides what follows.
            return self.begin_again(focus);
        }
        if let Some(Step { state: State::Waiting(checks), .. }) = self.step_mut(focus) {
            checks.actions = true;
        }
    }

    /// Records the listed Actions as having existed before the next command, except an off by somebody else after ours that has not shown
    /// yet: if the Droplet goes off later, they may have turned it off.
    fn raise_baseline(&mut self, readings: &[ActionReading]) {
        if self.foreign_off(readings).is_none() {
            return self.baseline.raise(readings.iter());
        }
        let may_still_land = |kind: &str| matches!(kind, "shutdown" | "power_off");
        for reading in readings.iter().filter(|reading| !may_still_land(&reading.kind)) {
            if !self.baseline.contains(reading) {
                self.baseline.add(reading.id);
            }
        }
    }

    /// After a lost answer, looks for an Action of the right type that did not exist before.
    pub(super) fn recover_action(&mut self, focus: Focus, readings: &[ActionReading], rules: &Rules, now: Timestamp) {
        let Some((task, doubt)) = self.step_at(focus).and_then(|step| Some((step.task(), step.doubt()?.clone())))
        else {
            return;
        };
        let known = self.baseline.clone();
        // What an older operation knew is not recent enough to tell our shutdown from somebody else's before it.
        let is_recent = known.is_known() && !(self.inherited.is_some() && task == Task::ShutDown);
        match (is_recent, doubt.refused.is_some()) {
            (true, _) => {}
            // The Droplet is on, so if the command was carried out, it is still in progress.
            (false, true) => {
                let may_be_ours =
                    |it: &&ActionReading| it.status == ActionStatus::InProgress && self.is_about_us(it, task);
                let before: Vec<_> = readings.iter().filter(|it| !may_be_ours(it)).collect();
                self.baseline.raise(before.into_iter());
            }
            (false, false) => self.guess_baseline(readings, task),
        }
        let ours = readings
            .iter()
            .filter(|reading| self.is_about_us(reading, task) && !self.baseline.contains(reading))
            .min_by_key(|reading| (reading.started_at, reading.id));
        if let Some(ours) = ours {
            self.run(focus, ours, Ours::Presumed);
        } else if let (true, Some(pending)) = (doubt.busy, in_progress(readings)) {
            // Our command was refused because of this event, ours or not. The bot waits for it, so it must not be in the baseline.
            self.baseline = known;
            self.not_carried_out(focus, task, Checks::default());
            self.wait_for(Blocker::Event(Some(pending.kind.clone())), rules, now);
        } else if let Some(kind) = self.foreign_in_progress(readings).filter(|_| doubt.refused.is_none()) {
            self.restart_round(focus);
            self.wait_for(Blocker::Event(Some(kind)), rules, now);
        } else if task == Task::Snapshot {
            if let Some(Step { state: State::Intended { doubt: Some(doubt), .. }, .. }) = self.step_mut(focus) {
                doubt.round.actions = true;
            }
        } else {
            self.empty_round(focus, rules, now);
        }
    }

    /// Reconstructs the baseline if the answer was lost before the Droplet's Actions were read. The Droplet was on when our command was
    /// sent, so ours can only be the newest Action that affects its power; all earlier ones existed before. Somebody else's Action that has
    /// not turned anything on or off is no evidence: one in progress began after our command, since the Droplet was unlocked before it.
    fn guess_baseline(&mut self, readings: &[ActionReading], task: Task) {
        let bears_on_power = |reading: &&ActionReading| {
            matches!(
                reading.kind.as_str(),
                "shutdown" | "power_off" | "power_on" | "power_cycle" | "reboot" | "restore" | "rebuild" | "resize"
            )
        };
        let has_happened = |it: &&ActionReading| it.status == ActionStatus::Completed || self.is_about_us(it, task);
        let bearing = readings.iter().filter(bears_on_power).filter(has_happened);
        let newest = bearing.max_by_key(|reading| (reading.started_at, reading.id));
        // An errored Action counts too: the guest may have shut down anyway.
        let ours = newest.filter(|it| self.is_about_us(it, task)).map(|it| (it.started_at, it.id));
        let is_before = |it: &&ActionReading| ours.is_none_or(|ours| (it.started_at, it.id) < ours);
        self.baseline.raise(readings.iter().filter(is_before));
    }

    /// After a lost answer, looks for a Snapshot of our name in the list.
    pub(super) fn recover_snapshot(
        &mut self,
        focus: Focus,
        readings: &[SnapshotReading],
        rules: &Rules,
        now: Timestamp,
    ) {
        if !readings.iter().any(|reading| reading.name == self.snapshot_name) {
            return self.empty_round(focus, rules, now);
        }
        let run = Run { presumed: true, completed: Some(now), ..Run::default() };
        if let Some(step) = self.step_mut(focus) {
            step.state = State::Running(run.clone());
        }
        self.see_list(focus, &run, readings, rules, now);
    }

    /// After the Action completed, looks for the Snapshot in the list. It counts once it is listed under our name with a size.
    pub(super) fn see_list(
        &mut self,
        focus: Focus,
        run: &Run,
        readings: &[SnapshotReading],
        rules: &Rules,
        now: Timestamp,
    ) {
        self.obstacle = None;
        let ours =
            readings.iter().filter(|reading| reading.name == self.snapshot_name).min_by_key(|reading| reading.id);
        if let Some(ours) = ours {
            self.snapshot = Some(ours.clone());
            // The next step does not wait for the size, least of all while the Droplet is off; an announcement does, briefly.
            let sought = self.sought_since(run.completed.unwrap_or(now));
            if ours.known_size().is_some() || !self.is_last(focus) || now >= later(sought, SIZE_PATIENCE) {
                return self.complete(focus, now);
            }
        } else if self.snapshot.is_some() {
            if let Some(run) = self.step_mut(focus).and_then(Step::run_mut) {
                run.unlisted = true;
            }
            return self.timer.ask_at(later(now, rules.poll_interval));
        } else if let (true, Some(action)) = (run.presumed, run.action) {
            // A Snapshot's creation time is the second at which its Action started, so somebody else's Action made this one.
            let theirs =
                readings.iter().any(|reading| reading.created_at.is_some() && reading.created_at == run.started_at);
            if theirs {
                return self.disown(focus, action, now);
            }
        }
        if run.broken.is_some() {
            return self.recover_vanished(focus, rules, now);
        }
        if let Some(run) = self.step_mut(focus).and_then(Step::run_mut) {
            // The Action may have failed, which looks the same on the Droplet.
            run.asks_action = run.concluded && run.unread == 0;
        }
        let completed = run.completed.unwrap_or(now);
        if self.snapshot.is_none() && now >= later(self.sought_since(completed), LISTING_PATIENCE) {
            return self.fail_step(focus, Failure::NotListed, now);
        }
        self.timer.ask_at(later(now, self.patience(completed, now, rules)));
    }

    /// Handles a reading of the Snapshot itself, which a list lacked. Under another name it is no longer ours.
    pub(super) fn see_unlisted(
        &mut self,
        focus: Focus,
        run: &Run,
        readings: &[SnapshotReading],
        rules: &Rules,
        now: Timestamp,
    ) {
        if readings.iter().any(|reading| reading.name == self.snapshot_name) {
            return self.see_list(focus, run, readings, rules, now);
        }
        self.snapshot = None;
        self.fail_step(focus, Failure::SnapshotGone, now);
    }

    fn is_last(&self, focus: Focus) -> bool {
        matches!(focus, Focus::Forward(index) if index + 1 == self.steps.len())
    }

    /// Since when anybody could have read the list: the bot does not read it before the Droplet is back on.
    fn sought_since(&self, completed: Timestamp) -> Timestamp {
        [self.power.came_back(), self.power.released_at()].into_iter().flatten().fold(completed, Timestamp::max)
    }

    /// DigitalOcean no longer knows our Snapshot's Action, which says nothing about the Snapshot. The bot looks for both a little longer,
    /// but never starts it again, since DigitalOcean may still be working on it.
    pub(super) fn recover_vanished(&mut self, focus: Focus, rules: &Rules, now: Timestamp) {
        let Some(Step { work: Work::Snapshot, state: State::Running(run), .. }) = self.step_mut(focus) else { return };
        let Some(broken) = run.broken else { return };
        run.looks = run.looks.saturating_add(1);
        if now >= later(broken, rules.settle_time * 2) {
            self.fail_step(focus, Failure::ActionVanished, now);
        } else {
            self.timer.ask_at(later(now, rules.doubt_pause()));
        }
    }

    /// Returns to an unknown outcome: the Action that we took for ours was somebody else's.
    fn disown(&mut self, focus: Focus, action: ActionId, now: Timestamp) {
        self.baseline.add(action);
        if let Some(step) = self.step_mut(focus) {
            step.state = State::Intended { at: now, doubt: Some(Doubt::default()) };
        }
    }

    /// Handles a complete round of looks that found nothing of ours. After enough of them, late enough, the command is sent again.
    pub(super) fn empty_round(&mut self, focus: Focus, rules: &Rules, now: Timestamp) {
        let may_be_ours = self.may_have_been_off_by_us();
        let Some(Step { work, state: State::Intended { at, doubt: Some(doubt) }, .. }) = self.step_mut(focus) else {
            return;
        };
        let task = work.task();
        if let Some(why) = doubt.refused.clone() {
            return self.believe_refusal(focus, why, now);
        }
        let is_busy = doubt.busy;
        let Traits { is_repeatable, settle_factor, .. } = task.traits();
        let first = *doubt.first_empty.get_or_insert(now);
        doubt.last_empty = Some(now);
        doubt.round = Round::default();
        // A refused command is not carried out later; its Action can only be listed a little late.
        let is_settled = is_busy || now >= later(*at, rules.settle_time * settle_factor);
        let sure = is_settled && now.duration_since(first) >= rules.settle_time / 3;
        let unrepeatable = !is_repeatable && doubt.seen_on;
        // The Droplet is off, and long after our command no off of ours is listed.
        let is_theirs = task == Task::ShutDown && doubt.seen_off && !may_be_ours;
        match (sure, unrepeatable) {
            (true, _) if is_theirs => {
                self.power.mark_never_ours();
                if let Focus::Forward(index) = focus {
                    self.skip_shutdown(index);
                }
            }
            (true, _) if is_busy => {
                self.not_carried_out(focus, task, Checks::default());
                self.wait_for(Blocker::Event(None), rules, now);
            }
            (true, true) => self.fail_step(focus, Failure::RestoreUnclear, now),
            (true, false) => {
                if task.traits().shows_in_its_image {
                    // It was not carried out and no longer can be.
                    self.forget_lost_answer(focus);
                }
                self.begin_again(focus);
            }
            (false, _) => {
                self.timer.ask_at(later(now, rules.doubt_pause()));
            }
        }
    }

    fn forget_lost_answer(&mut self, focus: Focus) {
        if let Some(step) = self.step_mut(focus) {
            step.answer_lost = false;
        }
    }

    pub(super) fn begin_again(&mut self, focus: Focus) {
        if let Some(step) = self.step_mut(focus) {
            step.state = State::Waiting(Checks::DROPLET_STALE);
        }
    }

    pub(super) fn restart_round(&mut self, focus: Focus) {
        if let Some(Step { state: State::Intended { doubt: Some(doubt), .. }, .. }) = self.step_mut(focus) {
            doubt.round = Round::default();
        }
    }

    /// DigitalOcean's word for somebody else's Action since our first command that turned the Droplet off, or may have, unless they turned
    /// it on again. An Action that may be ours, because an answer was lost, does not count.
    pub(super) fn foreign_off(&self, readings: &[ActionReading]) -> Option<String> {
        let bears_on_power = |kind: &str| is_off(kind) || matches!(kind, "power_on" | "power_cycle" | "reboot");
        let foreign = readings.iter().filter(|reading| {
            bears_on_power(&reading.kind)
                && reading.status != ActionStatus::Errored
                && !self.baseline.contains(reading)
                && !self.may_have_sent(&reading.kind)
                && !self.may_be_a_copy(reading)
        });
        foreign
            .max_by_key(|reading| (reading.started_at, reading.id))
            .filter(|latest| self.baseline.is_known() && is_off(&latest.kind))
            .map(|latest| latest.kind.clone())
    }

    /// Whether an Action may come from a second copy of our own command, which something on the way sent: it began in the same second.
    fn may_be_a_copy(&self, reading: &ActionReading) -> bool {
        let has_sent = |step: &Step| step.began.is_some() && step.task().action_kind() == Some(reading.kind.as_str());
        reading.started_at.is_some() && reading.started_at == self.baseline.latest() && self.steps.iter().any(has_sent)
    }

    /// Whether somebody else's Action since our first command turned the Droplet on. Without a baseline none is known to be that recent.
    fn is_turned_on_by_others(&self, readings: &[ActionReading]) -> bool {
        let turns_on = |reading: &ActionReading| {
            matches!(reading.kind.as_str(), "power_on" | "power_cycle" | "reboot" | "restore" | "rebuild" | "resize")
                && reading.status == ActionStatus::Completed
        };
        self.baseline.is_known() && readings.iter().any(|it| turns_on(it) && !self.baseline.contains(it))
    }

    /// Whether going on would overwrite something that somebody else put onto the disk after the request for this operation, or wrote to it
    /// after its safety Snapshot.
    fn would_lose_what_is_new(&self, task: Option<Task>, readings: &[ActionReading]) -> bool {
        let is_ahead = |step: &Step| step.task() == Task::Restore && !step.is_over();
        let overwrites = self.steps.iter().any(is_ahead) || task.is_some_and(|task| task.traits().is_destructive);
        let is_known = self.baseline.is_known();
        let is_new_disk = |reading: &ActionReading| matches!(reading.kind.as_str(), "restore" | "rebuild");
        let rewrites = self.kind.rewrites();
        let is_new = |reading: &&ActionReading| {
            // What somebody was shown is more precise than what existed when the operation began.
            if let Some(shown) = rewrites.filter(|_| is_new_disk(reading)) {
                let is_ours = self.may_have_sent(&reading.kind);
                return reading.status != ActionStatus::Errored && !is_ours && !shown.contains(&reading.id);
            }
            let since_asked = reading.started_at.is_some_and(|started| started > self.asked_at);
            let is_under_way = reading.status == ActionStatus::InProgress;
            let is_foreign = !self.baseline.contains(reading) && !self.may_have_sent(&reading.kind);
            reading.status != ActionStatus::Errored && is_foreign && (is_known || since_asked || is_under_way)
        };
        let is_use = |reading: &ActionReading| {
            task == Some(Task::Restore) && matches!(reading.kind.as_str(), "power_on" | "power_cycle" | "reboot")
        };
        overwrites && readings.iter().filter(is_new).any(|reading| is_new_disk(reading) || is_use(reading))
    }

    fn foreign_in_progress(&self, readings: &[ActionReading]) -> Option<String> {
        readings
            .iter()
            .find(|reading| reading.status == ActionStatus::InProgress && !self.baseline.contains(reading))
            .map(|reading| reading.kind.clone())
    }
}

/// Whether an Action of this kind turns a Droplet off, or may leave it off.
fn is_off(kind: &str) -> bool {
    matches!(kind, "power_off" | "shutdown" | "resize" | "rebuild" | "restore")
}

fn in_progress(readings: &[ActionReading]) -> Option<&ActionReading> {
    readings.iter().find(|reading| reading.status == ActionStatus::InProgress)
}
