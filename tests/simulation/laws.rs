//! The laws, checked after every event: the true state of the simulated world against the store.

use std::collections::BTreeMap;

use snapshot_bot::operation::{
    Operation, Outcome,
    effect::{Answer, Command},
    ids::{DropletId, OperationId, SnapshotId},
    kinds::{Delete, Kind, Restore, Safety},
    power::Status as Power,
    reading::{Failure, PowerState},
    step::{Step, Task},
};
use snapshot_bot_sandbox::digitalocean::{
    action::{self, Progress},
    droplet::Status,
};

use super::{Broken, Lawful, Simulation, front, mood::Mood};

fn law<T>(broken: String) -> Lawful<T> {
    Err(Broken::Law(broken))
}

impl Simulation {
    /// Reads what was committed, and checks everything that a commit could break.
    pub(crate) async fn after_commit(&mut self, id: OperationId, answer: Option<&Answer>) -> Lawful {
        let owed = |it: Option<&Operation>| it.and_then(|it| it.power.owed());
        let before = owed(self.operations.get(&id));
        self.refresh(id).await?;
        self.process.queue.turn_ended(id, true);
        if let Some(tally) = &mut self.measured {
            tally.commits += 1;
        }
        if owed(self.operations.get(&id)) != before {
            let owed = std::mem::take(&mut self.owed);
            self.refresh_owed().await?;
            self.judge_owed(&owed, answer)?;
        }
        let wall = self.wall();
        if let Some(spoilt) = self.sabotage.zip(self.operations.get(&id)).and_then(|(it, state)| it.spoil(state, wall))
        {
            self.put_back(id, &spoilt).await?;
        }
        self.judge_world()
    }

    /// Reads an operation back. An outcome is final, and so is an end. An answer is due if and only if the operation has ended.
    pub(crate) async fn refresh(&mut self, id: OperationId) -> Lawful {
        let Some(stored) = self.store.operation(id).await? else { return law(format!("{id} is gone")) };
        let after = stored.operation;
        let due_at = self.due_at(&after);
        self.dues.set(&after, due_at);
        if due_at.is_none() && after.is_open() {
            return law(format!("{id} is not done, and waits for nothing"));
        }
        let before = self.operations.insert(id, after.clone());
        self.conduct.notice(before.as_ref(), &after, self.now);
        self.judge_words(&after)?;
        front::judge_rights(&after)?;
        let calls = |it: &Operation| (it.ended, it.power.calls(), it.questions);
        let calls_anew = before.as_ref().map(calls) != Some(calls(&after));
        let ended_before = before.as_ref().and_then(|before| before.ended);
        if let Some(before) = before {
            if before.outcome.is_some() && before.outcome != after.outcome {
                return law(format!("the outcome of {id} changed from {:?} to {:?}", before.outcome, after.outcome));
            }
            if before.ended.is_some() && before.ended != after.ended {
                return law(format!("{id} ended at {:?} and again at {:?}", before.ended, after.ended));
            }
        }
        if after.outcome == Some(Outcome::Failed(Failure::Internal)) && !self.panicked.contains(&id) {
            return law(format!("{id} was halted by a bug of ours"));
        }
        if after.ended != ended_before && self.measured.is_none() {
            self.ledger.watch(&self.world);
            self.judge_consistency(&after)?;
        }
        if calls_anew && self.measured.is_none() { self.judge_reports().await } else { Ok(()) }
    }

    /// Reads the plain rows of owed power.
    pub(crate) async fn refresh_owed(&mut self) -> Lawful {
        let owed = self.store.power_owed().await?.into_iter().map(|row| (row.droplet, row.operation)).collect();
        let before = std::mem::replace(&mut self.owed, owed);
        self.conduct.forget_paid(&self.owed);
        self.conduct.note_heirs(&before, &self.owed);
        Ok(())
    }

