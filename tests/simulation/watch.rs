//! Shared looks: one sweep over a list answers many operations at once, with a reading from before some of them asked.
//!
//! The production code decides what is shared, and with which operations; here it is carried out in the simulation's time.

use std::hash::Hash;

use jiff::{SignedDuration, Timestamp};
use snapshot_bot::{
    digitalocean::{
        attempts::{Attempts, Next},
        budget::{Priority, Ticket},
        call::{Call, OnePage},
        error::Error,
        http_types::{HttpAnswer, TransportError},
        model::{Action, Droplet, Snapshot},
        queries,
        readings::{self, Plan, Readings, Seen, Sweep, Swept},
    },
    operation::{
        Operation,
        effect::{Answer, Look},
        ids::{ActionId, DropletId, OperationId},
    },
    worker::translate,
};

use super::{
    Lawful, Simulation,
    jobs::{Job, Phase},
    mood::Spell,
    process::Process,
    sabotage::Sabotage,
    transit::Transit,
};

/// A sort of items that are looked at together.
pub(crate) trait Sort: Sized + 'static {
    type Id: Copy + Eq + Hash;
    type Thing: Clone + 'static;
    /// The outages that affect its list.
    const MET_BY: &'static [Spell];

    fn page(number: u32) -> Call<OnePage<Self::Thing>>;
    fn id(thing: &Self::Thing) -> Self::Id;
    fn answer(thing: Self::Thing) -> Answer;
    /// The item that is looked at, if it is of this sort.
    fn of_look(operation: &Operation, look: &Look) -> Option<Self::Id>;
    fn readings(interval: SignedDuration) -> Readings<Self::Id, Self::Thing> {
        Readings::new(interval)
    }
    fn sweep_group(process: &mut Process) -> &mut SweepGroup<Self>;
}

pub(crate) struct Droplets;

impl Sort for Droplets {
    type Id = DropletId;
    type Thing = Droplet;
    // A Droplet that is denied is in the list all the same.
    const MET_BY: &'static [Spell] = &[Spell::Silent, Spell::Blind];

    fn page(number: u32) -> Call<OnePage<Droplet>> {
        queries::droplets_page(number)
    }

    fn id(thing: &Droplet) -> DropletId {
        thing.id
    }

    fn answer(thing: Droplet) -> Answer {
        Answer::Droplet(translate::droplet_reading(thing))
    }

    fn of_look(_: &Operation, look: &Look) -> Option<DropletId> {
        if let Look::Droplet(id) = look { Some(*id) } else { None }
    }

    fn sweep_group(process: &mut Process) -> &mut SweepGroup<Self> {
        &mut process.droplets
    }
}

pub(crate) struct Actions;

impl Sort for Actions {
    type Id = ActionId;
    type Thing = Action;
    const MET_BY: &'static [Spell] = &[Spell::Silent, Spell::Blind, Spell::HiddenActions];

    fn page(number: u32) -> Call<OnePage<Action>> {
        queries::actions_page(number)
    }

    fn id(thing: &Action) -> ActionId {
        thing.id
    }

    fn answer(thing: Action) -> Answer {
        Answer::Action(translate::action_reading(thing))
    }

    fn readings(interval: SignedDuration) -> Readings<ActionId, Action> {
        Readings::of_a_history(interval)
    }

    fn of_look(_: &Operation, look: &Look) -> Option<ActionId> {
        if let Look::Action(id) = look { Some(*id) } else { None }
    }

    fn sweep_group(process: &mut Process) -> &mut SweepGroup<Self> {
        &mut process.actions
    }
}

/// Snapshots, by the operation whose id is the end of their name.
pub(crate) struct Snapshots;

impl Sort for Snapshots {
    type Id = Option<OperationId>;
    type Thing = Snapshot;
    const MET_BY: &'static [Spell] = &[Spell::Silent, Spell::Blind];

    fn page(number: u32) -> Call<OnePage<Snapshot>> {
        queries::snapshots_page(number)
    }

    fn id(thing: &Snapshot) -> Option<OperationId> {
        thing.operation()
    }

