//! The loop: what can happen next, one thing at a time, and time that jumps to whatever comes first.

use std::collections::{BTreeSet, HashSet};

use jiff::{SignedDuration, Timestamp};
use snapshot_bot::{operation::ids::OperationId, store::Whose};

use super::{
    Broken, Lawful, Simulation,
    mood::{Mood, Spell},
};

/// How long there is trouble, in steps of this loop.
const TROUBLED_STEPS: usize = 160;
/// The same where something lasts for many minutes.
const LONG_TROUBLED_STEPS: usize = 400;
/// After so many steps of peace something does not come to rest.
const PEACEFUL_STEPS: usize = 3_000;

impl Simulation {
    pub(crate) async fn play(&mut self) -> Lawful {
        self.ask().await?;
        let steps = if self.moods.lasts() { LONG_TROUBLED_STEPS } else { TROUBLED_STEPS };
        for _ in 0..steps {
            self.happen().await?;
            self.cast_a_spell();
            if !Box::pin(self.step()).await? {
                self.ask().await?;
            }
        }
        self.make_peace();
        self.judge_world()?;
        for _ in 0..PEACEFUL_STEPS {
            if !Box::pin(self.step()).await? {
                return self.judge_the_end().await;
            }
        }
        let restless: Vec<_> = self.operations.values().filter(|it| it.is_open()).collect();
        Err(Broken::Law(format!("something does not come to rest: {restless:#?}")))
    }

    /// Something from outside, now and then.
    async fn happen(&mut self) -> Lawful {
        let is_crowded = self.moods.has(Mood::Strangers) || self.moods.has(Mood::Impatience);
        match self.dice.u8(..100) {
            0..=5 if self.is_rough() => self.meddle_lawfully(),
            21..=30 if self.moods.has(Mood::Strangers) => self.meddle_lawfully(),
            31..=45 if self.moods.has(Mood::Impatience) => self.press().await,
            6..=15 => self.press().await,
            16..=18 if !is_crowded || self.dice.bool() => self.ask().await,
            19 if self.is_rough() => self.die().await,
            20 if self.is_rough() => {
                self.freeze();
                self.judge_world()
            }
            _ => Ok(()),
        }
    }

    fn meddle_lawfully(&mut self) -> Lawful {
        self.meddle();
        self.conduct.trouble_at(self.now);
        self.ledger.attribute(&self.world, None);
        self.judge_world()
    }

    /// Now and then something stops working for many minutes, in worlds where it does.
    fn cast_a_spell(&mut self) {
        if let Some((_, until)) = self.spell {
            if self.now >= until {
                self.note("what did not work works again");
                self.spell = None;
                self.conduct.trouble_at(self.now);
            }
        } else if self.moods.lasts()
            && self.once_in(30)
            && let Some((spell, lasts)) = Spell::draw(&mut self.dice, &self.moods)
        {
            self.note(format!("{spell:?} for {} s", lasts.as_secs()));
            self.spell = Some((spell, self.now + lasts));
        }
    }

    /// One turn goes on, one is claimed, or time passes; false if nothing is left to do.
    async fn step(&mut self) -> Lawful<bool> {
        if let Some(job) = self.runnable_job() {
            Box::pin(self.go_on(job)).await?;
            return Ok(true);
        }
        if self.takes_over && self.alive_from <= self.now {
            self.take_over().await?;
            return Ok(true);
        }
        let turns = self.turns();
        let ready: Vec<OperationId> = turns.iter().filter(|(at, _)| *at <= self.now).map(|(_, id)| *id).collect();
        if let Some(id) = self.dice.choice(&ready).copied() {
            if self.once_in(4) {
                self.judge_due(&ready).await?;
            }
            Box::pin(self.claim(id)).await?;
            return Ok(true);
        }
        let next_turn = turns.iter().map(|(at, _)| *at).min();
        let jobs = self.jobs.iter().map(|job| job.at);
        let ghosts = self.ghosts.iter().map(|(thaw, job)| job.at.max(*thaw));
        let takeover = self.takes_over.then_some(self.alive_from);
        let next = next_turn.into_iter().chain(jobs).chain(ghosts).chain(takeover).min();
        let late = self.ledger.expects_more().then(|| self.world.next_due()).flatten();
        match next.or(late) {
            Some(next) => {
                self.pass_time(next)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// What the living process can take up when: as of its last commit, or because something was said.
    fn turns(&self) -> Vec<(Timestamp, OperationId)> {
        let busy = |id: &OperationId| self.jobs.iter().any(|job| job.id == *id);
        let due = self.due.iter().filter(|(id, _)| !busy(id)).map(|(id, at)| {
            let at = if self.unheard.contains_key(id) { self.now } else { *at - self.ahead };
            (at.max(self.alive_from), *id)
        });
        due.collect()
    }

    /// The store names the same operations as due that should be by their states.
    async fn judge_due(&self, ready: &[OperationId]) -> Lawful {
        let busy: HashSet<OperationId> = self.jobs.iter().map(|job| job.id).collect();
        let mut due = self.store.due(self.wall(), Whose::All, &busy, 100).await?;
        due.sort_unstable();
        if due == ready { Ok(()) } else { Err(Broken::Law(format!("{ready:?} should be due, but {due:?} are"))) }
    }

    /// Any of the turns whose answer is there; those of a thawed process too.
    fn runnable_job(&mut self) -> Option<super::Job> {
        let jobs: Vec<usize> = (0..self.jobs.len()).filter(|index| self.jobs[*index].at <= self.now).collect();
        let is_awake = |(thaw, job): &(Timestamp, super::Job)| *thaw <= self.now && job.at <= self.now;
        let ghosts: Vec<usize> = (0..self.ghosts.len()).filter(|index| is_awake(&self.ghosts[*index])).collect();
        let chosen = self.dice.usize(..(jobs.len() + ghosts.len()).max(1));
        if let Some(index) = jobs.get(chosen) {
            return Some(self.jobs.remove(*index));
        }
        let index = ghosts.get(chosen - jobs.len())?;
        self.note("a frozen process thaws");
        Some(self.ghosts.remove(*index).1)
    }

    /// Lets the world come to a moment, stopping wherever something happens by itself.
    fn pass_time(&mut self, until: Timestamp) -> Lawful {
        let until = until.max(self.now + SignedDuration::from_millis(1));
        while let Some(at) = self.world.next_due().filter(|at| *at <= until) {
            self.move_to(at);
            self.judge_world()?;
        }
        self.move_to(until);
        if !self.troubled {
            self.tidy_up();
        }
        self.judge_world()
    }

    fn move_to(&mut self, at: Timestamp) {
        // Time goes in whole milliseconds, as in the store.
        let whole = at.as_nanosecond().rem_euclid(1_000_000) == 0;
        let millis = at.as_millisecond() + i64::from(!whole);
        let at = Timestamp::from_millisecond(millis).unwrap_or(at).max(self.now);
        // The store's own clock only orders what it remembers; it must move on with ours.
        self.clock.advance(at.duration_since(self.now));
        self.now = at;
        self.world.advance(at);
        self.ledger.attribute_late(&mut self.world, at);
        self.ledger.attribute(&self.world, None);
    }

    /// All Droplets that have an open operation.
    pub(crate) fn open_droplets(&self) -> BTreeSet<u64> {
        self.operations.values().filter(|it| it.is_open()).filter_map(|it| it.target.droplet).map(|it| it.0).collect()
    }
}
