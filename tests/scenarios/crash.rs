//! The bot dies at every request that it sends, and everything ends as if it had not.
//!
//! Each case runs once undisturbed. Then it runs again for every request of that first run: the request is held, the whole bot is killed,
//! the request is carried out or not, the bot starts again on the same database, and the channel must look the same in the end.
//! `CRASH_SWEEP=all` leaves nothing out; without it, looks are left out as `Looks` describes, and pairs of deaths are sampled.

mod case;
mod cut;
mod ending;
mod storm;

use std::{collections::BTreeMap, panic::AssertUnwindSafe, time::Duration};

use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::Semaphore;

use snapshot_bot_sandbox::{digitalocean::http_types::Method, discord::settings::Settings};

use crate::{
    bot::Housing,
    required,
    stage::{Person, Role, Stage},
};
use case::Case;
use cut::{Cut, Held, Kind, Service, Trap};
use ending::Ending;

/// How many runs of one sweep go on at the same time. Most of their time is spent waiting for pauses.
const AT_ONCE: usize = 12;
/// How many runs of all sweeps go on at the same time. More would only make each bot so slow that people give up on it.
static LIVES: Semaphore = Semaphore::const_new(20);
/// How many of these use PostgreSQL: each bot has seven connections, and a server accepts 100 by default.
static ON_POSTGRESQL: Semaphore = Semaphore::const_new(8);
/// A busy machine makes a bot slow, so people are patient.
const PATIENCE: Duration = Duration::from_secs(20);
const SEED: u64 = 20_261_122;