    fn answer(thing: Snapshot) -> Answer {
        Answer::Snapshots(vec![translate::snapshot_reading(thing)])
    }

    fn of_look(operation: &Operation, look: &Look) -> Option<Option<OperationId>> {
        translate::listed_for(operation, look).map(Some)
    }

    fn readings(interval: SignedDuration) -> Readings<Option<OperationId>, Snapshot> {
        Readings::from_the_end(interval)
    }

    fn sweep_group(process: &mut Process) -> &mut SweepGroup<Self> {
        &mut process.snapshots
    }
}

/// What a process knows about all items of one sort.
pub(crate) struct SweepGroup<S: Sort> {
    pub(crate) readings: Readings<S::Id, S::Thing>,
    sweeping: Option<Sweeping<S>>,
}

/// A sweep that is under way.
pub(crate) struct Sweeping<S: Sort> {
    sweep: Sweep<S::Id, S::Thing>,
    rank: Priority,
    number: u32,
    page: Attempts<OnePage<S::Thing>>,
    /// When the page was requested, by the process's clock, and the result; `None` before that.
    asked: Option<(Timestamp, Ticket, Result<HttpAnswer, TransportError>)>,
    /// When it can continue.
    at: Timestamp,
}

impl<S: Sort> SweepGroup<S> {
    pub(crate) fn new(interval: SignedDuration) -> Self {
        Self { readings: S::readings(interval), sweeping: None }
    }

    /// When the present sweep can continue.
    pub(crate) fn sweeps_at(&self) -> Option<Timestamp> {
        self.sweeping.as_ref().map(|sweeping| sweeping.at)
    }
}

impl Simulation {
    /// A look that a sweep may answer. Returns the job if it has to look individually.
    pub(crate) fn share<S: Sort>(&mut self, mut job: Job, wanted: readings::Look) -> Option<Job> {
        let Some(id) = job.looks_at::<S>() else { return Some(job) };
        let (wall, random) = (self.wall(), self.dice.u64(..));
        let since = if self.sabotage == Some(Sabotage::Shared) { Timestamp::MIN } else { wanted.since };
        let wanted = readings::Look { since, ..wanted };
        let sweep_group = S::sweep_group(&mut self.process);
        let sweeping_since = sweep_group.sweeping.as_ref().map(|sweeping| sweeping.sweep.begun());
        match sweep_group.readings.plan(id, wanted, sweeping_since, wall) {
            Plan::Single => return Some(job),
            Plan::Later(moment) => {
                self.process.put_off.insert(job.id, moment - self.ahead);
                if self.measured.is_some() {
                    // A fleet is large, and its process lives: it need not pass over the same operations at each step.
                    self.dues.postpone(job.id, moment);
                }
                self.process.queue.turn_ended(job.id, false);
                self.note(format!("{} is put off without a word", job.id));
                return None;
            }
            Plan::Remember(seen) => self.tell::<S>(&mut job, id, seen),
            Plan::Join => {
                if let Some(sweeping) = &mut sweep_group.sweeping {
                    sweeping.rank = sweeping.rank.min(wanted.priority);
                }
                job.phase = Phase::Sharing(wanted.since);
            }
            Plan::Begin => {
                let mut sweep = Sweep::begin(&sweep_group.readings, wall);
                let number = sweep.next_page(&sweep_group.readings).unwrap_or(1);
                let page = Attempts::of(S::page(number), random);
                let rank = wanted.priority;
                sweep_group.sweeping = Some(Sweeping { sweep, rank, number, page, asked: None, at: self.now });
                job.phase = Phase::Sharing(wanted.since);
                self.note("a sweep begins");
            }
        }
        self.jobs.push(job);
        None
    }

    /// Gives a job the answer of a sweep.
    fn tell<S: Sort>(&mut self, job: &mut Job, id: S::Id, seen: Seen<S::Thing>) {
        S::sweep_group(&mut self.process).readings.was_shown(id, seen.at);
        self.coverage.case("a look is answered by others");
        job.looked_at = Some(seen.at - self.ahead);
        (job.phase, job.at) = (Phase::Answered(S::answer(seen.value).asked_at(seen.at)), self.now);
    }

