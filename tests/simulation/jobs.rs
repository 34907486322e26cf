//! A turn of the worker in the stages of the run loop: claimed, permitted, begun, carried out, finished, with a chance to die before and
//! after each commit.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use snapshot_bot::{
    digitalocean::{
        attempts::{Attempts, Next},
        budget::{HeldBack, Priority, Ticket},
        error::Error,
        http_types::{HttpAnswer, TransportError},
    },
    operation::{
        Blocker, Operation, Rules,
        effect::{Answer, Command, Effect, Look},
        ids::OperationId,
        reading::Trouble,
        step::State,
    },
    store,
    worker::{
        Claimed, Worker, priority,
        schedule::{self, Ending, OnceAdmitted, Prospect},
        translate,
    },
};
use snapshot_bot_sandbox::digitalocean::fault::Quirk;

use super::{
    Broken, Lawful, Simulation,
    coverage::Met,
    mood::{Mood, Spell, Twist},
    process::Process,
    sabotage::Sabotage,
    transit::{self, Delivered, Road, Transit},
    watch::{Actions, Droplets, Snapshots, Sort},
};

/// One turn that is under way in a process.
pub(crate) struct Job {
    pub(crate) id: OperationId,
    /// The claimed operation.
    claimed: Option<Claimed>,
    /// The rules when the turn began.
    rules: Rules,
    /// The number of the last instruction before the turn was claimed.
    heard: u64,
    /// The state before the intent of a command, for a sabotage that restores it.
    before: Option<Box<Operation>>,
    pub(crate) phase: Phase,
    /// When its look was sent, if it has sent one.
    pub(crate) looked_at: Option<Timestamp>,
    /// A command with permission that waits for one more look.
    admitted: Option<(Command, Ticket)>,
    /// Whether its process stood still meanwhile, and another one has taken over.
    pub(crate) frozen: bool,
    /// Whether it owed power when it took its place.
    pub(crate) owes_power: bool,
    /// When it can continue.
    pub(crate) at: Timestamp,
}

impl Job {
    fn begin(id: OperationId, rules: Rules, (heard, owes_power): (u64, bool), at: Timestamp) -> Self {
        Self {
            id,
            claimed: None,
            rules,
            heard,
            before: None,
            phase: Phase::Claimed,
            looked_at: None,
            admitted: None,
            frozen: false,
            owes_power,
            at,
        }
    }

    /// Whether it waits for the end of a sweep.
    pub(crate) fn waits_for_others(&self) -> bool {
        matches!(self.phase, Phase::Sharing(_)) && !self.frozen
    }

    /// The item of one sort that it looks at, if it looks at one.
    pub(crate) fn looks_at<S: Sort>(&self) -> Option<S::Id> {
        S::of_look(self.claimed.as_ref()?.operation(), self.look()?)
    }

    /// What it looks at, if it looks at something.
    pub(crate) fn look(&self) -> Option<&Look> {
        match self.claimed.as_ref()?.effect() {
            Effect::Look(look) => Some(look),
            Effect::Send(_) | Effect::Sleep(_) | Effect::Rest => None,
        }
    }
}

pub(crate) enum Phase {
    /// Nothing is stored yet.
    Claimed,
    /// The command waits for permission.
    Queued(Command, Priority),
    /// The intent of a command is committed, and the command is sent now.
    Begun(Command, Ticket),
    /// It waits for a sweep. A reading from before this moment, by the process's clock, is too old.
    Sharing(Timestamp),
    /// No sweep shows it, so it is read individually.
    Alone,
    /// The next request of a call waits for permission.
    Asking(Box<Ask>),
    /// Its answer is on its way.
    Arriving(Box<Ask>, Option<Ticket>, Result<HttpAnswer, TransportError>),
    /// The answer has arrived.
    Answered(Answer),
    /// Only the pause that spares the store remains.
    Pausing,
}

/// A call, and what happens to its requests.
pub(crate) struct Ask {
    attempts: Attempts<Answer>,
    /// What it looks at; `None` for a command.
    look: Option<Look>,
    /// What its first requests meet, and how many of them.
    transit: Transit,
    meets: u8,
    /// Whether the next request is not for a later page.
    is_new: bool,
}

