//! A Droplet that was seen on, and that an off of ours may still turn off, is watched in every step of its operation: the bot repairs a late off
//! at once, not when a conversion or a list that takes an hour is done.
//!
//! An operation that has nothing else to do looks at the Droplet anyway. This file is about operations whose forward steps look elsewhere,
//! or wait.

use jiff::Timestamp;

use super::{
    Focus, Operation, Rules,
    backoff::later,
    effect::{Answer, Look},
    ids::DropletId,
    reading::PowerState,
    step::{State, Step, Task},
};

impl Operation {
    /// When to look at the Droplet next because an off may still land, while a forward step looks elsewhere or waits.
    pub(super) fn watched_at(&self, focus: Focus, rules: &Rules) -> Option<(DropletId, Timestamp)> {
        let Focus::Forward(index) = focus else { return None };
        let step = self.steps.get(index)?;
        let looks_elsewhere = match &step.state {
            State::Waiting(_) | State::Running(_) => true,
            // The rounds of looks after a lost answer begin with the Droplet if the command was about it.
            State::Intended { doubt, .. } => doubt.is_some() && !step.task().traits().needs_baseline,
            State::Done { .. } | State::Skipped | State::Failed { .. } => false,
        };
        let is_unseen = self.inherited.is_some() && self.power.owed().is_some() && step.began.is_none();
        let droplet = self.droplet().filter(|_| looks_elsewhere && (self.power.is_watched() || is_unseen))?;
        let due = self.power.looked_at().map_or(Timestamp::MIN, |at| later(at, Self::watch_pause(rules)));
        // Whatever blocks everything else also blocks this look.
        let held_up = self.obstacle.as_ref().and(self.timer.moment());
        Some((droplet, held_up.map_or(due, |until| due.max(until))))
    }

    /// Processes a look that only served to detect a late off, without postponing what the current step waits for. Returns whether it was
    /// such a look.
    pub(super) fn watch(&mut self, focus: Focus, look: &Look, answer: &Answer, rules: &Rules, now: Timestamp) -> bool {
        let (Look::Droplet(asked), Answer::Droplet(reading)) = (look, answer) else { return false };
        let is_waiting = self.step_at(focus).is_some_and(|step| matches!(step.state, State::Waiting(_)));
        let acts_on_it = self.step_at(focus).is_some_and(|step| step.task().traits().needs_baseline);
        let is_due = self.watched_at(focus, rules).is_some_and(|(_, at)| at <= now);
        // Before a command about the Droplet, this look also serves as the look before that command.
        if !is_due || reading.id != *asked || (is_waiting && acts_on_it) {
            return false;
        }
        self.missing = None;
        self.power.on_reading();
        self.note_power(reading.power(), now);
        true
    }

    /// Records the power state that was seen. If the Droplet was only watched and is off, the late off has landed.
    pub(super) fn note_power(&mut self, power: Option<PowerState>, now: Timestamp) {
        self.power.note_seen(power, now);
        if power == Some(PowerState::Off) && self.power.is_watched() {
            self.power.see_off(now);
            self.timer.ask_at_once();
        }
    }

    /// Whether the Droplet is off for no reason: no step needs that, and no running step keeps it from being turned on.
    pub(super) fn is_off_for_nothing(&self) -> bool {
        let keeps_it = |step: &Step| match &step.state {
            State::Intended { doubt, .. } => doubt.is_none() || step.task().traits().needs_baseline,
            State::Running(_) => step.task() == Task::Snapshot,
            State::Waiting(_) | State::Done { .. } | State::Skipped | State::Failed { .. } => false,
        };
        self.power.is_owed()
            && self.power.was_seen_off()
            && !self.turns_its_droplet_off()
            && !self.current().is_some_and(keeps_it)
    }

    /// Whether this operation turns its Droplet off by itself, or may.
    pub(super) fn turns_its_droplet_off(&self) -> bool {
        self.steps.iter().any(|step| step.task().traits().may_turn_off)
    }
}
