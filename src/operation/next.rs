//! What to do next, as a pure function of an operation.

use jiff::Timestamp;

use super::{
    Blocker, Focus, Operation, Rules,
    backoff::later,
    effect::{Command, CreatedAs, Effect, Look},
    ids::DropletId,
    step::{Checks, Doubt, Run, State, Step, Task, Work},
};

/// How many looks at a long Action come before a look at the Droplet, which may have been destroyed.
const LOOKS_PER_DROPLET_LOOK: u32 = 8;
/// How many looks at a Droplet that shows the progress of its Action come before a look at the Action: the lock may be somebody else's.
const LOOKS_PER_ACTION_LOOK: u32 = 32;

impl Operation {
    /// What to do next. Total: every operation that is not at rest has something to do, even if only to wait.
    pub fn next(&self, rules: &Rules, now: Timestamp) -> Effect {
        let focus = self.focus();
        let Some(step) = self.step_at(focus) else {
            // A turn-on that a person made unnecessary before it was answered ends with the result of that answer.
            return self.first_answer_deadline(now).map_or(Effect::Rest, Effect::Sleep);
        };
        if let Some(from) = self.power.blind_from().filter(|_| focus == Focus::Back) {
            if now < from {
                return Effect::Sleep(from);
            }
            return self.command(&step.work).map_or(Effect::Rest, Effect::Send);
        }
        if let Some(deadline) = self.first_answer_deadline(now) {
            return Effect::Sleep(deadline);
        }
        let watched = self.watched_at(focus, rules);
        if let Some((droplet, _)) = watched.filter(|(_, at)| *at <= now) {
            return Effect::Look(Look::Droplet(droplet));
        }
        if let Some(until) = self.timer.ahead(now) {
            let deadline = self.deadline(rules).filter(|deadline| now < *deadline);
            let wake = deadline.into_iter().chain(watched.map(|(_, at)| at)).min();
            return Effect::Sleep(wake.map_or(until, |wake| wake.min(until)));
        }
        if let (Some(missing), Some(droplet)) = (self.missing, self.droplet_of(step.task())) {
            return Effect::Look(if missing.is_confirmed { Look::Listed(droplet) } else { Look::Droplet(droplet) });
        }
        match &step.state {
            State::Waiting(checks) => match (self.held_by_warning(now), self.needed_look(step.task(), *checks, now)) {
                (Some(until), _) => {
                    let wake = [self.deadline(rules), watched.map(|(_, at)| at)].into_iter().flatten().min();
                    Effect::Sleep(wake.map_or(until, |wake| wake.min(until)))
                }
                (None, Some(look)) => Effect::Look(look),
                (None, None) => self.command(&step.work).map_or(Effect::Rest, Effect::Send),
            },
            // The answer goes to the worker that holds the claim. A worker that claims an operation in this state has lost that answer.
            State::Intended { at, doubt: None } => Effect::Sleep(later(*at, rules.settle_time)),
            State::Intended { doubt: Some(doubt), .. } => {
                self.doubt_look(step, doubt).map_or(Effect::Rest, Effect::Look)
            }
            State::Running(run) => self.run_look(step, run, rules).map_or(Effect::Rest, Effect::Look),
            State::Done { .. } | State::Skipped | State::Failed { .. } => match (focus, self.droplet()) {
                // A duty whose step is over, such as an inherited one, starts with a new look.
                (Focus::Back, Some(droplet)) => Effect::Look(Look::Droplet(droplet)),
                (Focus::Back, None) | (Focus::Forward(_) | Focus::Rest, _) => Effect::Rest,
            },
        }
    }

    /// The Droplet whose power and disk this operation touches.
    pub(super) fn droplet(&self) -> Option<DropletId> {
        self.target.droplet
    }

    /// The Droplet that a task is about: for a launch, the one that it created.
    fn droplet_of(&self, task: Task) -> Option<DropletId> {
        if task == Task::Create {
            return self.launched.as_ref().map(|launched| launched.droplet);
        }
        self.droplet().filter(|_| task.traits().needs_baseline)
    }

    /// The look that is needed before a command may be sent: the Actions come first, since the look at the Droplet must be recent.
    fn needed_look(&self, task: Task, checks: Checks, now: Timestamp) -> Option<Look> {
        let droplet = self.droplet().filter(|_| task.traits().needs_baseline)?;
        if checks.droplet && !checks.actions && !self.may_begin_without_actions(task) {
            Some(Look::Actions(droplet))
        } else if task == Task::DisableBackups && checks.droplet && !checks.backups {
            Some(Look::Backups(droplet))
        } else if checks.is_fresh(now) {
            None
        } else {
            Some(Look::Droplet(droplet))
        }
    }

    /// Whether a command may be sent before the Droplet's Actions are read. DigitalOcean refuses a shutdown while another Action is
    /// pending, which is then read and named; otherwise the id in its answer bounds all Actions before it. Before a destructive step the
    /// Actions are always read.
    fn may_begin_without_actions(&self, task: Task) -> bool {
        let was_refused = self.obstacle.as_ref().is_some_and(|obstacle| matches!(obstacle.what, Blocker::Event(_)));
        task == Task::ShutDown
            && !was_refused
            && !self.may_be_off_by_inheritance()
            && !self.steps.iter().any(|step| step.task().traits().is_destructive)
    }

