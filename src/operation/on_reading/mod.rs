//! How looks change an operation: readings of the Droplet, its Actions and its Snapshots.

mod power_back;
mod prepare;
mod under_way;

use jiff::{SignedDuration, Timestamp};

use super::{
    Blocker, Focus, IllegalTransition, Observation, Operation, Rules,
    backoff::later,
    effect::{Answer, Look},
    evidence::Asked,
    reading::{DropletReading, Failure, PowerState, Trouble},
    step::{Checks, State, Step, Task},
};

/// The longest pause that DigitalOcean can impose; after it the bot asks again anyway.
const LONGEST_SILENCE: SignedDuration = SignedDuration::from_hours(1);
/// Like `LONGEST_SILENCE`, while a Droplet is off because of us or may go off.
const LONGEST_SILENCE_WHILE_OFF: SignedDuration = SignedDuration::from_mins(1);

impl Operation {
    pub(in crate::operation) fn on_reading(
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
                self.note_power(reading.power(), now);
                if reading.power() == Some(PowerState::On) {
                    self.power.get_on(now);
                    // This includes an unknown outcome of the command: DigitalOcean may be working on it.
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
            // An Action of another Droplet: the answer is not about what was asked.
            (Look::Actions(asked), Answer::Actions(readings))
                if readings.iter().any(|reading| reading.droplet.is_some_and(|droplet| droplet != *asked)) =>
            {
                self.wait_for(Blocker::Outage, rules, now);
            }
            (Look::Actions(_), Answer::Actions(readings)) => match state {
                State::Waiting(_) => self.take_baseline(focus, &readings, rules, now),
                State::Intended { .. } => self.recover_action(focus, &readings, rules, now),
                State::Running(_) if self.launched.is_some() => self.launched_actions(focus, &readings, rules, now),
                State::Running(run) if self.current().is_some_and(|step| step.task() == Task::Snapshot) => {
                    self.snapshot_actions(focus, &run, &readings, rules, now);
                }
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
            (Look::Snapshot(_), Answer::Snapshots(readings)) => match state {
                State::Running(run) => self.see_unlisted(focus, &run, &readings, rules, now),
                // The command may still delete the Snapshot.
                State::Waiting(_)
                | State::Intended { .. }
                | State::Done { .. }
                | State::Skipped
                | State::Failed { .. } => {
                    self.empty_round(focus, rules, now);
                }
            },
            (Look::Backups(_), Answer::Snapshots(readings)) => self.check_backups(focus, &readings, now),
            (Look::Image(asked), Answer::Image(reading)) if reading.snapshot.id == *asked => {
                self.see_image(focus, reading, rules, now);
            }
            (Look::Launched(_), Answer::Droplets(found)) if found.is_empty() => {
                // The index of tags may be late, or the Droplet may have been made without its tags.
                if let Some(Step { state: State::Intended { doubt: Some(doubt), .. }, .. }) = self.step_mut(focus) {
                    doubt.round.droplet = true;
                }
            }
            (Look::CreatedAs(_), Answer::Droplets(found)) if found.is_empty() => self.empty_round(focus, rules, now),
            (Look::Launched(_) | Look::CreatedAs(_), Answer::Droplets(found)) => self.adopt_launched(focus, &found),
            // The answer is not about what was asked: treat it as no answer.
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
                    if let Some(run) = self.step_mut(focus).and_then(Step::run_mut) {
                        run.looks = run.looks.saturating_add(1);
                    }
                    // Look at the Droplet meanwhile: it may have gone off.
                    self.restart_round(focus);
                }
                self.wait_for(Blocker::Outage, rules, now);
                let patient = self.timer.moment().map_or(*retry_at, |patient| patient.max(*retry_at));
                self.timer.ask_at(patient.min(self.longest_silence(now)));
            }
            Trouble::Throttled { until } => {
                self.hinder(Blocker::Throttled, now);
                self.timer.ask_at((*until).min(self.longest_silence(now)));
            }
            Trouble::Busy => self.wait_for(Blocker::Event(None), rules, now),
            Trouble::NotFound => match look {
                Look::Droplet(_) | Look::Actions(_) | Look::Snapshots(_) | Look::Backups(_) => {
                    self.miss_droplet(look, rules, now);
                }
                Look::Action(_) => self.miss_action(focus, rules, now),
                Look::Snapshot(_) => self.miss_snapshot(focus, rules, now),
                Look::Image(_) => self.miss_image(focus, rules, now),
                // A list always exists, even an empty one, so this answer is about something else.
                Look::Launched(_) | Look::CreatedAs(_) | Look::Listed(_) => self.wait_for(Blocker::Outage, rules, now),
            },
            Trouble::Unauthorized | Trouble::Forbidden { .. } => {
                if !self.is_believed(trouble, Asked::Look, rules, now) {
                    return;
                }
                if matches!(look, Look::Actions(_)) && self.goes_on_without_actions(focus, rules, now) {
                    return;
                }
                self.fail_step(focus, trouble.fatal().unwrap_or(Failure::Internal), now);
            }
            // DigitalOcean has no known reason to refuse a look: treat it as no answer.
            Trouble::Refused { .. } => self.wait_for(Blocker::Outage, rules, now),
        }
    }
    /// Whether the operation goes on although the Droplet's Actions cannot be read. They only distinguish our off from somebody else's, and
    /// turning the Droplet back on does not wait for that.
    fn goes_on_without_actions(&mut self, focus: Focus, rules: &Rules, now: Timestamp) -> bool {
        match self.step_mut(focus).map(|step| (step.task(), &mut step.state)) {
            Some((Task::PowerOn, State::Waiting(checks))) => {
                *checks = Checks { actions: true, ..*checks };
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

    /// How long the bot complies if DigitalOcean asks it to stop sending requests. A Droplet that is off, or may go off, is looked at again
    /// soon.
    pub(in crate::operation) fn longest_silence(&self, now: Timestamp) -> Timestamp {
        if self.power.owed().is_some() { later(now, LONGEST_SILENCE_WHILE_OFF) } else { later(now, LONGEST_SILENCE) }
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
}
