//! A turn of the worker, taken apart: claimed, begun, carried out, finished, with a chance to die before and after each commit.

use jiff::{SignedDuration, Timestamp};
use snapshot_bot::{
    operation::{
        Hindrance, Operation,
        ids::OperationId,
        request::{Answer, Command, Effect, Look},
        step::State,
    },
    store,
    worker::Claimed,
};
use snapshot_bot_sandbox::digitalocean::fault::Quirk;

use super::{
    Broken, Lawful, Simulation,
    coverage::Met,
    fate::{self, Fate, Road},
    mood::{Mood, Spell, Twist},
    sabotage::Sabotage,
};

/// One turn under way in a process.
pub(crate) struct Job {
    pub(crate) id: OperationId,
    claimed: Claimed,
    /// The number of the last thing that was said before it was claimed.
    heard: u64,
    /// The state from before the intent of a command, for a sabotage that brings it back.
    before: Option<Box<Operation>>,
    stage: Stage,
    /// When its look left, if it is one that has left.
    looked_at: Option<Timestamp>,
    /// Its process stood still meanwhile, and another one has taken over.
    frozen: bool,
    /// When it can go on.
    pub(crate) at: Timestamp,
}

enum Stage {
    /// Nothing is written down yet.
    Claimed,
    /// The intent of a command is committed; the command leaves now.
    Begun,
    /// The answer is there, or on its way.
    Answered(Answer),
}

/// Whether a process outlives a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    GoesOn,
    EndsBefore,
    EndsAfter,
}

impl Simulation {
    /// Whether the process outlives a commit; `dangers` times in 256 it does not.
    fn life(&mut self, dangers: u8) -> Life {
        match self.dice.u8(..) {
            one if !self.is_rough() || one >= dangers => Life::GoesOn,
            one if one % 3 == 0 => Life::EndsBefore,
            _ => Life::EndsAfter,
        }
    }

