//! What looks do to an operation: readings of the Droplet, its Actions and its Snapshots.

use jiff::{SignedDuration, Timestamp};

use super::{
    Blocker, Focus, IllegalTransition, Observation, Obstacle, Operation, Rules,
    backoff::later,
    effect::{Answer, Look},
    reading::{ActionReading, ActionStatus, DropletReading, Failure, PowerState, Status, Trouble},
    step::{Checks, Doubt, Run, State, Step, Task},
};

/// How long a Droplet may read `off` after DigitalOcean completed its power-on, before we try again.
const POWER_ON_LAG: SignedDuration = SignedDuration::from_mins(3);
/// An Action in progress counts as getting on for so long, or for four times as long as it usually takes, whichever is longer.
const LONGEST_PROGRESS: SignedDuration = SignedDuration::from_hours(3);
/// How long a lock alone holds up a Droplet that is off.
const LOCK_PATIENCE: SignedDuration = SignedDuration::from_secs(30);
/// Whatever DigitalOcean asks for, it is asked again after so long.
const LONGEST_SILENCE: SignedDuration = SignedDuration::from_hours(1);
/// The same while a Droplet is off because of us.
const LONGEST_SILENCE_WHILE_OFF: SignedDuration = SignedDuration::from_mins(1);
/// After so many looks at an Action that brought nothing, the Droplet's own state is believed in its place.
const UNREAD_ENOUGH: u32 = 2;
/// A new Droplet that is active usually has its address; after so many looks we end without one.
const LOOKS_FOR_ADDRESS: u32 = 10;