/// Whether a process survives a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    GoesOn,
    EndsBefore,
    EndsAfter,
}

impl Simulation {
    /// Whether the process survives a commit; in `dangers` of 256 cases it does not.
    fn life(&mut self, dangers: u8) -> Life {
        match self.dice.u8(..) {
            one if !self.is_rough() || one >= dangers => Life::GoesOn,
            one if one % 3 == 0 => Life::EndsBefore,
            _ => Life::EndsAfter,
        }
    }

    /// Lets the living process take up an operation.
    pub(crate) async fn claim(&mut self, id: OperationId) -> Lawful {
        let life = self.life(6);
        if life == Life::EndsBefore {
            return self.die().await;
        }
        if self.panics(id) {
            return Box::pin(self.panic(id)).await;
        }
        self.process.put_off.remove(&id);
        self.process.left_alone.remove(&id);
        let (rules, heard) = (self.paced_rules(), self.interactions);
        self.process.paces.insert(id, rules.clone());
        let write = self.fate_of_write();
        let (claimed, is_written) = write.of(self.claim_by(id, &rules)).await;
        let claimed = match claimed {
            Ok(claimed) => claimed,
            Err(error) => return self.fails(id, &error, is_written, None).await,
        };
        match claimed {
            None => {
                self.note(format!("{id} has nothing to ask"));
                self.hears(id, heard);
                self.after_commit(id, None).await?;
            }
            Some(claimed) => {
                self.note(format!("{id} wants {:?}", claimed.effect()));
                let at = self.now
                    + if self.measured.is_none() && self.once_in(4) { self.seconds(5) } else { SignedDuration::ZERO };
                let owes_power = self.owed.values().any(|other| *other == id);
                self.jobs.push(Job { claimed: Some(claimed), ..Job::begin(id, rules, (heard, owes_power), at) });
            }
        }
        if life == Life::EndsAfter { self.die().await } else { Ok(()) }
    }