    /// Owed power ends only if the Droplet was seen active, is gone, or a person took it over.
    fn judge_owed(&self, before: &BTreeMap<DropletId, OperationId>, answer: Option<&Answer>) -> Lawful {
        for (droplet, operation) in before {
            if self.owed.contains_key(droplet) {
                continue;
            }
            // Where the reading alone was doubted, the Actions settle it.
            let was_seen_on =
                || self.operations.get(operation).is_some_and(|it| it.power.last_seen() == Some(PowerState::On));
            let seen_on = match answer {
                Some(Answer::Droplet(it)) => it.id == *droplet && it.power() == Some(PowerState::On),
                Some(Answer::Actions(listed)) => {
                    let turns_on = ["power_on", "power_cycle", "reboot", "restore", "rebuild", "resize"];
                    was_seen_on() && listed.iter().any(|it| turns_on.contains(&it.kind.as_str()))
                }
                _ => false,
            };
            let gone = self.world.droplet(droplet.0).is_none();
            // The bot need not turn on a Droplet if a person wanted it on and then read that nothing happens, unless the bot had turned it
            // off before and no one had said that it may stay off.
            let is_off_by_us = self.ledger.off_by_us(&self.world).any(|(off, _)| off == droplet.0);
            let withdrawn = self.operations.get(operation).is_some_and(|it| it.kind.owes_power() && it.is_withdrawn())
                && (!is_off_by_us || self.somebody_took_over(droplet.0));
            if !seen_on && !gone && !withdrawn && !self.is_released(*operation) {
                return law(format!("what {operation} owed Droplet {droplet} is forgotten"));
            }
        }
        Ok(())
    }

    /// Whether a person took over the owed power, or the Actions showed that someone else turned the Droplet off.
    fn is_released(&self, id: OperationId) -> bool {
        let is_left = |it: &Operation| matches!(it.power.status(), Power::Released(_) | Power::Theirs(_));
        let was_off = |it: &Operation| it.power.before() == Some(PowerState::Off);
        self.operations.get(&id).is_some_and(|it| is_left(it) || was_off(it))
    }

    /// No command is sent without its intent, and none that changes power without a stored row of owed power.
    pub(crate) fn judge_sending(&self, id: OperationId, stored: Option<&Operation>, command: &Command) -> Lawful {
        let Some(stored) = stored.filter(|stored| Self::is_open_intent(stored)) else {
            return law(format!("{id} sends {command:?} without a committed intent"));
        };
        let owes = |droplet: &DropletId| self.owed.get(droplet) == Some(&id);
        let is_released = matches!(stored.power.status(), Power::Released(_));
        let was_on = stored.power.before() == Some(PowerState::On) && !is_released;
        match command {
            Command::ShutDown(droplet) | Command::PowerOff(droplet) if was_on && !owes(droplet) => {
                law(format!("{id} turns Droplet {droplet} off without owing it power"))
            }
            Command::Restart(droplet) if was_on && !owes(droplet) => {
                law(format!("{id} restarts Droplet {droplet} without owing it power"))
            }
            Command::Restore { droplet, .. } if was_on && !owes(droplet) => {
                law(format!("{id} restores Droplet {droplet} without owing it power"))
            }
            Command::PowerOn(droplet) if !owes(droplet) => {
                law(format!("{id} turns Droplet {droplet} on without owing it power"))
            }
            Command::Restore { .. } if wants_safety(stored) && !self.has_snapshot(stored) => {
                law(format!("{id} restores without its safety Snapshot"))
            }
            Command::ShutDown(_)
            | Command::PowerOff(_)
            | Command::PowerOn(_)
            | Command::Restart(_)
            | Command::TakeSnapshot { .. }
            | Command::Restore { .. }
            | Command::Create(_)
            | Command::Delete(_)
            | Command::EnableBackups { .. }
            | Command::ChangeBackups { .. }
            | Command::DisableBackups(_)
            | Command::KeepBackup(_) => Ok(()),
        }
    }

    /// Whether its Snapshot was really taken, with its name. It may have been deleted since.
    fn has_snapshot(&self, operation: &Operation) -> bool {
        operation.snapshot.as_ref().is_some_and(|taken| match self.world.image(taken.id.0) {
            Some(image) => image.name == operation.snapshot_name,
            None => self.was_taken_away(taken.id),
        })
    }

