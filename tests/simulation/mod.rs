//! The deterministic simulation: the worker's three verbs and the store, as they ship, with the simulated DigitalOcean, under a scheduler
//! that controls time and draws all randomness from one seed.
//!
//! [`run`] plays one seed: people request and press, strangers interfere, requests are lost, late and refused, processes die, freeze and
//! take over. The laws are checked after every event. Then the faults stop, and everything must come to rest. Used by `tests/simulation.rs`
//! and `examples/simulate.rs`.

mod absences;
mod conduct;
pub(crate) mod coverage;
pub(crate) mod fleet;
mod front;
mod jobs;
mod laws;
mod ledger;
mod mood;
mod people;
mod process;
#[path = "../harness/rows.rs"]
mod rows;
pub(crate) mod sabotage;
mod scheduler;
mod strangers;
mod trace;
mod transit;
mod turns;
mod watch;
mod writes;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use absences::Unfit;
use conduct::Conduct;
use coverage::Coverage;
use front::Front;
use jiff::{SignedDuration, Timestamp};
use jobs::Job;
use ledger::Ledger;
use mood::{Lasting, Mood, Moods};
use process::Process;
use sabotage::Sabotage;
use snapshot_bot::{
    clock::Clock,
    operation::{
        Operation, Rules,
        effect::Effect,
        ids::{ChannelId, DropletId, OperationId},
    },
    store::{self, Store},
    worker::Worker,
};
use snapshot_bot_sandbox::digitalocean::{
    catalogue,
    droplet::{Blueprint, Status},
    limits::Limits,
    settings::{Durations, PowerAfterRestore, Settings},
    world::World,
};
use trace::Trace;
use turns::Dues;

/// The result of a run.
pub(crate) struct Outcome {
    /// How many operations began.
    pub(crate) operations: usize,
    /// Everything that happened.
    pub(crate) trace: Trace,
    /// Which observations met which states.
    pub(crate) coverage: Coverage,
    /// The law that was broken, if one was.
    pub(crate) broken: Option<Broken>,
}

/// Why a run ended early.
#[derive(Debug)]
pub(crate) enum Broken {
    /// A law does not hold.
    Law(String),
    /// The store failed, which an in-memory database never should.
    Store(store::Error),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Law(what) => f.write_str(what),
            Self::Store(error) => write!(f, "could not {error}: {error:?}"),
        }
    }
}

