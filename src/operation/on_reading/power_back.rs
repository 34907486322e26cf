//! Looks at a Droplet that is to be turned back on.

use jiff::{SignedDuration, Timestamp};

use super::under_way::UNREAD_ENOUGH;
use crate::operation::{
    Blocker, Focus, Obstacle, Operation, Outcome, Rules,
    backoff::later,
    reading::{DropletReading, Failure, PowerState},
    step::{Checks, Run, State, Task},
};

/// How long a Droplet may read `off` after DigitalOcean completed its power-on, before the bot tries again.
const POWER_ON_LAG: SignedDuration = SignedDuration::from_mins(3);
/// How long a lock alone can keep the bot from turning on a Droplet that is off.
const LOCK_PATIENCE: SignedDuration = SignedDuration::from_secs(30);

impl Operation {
    /// Handles a look at the Droplet while its power-on runs or has just ended. If it reads on, its power-on must have completed before
    /// that reading counts: a node of DigitalOcean's that lags behind may show it as it was before it went off. It counts all the same if
    /// the Action cannot be read, does not end, or would be one request too many.
    pub(in crate::operation) fn back_droplet(
        &mut self,
        run: &Run,
        reading: &DropletReading,
        rules: &Rules,
        now: Timestamp,
    ) {
        self.obstacle = None;
        if reading.power() == Some(PowerState::On) {
            if must_confirm_on(run, rules, now) {
                return self.await_end_of_power_on(now);
            }
            if run.broken.is_some() {
                return self.doubt_that_it_is_on(run, reading, now);
            }
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

    /// Handles a Droplet that reads on although our power-on failed: somebody else turned it on, or the answer is old. Its Actions are read,
    /// and without somebody else's the command is sent again, which DigitalOcean refuses for a Droplet that is on.
    fn doubt_that_it_is_on(&mut self, run: &Run, reading: &DropletReading, now: Timestamp) {
        if let Some(action) = run.action {
            self.baseline.add(action);
        }
        self.power.fail(Some(Failure::ActionErrored), now);
        self.power.back_mut().state = State::Waiting(Checks::seen(reading.asked_by(now)));
    }

    /// The Droplet reads on; the next look reads the power-on's Action, unless that should have ended long ago.
    pub(super) fn await_end_of_power_on(&mut self, now: Timestamp) {
        if let Some(run) = self.power.back_mut().run_mut() {
            run.asks_action = now < later(run.intended_at.unwrap_or(now), POWER_ON_LAG);
        }
    }

    /// Records that the Droplet is on while our command to turn it on is running or in doubt.
    pub(in crate::operation) fn see_it_back(&mut self, rules: &Rules, now: Timestamp) {
        self.power.see_on(now, self.ended.is_some());
        self.obstacle = None;
        if self.power.is_watched() {
            // This attempt is over: from here on the Droplet is only watched.
            self.power.back_mut().state = State::Waiting(Checks::default());
            if self.outcome.is_some() {
                self.timer.ask_at(later(now, Self::watch_pause(rules)));
            }
        }
    }

    pub(in crate::operation) fn retry_power_back(&mut self, why: Option<Failure>, run: &Run, now: Timestamp) {
        if let Some(action) = run.action {
            self.baseline.add(action);
        }
        self.power.fail(why, now);
        self.timer.ask_at(later(now, self.retry_pause()));
    }

    /// Handles a look at the Droplet whose power we owe.
    pub(in crate::operation) fn owe_droplet(&mut self, reading: &DropletReading, rules: &Rules, now: Timestamp) {
        let was_read =
            matches!(self.power.back().state, State::Waiting(Checks { actions: true, looked_at: Some(_), .. }));
        match reading.power() {
            // Reading the Actions shows whether somebody turned it on. If nobody did, turning it on settles it.
            Some(PowerState::On) if self.is_surprisingly_on() => {
                let checks = Checks { actions: was_read, ..Checks::seen(reading.asked_by(now)) };
                self.power.back_mut().state = State::Waiting(checks);
            }
            Some(PowerState::On) => {
                self.obstacle = None;
                self.power.see_on(now, self.ended.is_some());
                if self.power.is_watched() && self.outcome.is_some() {
                    self.timer.ask_at(later(now, Self::watch_pause(rules)));
                }
            }
            Some(PowerState::Off) => {
                self.power.see_off(now);
                // Every attempt after the first, and every late off, checks whether somebody else turned the Droplet off meanwhile.
                let is_first =
                    !self.power.was_told_to_turn_on() && self.ended.is_none() && !self.may_be_turned_off_by_others();
                let actions = was_read || (is_first && self.baseline.is_known());
                if reading.locked && !self.has_waited_for_lock(now) {
                    self.power.back_mut().state = State::Waiting(Checks { actions, ..Checks::default() });
                    self.wait_for(Blocker::Locked, rules, now);
                } else {
                    let checks = Checks { actions, ..Checks::seen(reading.asked_by(now)) };
                    self.power.back_mut().state = State::Waiting(checks);
                }
            }
            None => self.wait_for(Blocker::Unsettled("changing".to_owned()), rules, now),
        }
    }

    /// Whether the Droplet cannot be on by anything of ours: it read off, and nothing was sent that turns it on, or that failed. DigitalOcean
    /// may have answered with its state from before our off.
    fn is_surprisingly_on(&self) -> bool {
        self.power.was_seen_off()
            && self.power.was_told_to_turn_off()
            && self.power.is_owed()
            && (!self.power.was_told_to_turn_on() || self.power.failures() > 0)
            && !self.has_restored()
    }

    fn has_restored(&self) -> bool {
        self.steps.iter().any(|step| step.task() == Task::Restore && step.began.is_some())
    }

    /// Whether more than one off is likely: an older operation's, one by somebody who saw our shutdown hang, or one of a Droplet that was
    /// on after its restore or during its Snapshot.
    fn may_be_turned_off_by_others(&self) -> bool {
        self.inherited.is_some()
            || self.questions > 0
            || self.has_hung()
            || self.taken_off == Some(false)
            || self.outcome == Some(Outcome::Failed(Failure::ChangedMeanwhile))
            || self.has_restored()
    }

    fn has_hung(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.state, State::Failed { why: Failure::Hung, .. }))
    }

    /// Whether a lock has held up a Droplet that is off for so long that the bot sends the request anyway: a locked Droplet *may* refuse
    /// Actions, and only a refusal shows whether it does.
    pub(in crate::operation) fn has_waited_for_lock(&self, now: Timestamp) -> bool {
        let is_lock = |obstacle: &&Obstacle| matches!(obstacle.what, Blocker::Locked | Blocker::Event(_));
        self.obstacle.as_ref().filter(is_lock).is_some_and(|obstacle| now >= later(obstacle.since, LOCK_PATIENCE))
    }
}

/// Whether our power-on's Action is to be read before a Droplet that reads on counts as on.
fn must_confirm_on(run: &Run, rules: &Rules, now: Timestamp) -> bool {
    let sent = run.intended_at.unwrap_or(now);
    let may_be_read = run.action.is_some() && run.unread < UNREAD_ENOUGH && run.unknown_since.is_none();
    may_be_read && !run.ended() && !rules.are_requests_scarce && now < later(sent, POWER_ON_LAG)
}