    /// Whether a stranger or another operation deleted a Snapshot.
    fn was_taken_away(&self, snapshot: SnapshotId) -> bool {
        let deleted_by =
            |it: &Operation| matches!(&it.kind, Kind::Delete(Delete { snapshot: it }) if it.id == snapshot);
        self.ledger.taken_away.contains(&snapshot.0)
            || self.operations.values().any(|it| deleted_by(it) && it.steps.iter().any(|step| step.began.is_some()))
    }

    /// Checks everything that depends only on the present world.
    pub(crate) fn judge_world(&mut self) -> Lawful {
        if self.measured.is_some() {
            return Ok(());
        }
        self.ledger.watch(&self.world);
        for (droplet, operation) in self.ledger.off_by_us(&self.world) {
            // An operation that found it off and turned nothing off cannot know that a restore did.
            let may_know = self.operations.get(&operation).is_none_or(|it| {
                let turned_off =
                    |step: &Step| matches!(step.task(), Task::ShutDown | Task::PowerOff) && step.began.is_some();
                it.power.before() == Some(PowerState::On) || it.steps.iter().any(turned_off)
            });
            // The bot stops watching after fifteen minutes, so people must find a later power-off.
            if self.is_too_late(droplet) {
                continue;
            }
            if may_know && !self.owed.contains_key(&DropletId(droplet)) && !self.somebody_took_over(droplet) {
                return law(format!("Droplet {droplet} is off by {operation}, and nobody owes it power"));
            }
        }
        self.judge_waiting()?;
        for operation in self.operations.values() {
            self.judge_once(operation)?;
        }
        if let Some(complaint) = self.world.rejections().first() {
            return law(format!("no correct client would have sent this: {complaint:?}"));
        }
        Ok(())
    }

    /// Whether a person said that a Droplet may be off.
    fn somebody_took_over(&self, droplet: u64) -> bool {
        let concerns = |it: &&Operation| it.target.droplet == Some(DropletId(droplet));
        let mut concerned = self.operations.values().filter(concerns);
        // A stranger who rebuilds or restores a Droplet that is off because of the bot takes it over as well, if an Action shows that.
        let may_be_theirs = self.ledger.has_foreign_off(&self.world, droplet);
        concerned.any(|it| match it.power.status() {
            Power::Released(_) => true,
            Power::Theirs(_) => may_be_theirs,
            _ => false,
        })
    }

    /// What was requested once never happens twice.
    fn judge_once(&self, operation: &Operation) -> Lawful {
        let (id, mut snapshots, mut restores) = (operation.id, 0, 0);
        for action in self.ledger.actions_of(&self.world, id) {
            match &action.kind {
                action::ActionKind::Snapshot(_) if action.progress != Progress::Errored => snapshots += 1,
                action::ActionKind::Restore(_) => restores += 1,
                _ => {}
            }
        }
        if snapshots > 1 || restores > 1 {
            return law(format!("{id} took {snapshots} Snapshots and restored {restores} times"));
        }
        if matches!(operation.kind, Kind::Launch { .. }) {
            let made = self.world.droplets().filter(|it| it.tags.contains(&operation.tag())).count();
            if made > 1 {
                return law(format!("{id} made {made} Droplets"));
            }
        }
        Ok(())
    }

    /// At the end, everything rests, every message is true, and power is as promised.
    pub(crate) async fn judge_the_end(&mut self) -> Lawful {
        self.judge_world()?;
        self.judge_reports().await?;
        self.judge_what_was_said().await?;
        if !self.owed.is_empty() || !self.open_droplets().is_empty() {
            return law(format!("power is still owed: {:?}", self.owed));
        }
        for operation in self.operations.values() {
            let Some(outcome) = &operation.outcome else { return law(format!("{} has no outcome", operation.id)) };
            if operation.ended.is_none() {
                return law(format!("{} never ended", operation.id));
            }
            let wrong = match outcome {
                Outcome::Completed => self.untruth_of_completed(operation),
                Outcome::Cancelled => self.untruth_of_cancelled(operation),
                Outcome::Failed(_) => None,
            };
            if let Some(wrong) = wrong {
                return law(format!("{} is said to be {}, but {wrong}", operation.id, outcome.word()));
            }
        }
        Ok(())
    }