impl From<store::Error> for Broken {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

/// The result of a function that may find a broken law.
type Lawful<T = ()> = Result<T, Broken>;

/// Plays one seed to its end.
pub(crate) async fn run(seed: u64, sabotage: Option<Sabotage>) -> Outcome {
    let mut simulation = Simulation::new(seed, sabotage).await;
    let broken = Box::pin(simulation.play()).await.err();
    simulation.store.close().await;
    let Simulation { operations, trace, coverage, .. } = simulation;
    Outcome { operations: operations.len(), trace, coverage, broken }
}

/// The state of one run.
struct Simulation {
    dice: fastrand::Rng,
    sabotage: Option<Sabotage>,
    moods: Moods,
    now: Timestamp,
    /// How far the process's wall clock is ahead of the true time.
    ahead: SignedDuration,
    clock: Clock,
    world: World,
    ledger: Ledger,
    conduct: Conduct,
    coverage: Coverage,
    store: Arc<Store>,
    worker: Worker,
    rules: Rules,
    /// Whether faults, people and strangers are still active.
    troubled: bool,
    /// What does not work for a while.
    spell: Option<Lasting>,
    /// Since when no process has been alive, until the next one has taken over.
    left_at: Option<Timestamp>,
    /// No process is alive before this moment.
    alive_from: Timestamp,
    /// Whether the next living process has yet to take up the open operations.
    takes_over: bool,
    /// Since when the living process has stood still.
    asleep_since: Option<Timestamp>,
    /// Whether the next process that takes over had everything in memory already.
    awoken: bool,
    /// Why the next process must not use its token yet, and when it next checks whether people know.
    unfit: Option<(Unfit, Timestamp)>,
    /// The memory of the living process.
    process: Process,
    /// The turns of the living process.
    jobs: Vec<Job>,
    /// The turns of frozen processes, and when they continue.
    ghosts: Vec<(Timestamp, Job)>,
    /// Every operation as last committed.
    operations: BTreeMap<OperationId, Operation>,
    /// Droplets with owed power, according to the plain rows.
    owed: BTreeMap<DropletId, OperationId>,
    /// When the operations are due.
    dues: Dues,
    /// Discord's side.
    front: Front,
    /// Operations in whose turn a process panicked.
    panicked: BTreeSet<OperationId>,
    /// The number of the last instruction for an operation that has not processed it.
    unheard: BTreeMap<OperationId, u64>,
    interactions: u64,
    trace: Trace,
    /// The counts of a world that is measured instead of checked.
    measured: Option<fleet::Tally>,
}

/// In some runs, the tag without which the bot must not touch a Droplet.
const TAG: &str = "bot";
/// An hourly limit so low that many requests wait.
const SCARCE: usize = 160;
/// The channel that receives every outcome.
const NOTIFY: ChannelId = ChannelId(99);

impl Simulation {
    async fn new(seed: u64, sabotage: Option<Sabotage>) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let moods = Moods::draw(&mut dice, sabotage.and_then(Sabotage::mood));
        let start = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000);
        let mut rules = rules(&mut dice);
        let settle = rules.settle_time;
        if let Some(sabotage) = sabotage {
            sabotage.bend(&mut rules);
        }
        let mut world = furnish(&mut dice, &moods, start);
        if sabotage == Some(Sabotage::Ranks) {
            // With plenty of requests, no operation has to wait.
            world.settings_mut().limits = Limits::hourly(SCARCE);
        }
        let clock = Clock::wall();
        let settings = store::Settings { url: "sqlite::memory:".to_owned().into(), notify_channel: Some(NOTIFY) };
        let store = Store::open(&settings, clock.clone()).await.expect("an in-memory database opens");
        let store = Arc::new(store);
        let mut simulation = Self {
            process: Process::begin(&mut dice, rules.poll_interval),
            dice,
            sabotage,
            now: start,
            ahead: SignedDuration::ZERO,
            clock,
            ledger: Ledger::new(&world, settle),
            conduct: Conduct::new(start),
            coverage: Coverage::default(),
            world,
            worker: Worker::new(Arc::clone(&store)),
            store,
            rules,
            troubled: true,
            spell: None,
            left_at: None,
            alive_from: start,
            takes_over: false,
            asleep_since: None,
            awoken: false,
            unfit: None,
            jobs: Vec::new(),
            ghosts: Vec::new(),
            operations: BTreeMap::new(),
            owed: BTreeMap::new(),
            dues: Dues::default(),
            front: Front::default(),
            panicked: BTreeSet::new(),
            unheard: BTreeMap::new(),
            interactions: 0,
            trace: Trace::new(start),
            moods,
            measured: None,
        };
        simulation.note(format!("a world with {}", simulation.moods));
        simulation
    }

    /// The present moment according to the living process.
    fn wall(&self) -> Timestamp {
        self.now + self.ahead
    }

    /// Whether requests and processes fail, and strangers interfere.
    fn is_rough(&self) -> bool {
        self.troubled && !self.moods.has(Mood::Healthy)
    }

    fn note(&mut self, line: impl Into<String>) {
        if self.measured.is_none() {
            self.trace.note(self.now, line.into());
        }
    }

    /// When an operation is due that was just committed; `None` if it is at rest.
    fn due_at(&self, operation: &Operation) -> Option<Timestamp> {
        let rules = self.process.paces.get(&operation.id).unwrap_or(&self.rules);
        match operation.next(rules, self.wall()) {
            Effect::Look(_) | Effect::Send(_) => Some(self.wall()),
            Effect::Sleep(until) => Some(until),
            Effect::Rest => None,
        }
    }

    /// True once in this many times, on average.
    fn once_in(&mut self, times: u32) -> bool {
        self.dice.u32(..times) == 0
    }

    /// How long a request takes to be answered.
    fn travel_time(&mut self) -> SignedDuration {
        if self.measured.is_some() { fleet::TRAVEL_TIME } else { self.seconds(2) }
    }

    fn seconds(&mut self, longest: i64) -> SignedDuration {
        SignedDuration::from_millis(self.dice.i64(0..longest * 1_000))
    }
}