impl Operation {
    pub(super) fn on_reading(
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
        match &answer {
            Answer::Trouble(Trouble::Busy) => self.power.on_reading(),
            Answer::Trouble(_) => self.power.miss(now),
            Answer::Droplet(_)
            | Answer::Actions(_)
            | Answer::Action(_)
            | Answer::Snapshots(_)
            | Answer::Image(_)
            | Answer::Droplets(_)
            | Answer::Done => {
                self.power.on_reading();
                self.denied.take_if(|denied| !denied.is_command);
            }
        }
        match (look, answer) {
            (_, Answer::Trouble(trouble)) => self.see_trouble(focus, look, &trouble, rules, now),
            (Look::Droplet(asked), Answer::Droplet(reading)) if reading.id == *asked => {
                self.missing = None;
                self.power.note_seen(reading.power());
                if reading.power() == Some(PowerState::On) {
                    self.power.get_on(now);
                    // Also while it is not known whether the command arrived: DigitalOcean may be at it.
                    let may_be_at_it = |step: &Step| matches!(step.state, State::Intended { .. } | State::Running(_));
                    let is_taking =
                        self.current().is_some_and(|step| step.task() == Task::Snapshot && may_be_at_it(step));
                    if is_taking && !self.power.was_told_to_turn_on() {
                        self.taken_off = Some(false);
                    }
                }
                self.see_droplet(focus, state, &reading, rules, now);
            }
            (Look::Listed(_), Answer::Droplets(found)) => self.judge_missing(focus, !found.is_empty(), rules, now),
            (Look::Actions(_), Answer::Actions(readings)) => match state {
                State::Waiting(_) => self.take_baseline(focus, &readings, rules, now),
                State::Intended { .. } => self.recover_action(focus, &readings, rules, now),
                State::Running(_) if self.launched.is_some() => self.launched_actions(focus, &readings, rules, now),
                State::Running(_) | State::Done { .. } | State::Skipped | State::Failed { .. } => {
                    return Err(self.illegal(&Observation::Seen(look.clone(), Answer::Actions(readings))));
                }
            },
            (Look::Action(asked), Answer::Action(reading)) if reading.id == *asked => {
                self.see_action(focus, &reading, rules, now);
            }
            (Look::Snapshots(_), Answer::Snapshots(readings)) => match state {
                State::Intended { .. } => self.recover_snapshot(focus, &readings, rules, now),
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
            (Look::Backups(_), Answer::Snapshots(readings)) => self.check_backups(focus, &readings, now),
            (Look::Image(asked), Answer::Image(reading)) if reading.snapshot.id == *asked => {
                self.see_image(focus, reading, rules, now);
            }
            (Look::Launched(_), Answer::Droplets(found)) if found.is_empty() => self.empty_round(focus, rules, now),
            (Look::Launched(_), Answer::Droplets(found)) => self.adopt_launched(focus, &found, now),
            // DigitalOcean spoke of something else: as good as no answer.
            (
                _,
                Answer::Droplet(_)
                | Answer::Actions(_)
                | Answer::Action(_)
                | Answer::Snapshots(_)
                | Answer::Image(_)
                | Answer::Droplets(_)
                | Answer::Done,
            ) => self.wait_for(Blocker::Outage, rules, now),
        }
        Ok(())
    }

    fn see_trouble(&mut self, focus: Focus, look: &Look, trouble: &Trouble, rules: &Rules, now: Timestamp) {
        match trouble {
            Trouble::NotSent { retry_at } | Trouble::Unclear { retry_at } => {
                if matches!(look, Look::Action(_))
                    && let Some(run) = self.step_mut(focus).and_then(Step::run_mut)
                {
                    run.asks_action = false;
                    run.unread = run.unread.saturating_add(1);
                    run.looks = run.looks.saturating_add(1);
                }
                if matches!(look, Look::Actions(_)) {
                    if self.goes_on_without_actions(focus, rules, now) {
                        return;
                    }
                    // The Droplet is looked at meanwhile: it may have gone off.
                    self.restart_round(focus);
                }
                self.wait_for(Blocker::Outage, rules, now);
                self.not_before = self.not_before.max(Some(*retry_at)).min(Some(self.longest_silence(now)));
            }
            Trouble::Throttled { until } => {
                self.hinder(Blocker::Throttled, now);
                self.not_before = Some(*until).min(Some(self.longest_silence(now)));
            }
            Trouble::Busy => self.wait_for(Blocker::Event(None), rules, now),
            Trouble::NotFound => match look {
                Look::Droplet(_) | Look::Actions(_) | Look::Snapshots(_) | Look::Backups(_) => {
                    self.miss_droplet(look, rules, now);
                }
                Look::Action(_) => self.miss_action(focus, rules, now),
                Look::Snapshot(_) => self.complete(focus, now),
                Look::Image(_) => self.miss_image(focus, rules, now),
                Look::Launched(_) => self.empty_round(focus, rules, now),
                // A list is there, also where it is empty: this answer is about something else.
                Look::Listed(_) => self.wait_for(Blocker::Outage, rules, now),
            },
            Trouble::Unauthorized | Trouble::Forbidden { .. } => {
                if !self.is_believed(trouble, false, rules, now) {
                    return;
                }
                if matches!(look, Look::Actions(_)) && self.goes_on_without_actions(focus, rules, now) {
                    return;
                }
                self.fail_step(focus, trouble.fatal().unwrap_or(Failure::Internal), now);
            }
            // No reason to refuse a look is known: as good as no answer.
            Trouble::Refused { .. } => self.wait_for(Blocker::Outage, rules, now),
        }
    }

    /// Whether it goes on although the Droplet's Actions cannot be read: they only help to tell our off from somebody else's, and power
    /// does not wait for that.
    fn goes_on_without_actions(&mut self, focus: Focus, rules: &Rules, now: Timestamp) -> bool {
        match self.step_mut(focus).map(|step| (step.task(), &mut step.state)) {
            Some((Task::PowerOn, State::Waiting(checks))) => {
                *checks = Checks { actions: true, ..*checks };
                self.not_before = None;
                true
            }
            Some((Task::ShutDown, State::Intended { at, doubt: Some(doubt) })) if doubt.seen_off => {
                let lost_until = later(*at, rules.settle_time);
                self.power.see_off_in_doubt(lost_until, now);
                self.complete(focus, now);
                true
            }
            _ => false,
        }
    }

    /// Until when a DigitalOcean that wants to be left alone is left alone: a Droplet that is off is looked at again soon.
    pub(super) fn longest_silence(&self, now: Timestamp) -> Timestamp {
        if self.power.is_owed() { later(now, LONGEST_SILENCE_WHILE_OFF) } else { later(now, LONGEST_SILENCE) }
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
    pub(super) fn prepare(&mut self, index: usize, reading: &DropletReading, rules: &Rules, now: Timestamp) {
        let focus = Focus::Forward(index);
        match (&rules.droplet_tag, &reading.tags) {
            (Some(_), None) => return self.wait_for(Blocker::Outage, rules, now),
            (Some(tag), Some(tags)) if !tags.contains(tag) => {
                return self.fail_step(focus, Failure::TagRemoved { tag: tag.clone() }, now);
            }
            (Some(_) | None, _) => {}
        }
        let power = match &reading.status {
            Status::Settled(power) => *power,
            Status::New => return self.wait_for(Blocker::Unsettled("new".to_owned()), rules, now),
            Status::Other(status) => {
                let status = status.clone();
                return self.fail_step(focus, Failure::DropletUnusable { status }, now);
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
            return self.wait_for(Blocker::Locked, rules, now);
        }
        // A Droplet that was off and that somebody turned on meanwhile is theirs: what we do next may turn it off.
        let turned_on = power == PowerState::On;
        if self.power.owed().is_none() && (turned_on || self.steps.iter().all(|step| step.began.is_none())) {
            self.power.note_before(power);
        }
        if let Some(name) = &reading.name {
            self.target.name.clone_from(name);
        }
        self.not_before = None;
        let answer_lost = self.steps[index].answer_lost;
        match (task, power) {
            (Task::ShutDown, PowerState::Off) if self.power.owed().is_some() && self.may_be_off_by_us(index) => {
                self.power.see_off(now);
                self.complete_off(focus, reading, rules, now);
            }
            // Whoever turned it off: there is no power to cut.
            (Task::PowerOff, PowerState::Off) => {
                self.power.see_off(now);
                self.complete_off(focus, reading, rules, now);
            }
            // It may have been restored, and be in use since then: sent again, that would be lost.
            (Task::Restore, PowerState::On) if answer_lost => self.fail_step(focus, Failure::RestoreUnclear, now),
            // Somebody turned it on since we turned it off, and may have used it: the safety Snapshot does not have what is on it now.
            (Task::Restore, PowerState::On) if self.power.was_seen_off() => {
                self.fail_step(focus, Failure::ChangedMeanwhile, now);
            }
            // It was cut off by an earlier try and did not come back: turning it on is all that is left.
            (Task::Restart, PowerState::Off) if self.power.owed().is_some() => {
                self.power.see_off(now);
                self.complete(focus, now);
            }
            (Task::Restart, PowerState::Off) => self.skip_shutdown(index),
            (Task::ShutDown, PowerState::Off) => {
                if self.power.owed().is_some() {
                    // Our shutdown was certainly not carried out, so somebody else's was.
                    self.power.was_never_ours();
                }
                self.skip_shutdown(index);
                self.prepare_next(index, false, reading, rules, now);
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
                    *checks = Checks::seen(reading.asked_by(now), checks.actions);
                }
                if task == Task::ShutDown {
                    self.call_for_warning(now);
                }
            }
        }
    }

    /// The Droplet is off, and not by us: nothing needs to be shut down, and nothing is turned on afterwards.
    pub(super) fn skip_shutdown(&mut self, index: usize) {
        self.steps[index].state = State::Skipped;
        self.not_before = None;
        self.obstacle = None;
    }

    fn doubt_droplet(&mut self, focus: Focus, doubt: Doubt, reading: &DropletReading, rules: &Rules, now: Timestamp) {
        let Some(task) = self.step_at(focus).map(Step::task) else { return };
        let power = reading.power();
        match (task, power) {
            // Our first off was refused, and nothing else of ours could have turned it off: somebody else has.
            (Task::ShutDown, Some(PowerState::Off)) if doubt.refused.is_some() && !self.may_be_our_off(focus) => {
                self.power.was_never_ours();
                if let Focus::Forward(index) = focus {
                    self.skip_shutdown(index);
                    self.prepare_next(index, false, reading, rules, now);
                }
                return;
            }
            (Task::ShutDown | Task::PowerOff, Some(PowerState::Off)) if doubt.refused.is_some() => {
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
            // Whether that is our doing, the Droplet's Actions say.
            (Task::ShutDown, Some(PowerState::Off)) => {
                if let Some(Step { state: State::Intended { doubt: Some(doubt), .. }, .. }) = self.step_mut(focus) {
                    doubt.seen_off = true;
                }
                self.not_before = None;
                return;
            }
            (Task::PowerOn, Some(PowerState::On)) => {
                return self.see_it_back(rules, now);
            }
            _ => {}
        }
        if let Some(why) = doubt.refused {
            let is_not_found = matches!(why, Failure::NotKnown | Failure::SnapshotGone);
            if is_not_found && !self.is_believed(&Trouble::NotFound, true, rules, now) {
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
            doubt.round.droplet = free;
        }
        if free {
            self.not_before = None;
        } else {
            self.wait_for(Blocker::Locked, rules, now);
        }
    }

    /// Whether our command was carried out although it was refused this time.
    fn may_be_our_off(&self, focus: Focus) -> bool {
        self.may_have_been_off_by_us() || self.step_at(focus).is_some_and(|step| step.answer_lost)
    }

    /// Whether an off of ours, of this operation or one that it inherited from, may have taken effect before the one at hand.
    pub(super) fn may_have_been_off_by_us(&self) -> bool {
        self.power.may_be_off_by_earlier()
    }

    /// Whether an off of ours may have been carried out before this step is sent again.
    fn may_be_off_by_us(&self, index: usize) -> bool {
        self.power.may_land_late() || self.may_be_our_off(Focus::Forward(index))
    }

    /// A look at the Droplet while a forward Action runs or has just ended.
    fn run_droplet(&mut self, focus: Focus, run: &Run, reading: &DropletReading, rules: &Rules, now: Timestamp) {
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
                self.not_before = None;
                if self.focus() == Focus::Back {
                    // The same reading is the look before it is turned on.
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
            task if task.ends_with_its_action() && run.broken.is_some() => {
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
                    // DigitalOcean took our Action on, and holds the Droplet since.
                    self.power.get_on(now);
                }
                self.look_again(focus, task, began, rules, now);
            }
        }
    }

    /// A look shows the Droplet off while our Action to turn it off runs, or has just ended. It has done its work, so nobody is asked about
    /// it; what still holds the Droplet is waited for, and people are called if that takes long.
    fn run_off(&mut self, focus: Focus, run: &Run, reading: &DropletReading, rules: &Rules, now: Timestamp) {
        let Some(step) = self.step_at(focus) else { return };
        let (task, sent) = (step.task(), run.intended_at.or(step.began).unwrap_or(now));
        let is_overdue = now >= later(sent, rules.shutdown_timeout);
        self.power.note_off(now);
        self.question = None;
        // Whoever cancelled wants it on again, whatever holds it.
        let may_go_on = !reading.locked || (is_overdue && self.cancelled.is_some());
        if may_go_on && (run.ended() || run.seen_locked || run.unread >= UNREAD_ENOUGH || is_overdue) {
            self.obstacle = None;
            self.power.see_off(now);
            return self.complete_off(focus, reading, rules, now);
        }
        self.note_lock(focus, reading);
        if !reading.locked {
            // Its Action says at once whether that is all.
            self.obstacle = None;
            self.not_before = None;
            return;
        }
        if is_overdue {
            self.hinder(Blocker::Locked, now);
        }
        self.look_again(focus, task, sent, rules, now);
    }

    /// What a look at the Droplet says of the Action that runs: locked, it is under way; unlocked and not yet as wanted, the Action itself
    /// must say how far it is, since not every Droplet shows a lock.
    fn note_lock(&mut self, focus: Focus, reading: &DropletReading) {
        if let Some(run) = self.step_mut(focus).and_then(Step::run_mut) {
            run.seen_locked |= reading.locked;
            run.seen_off = reading.power() == Some(PowerState::Off);
            run.asks_action = !reading.locked && !run.ended();
        }
    }

    /// Whether a Snapshot is over by the Droplet's own word: it is off, and no longer locked, as it was before. Where it was never seen
    /// locked that counts only while the Action cannot be read.
    fn is_snapshot_over(run: &Run, reading: &DropletReading, rules: &Rules, now: Timestamp) -> bool {
        let is_free = reading.power() == Some(PowerState::Off) && !reading.locked;
        let may_have_begun = run.intended_at.is_some_and(|sent| now >= later(sent, rules.settle_time));
        let is_unreadable = run.unread >= UNREAD_ENOUGH;
        run.completed.is_none() && is_free && (run.seen_locked || is_unreadable && may_have_begun)
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
            return self.see_it_back(rules, now);
        }
        self.note_lock(Focus::Back, reading);
        match (run.completed, run.broken) {
            (Some(completed), _) if now < later(completed, POWER_ON_LAG) => {
                self.look_again(Focus::Back, Task::PowerOn, completed, rules, now);
            }
            (Some(_), _) => self.retry_power_back(None, run, now),
            (None, Some(_)) => self.retry_power_back(Some(Failure::ActionErrored), run, now),
            (None, None) => {
                let began = self.power.back().began.unwrap_or(now);
                self.look_again(Focus::Back, Task::PowerOn, began, rules, now);
            }
        }
    }

    /// The Droplet is on, and our command to turn it on is under way or in doubt.
    fn see_it_back(&mut self, rules: &Rules, now: Timestamp) {
        self.power.see_on(now, self.ended.is_some());
        self.not_before = None;
        self.obstacle = None;
        if self.power.is_watched() {
            // What was to be seen of this attempt is seen: from here on the Droplet is only watched.
            self.power.back_mut().state = State::Waiting(Checks::default());
            self.not_before = self.verdict.as_ref().map(|_| later(now, Self::watch_pause(rules)));
        }
    }

    fn retry_power_back(&mut self, why: Option<Failure>, run: &Run, now: Timestamp) {
        if let Some(action) = run.action {
            self.baseline.add(action);
        }
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
                if self.power.is_watched() && self.verdict.is_some() {
                    self.not_before = Some(later(now, Self::watch_pause(rules)));
                }
            }
            Some(PowerState::Off) => {
                self.power.see_off(now);
                // Every attempt after the first, and every late off, asks whether somebody else turned it off meanwhile.
                let was_read =
                    matches!(self.power.back().state, State::Waiting(Checks { actions: true, looked_at: Some(_), .. }));
                let is_first = !self.power.was_told_to_turn_on() && self.ended.is_none();
                let actions = was_read || (is_first && self.baseline.is_known());
                if reading.locked && !self.has_waited_for_lock(now) {
                    self.power.back_mut().state = State::Waiting(Checks { actions, ..Checks::default() });
                    self.wait_for(Blocker::Locked, rules, now);
                } else {
                    self.power.back_mut().state = State::Waiting(Checks::seen(reading.asked_by(now), actions));
                }
            }
            None => self.wait_for(Blocker::Unsettled("changing".to_owned()), rules, now),
        }
    }

