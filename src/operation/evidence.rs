//! Answers that are believed only when they are repeated: a refusal of the token, and a Droplet that DigitalOcean does not know.
//!
//! A proxy, a lagging replica or a moment of confusion can produce a lone 401, 403 or 404 between good answers. The consequences of a real
//! one cannot be undone, so it has to be repeated before it counts.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Blocker, Focus, Operation, Rules,
    backoff::later,
    effect::Look,
    reading::{Failure, Trouble},
    step::{Step, Task},
};

/// DigitalOcean does not know the Droplet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Missing {
    /// When DigitalOcean first said so.
    pub(super) since: Timestamp,
    /// DigitalOcean repeated it late enough: now the complete list of Droplets decides.
    pub(super) is_confirmed: bool,
}

/// DigitalOcean refused a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Denied {
    what: Denial,
    /// Whether a command was refused: a good answer to a look says nothing about the right to send commands.
    pub(super) is_command: bool,
    since: Timestamp,
}

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Look,
    Command,
}

/// A kind of refusal that is not believed until it is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Denial {
    Unauthorized,
    Forbidden,
    NotFound,
}

impl Operation {
    /// Whether to believe a refusal now, because it was first given at least a third of `SETTLE_TIME` ago. If not, sets when to ask again.
    pub(super) fn is_believed(&mut self, trouble: &Trouble, asked: Asked, rules: &Rules, now: Timestamp) -> bool {
        let what = match trouble {
            Trouble::Unauthorized => Denial::Unauthorized,
            Trouble::Forbidden { .. } => Denial::Forbidden,
            Trouble::NotFound => Denial::NotFound,
            Trouble::NotSent { .. }
            | Trouble::Unclear { .. }
            | Trouble::Throttled { .. }
            | Trouble::Busy
            | Trouble::Refused { .. } => return true,
        };
        let is_command = asked == Asked::Command;
        let earlier = self.denied.filter(|denied| denied.what == what && denied.is_command == is_command);
        let denied = earlier.unwrap_or(Denied { what, is_command, since: now });
        self.denied = Some(denied);
        let believed_from = later(denied.since, rules.doubt_pause());
        if earlier.is_some() && now >= believed_from {
            return true;
        }
        self.timer.ask_at(believed_from.max(later(now, rules.poll_interval.min(rules.doubt_pause()))));
        false
    }

    /// Handles an answer that the Droplet is unknown. Owed power is given up only if DigitalOcean says so twice, two `SETTLE_TIME`s apart,
    /// and the complete list of Droplets lacks it too.
    pub(super) fn miss_droplet(&mut self, look: &Look, rules: &Rules, now: Timestamp) {
        let missing = self.missing.get_or_insert(Missing { since: now, is_confirmed: false });
        let confirmed_from = later(missing.since, rules.settle_time * 2);
        if matches!(look, Look::Droplet(_)) && now >= confirmed_from {
            missing.is_confirmed = true;
        } else {
            self.timer.ask_at(later(now, rules.doubt_pause()));
        }
    }

    /// Decides by the complete list of Droplets whether the Droplet is gone.
    pub(super) fn judge_missing(&mut self, focus: Focus, is_listed: bool, rules: &Rules, now: Timestamp) {
        let Some(missing) = self.missing.take() else { return };
        if is_listed {
            // The Droplet exists, so the earlier answers were wrong.
            return self.wait_for(Blocker::Outage, rules, now);
        }
        let step = self.step_at(focus);
        if step.is_some_and(|step| step.task() == Task::Create) {
            let began = step.and_then(|step| step.began).unwrap_or(missing.since);
            if now < later(began, rules.settle_time * Task::Create.traits().settle_factor) {
                // A new Droplet may be missing from DigitalOcean's answers for a while.
                self.missing = Some(Missing { is_confirmed: false, ..missing });
                self.timer.ask_at(later(now, rules.doubt_pause()));
            } else {
                self.fail_step(focus, Failure::DropletGone, now);
            }
        } else {
            self.droplet_is_gone(focus, now);
        }
    }

    /// Handles an answer that a Snapshot is unknown: the one to delete, or the one just taken that a list lacks. It is gone if DigitalOcean
    /// accepted its deletion, or says so twice.
    pub(super) fn miss_snapshot(&mut self, focus: Focus, rules: &Rules, now: Timestamp) {
        let Some(step) = self.step_at(focus) else { return };
        let (task, is_accepted) = (step.task(), step.doubt().is_some_and(|doubt| doubt.accepted));
        if !is_accepted && !self.is_believed(&Trouble::NotFound, Asked::Look, rules, now) {
            return;
        }
        if task == Task::Delete {
            self.complete(focus, now);
        } else {
            self.snapshot = None;
            self.fail_step(focus, Failure::SnapshotGone, now);
        }
    }

    /// Handles an answer that the Action in progress is unknown.
    pub(super) fn miss_action(&mut self, focus: Focus, rules: &Rules, now: Timestamp) {
        let Some(run) = self.step_mut(focus).and_then(Step::run_mut) else { return };
        let since = *run.unknown_since.get_or_insert(now);
        if now < later(since, rules.doubt_pause()) {
            self.timer.ask_at(later(since, rules.doubt_pause()));
            return;
        }
        self.break_run(focus, now);
        self.recover_vanished(focus, rules, now);
    }
}

impl Rules {
    /// How long after a doubtful answer its repetition counts.
    pub fn doubt_pause(&self) -> SignedDuration {
        (self.settle_time / 3).max(SignedDuration::from_millis(1))
    }
}