    fn untruth_of_completed(&self, operation: &Operation) -> Option<&'static str> {
        let done = |wanted: &action::ActionKind| {
            let mut ours = self.ledger.actions_of(&self.world, operation.id);
            ours.any(|action| action.kind == *wanted && action.progress == Progress::Completed)
        };
        match &operation.kind {
            Kind::Take { .. } => (!self.has_snapshot(operation)).then_some("there is no such Snapshot"),
            Kind::Restore(Restore { snapshot, safety, .. }) => {
                // An Action does not name its Snapshot. After a lost answer, or a refusal because of a pending event, a stranger's restore
                // counts as ours.
                let is_lost = |step: &Step| step.task() == Task::Restore && step.answer_lost;
                let is_held_up = self.conduct.held_up.contains(&operation.id);
                let cannot_know =
                    self.moods.has(Mood::Strangers) && (is_held_up || operation.steps.iter().any(is_lost));
                let restored = cannot_know || done(&action::ActionKind::Restore(snapshot.id.0));
                let safe = *safety == Safety::None || self.has_snapshot(operation);
                match (restored, safe) {
                    (false, _) => Some("nothing was restored"),
                    (_, false) => Some("there is no safety Snapshot"),
                    (true, true) => None,
                }
            }
            Kind::Launch { .. } => {
                let Some(launched) = &operation.launched else { return Some("it names no Droplet") };
                match self.world.droplet(launched.droplet.0) {
                    Some(droplet) if droplet.status == Status::New => Some("the Droplet is not ready"),
                    Some(_) => None,
                    None if self.ledger.taken_away.contains(&launched.droplet.0) => None,
                    None => Some("there is no such Droplet"),
                }
            }
            // Its power is the subject of another law; a Droplet that is off needs no restart. Nothing here changes Backups.
            Kind::TurnOn { .. } | Kind::Restart { .. } | Kind::Backups(_) => None,
            Kind::Delete(Delete { snapshot }) => {
                self.world.image(snapshot.id.0).is_some().then_some("the Snapshot is still there")
            }
        }
    }

    fn untruth_of_cancelled(&self, operation: &Operation) -> Option<&'static str> {
        let mut ours = self.ledger.actions_of(&self.world, operation.id).filter(|it| it.progress != Progress::Errored);
        match &operation.kind {
            Kind::Take { .. } => {
                ours.any(|it| matches!(it.kind, action::ActionKind::Snapshot(_))).then_some("a Snapshot was taken")
            }
            Kind::Restore { .. } => {
                ours.any(|it| matches!(it.kind, action::ActionKind::Restore(_))).then_some("it was restored")
            }
            Kind::Launch { .. } => {
                self.world.droplets().any(|it| it.tags.contains(&operation.tag())).then_some("a Droplet was made")
            }
            Kind::TurnOn { .. } => {
                ours.any(|it| matches!(it.kind, action::ActionKind::PowerOn)).then_some("it was turned on")
            }
            Kind::Restart { .. } => {
                ours.any(|it| matches!(it.kind, action::ActionKind::PowerCycle)).then_some("it was restarted")
            }
            Kind::Delete(Delete { snapshot }) => {
                let there = self.world.image(snapshot.id.0).is_some();
                let began = operation.steps.iter().any(|step| step.began.is_some());
                (!there && (began || !self.was_taken_away(snapshot.id))).then_some("the Snapshot is gone")
            }
            Kind::Backups(_) => None,
        }
    }
}

fn wants_safety(operation: &Operation) -> bool {
    matches!(operation.kind, Kind::Restore(Restore { safety: Safety::Snapshot, .. }))
}