macro_rules! sweeps {
    ($($(#[$attribute:meta])* $name:ident: $ground:expr, $case:ident;)+) => {$(
        $(#[$attribute])*
        #[test]
        fn $name() {
            if let Some(ground) = $ground {
                sweep(&ground, &case::$case);
            }
        }
    )+};
}

sweeps! {
    a_take_ends_the_same_wherever_the_bot_dies: Ground::home(Looks::All), TAKE;
    a_live_take_ends_the_same_wherever_the_bot_dies: Ground::home(Looks::Some), LIVE;
    a_take_of_a_droplet_that_is_off_ends_the_same_wherever_the_bot_dies: Ground::home(Looks::Some), ALREADY_OFF;
    a_hung_shutdown_that_is_forced_ends_the_same_wherever_the_bot_dies: Ground::home(Looks::None), HUNG_FORCE;
    a_hung_shutdown_that_is_taken_live_ends_the_same_wherever_the_bot_dies: Ground::home(Looks::Some), HUNG_LIVE;
    a_hung_shutdown_that_is_cancelled_ends_the_same_wherever_the_bot_dies: Ground::home(Looks::Some), HUNG_CANCEL;
    a_restart_after_a_hung_shutdown_ends_the_same_wherever_the_bot_dies: Ground::home(Looks::None), HUNG_RESTART;
    a_hung_shutdown_that_nobody_decides_ends_the_same_wherever_the_bot_dies: Ground::home(Looks::None), HUNG_SILENCE;
    a_restore_ends_the_same_wherever_the_bot_dies: Ground::home(Looks::Some), RESTORE;
    a_restore_without_safety_ends_the_same_wherever_the_bot_dies: Ground::home(Looks::None), RESTORE_UNSAFE;
    a_restore_whose_shutdown_hangs_ends_the_same_wherever_the_bot_dies: Ground::home(Looks::None), RESTORE_HUNG;
    a_launch_ends_the_same_wherever_the_bot_dies: Ground::home(Looks::Some), LAUNCH;
    a_deletion_ends_the_same_wherever_the_bot_dies: Ground::home(Looks::Some), DELETE;

    backups_are_enabled_the_same_wherever_the_bot_dies: Ground::home(Looks::Some), BACKUPS_ENABLE;
    backups_are_changed_the_same_wherever_the_bot_dies: Ground::home(Looks::None), BACKUPS_CHANGE;
    backups_are_disabled_and_one_is_kept_wherever_the_bot_dies: Ground::home(Looks::Some), BACKUPS_DISABLE;
    a_backup_is_kept_wherever_the_bot_dies: Ground::home(Looks::Some), BACKUPS_KEEP;

    a_take_ends_the_same_wherever_the_program_is_killed: Ground::process(Looks::None), TAKE;
    a_hung_shutdown_that_is_forced_ends_the_same_wherever_the_program_is_killed: Ground::process(Looks::None), HUNG_FORCE;
    a_restore_ends_the_same_wherever_the_program_is_killed: Ground::process(Looks::None), RESTORE;
    a_launch_ends_the_same_wherever_the_program_is_killed: Ground::process(Looks::None), LAUNCH;
    a_deletion_ends_the_same_wherever_the_program_is_killed: Ground::process(Looks::None), DELETE;

    backups_are_disabled_and_one_is_kept_wherever_the_program_is_killed: Ground::process(Looks::None), BACKUPS_DISABLE;

    a_take_ends_the_same_on_postgresql_too: Ground::postgresql(Looks::None), TAKE;
    a_hung_shutdown_that_is_forced_ends_the_same_on_postgresql_too: Ground::postgresql(Looks::None), HUNG_FORCE;
    a_restore_ends_the_same_on_postgresql_too: Ground::postgresql(Looks::None), RESTORE;
    a_launch_ends_the_same_on_postgresql_too: Ground::postgresql(Looks::None), LAUNCH;
    a_deletion_ends_the_same_on_postgresql_too: Ground::postgresql(Looks::None), DELETE;
    backups_are_disabled_and_one_is_kept_on_postgresql_too: Ground::postgresql(Looks::None), BACKUPS_DISABLE;
}

#[tokio::test]
async fn twelve_takes_end_well_however_often_the_bot_dies() {
    storm::storms(Housing::Runtime, SEED).await;
}

#[tokio::test]
async fn twelve_takes_end_well_however_often_the_program_is_killed() {
    storm::storms(Housing::Process, 2 * SEED).await;
}

/// The result of one run.
struct Told {
    ending: Ending,
    /// The number of requests of each kind.
    requests: BTreeMap<Kind, usize>,
    /// The requests at which the bot died.
    deaths: Vec<String>,
    /// What DigitalOcean was asked for, and when.
    times: String,
}

/// The environment of a case.
struct Ground {
    housing: Housing,
    /// A PostgreSQL server, if the database is not a SQLite file.
    postgresql: Option<String>,
    looks: Looks,
}

/// At which looks the bot dies, in addition to every request that changes something. `CRASH_SWEEP=all` means all of them everywhere, on
/// PostgreSQL too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looks {
    All,
    /// Every second one, since consecutive ones are alike.
    Some,
    /// None: another case covers the same code.
    None,
}

impl Ground {
    #[expect(clippy::unnecessary_wraps, reason = "all grounds are asked for alike")]
    fn home(looks: Looks) -> Option<Self> {
        Some(Self { housing: Housing::Runtime, postgresql: None, looks })
    }

    #[expect(clippy::unnecessary_wraps, reason = "all grounds are asked for alike")]
    fn process(looks: Looks) -> Option<Self> {
        Some(Self { housing: Housing::Process, postgresql: None, looks })
    }

    fn postgresql(looks: Looks) -> Option<Self> {
        let server = required::variable("TEST_DATABASE_URL", "a PostgreSQL server")?;
        Some(Self { housing: Housing::Runtime, postgresql: Some(server), looks })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn sweep(ground: &Ground, case: &Case) {
    let first = tell(ground, case, &[]).await;
    assert_eq!(first.ending.actions, case.actions, "undisturbed\n{}", first.ending.transcript);
    let mut lives = lives(&first.requests, if everything() { Looks::All } else { ground.looks });
    if ground.postgresql.is_some() && !everything() {
        // Every third one: SQLite covers all of them, and both databases follow one contract.
        lives = lives.into_iter().step_by(3).collect();
    }
    let count = lives.len();
    let told = stream::iter(lives)
        .map(|cuts| async move {
            let told = AssertUnwindSafe(tell(ground, case, &cuts)).catch_unwind().await;
            (cuts, told)
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let mut failures = Vec::new();
    let mut reached = 0;
    for (cuts, told) in told {
        match told {
            Ok(told) => {
                // A second death aims at a recovery that may be over before it.
                reached += usize::from(!told.deaths.is_empty());
                if let Some(difference) = first.ending.difference(&told.ending) {
                    failures.push(format!("{cuts:?}, dead at {:?}:\n{difference}\n{}", told.deaths, told.times));
                }
            }
            Err(panic) => failures.push(format!("{cuts:?}: {}", words(&*panic))),
        }
    }
    assert!(failures.is_empty(), "{} of {count} endings differ\n{}", failures.len(), failures.join("\n=====\n"));
    assert!(reached * 10 > count * 7, "only {reached} of {count} deaths came about: the sweep has lost its target");
}

/// Whether nothing is left out.
fn everything() -> bool {
    std::env::var("CRASH_SWEEP").is_ok_and(|wanted| wanted == "all")
}

/// Every way to die once, and some to die twice.
fn lives(requests: &BTreeMap<Kind, usize>, looks: Looks) -> Vec<Vec<Cut>> {
    let mut once = Vec::new();
    for (kind, count) in requests {
        let stride = match (kind.method, looks) {
            (Method::Get, Looks::None) => continue,
            (Method::Get, Looks::Some) => 2,
            _ => 1,
        };
        for number in (0..*count).step_by(stride) {
            once.extend(kind.transits(everything()).iter().map(|transit| Cut {
                kind: *kind,
                number,
                transit: *transit,
            }));
        }
    }
    let mut random = fastrand::Rng::with_seed(SEED);
    let pairs = if everything() { 2 * once.len() } else { once.len() / 6 };
    let twice: Vec<Vec<Cut>> = (0..pairs).map(|_| (0..2).map(|_| once[random.usize(..once.len())]).collect()).collect();
    once.into_iter().map(|cut| vec![cut]).chain(twice).collect()
}

/// Runs a case in which the bot dies at these requests, each counted from the start before it.
async fn tell(ground: &Ground, case: &Case, cuts: &[Cut]) -> Told {
    // In this order, so that runs that wait for PostgreSQL do not block others.
    let on_postgresql = match &ground.postgresql {
        Some(_) => ON_POSTGRESQL.acquire().await.ok(),
        None => None,
    };
    let life = LIVES.acquire().await.ok();
    let mut stage = Stage::dark_with(Settings { acknowledge_within: PATIENCE, ..Settings::default() }).await;
    stage.housing = ground.housing;
    if let Some(server) = &ground.postgresql {
        stage.move_to_postgresql(server).await;
    }
    case.prepare(&mut stage, cuts);
    let ada = stage.seat("ada", Role::Restorer);
    let bob = stage.seat("bob", Role::Viewer);
    let mut deaths = Vec::new();
    let mut late = None;
    for cut in cuts {
        let trap = Trap::set(&stage, *cut);
        stage.launch().await;
        let held = tokio::select! {
            biased;
            held = trap.caught(&stage) => held,
            () = live(case, &stage, &ada, &mut late) => break,
        };
        deaths.push(held.label());
        if stage.discord.world().awaited().is_some() {
            stage.excused.push("was not acknowledged in time");
        }
        stage.kill().await;
        if ground.postgresql.is_some() {
            stage.end_lease().await;
        }
        late.take().into_iter().for_each(Held::release);
        late = held.meet(cut.transit);
    }
    if deaths.len() == cuts.len() {
        stage.launch().await;
        live(case, &stage, &ada, &mut late).await;
    }
    let requests = requests(&stage);
    let asked = stage.digitalocean.journal();
    let asked = asked.iter().map(|it| format!("{} {} {}", it.at, it.request.method, it.request.path));
    let times = asked.collect::<Vec<_>>().join("\n");
    let ending = Ending::of(&stage, &ada, &bob).await;
    stage.finish().await;
    drop((life, on_postgresql));
    Told { ending, requests, deaths, times }
}

/// One life of the bot, in which a late request of its predecessor arrives.
async fn live(case: &Case, stage: &Stage, ada: &Person, late: &mut Option<Held>) {
    stage.online().await;
    late.take().into_iter().for_each(Held::release);
    case.tell(stage, ada).await;
}

fn requests(stage: &Stage) -> BTreeMap<Kind, usize> {
    let discord =
        stage.discord.world().journal().iter().map(|exchange| exchange.request.method.clone()).collect::<Vec<_>>();
    let discord = discord.iter().map(|method| (Service::Discord, method.parse().expect("a method")));
    let digitalocean = stage.digitalocean.journal();
    let digitalocean = digitalocean.iter().map(|entry| (Service::DigitalOcean, entry.request.method));
    let mut requests = BTreeMap::new();
    for (service, method) in discord.chain(digitalocean) {
        *requests.entry(Kind { service, method }).or_default() += 1;
    }
    requests
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