    /// Begins a turn as the run loop claims it.
    fn claim_by(
        &mut self,
        id: OperationId,
        rules: &Rules,
    ) -> impl Future<Output = Result<Option<Claimed>, store::Error>> + 'static {
        let (worker, rules, wall) = (self.worker.clone(), rules.clone(), self.wall());
        let is_called = self.process.queue.take_up(id);
        async move {
            if is_called {
                Box::pin(worker.claim_called(id, &rules, wall)).await
            } else {
                Box::pin(worker.claim(id, &rules, wall)).await
            }
        }
    }

    /// Ends a turn whose state could not be stored, as far as the process knows.
    async fn fails(
        &mut self,
        id: OperationId,
        error: &store::Error,
        is_written: bool,
        answer: Option<&Answer>,
    ) -> Lawful {
        let ending = Ending::of_failure(error);
        self.process.queue.turn_ended(id, false);
        self.note(format!("{id} could not {error}{}", if is_written { ", but it was written" } else { "" }));
        self.coverage.case(if is_written { "a commit is lost" } else { "a commit is not made" });
        self.leave_alone(id, ending);
        if let Some(pause) = ending.keeps_place_for() {
            let at = self.now + SignedDuration::try_from(pause).unwrap_or_default();
            let owes_power = self.owed.values().any(|other| *other == id);
            let pausing = Job::begin(id, self.rules.clone(), (0, owes_power), at);
            self.jobs.push(Job { phase: Phase::Pausing, ..pausing });
        }
        if is_written {
            // Instructions that were not processed come up again.
            self.hears(id, self.heard_by(id).await?);
            self.after_commit(id, answer).await?;
        }
        Ok(())
    }

    /// The number of the last instruction that an operation has processed.
    async fn heard_by(&self, id: OperationId) -> Lawful<u64> {
        let loaded = self.store.load(id).await?;
        let has_heard_all = loaded.is_none_or(|loaded| loaded.instructions.is_empty());
        Ok(if has_heard_all { self.interactions } else { 0 })
    }

    /// Whether a turn of this operation panics.
    fn panics(&mut self, id: OperationId) -> bool {
        let may = self.troubled && self.moods.has(Mood::Panics);
        if self.sabotage == Some(Sabotage::Panic) {
            // Only another operation's Droplet shows the effect, while it is off.
            return may && self.owed.values().any(|owner| *owner != id) && self.once_in(6);
        }
        may && (self.panicked.contains(&id) && self.once_in(20) || self.panicked.is_empty() && self.once_in(12))
    }

    /// A turn panics. The operation is halted, unless that panics as well.
    async fn panic(&mut self, id: OperationId) -> Lawful {
        self.panicked.insert(id);
        self.coverage.case("a turn panics");
        self.note(format!("the turn of {id} panics"));
        if self.sabotage == Some(Sabotage::Panic) {
            // One row keeps all others waiting.
            self.alive_from = self.now + SignedDuration::from_mins(20);
        }
        if self.once_in(2) {
            self.note(format!("{id} cannot even be halted"));
            self.leave_alone(id, Ending::CannotBeHalted);
            self.process.queue.turn_ended(id, false);
            return Ok(());
        }
        self.process.paces.remove(&id);
        let (halted, is_written) =
            self.fate_of_write().of(Box::pin(self.worker.halt(id, &self.rules, self.wall()))).await;
        match halted {
            Ok(()) => {
                self.hears(id, self.heard_by(id).await?);
                self.after_commit(id, None).await
            }
            Err(error) => self.fails(id, &error, is_written, None).await,
        }
    }

    /// The rules with the pause that the budget permits.
    fn paced_rules(&mut self) -> Rules {
        let open = self.dues.open();
        let floor = self.process.budget.poll_floor(schedule::requests_per_round(open), self.now + self.ahead);
        schedule::paced(&self.rules, floor, open)
    }

    /// Once committed, the instructions up to this number count as processed.
    fn hears(&mut self, id: OperationId, up_to: u64) {
        if self.unheard.get(&id).is_some_and(|said| *said <= up_to) {
            self.unheard.remove(&id);
        }
    }

    /// Advances a turn by one phase.
    pub(crate) async fn go_on(&mut self, mut job: Job) -> Lawful {
        match std::mem::replace(&mut job.phase, Phase::Claimed) {
            Phase::Claimed => Box::pin(self.weigh(job)).await,
            Phase::Queued(command, rank) => Box::pin(self.queue(job, command, rank)).await,
            Phase::Begun(command, ticket) => self.send(job, &command, ticket),
            // A frozen process has no sweep under way.
            Phase::Sharing(_) | Phase::Alone => Box::pin(self.look_alone(job)).await,
            Phase::Asking(ask) => Box::pin(self.look(job, ask)).await,
            Phase::Answered(answer) => Box::pin(self.finish(job, answer)).await,
            Phase::Pausing => Ok(()),
            Phase::Arriving(ask, ticket, answer) => Box::pin(self.arrive(job, ask, ticket, answer)).await,
        }
    }

    /// A claimed turn continues at once, or is postponed.
    async fn weigh(&mut self, mut job: Job) -> Lawful {
        let id = job.id;
        let Some(claimed) = job.claimed.take() else { return Ok(()) };
        let wait = if job.frozen { None } else { self.wait(&claimed).await? };
        if let Some(wait) = wait {
            let write = self.fate_of_write();
            let (deferred, is_written) =
                write.of(Box::pin(self.worker.defer(claimed, wait, &job.rules, self.wall()))).await;
            return match deferred {
                Ok(()) => {
                    self.note(format!("{id} is put off"));
                    if let Some(tally) = &mut self.measured {
                        tally.put_off += 1;
                    }
                    self.hears(id, job.heard);
                    self.after_commit(id, None).await
                }
                Err(error) => self.fails(id, &error, is_written, None).await,
            };
        }
        match claimed.effect().clone() {
            Effect::Look(_) => {
                job.claimed = Some(claimed);
                Box::pin(self.begin_look(job)).await
            }
            Effect::Send(command) => {
                let rank = priority::of(&claimed);
                job.claimed = Some(claimed);
                Box::pin(self.queue(job, command, rank)).await
            }
            Effect::Sleep(_) | Effect::Rest => Err(Broken::Law(format!("{id} was claimed with nothing to ask"))),
        }
    }

    /// What the next request must wait for, if that takes long.
    async fn wait(&mut self, claimed: &Claimed) -> Lawful<Option<(Blocker, Timestamp)>> {
        let wall = self.wall();
        let rank = priority::of(claimed);
        let shown = self.rank_shown(rank);
        let held_back = self.process.budget.held_back(shown, wall);
        if matches!(held_back, Some(HeldBack::Silence(_))) {
            // The bot is not blamed for requests that were in vain for this long.
            self.conduct.trouble_at(self.now);
        }
        let turn_at = if claimed.opens_downtime() { self.turn_at(claimed.operation()).await? } else { None };
        Ok(Prospect { rank, held_back, turn_at, open: self.dues.open() }.wait(wall))
    }

    async fn turn_at(&mut self, operation: &Operation) -> Lawful<Option<Timestamp>> {
        let wall = self.wall();
        if self.process.queue.has_place(operation.id) {
            return Ok(None);
        }
        let until = schedule::called_until(operation, wall);
        if !self.process.queue.may_place(operation, wall) {
            self.process.queue.stand(operation);
            return Ok(Some(until));
        }
        let owed = self.store.power_owed().await?;
        let Process { budget, queue, .. } = &mut self.process;
        queue.update(&owed, wall);
        let others = schedule::other_downtimes(&owed, queue.placed(), Some(operation.id));
        let has_place = queue.ask(operation, budget.room_for_downtimes(others, wall), wall);
        Ok((!has_place).then_some(until))
    }

    /// A command waits for permission; then the bot looks again, and begins it.
    async fn queue(&mut self, mut job: Job, command: Command, rank: Priority) -> Lawful {
        if job.frozen {
            // Its lease has expired, which it detects before it sends anything.
            self.note(format!("{} may not begin: the lease is over", job.id));
            return Ok(());
        }
        if self.takes_over {
            // It slept for long, so everything is taken up before a command is sent.
            self.note(format!("{} may not begin before it is taken up", job.id));
            return Ok(());
        }
        match self.admit(rank)? {
            Ok(ticket) => Box::pin(self.go_on_admitted(job, command, ticket, false)).await,
            // DigitalOcean has requested silence meanwhile.
            Err(_) if self.gives_up(rank).is_some() => Box::pin(self.weigh(job)).await,
            Err(at) => {
                (job.phase, job.at) = (Phase::Queued(command, rank), at);
                self.jobs.push(job);
                Ok(())
            }
        }
    }

    /// After waiting for permission, the operation is claimed again.
    async fn go_on_admitted(&mut self, mut job: Job, command: Command, ticket: Ticket, has_looked: bool) -> Lawful {
        let id = job.id;
        job.heard = self.interactions;
        let write = self.fate_of_write();
        let (claimed, is_written) = write.of(self.claim_by(id, &job.rules)).await;
        let claimed = match claimed {
            Ok(Some(claimed)) => claimed,
            Ok(None) => {
                self.hears(id, job.heard);
                return self.after_commit(id, None).await;
            }
            Err(error) => return self.fails(id, &error, is_written, None).await,
        };
        match OnceAdmitted::of(&claimed, &command, has_looked) {
            OnceAdmitted::Send => Box::pin(self.begin(job, claimed, command, ticket)).await,
            OnceAdmitted::LookFirst(_) => {
                self.note(format!("{id} looks once more"));
                (job.claimed, job.admitted) = (Some(claimed), Some((command, ticket)));
                Box::pin(self.begin_look(job)).await
            }
            OnceAdmitted::LetGo => {
                self.note(format!("{id} wants something else by now"));
                self.process.queue.turn_ended(id, false);
                Ok(())
            }
        }
    }

    async fn begin(&mut self, mut job: Job, claimed: Claimed, command: Command, ticket: Ticket) -> Lawful {
        let (id, life) = (job.id, self.life(24));
        if self.takes_over {
            self.note(format!("{id} may not begin before it is taken up"));
            return Ok(());
        }
        if life == Life::EndsBefore {
            return self.die().await;
        }
        job.before = Some(Box::new(claimed.operation().clone()));
        self.coverage.count(claimed.operation(), Met::Intended);
        let (begun, is_written) =
            self.fate_of_write().of(Box::pin(self.worker.begin(claimed, &job.rules, self.wall()))).await;
        let begun = match begun {
            Ok(begun) => begun,
            Err(error) => {
                if self.sabotage == Some(Sabotage::Unstored) && !matches!(error, store::Error::LeaseLost) {
                    (job.phase, job.at) = (Phase::Begun(command, ticket), self.now);
                    self.jobs.push(job);
                    return if is_written { self.after_commit(id, None).await } else { Ok(()) };
                }
                return self.fails(id, &error, is_written, None).await;
            }
        };
        self.note(format!("{id} intends {:?}", begun.effect()));
        self.hears(id, job.heard);
        self.judge_intent(begun.operation(), begun.effect())?;
        (job.claimed, job.phase, job.at) = (Some(begun), Phase::Begun(command, ticket), self.now);
        self.jobs.push(job);
        self.after_commit(id, None).await?;
        if life == Life::EndsAfter { self.die().await } else { Ok(()) }
    }

    /// Sends the command. Its answer is processed later.
    fn send(&mut self, mut job: Job, command: &Command, ticket: Ticket) -> Lawful {
        self.judge_sending(job.id, self.operations.get(&job.id), command)?;
        if let Some(operation) = self.operations.get(&job.id) {
            self.judge_acceptance(operation, command)?;
        }
        let wall = self.wall();
        let ask = Box::new(Ask::of_command(command, self.dice.u64(..)));
        if let Err(until) = self.process.budget.depart(&ticket, wall) {
            let held_back = Err(TransportError::HeldBack { until });
            (job.phase, job.at) = (Phase::Arriving(ask, None, held_back), self.now);
            self.jobs.push(job);
            return Ok(());
        }
        if self.is_rough() && self.once_in(100) {
            // The commit took so long that the command could be sent after another process took over.
            self.conduct.trouble_at(self.now);
            self.note(format!("{} does not send: too little of the lease is left", job.id));
            let refused = Err(TransportError::Connect { reason: "too little of the lease is left".to_owned() });
            (job.phase, job.at) = (Phase::Arriving(ask, None, refused), self.now);
            self.jobs.push(job);
            return Ok(());
        }
        self.judge_pace(job.id)?;
        self.judge_leaving()?;
        let told = self.carry_out(job.id, command, &ask);
        (job.phase, job.at) = (Phase::Arriving(ask, Some(ticket), told.answer), told.at);
        self.jobs.push(job);
        self.judge_commands()?;
        self.judge_world()
    }

    fn carry_out(&mut self, id: OperationId, command: &Command, ask: &Ask) -> Delivered {
        let (transit, quirk) = if self.is_rough() {
            let transit = match self.spell {
                Some((Spell::Silent, _)) => Transit::of_an_outage(&mut self.dice),
                Some((Spell::TokenRefused, _)) => Transit::unauthorized(),
                _ => Transit::of_command(&mut self.dice, command, self.ledger.settle, &self.moods),
            };
            (transit, transit::quirk(&mut self.dice, command, &self.moods))
        } else {
            (Transit::Fine, None)
        };
        if transit != Transit::Fine || quirk.is_some() {
            self.conduct.trouble_at(self.now);
        }
        self.note(format!("{id} sends {command:?}: {transit:?} {quirk:?}"));
        if let (Some(Sabotage::Live), Command::TakeSnapshot { droplet, .. }) = (self.sabotage, command) {
            // The case for this rule is too rare without help.
            self.world.turn_on(droplet.0);
        }
        if matches!(command, Command::PowerOn(_))
            && self.operations.get(&id).is_some_and(|it| self.came_to_its_end_well(it).is_some())
        {
            self.coverage.case("a Droplet is turned on in time");
        }
        let arrival = self.now + self.travel_time();
        let request = ask.attempts.request();
        let mut told = self.road(&transit, quirk.clone(), arrival).send(&request);
        self.conduct.sends(id, command, self.now, told.at);
        if self.sabotage == Some(Sabotage::Twice) && told.postponed.is_none() {
            told = self.road(&transit, quirk, arrival).send(&request);
            self.conduct.sends(id, command, self.now, told.at);
        }
        match told.postponed {
            Some((ticket, until)) => self.ledger.expect(ticket, until, id),
            None if self.measured.is_none() => self.ledger.attribute(&self.world, Some(id)),
            None => {}
        }
        told
    }

    /// Begins a look, which may be shared.
    async fn begin_look(&mut self, job: Job) -> Lawful {
        let Some(claimed) = job.claimed.as_ref().filter(|_| !job.frozen) else {
            return Box::pin(self.look_alone(job)).await;
        };
        let wall = self.wall();
        let pause = self.process.budget.look_pause(wall);
        let wanted = priority::freshness(claimed.operation(), pause, wall);
        // A command with permission waits for no sweep.
        let begins_alone = claimed.opens_downtime() && self.process.queue.begins_alone(job.id);
        let wanted = if job.admitted.is_some() || begins_alone { wanted.alone() } else { wanted };
        let Some(job) = self.share::<Droplets>(job, wanted) else { return Ok(()) };
        let Some(job) = self.share::<Actions>(job, wanted) else { return Ok(()) };
        let Some(job) = self.share::<Snapshots>(job, wanted) else { return Ok(()) };
        Box::pin(self.look_alone(job)).await
    }

    /// Begins an individual look. Its first request waits for permission.
    async fn look_alone(&mut self, job: Job) -> Lawful {
        let (Some(claimed), Some(look)) = (&job.claimed, job.look().cloned()) else { return Ok(()) };
        let rank = priority::of(claimed);
        let (transit, meets) = if self.is_rough() {
            // A retry may meet the same fault again.
            (Transit::of_look(&mut self.dice, &look, &self.moods), [1, 1, 2, 9][self.dice.usize(..4)])
        } else {
            (Transit::Fine, 0)
        };
        let attempts =
            Attempts::of(translate::look_of(claimed.operation(), &look).with_priority(rank), self.dice.u64(..));
        let ask = Ask { attempts, look: Some(look), transit, meets, is_new: true };
        Box::pin(self.look(job, Box::new(ask))).await
    }

    /// Sends the next request of a look, or waits for permission.
    async fn look(&mut self, mut job: Job, mut ask: Box<Ask>) -> Lawful {
        let ticket = if job.frozen {
            None
        } else {
            let rank = ask.attempts.call().priority();
            match self.admit(rank)? {
                Ok(ticket) => Some(ticket),
                Err(_) if let Some(until) = self.gives_up(rank) => {
                    let trouble = Error::from(TransportError::HeldBack { until });
                    let answer = Answer::Trouble(translate::trouble(&trouble, self.wall()));
                    return Box::pin(self.finish(job, answer)).await;
                }
                Err(at) => {
                    (job.phase, job.at) = (Phase::Asking(ask), at);
                    self.jobs.push(job);
                    return Ok(());
                }
            }
        };
        if let Some(ticket) = &ticket {
            self.depart(ticket)?;
            self.judge_pace(job.id)?;
        }
        let transit = self.fate_of(&mut ask);
        let arrival = self.now + self.travel_time();
        if ask.is_new {
            job.looked_at = Some(self.now);
        }
        let request = ask.attempts.request();
        let told = self.road(&transit, None, arrival).send(&request);
        (job.phase, job.at) = (Phase::Arriving(ask, ticket, told.answer), told.at);
        self.jobs.push(job);
        Ok(())
    }

    fn fate_of(&mut self, ask: &mut Ask) -> Transit {
        let Some(look) = ask.look.as_ref().filter(|_| self.is_rough()) else { return Transit::Fine };
        let transit = match self.spell {
            Some((Spell::Denied, _)) if Spell::Denied.meets(look) => Transit::denied(),
            Some((Spell::TokenRefused, _)) => Transit::unauthorized(),
            Some((spell, _)) if spell.meets(look) => Transit::of_an_outage(&mut self.dice),
            Some(_) | None if ask.meets > 0 => {
                ask.meets -= 1;
                ask.transit.clone()
            }
            Some(_) | None => Transit::Fine,
        };
        if transit != Transit::Fine {
            self.conduct.trouble_at(self.now);
        }
        transit
    }

    pub(crate) fn road<'a>(&'a mut self, transit: &'a Transit, quirk: Option<Quirk>, arrival: Timestamp) -> Road<'a> {
        let twist = if self.is_rough() { Twist::draw(&mut self.dice, &self.moods) } else { None };
        Road {
            world: &mut self.world,
            tally: self.measured.as_mut(),
            transit,
            quirk,
            twist,
            now: self.now,
            arrival,
            ahead: self.ahead,
        }
    }

    /// Processes an answer, or the timeout.
    async fn arrive(
        &mut self,
        mut job: Job,
        mut ask: Box<Ask>,
        ticket: Option<Ticket>,
        answer: Result<HttpAnswer, TransportError>,
    ) -> Lawful {
        if let (Some(ticket), Ok(answer), false) = (&ticket, &answer, job.frozen) {
            self.process.observe(ticket, answer, self.now);
        }
        let wall = self.wall();
        let (at, is_new) = match ask.attempts.hear(answer, wall) {
            Next::Done(result) => {
                let answer = result.unwrap_or_else(|error| Answer::Trouble(translate::trouble(&error, wall)));
                self.was_shown(&job);
                return Box::pin(self.finish(job, answer)).await;
            }
            Next::Page => (self.now, false),
            Next::Again(pause) => (self.now + SignedDuration::try_from(pause).unwrap_or_default(), ask.is_new),
        };
        ask.is_new = is_new;
        (job.phase, job.at) = (Phase::Asking(ask), at);
        self.jobs.push(job);
        Ok(())
    }

    /// No operation gets an older reading after a newer one.
    fn was_shown(&mut self, job: &Job) {
        let Some(left) = job.looked_at.map(|left| left + self.ahead) else { return };
        if let Some(id) = job.looks_at::<Droplets>() {
            self.process.droplets.readings.was_shown(id, left);
        }
        if let Some(id) = job.looks_at::<Actions>() {
            self.process.actions.readings.was_shown(id, left);
        }
    }

    async fn finish(&mut self, mut job: Job, answer: Answer) -> Lawful {
        let (id, heard, looked_at) = (job.id, job.heard, job.looked_at.take());
        let Some(claimed) = job.claimed.take() else { return Ok(()) };
        let answer = self.sabotage.and_then(|it| it.twist(claimed.effect())).unwrap_or(answer);
        let life = self.life(12);
        if life == Life::EndsBefore {
            return self.die().await;
        }
        self.note(format!("{id} hears {answer:?}"));
        self.coverage.count(claimed.operation(), Met::Heard(claimed.effect(), &answer));
        if matches!((claimed.effect(), &answer), (Effect::Send(_), Answer::Trouble(Trouble::Busy))) {
            self.conduct.held_up.insert(id);
        }
        let write = self.fate_of_write();
        let (finished, is_written) =
            write.of(Box::pin(self.worker.finish(claimed, answer.clone(), &job.rules, self.wall()))).await;
        if let (true, Some(looked_at)) = (is_written, looked_at) {
            self.conduct.sees(id, &answer, looked_at)?;
        }
        if let Err(error) = finished {
            self.fails(id, &error, is_written, Some(&answer)).await?;
            return if life == Life::EndsAfter { self.die().await } else { Ok(()) };
        }
        self.hears(id, heard);
        self.after_commit(id, Some(&answer)).await?;
        match (life, job.admitted.take()) {
            (Life::EndsAfter, _) => self.die().await,
            (Life::GoesOn | Life::EndsBefore, Some((command, ticket))) if !job.frozen => {
                Box::pin(self.go_on_admitted(job, command, ticket, true)).await
            }
            (Life::GoesOn | Life::EndsBefore, _) => Ok(()),
        }
    }

    /// A new process may find its machine's clock set.
    pub(crate) fn set_the_clock(&mut self) {
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

    /// Loses everything in memory. What is about to be sent may have been sent.
    pub(crate) async fn die(&mut self) -> Lawful {
        // On SQLite the next process starts at once; on PostgreSQL a standby waits for the end of the lease.
        let pause = match self.dice.u8(..4) {
            0 if self.moods.has(Mood::Absences) => SignedDuration::from_secs(self.dice.i64(600..5 * 3_600)),
            0 | 1 => self.seconds(2),
            _ => SignedDuration::from_secs(self.dice.i64(25..40)),
        };
        self.left_at.get_or_insert(self.now);
        self.conduct.trouble_at(self.now);
        self.alive_from = self.now + pause;
        self.takes_over = true;
        self.asleep_since = None;
        self.find_the_token_unfit();
        self.process = Process::begin(&mut self.dice, self.rules.poll_interval);
        self.worker = Worker::new(Arc::clone(&self.store));
        self.forget_first_answers();
        self.note("the process dies");
        for job in std::mem::take(&mut self.jobs) {
            if let Phase::Begun(command, _) = &job.phase
                && self.dice.bool()
            {
                let ask = Ask::of_command(command, 0);
                self.carry_out(job.id, command, &ask);
            }
            if let (Some(Sabotage::Intent), Some(before)) = (self.sabotage, job.before) {
                Box::pin(self.put_back(job.id, &before)).await?;
            }
        }
        self.judge_world()
    }

    /// The process stands still, a standby takes over, and some time later the first continues as if nothing had happened.
    pub(crate) fn freeze(&mut self) {
        self.alive_from = self.now + SignedDuration::from_secs(self.dice.i64(25..40));
        self.takes_over = true;
        (self.asleep_since, self.unfit) = (None, None);
        self.left_at.get_or_insert(self.now);
        self.conduct.trouble_at(self.now);
        self.process = Process::begin(&mut self.dice, self.rules.poll_interval);
        self.worker = Worker::new(Arc::clone(&self.store));
        self.forget_first_answers();
        self.note("the process freezes");
        for mut job in std::mem::take(&mut self.jobs) {
            let longest = if self.moods.has(Mood::Sleeps) && self.once_in(2) { 3 * 86_400 } else { 1_200 };
            let thaw = self.now + self.seconds(longest);
            // A command is sent only under a lease that outlives its deadline, so nothing comes between the intent and sending.
            if let Phase::Begun(command, _) = &job.phase {
                let ask = Box::new(Ask::of_command(command, 0));
                let told = self.carry_out(job.id, command, &ask);
                (job.phase, job.at) = (Phase::Arriving(ask, None, told.answer), told.at);
            }
            self.ghosts.push((thaw, Job { frozen: true, ..job }));
        }
    }

    /// A sabotage: restores an older state.
    pub(crate) async fn put_back(&mut self, id: OperationId, older: &Operation) -> Lawful {
        let Some(loaded) = self.store.load(id).await? else { return Ok(()) };
        let due = self.due_at(older);
        self.store.commit(&loaded, older, due).await?;
        self.unheard.remove(&id);
        self.refresh(id).await?;
        self.refresh_owed().await
    }

    /// Whether a command of this operation is between its intent and its answer.
    pub(crate) fn is_open_intent(operation: &Operation) -> bool {
        operation.active_step().is_some_and(|step| matches!(step.state, State::Intended { doubt: None, .. }))
    }
}

impl Ask {
    /// Whether it only looks.
    pub(crate) fn is_look(&self) -> bool {
        self.look.is_some()
    }

    pub(crate) fn of_command(command: &Command, seed: u64) -> Self {
        let attempts = Attempts::of(translate::command(command), seed);
        Self { attempts, look: None, transit: Transit::Fine, meets: 0, is_new: true }
    }
}