    /// The command for a piece of work; `None` if it needs a Droplet and there is none.
    fn command(&self, work: &Work) -> Option<Command> {
        match work {
            Work::ShutDown => self.droplet().map(Command::ShutDown),
            Work::PowerOff => self.droplet().map(Command::PowerOff),
            Work::PowerOn => self.droplet().map(Command::PowerOn),
            Work::Snapshot => {
                self.droplet().map(|droplet| Command::TakeSnapshot { droplet, name: self.snapshot_name.clone() })
            }
            Work::Restart => self.droplet().map(Command::Restart),
            Work::Restore(snapshot) => self.droplet().map(|droplet| Command::Restore { droplet, snapshot: *snapshot }),
            Work::Create(droplet) => Some(Command::Create(droplet.clone())),
            Work::Delete(snapshot) => Some(Command::Delete(*snapshot)),
            Work::EnableBackups(policy) => {
                self.droplet().map(|droplet| Command::EnableBackups { droplet, policy: policy.clone() })
            }
            Work::ChangeBackups(policy) => {
                self.droplet().map(|droplet| Command::ChangeBackups { droplet, policy: policy.clone() })
            }
            Work::DisableBackups => self.droplet().map(Command::DisableBackups),
            Work::KeepBackup(backup) => Some(Command::KeepBackup(*backup)),
        }
    }

    /// What to look at while it is unknown whether a command was carried out: the Droplet, then its Actions, then the list.
    fn doubt_look(&self, step: &Step, doubt: &Doubt) -> Option<Look> {
        match &step.work {
            Work::Create(wanted) if doubt.round.droplet => Some(Look::CreatedAs(CreatedAs {
                by: self.id,
                name: wanted.name.clone(),
                since: step.began.unwrap_or(self.asked_at),
            })),
            Work::Create(_) => Some(Look::Launched(self.id)),
            Work::Delete(snapshot) => Some(Look::Snapshot(*snapshot)),
            Work::KeepBackup(backup) => Some(Look::Image(*backup)),
            Work::ShutDown
            | Work::PowerOff
            | Work::PowerOn
            | Work::Snapshot
            | Work::Restart
            | Work::Restore(_)
            | Work::EnableBackups(_)
            | Work::ChangeBackups(_)
            | Work::DisableBackups => {
                let droplet = self.droplet()?;
                // If a refused command was carried out after all, the Actions and the Droplet's power show it.
                let asks_droplet = match (doubt.busy, doubt.is_refused_in_words()) {
                    (true, _) => step.task().turns_off(),
                    (false, true) => step.task().traits().reaches.is_some(),
                    (false, false) => true,
                };
                Some(if doubt.seen_off && doubt.refused.is_none() {
                    Look::Actions(droplet)
                } else if asks_droplet && !doubt.round.droplet {
                    Look::Droplet(droplet)
                } else if doubt.round.actions {
                    Look::Snapshots(droplet)
                } else {
                    Look::Actions(droplet)
                })
            }
        }
    }

    fn run_look(&self, step: &Step, run: &Run, rules: &Rules) -> Option<Look> {
        let others_turn = run.looks % LOOKS_PER_DROPLET_LOOK == LOOKS_PER_DROPLET_LOOK - 1;
        if step.task() == Task::Create {
            let droplet = self.launched.as_ref()?.droplet;
            // A Droplet whose create Action errored reads `new` forever: only the Action says so.
            return Some(if others_turn { Look::Actions(droplet) } else { Look::Droplet(droplet) });
        }
        if let Work::KeepBackup(backup) = &step.work {
            // The image shows that the conversion is done, but only the Action shows that it failed.
            let actions_turn = !run.ended() && run.unread < 2 && !run.looks.is_multiple_of(2);
            let action = run.action.filter(|_| actions_turn).map(Look::Action);
            return Some(action.unwrap_or(Look::Image(*backup)));
        }
        if let Some(taken) = self.snapshot.as_ref().filter(|_| run.unlisted) {
            return Some(Look::Snapshot(taken.id));
        }
        let droplet = self.droplet()?;
        let action = run.action.map(Look::Action);
        // An Action that cannot be read must not keep us from looking at the Droplet.
        let is_unreadable = run.unread >= 2 && run.looks.is_multiple_of(2);
        if step.task() == Task::Snapshot && run.broken.is_some() {
            let snapshots_turn = run.looks.is_multiple_of(2);
            return if snapshots_turn { Some(Look::Snapshots(droplet)) } else { action };
        }
        if step.task() == Task::Snapshot && run.completed.is_some() {
            return if run.concluded && run.asks_action { action } else { Some(Look::Snapshots(droplet)) };
        }
        if step.task() == Task::Snapshot && run.looks == 0 && self.is_owed_while_off() && !rules.are_requests_scarce {
            // They show the Snapshot's Action too, so this look costs no request.
            return Some(Look::Actions(droplet));
        }
        let droplets_turn = match step.task() {
            _ if run.ended() || is_unreadable => true,
            task if self.is_shown_by_droplet(task) => {
                let every = if task == Task::Snapshot { LOOKS_PER_ACTION_LOOK } else { LOOKS_PER_DROPLET_LOOK };
                !run.asks_action && run.looks % every != every - 1
            }
            _ => others_turn,
        };
        if droplets_turn { Some(Look::Droplet(droplet)) } else { action }
    }

    /// Whether the Droplet itself shows that an Action has done its work: one look then replaces two, and other operations may share it.
    fn is_shown_by_droplet(&self, task: Task) -> bool {
        match task {
            Task::ShutDown | Task::PowerOff | Task::PowerOn => true,
            // A Droplet that is off and unlocked shows that its Snapshot is over; while it runs, only the Action shows progress.
            Task::Snapshot => self.is_owed_while_off(),
            Task::Restart
            | Task::Restore
            | Task::Create
            | Task::Delete
            | Task::EnableBackups
            | Task::ChangeBackups
            | Task::DisableBackups
            | Task::KeepBackup => false,
        }
    }

    fn is_owed_while_off(&self) -> bool {
        self.power.is_owed() && self.power.was_seen_off()
    }
}