    /// Whether a lock has held up a Droplet that is off for so long that DigitalOcean is asked all the same: a locked Droplet *may* refuse
    /// Actions, and only its refusal tells.
    fn has_waited_for_lock(&self, now: Timestamp) -> bool {
        let is_lock = |obstacle: &&Obstacle| matches!(obstacle.what, Blocker::Locked | Blocker::Event(_));
        self.obstacle.as_ref().filter(is_lock).is_some_and(|obstacle| now >= later(obstacle.since, LOCK_PATIENCE))
    }

    fn see_action(&mut self, focus: Focus, reading: &ActionReading, rules: &Rules, now: Timestamp) {
        let Some(step) = self.step_at(focus) else { return };
        let (task, began) = (step.task(), step.began.unwrap_or(now));
        if !self.is_about_us(reading, task) {
            return self.wait_for(Blocker::Outage, rules, now);
        }
        self.obstacle = None;
        if let Some(run) = self.step_mut(focus).and_then(Step::run_mut) {
            (run.unread, run.asks_action) = (0, false);
            // Of an image it says nothing that its Action is known.
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
            }
            ActionStatus::Completed if task.ends_with_its_action() => self.complete(focus, now),
            ActionStatus::Completed => {
                if matches!(task, Task::Restart | Task::Restore) {
                    self.power.settle();
                }
                if let Some(Step { state: State::Running(run), .. }) = self.step_mut(focus) {
                    (run.completed, run.concluded) = (run.completed.or(Some(now)), false);
                    run.started_at = run.started_at.or(reading.started_at);
                }
                self.not_before = None;
            }
            // The Droplet has the last word on its power.
            ActionStatus::Errored if task.traits().reaches.is_some() => {
                self.break_run(focus, now);
                self.not_before = None;
            }
            ActionStatus::Errored => {
                if matches!(task, Task::Restart | Task::Restore) {
                    self.power.settle();
                }
                self.baseline.add(reading.id);
                self.fail_step(focus, Failure::ActionErrored, now);
            }
        }
    }

    /// For how long an Action in progress counts as getting on: afterwards people are called, though nothing is wrong by itself.
    /// Turning on or off takes a moment, so that is none.
    fn longest_progress(&self, task: Task) -> Option<SignedDuration> {
        match task {
            Task::Snapshot | Task::Restore => {
                let usual = self.usual.of(task).unwrap_or(SignedDuration::ZERO);
                Some(usual.checked_mul(4).unwrap_or(SignedDuration::MAX).max(LONGEST_PROGRESS))
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

    pub(super) fn break_run(&mut self, focus: Focus, now: Timestamp) {
        if let Some(Step { state: State::Running(run), .. }) = self.step_mut(focus) {
            run.broken.get_or_insert(now);
        }
    }

    pub(super) fn look_again(&mut self, focus: Focus, task: Task, since: Timestamp, rules: &Rules, now: Timestamp) {
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