/// The unmodified rules.
fn rules_by_default() -> Rules {
    Rules {
        shutdown_timeout: SignedDuration::from_mins(2),
        decision_timeout: SignedDuration::from_mins(10),
        settle_time: SignedDuration::from_secs(30),
        poll_interval: SignedDuration::from_secs(5),
        droplet_tag: None,
        are_requests_scarce: false,
    }
}

fn rules(dice: &mut fastrand::Rng) -> Rules {
    Rules {
        shutdown_timeout: SignedDuration::from_mins(dice.i64(1..4)),
        decision_timeout: SignedDuration::from_mins(dice.i64(2..11)),
        settle_time: SignedDuration::from_secs(30),
        poll_interval: SignedDuration::from_secs([5, 15, 30, 60][dice.usize(..4)]),
        droplet_tag: (dice.u8(..4) == 0).then(|| TAG.to_owned()),
        are_requests_scarce: false,
    }
}

/// An account with a few Droplets that have a history: Snapshots and old Actions of every type.
fn furnish(dice: &mut fastrand::Rng, moods: &Moods, start: Timestamp) -> World {
    let mut world = World::new(settings(dice, moods), start - SignedDuration::from_hours(24));
    let count = if moods.has(Mood::Crowd) { dice.usize(8..13) } else { dice.usize(1..4) };
    for number in 1..=count {
        let status = if dice.u8(..6) == 0 { Status::Off } else { Status::Active };
        let plan = Blueprint::named(&format!("web-{number}")).status(status).tag(TAG);
        let droplet = world.add_droplet(&plan);
        world.add_snapshot(droplet, "by hand", 2.0);
        world.add_snapshot(droplet, "older", 2.0);
        strangers::give_a_past(&mut world, droplet);
        if status == Status::Active { world.turn_on(droplet) } else { world.turn_off(droplet) }
    }
    world.advance(start);
    let region = catalogue::REGIONS.first().map_or("nyc3", |region| region.slug);
    world.add_droplet(&Blueprint::named("bystander").region(region));
    world
}

fn settings(dice: &mut fastrand::Rng, moods: &Moods) -> Settings {
    let mut seconds = |longest: i64| SignedDuration::from_secs(dice.i64(1..longest));
    let durations = Durations {
        shutdown: seconds(60),
        power_off: seconds(30),
        power_on: seconds(60),
        reboot: seconds(60),
        snapshot: seconds(400),
        snapshot_per_gigabyte: seconds(20),
        restore: seconds(600),
        create: seconds(120),
        other: seconds(60),
    };
    let (off_lag, on_lag, listing_delay) = (seconds(20), seconds(40), seconds(90));
    let quick = dice.u8(..3) == 0;
    let durations = if quick { Durations::all(SignedDuration::from_secs(dice.i64(1..9))) } else { durations };
    let power_after_restore =
        [PowerAfterRestore::AsBefore, PowerAfterRestore::On, PowerAfterRestore::Off][dice.usize(..3)];
    let hourly = match dice.u8(..4) {
        // In a crowd, requests are scarce.
        0 | 1 if moods.has(Mood::Crowd) => dice.usize(200..900),
        0 | 1 => 5_000,
        _ => dice.usize(200..2_500),
    };
    Settings {
        durations,
        off_lag,
        on_lag,
        listing_delay,
        power_after_restore,
        restore_wants_off: dice.bool(),
        locked_while_pending: dice.bool(),
        limits: Limits::hourly(hourly),
        ..Settings::default()
    }
}