    /// Continues a sweep: its page is requested, or was answered.
    pub(crate) fn sweep<S: Sort>(&mut self) -> Lawful {
        let Some(mut sweeping) = S::sweep_group(&mut self.process).sweeping.take() else { return Ok(()) };
        let Some((left, ticket, answer)) = sweeping.asked.take() else {
            return self.ask_for_a_page(sweeping);
        };
        let wall = self.wall();
        if let Ok(answer) = &answer {
            self.process.observe(&ticket, answer, self.now);
        }
        match sweeping.page.hear(answer, wall) {
            Next::Done(Ok(page)) => {
                let seed = self.dice.u64(..);
                let sweep_group = S::sweep_group(&mut self.process);
                sweeping.sweep.absorb(sweeping.number, page, left, S::id);
                if let Some(number) = sweeping.sweep.next_page(&sweep_group.readings) {
                    (sweeping.number, sweeping.page) = (number, Attempts::of(S::page(number), seed));
                    sweeping.at = self.now;
                    sweep_group.sweeping = Some(sweeping);
                } else {
                    let swept = sweeping.sweep.end(&mut sweep_group.readings, wall);
                    self.tell_all::<S>(&Ok(swept));
                }
            }
            Next::Done(Err(error)) => self.tell_all::<S>(&Err(error)),
            Next::Page => S::sweep_group(&mut self.process).sweeping = Some(sweeping),
            Next::Again(pause) => {
                sweeping.at = self.now + SignedDuration::try_from(pause).unwrap_or_default();
                S::sweep_group(&mut self.process).sweeping = Some(sweeping);
            }
        }
        Ok(())
    }

    fn ask_for_a_page<S: Sort>(&mut self, mut sweeping: Sweeping<S>) -> Lawful {
        match self.admit(sweeping.rank)? {
            Ok(ticket) => {
                self.depart(&ticket)?;
                let transit = if !self.is_rough() {
                    Transit::Fine
                } else if self.spell.is_some_and(|(spell, _)| S::MET_BY.contains(&spell)) {
                    Transit::of_an_outage(&mut self.dice)
                } else {
                    Transit::of_look(&mut self.dice, &Look::Listed(DropletId(0)), &self.moods)
                };
                if transit != Transit::Fine {
                    self.conduct.trouble_at(self.now);
                }
                let arrival = self.now + self.travel_time();
                let request = sweeping.page.request();
                let told = self.road(&transit, None, arrival).send(&request);
                sweeping.asked = Some((self.wall(), ticket, told.answer));
                sweeping.at = told.at;
            }
            Err(_) if let Some(until) = self.gives_up(sweeping.rank) => {
                let error = Error::from(TransportError::HeldBack { until });
                self.tell_all::<S>(&Err(error));
                return Ok(());
            }
            Err(at) => sweeping.at = at,
        }
        S::sweep_group(&mut self.process).sweeping = Some(sweeping);
        Ok(())
    }

    /// Answers all jobs that waited for a sweep, or lets them look individually.
    fn tell_all<S: Sort>(&mut self, swept: &Result<Swept<S::Id, S::Thing>, Error>) {
        let wall = self.wall();
        let mut told = 0;
        for mut job in std::mem::take(&mut self.jobs) {
            if let (Phase::Sharing(since), Some(id)) = (&job.phase, job.looks_at::<S>()) {
                let shown = match swept {
                    Ok(swept) => Ok(swept.reading(&id, *since)),
                    Err(error) if error.spares_the_thing_itself() => Ok(None),
                    Err(error) => Err(Answer::Trouble(translate::trouble(error, wall))),
                };
                match shown {
                    Ok(Some(seen)) => {
                        told += 1;
                        self.tell::<S>(&mut job, id, seen);
                    }
                    Ok(None) => (job.phase, job.at) = (Phase::Alone, self.now),
                    Err(trouble) => (job.phase, job.at) = (Phase::Answered(trouble), self.now),
                }
            }
            self.jobs.push(job);
        }
        self.note(format!("a sweep tells {told}"));
    }
}