    /// The living process takes an operation up.
    pub(crate) async fn claim(&mut self, id: OperationId) -> Lawful {
        let life = self.life(6);
        if life == Life::EndsBefore {
            return self.die().await;
        }
        let claimed = match self.worker.claim(id, &self.rules, self.wall()).await {
            Ok(claimed) => claimed,
            Err(store::Error::LeaseLost) => {
                self.note(format!("{id} is somebody else's"));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        match claimed {
            None => {
                self.note(format!("{id} has nothing to ask"));
                self.hears(id, self.interactions);
                self.after_commit(id, None).await?;
            }
            Some(claimed) => {
                self.note(format!("{id} wants {:?}", claimed.effect()));
                let at = self.now + if self.once_in(4) { self.seconds(5) } else { SignedDuration::ZERO };
                let heard = self.interactions;
                let stage = Stage::Claimed;
                self.jobs.push(Job { id, claimed, heard, before: None, stage, looked_at: None, frozen: false, at });
            }
        }
        if life == Life::EndsAfter { self.die().await } else { Ok(()) }
    }

    /// What was said up to here is heard once it is committed.
    fn hears(&mut self, id: OperationId, up_to: u64) {
        if self.unheard.get(&id).is_some_and(|said| *said <= up_to) {
            self.unheard.remove(&id);
        }
    }

    /// A turn goes one stage further.
    pub(crate) async fn go_on(&mut self, job: Job) -> Lawful {
        match (&job.stage, job.claimed.effect().clone()) {
            (Stage::Claimed, Effect::Send(_)) => Box::pin(self.begin(job)).await,
            (Stage::Claimed, Effect::Look(look)) => {
                self.judge_pace(job.id)?;
                let fate = self.fate_of(&look);
                let arrival = self.now + self.seconds(2);
                let road = self.road(&fate, None, arrival);
                let seen = road.look(&look);
                let looked_at = Some(self.now);
                self.jobs.push(Job { stage: Stage::Answered(seen.answer), at: seen.at, looked_at, ..job });
                Ok(())
            }
            (Stage::Begun, Effect::Send(command)) => self.send(job, &command),
            (Stage::Answered(answer), _) => {
                let answer = answer.clone();
                Box::pin(self.finish(job, answer)).await
            }
            (Stage::Claimed | Stage::Begun, Effect::Look(_) | Effect::Sleep(_) | Effect::Rest) => {
                Err(Broken::Law(format!("{} was claimed with nothing to ask", job.id)))
            }
        }
    }

    fn fate_of(&mut self, look: &Look) -> Fate {
        if !self.is_rough() {
            return Fate::Fine;
        }
        let fate = match self.spell {
            Some((Spell::Denied, _)) if Spell::Denied.meets(look) => Fate::denied(),
            Some((spell, _)) if spell.meets(look) => Fate::of_an_outage(&mut self.dice),
            Some(_) | None => Fate::of_look(&mut self.dice, look, &self.moods),
        };
        if fate != Fate::Fine {
            self.conduct.trouble_at(self.now);
        }
        fate
    }

    fn road<'a>(&'a mut self, fate: &'a Fate, quirk: Option<Quirk>, arrival: Timestamp) -> Road<'a> {
        let twist = if self.is_rough() { Twist::draw(&mut self.dice, &self.moods) } else { None };
        Road {
            world: &mut self.world,
            fate: Some(fate),
            quirk,
            twist,
            now: self.now,
            arrival,
            ahead: self.ahead,
            postponed: None,
        }
    }

    async fn begin(&mut self, job: Job) -> Lawful {
        let id = job.id;
        if job.frozen {
            // Its lease is over, which it finds out before it sends anything.
            self.note(format!("{id} may not begin: the lease is over"));
            return Ok(());
        }
        let heard = self.interactions;
        // Whoever waited for leave to send takes the operation up once more, as the loop does.
        let Some(claimed) = Box::pin(self.claim_again(job.claimed)).await? else { return Ok(()) };
        if claimed.opens_downtime() && self.is_rough() && self.once_in(12) {
            let until = self.wall() + SignedDuration::from_secs(15);
            return match self.worker.defer(claimed, (Hindrance::Turn, until), &self.rules, self.wall()).await {
                Ok(()) => {
                    self.note(format!("{id} is put off"));
                    self.conduct.trouble_at(self.now);
                    self.hears(id, heard);
                    self.after_commit(id, None).await
                }
                Err(store::Error::LeaseLost) => Ok(()),
                Err(error) => Err(error.into()),
            };
        }
        let life = self.life(24);
        if life == Life::EndsBefore {
            return self.die().await;
        }
        let before = Some(Box::new(claimed.operation().clone()));
        self.coverage.count(claimed.operation(), Met::Intended);
        let begun = match self.worker.begin(claimed, &self.rules, self.wall()).await {
            Ok(begun) => begun,
            Err(store::Error::LeaseLost) => {
                self.note(format!("{id} may not begin: somebody else went on"));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        self.note(format!("{id} intends {:?}", begun.effect()));
        self.hears(id, heard);
        self.judge_intent(begun.operation(), begun.effect())?;
        let (stage, at) = (Stage::Begun, self.now);
        self.jobs.push(Job { id, claimed: begun, heard, before, stage, looked_at: None, frozen: false, at });
        self.after_commit(id, None).await?;
        if life == Life::EndsAfter { self.die().await } else { Ok(()) }
    }

    /// None if it wants something else by now, or somebody else has it.
    async fn claim_again(&mut self, earlier: Claimed) -> Lawful<Option<Claimed>> {
        let (id, wanted) = (earlier.operation().id, earlier.effect().clone());
        let claimed = match self.worker.claim(id, &self.rules, self.wall()).await {
            Ok(claimed) => claimed,
            Err(store::Error::LeaseLost) => None,
            Err(error) => return Err(error.into()),
        };
        if claimed.is_none() {
            self.after_commit(id, None).await?;
        }
        Ok(claimed.filter(|claimed| *claimed.effect() == wanted))
    }

    /// The command leaves; its answer is to be finished with later.
    fn send(&mut self, job: Job, command: &Command) -> Lawful {
        self.judge_sending(job.id, self.operations.get(&job.id), command)?;
        self.judge_pace(job.id)?;
        let (answer, at) = self.carry_out(job.id, command);
        self.jobs.push(Job { stage: Stage::Answered(answer), at, ..job });
        self.judge_commands()?;
        self.judge_world()
    }

    fn carry_out(&mut self, id: OperationId, command: &Command) -> (Answer, Timestamp) {
        let (fate, quirk) = if self.is_rough() {
            let fate = match self.spell {
                Some((Spell::Silent, _)) => Fate::of_an_outage(&mut self.dice),
                _ => Fate::of_command(&mut self.dice, command, self.ledger.settle, &self.moods),
            };
            (fate, fate::quirk(&mut self.dice, command, &self.moods))
        } else {
            (Fate::Fine, None)
        };
        if fate != Fate::Fine || quirk.is_some() {
            self.conduct.trouble_at(self.now);
        }
        self.note(format!("{id} sends {command:?}: {fate:?} {quirk:?}"));
        if let (Some(Sabotage::Live), Command::TakeSnapshot { droplet, .. }) = (self.sabotage, command) {
            // What this rule is about happens too seldom by itself.
            self.world.turn_on(droplet.0);
        }
        let arrival = self.now + self.seconds(2);
        let mut told = self.road(&fate, quirk.clone(), arrival).command(command);
        self.conduct.sends(id, command, self.now, told.at);
        if self.sabotage == Some(Sabotage::Twice) && told.postponed.is_none() {
            told = self.road(&fate, quirk, arrival).command(command);
            self.conduct.sends(id, command, self.now, told.at);
        }
        match told.postponed {
            Some((ticket, until)) => self.ledger.expect(ticket, until, id),
            None => self.ledger.attribute(&self.world, Some(id)),
        }
        (told.answer, told.at)
    }

    async fn finish(&mut self, job: Job, answer: Answer) -> Lawful {
        let Job { id, claimed, heard, looked_at, .. } = job;
        let answer = self.sabotage.and_then(|it| it.twist(claimed.effect())).unwrap_or(answer);
        let life = self.life(12);
        if life == Life::EndsBefore {
            return self.die().await;
        }
        self.note(format!("{id} hears {answer:?}"));
        self.coverage.count(claimed.operation(), Met::Heard(claimed.effect(), &answer));
        match self.worker.finish(claimed, answer.clone(), &self.rules, self.wall()).await {
            Ok(()) => {
                if let Some(looked_at) = looked_at {
                    self.conduct.sees(id, &answer, looked_at);
                }
                self.hears(id, heard);
                self.after_commit(id, Some(&answer)).await?;
            }
            Err(store::Error::LeaseLost) => self.note(format!("{id} is not to be finished: somebody else went on")),
            Err(error) => return Err(error.into()),
        }
        if life == Life::EndsAfter { self.die().await } else { Ok(()) }
    }

    /// A process that has just become active takes every open operation up.
    pub(crate) async fn take_over(&mut self) -> Lawful {
        self.takes_over = false;
        let gap = self.left_at.take().map_or(SignedDuration::ZERO, |left| self.now.duration_since(left));
        self.set_the_clock();
        let open = self.store.open_operations().await?;
        self.conduct.takes_over(&open, gap, self.now);
        for id in open {
            if let Some(operation) = self.operations.get(&id) {
                self.coverage.count(operation, Met::Restarted);
            }
            match self.worker.on_restart(id, gap, &self.rules, self.wall()).await {
                Ok(()) => {
                    self.unheard.remove(&id);
                    self.after_commit(id, None).await?;
                }
                Err(store::Error::LeaseLost) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.note("a process takes over");
        Ok(())
    }

    /// A new process may find its machine's clock set.
    fn set_the_clock(&mut self) {
        if !self.is_rough() || !self.moods.has(Mood::Clocks) {
            return;
        }
        let step = match self.dice.u8(..4) {
            0 => return,
            1 => SignedDuration::from_secs(self.dice.i64(1..20 * 60)),
            2 => -SignedDuration::from_mins(2),
            _ => -SignedDuration::from_hours(2),
        };
        self.ahead += step;
        self.conduct.sets_the_clock(self.now);
        self.note(format!("the clock is set by {} s", step.as_secs()));
    }

    /// Everything in memory is gone. What is about to leave may have left.
    pub(crate) async fn die(&mut self) -> Lawful {
        // On SQLite the next process begins at once; on PostgreSQL a standby waits for the end of the lease.
        let pause = match self.dice.u8(..4) {
            0 if self.moods.has(Mood::Absences) => SignedDuration::from_secs(self.dice.i64(600..5 * 3_600)),
            0 | 1 => self.seconds(2),
            _ => SignedDuration::from_secs(self.dice.i64(25..40)),
        };
        self.left_at.get_or_insert(self.now);
        self.conduct.trouble_at(self.now);
        self.alive_from = self.now + pause;
        self.takes_over = true;
        self.note("the process dies");
        for job in std::mem::take(&mut self.jobs) {
            if let (Stage::Begun, Effect::Send(command)) = (&job.stage, job.claimed.effect().clone())
                && self.dice.bool()
            {
                self.carry_out(job.id, &command);
            }
            if let (Some(Sabotage::Intent), Some(before)) = (self.sabotage, job.before) {
                self.put_back(job.id, &before).await?;
            }
        }
        self.judge_world()
    }

    /// The process stands still, a standby takes over, and some time later it goes on as if nothing had happened.
    pub(crate) fn freeze(&mut self) {
        self.alive_from = self.now + SignedDuration::from_secs(self.dice.i64(25..40));
        self.takes_over = true;
        self.left_at.get_or_insert(self.now);
        self.conduct.trouble_at(self.now);
        self.note("the process freezes");
        for job in std::mem::take(&mut self.jobs) {
            let thaw = self.now + self.seconds(1_200);
            let job = match (&job.stage, job.claimed.effect().clone()) {
                // A command leaves only under a lease that outlives its deadline, so nothing stands between intent and sending.
                (Stage::Begun, Effect::Send(command)) => {
                    let (answer, at) = self.carry_out(job.id, &command);
                    Job { stage: Stage::Answered(answer), at, ..job }
                }
                (Stage::Claimed | Stage::Begun | Stage::Answered(_), _) => job,
            };
            self.ghosts.push((thaw, Job { frozen: true, ..job }));
        }
    }

    /// A sabotage: an older state comes back.
    pub(crate) async fn put_back(&mut self, id: OperationId, older: &Operation) -> Lawful {
        let Some(loaded) = self.store.load(id).await? else { return Ok(()) };
        let due = self.due_at(older);
        self.store.commit(&loaded, older, due).await?;
        self.unheard.remove(&id);
        self.refresh(id).await?;
        self.refresh_debts().await
    }

    /// Whether a command of this operation is between its intent and its answer.
    pub(crate) fn is_open_intent(operation: &Operation) -> bool {
        operation.active_step().is_some_and(|step| matches!(step.state, State::Intended { doubt: None, .. }))
    }
}
