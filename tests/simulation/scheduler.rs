//! The loop: chooses what happens next, one event at a time, and moves time to the next event.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{
    Broken, Lawful, Simulation,
    mood::{Mood, Spell},
    process::Process,
    watch::{Actions, Droplets, Snapshots},
};

/// How long faults occur, in steps of this loop.
const TROUBLED_STEPS: usize = 160;
/// How long faults occur if one of them lasts for many minutes.
const LONG_TROUBLED_STEPS: usize = 400;
/// How long people act if nothing goes wrong, or very many operations run, since it then takes long until one ends.
const LONGEST_TROUBLED_STEPS: usize = 900;
/// After this many steps without faults, something does not come to rest.
const PEACEFUL_STEPS: usize = 12_000;

impl Simulation {
    pub(crate) async fn play(&mut self) -> Lawful {
        let asked_at_once = if self.moods.has(Mood::Crowd) { 12 } else { 1 };
        for _ in 0..asked_at_once {
            self.ask().await?;
        }
        let steps = match &self.moods {
            moods if moods.has(Mood::Healthy) || moods.has(Mood::Crowd) => LONGEST_TROUBLED_STEPS,
            moods if moods.lasts() || moods.has(Mood::Strangers) => LONG_TROUBLED_STEPS,
            _ => TROUBLED_STEPS,
        };
        for _ in 0..steps {
            self.happen().await?;
            self.cast_a_spell();
            if !Box::pin(self.step()).await? {
                self.ask().await?;
            }
        }
        self.make_peace();
        self.judge_world()?;
        for step in 0..PEACEFUL_STEPS {
            if step % 16 == 0 {
                self.report().await?;
            }
            if !Box::pin(self.step()).await? {
                return self.judge_the_end().await;
            }
        }
        let restless: Vec<_> = self.operations.values().filter(|it| it.is_open()).collect();
        Err(Broken::Law(format!("something does not come to rest: {restless:#?}")))
    }

    /// Occasionally lets something happen from outside.
    async fn happen(&mut self) -> Lawful {
        let is_crowded = self.moods.has(Mood::Strangers) || self.moods.has(Mood::Impatience);
        match self.dice.u8(..100) {
            0..=5 if self.is_rough() => self.meddle_lawfully(),
            21..=30 if self.moods.has(Mood::Strangers) => self.meddle_lawfully(),
            31..=45 if self.moods.has(Mood::Impatience) => self.press().await,
            46..=49 if self.moods.has(Mood::OtherUsers) => self.use_the_token(),
            50..=57 => self.report().await,
            58..=63 if !self.takes_over => self.confirm().await,
            6..=15 => self.press().await,
            64..=69 if self.moods.has(Mood::Healthy) => self.ask().await,
            16..=18 if !is_crowded || self.dice.bool() => self.ask().await,
            70..=71 if self.is_rough() && self.moods.has(Mood::Sleeps) => {
                self.doze();
                self.judge_world()
            }
            72 if self.is_rough() && self.moods.has(Mood::UnfitTokens) => self.die().await,
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

    /// Occasionally starts an outage of many minutes, in worlds that have them.
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

    /// Continues a turn, claims one, or lets time pass. Returns `false` if nothing is left to do.
    pub(crate) async fn step(&mut self) -> Lawful<bool> {
        if self.asleep_since.is_some() && self.alive_from <= self.now {
            self.wake().await?;
            return Ok(true);
        }
        if self.calls_at().is_some_and(|at| at <= self.now) {
            self.call_for_a_token().await?;
            return Ok(true);
        }
        if let Some(job) = self.runnable_job() {
            Box::pin(self.go_on(job)).await?;
            return Ok(true);
        }
        if self.takes_over && self.alive_from <= self.now {
            Box::pin(self.take_over()).await?;
            return Ok(true);
        }
        let is_awake = self.asleep_since.is_none();
        if is_awake && self.sweep_on()? {
            return Ok(true);
        }
        if is_awake && self.first_answer_known_at().is_some_and(|at| at <= self.now) {
            self.tell_first_answers().await?;
            return Ok(true);
        }
        let ready = self.ready().await?;
        if let Some(id) = self.dice.choice(&ready).copied() {
            Box::pin(self.claim(id)).await?;
            return Ok(true);
        }
        self.judge_places()?;
        let next_turn = self.next_turn_at();
        let jobs = self.jobs.iter().filter(|job| !job.waits_for_others()).map(|job| job.at);
        let ghosts = self.ghosts.iter().map(|(thaw, job)| job.at.max(*thaw));
        let takeover = Some(self.alive_from).filter(|_| self.takes_over || !is_awake);
        let Process { droplets, actions, snapshots, .. } = &self.process;
        let sweeps = [droplets.sweeps_at(), actions.sweeps_at(), snapshots.sweeps_at()].into_iter().flatten();
        let own = sweeps.chain(self.first_answer_known_at()).filter(|_| is_awake);
        let next =
            next_turn.into_iter().chain(jobs).chain(ghosts).chain(takeover).chain(self.calls_at()).chain(own).min();
        let late = self.ledger.expects_more().then(|| self.world.next_due()).flatten();
        match next.or(late) {
            Some(next) => {
                self.pass_time(next)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Continues a sweep that is due.
    fn sweep_on(&mut self) -> Lawful<bool> {
        let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= self.now);
        if is_due(self.process.droplets.sweeps_at()) {
            self.sweep::<Droplets>()?;
            return Ok(true);
        }
        if is_due(self.process.actions.sweeps_at()) {
            self.sweep::<Actions>()?;
            return Ok(true);
        }
        if is_due(self.process.snapshots.sweeps_at()) {
            self.sweep::<Snapshots>()?;
            return Ok(true);
        }
        Ok(false)
    }

    /// A turn whose answer has arrived, including those of a frozen process that continues.
    fn runnable_job(&mut self) -> Option<super::Job> {
        let jobs: Vec<usize> = (0..self.jobs.len())
            .filter(|index| self.jobs[*index].at <= self.now && !self.jobs[*index].waits_for_others())
            .collect();
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

    /// Lets time pass until a moment, and stops wherever something happens without this process.
    fn pass_time(&mut self, until: Timestamp) -> Lawful {
        let until = until.max(self.now + SignedDuration::from_millis(1));
        while let Some(at) = self.next_by_itself().filter(|at| *at <= until) {
            self.move_to(at);
            self.others_use_the_token();
            self.judge_world()?;
        }
        self.move_to(until);
        if !self.troubled {
            self.tidy_up();
        }
        self.judge_world()
    }

    /// When something next happens without this process.
    fn next_by_itself(&self) -> Option<Timestamp> {
        let others = self.measured.as_ref().and_then(|tally| tally.others_at);
        self.world.next_due().into_iter().chain(others).min()
    }

    fn move_to(&mut self, at: Timestamp) {
        // Time has a resolution of milliseconds, as in the store.
        let whole = at.as_nanosecond().rem_euclid(1_000_000) == 0;
        let millis = at.as_millisecond() + i64::from(!whole);
        let at = Timestamp::from_millisecond(millis).unwrap_or(at).max(self.now);
        // The store's own clock only orders its records; it must advance with this one.
        self.clock.advance(at.duration_since(self.now));
        self.now = at;
        self.world.advance(at);
        if self.measured.is_none() {
            self.ledger.attribute_late(&mut self.world, at);
            self.ledger.attribute(&self.world, None);
        }
    }

    /// All Droplets that have an open operation.
    pub(crate) fn open_droplets(&self) -> BTreeSet<u64> {
        self.operations.values().filter(|it| it.is_open()).filter_map(|it| it.target.droplet).map(|it| it.0).collect()
    }
}
