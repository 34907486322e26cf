//! The bot dies at every request it sends, and everything ends as if it had not.
//!
//! Each tale is told once undisturbed. Then it is told anew for every request of that first run: the request is held, the whole
//! bot is killed, the request is carried out or not, the bot starts again on the same database, and the channel must look the
//! same in the end. `CRASH_SWEEP=all` leaves nothing out; without it, looks are cut once each, and pairs of deaths are sampled.

mod cut;
mod tale;
mod verdict;

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, StreamExt, stream};

use crate::stage::{Role, Stage};
use cut::{Cut, Fate, Service, Trap};
use tale::Tale;
use verdict::Ending;

/// Runs at once: most of their time is spent waiting for pauses.
const AT_ONCE: usize = 12;
/// Runs differ a little in how often they look, so that the sweep goes somewhat beyond the first one's end.
const BEYOND: usize = 2;
const SEED: u64 = 20_261_122;

#[test]
fn a_take_ends_the_same_wherever_the_bot_dies() {
    sweep(&tale::TAKE);
}

#[test]
fn a_live_take_ends_the_same_wherever_the_bot_dies() {
    sweep(&tale::LIVE);
}

#[test]
fn a_take_of_a_droplet_that_is_off_ends_the_same_wherever_the_bot_dies() {
    sweep(&tale::ALREADY_OFF);
}

#[test]
fn a_hung_shutdown_that_is_forced_ends_the_same_wherever_the_bot_dies() {
    sweep(&tale::HUNG_FORCE);
}

#[test]
fn a_hung_shutdown_that_is_taken_live_ends_the_same_wherever_the_bot_dies() {
    sweep(&tale::HUNG_LIVE);
}

#[test]
fn a_hung_shutdown_that_is_cancelled_ends_the_same_wherever_the_bot_dies() {
    sweep(&tale::HUNG_CANCEL);
}

/// What one telling came to.
struct Told {
    ending: Ending,
    /// How many requests each service got.
    requests: [(Service, usize); 2],
    /// The requests at which the bot died.
    deaths: Vec<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn sweep(tale: &Tale) {
    let first = tell(tale, &[]).await;
    assert_eq!(first.ending.actions, tale.actions, "undisturbed\n{}", first.ending.transcript);
    let lives = lives(&first.requests);
    let count = lives.len();
    let told = stream::iter(lives)
        .map(|cuts| async move {
            let told = AssertUnwindSafe(tell(tale, &cuts)).catch_unwind().await;
            (cuts, told)
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let mut failures = Vec::new();
    let mut reached = 0;
    if std::env::var("CRASH_SWEEP").is_ok() {
        eprintln!("{:?} {} lives", first.requests, count);
    }
    for (cuts, told) in told {
        match told {
            Ok(told) => {
                reached += usize::from(told.deaths.len() == cuts.len());
                if let Some(difference) = first.ending.difference(&told.ending) {
                    failures.push(format!("{cuts:?}, dead at {:?}:\n{difference}", told.deaths));
                }
            }
            Err(panic) => failures.push(format!("{cuts:?}: {}", words(&*panic))),
        }
    }
    assert!(failures.is_empty(), "{} of {count} endings differ\n{}", failures.len(), failures.join("\n=====\n"));
    assert!(reached * 10 > count * 7, "only {reached} of {count} deaths came about: the sweep has lost its target");
}

/// Every way to die once, and some to die twice.
fn lives(requests: &[(Service, usize)]) -> Vec<Vec<Cut>> {
    let everything = std::env::var("CRASH_SWEEP").is_ok_and(|wanted| wanted == "all");
    let mut once = Vec::new();
    for (service, count) in requests {
        for number in 0..count + BEYOND {
            once.extend(Fate::ALL.map(|fate| Cut { service: *service, number, fate }));
        }
    }
    let mut random = fastrand::Rng::with_seed(SEED);
    let pairs = if everything { once.len() } else { once.len() / 8 };
    let twice: Vec<Vec<Cut>> = (0..pairs).map(|_| (0..2).map(|_| once[random.usize(..once.len())]).collect()).collect();
    once.into_iter().map(|cut| vec![cut]).chain(twice).collect()
}

/// Tells a tale in which the bot dies at these requests, each counted from the start before it.
async fn tell(tale: &Tale, cuts: &[Cut]) -> Told {
    let mut stage = Stage::dark().await;
    tale.prepare(&mut stage, cuts);
    let ada = stage.seat("ada", Role::Operator);
    let bob = stage.seat("bob", Role::Viewer);
    let mut deaths = Vec::new();
    let mut late = None;
    for cut in cuts {
        let trap = Trap::set(&stage, *cut);
        stage.launch().await;
        let held = tokio::select! {
            biased;
            held = trap.caught(&stage) => held,
            () = tale.tell(&stage, &ada) => break,
        };
        deaths.push(held.label());
        if stage.discord.world().awaited().is_some() {
            stage.excused.push("was not acknowledged in time");
        }
        stage.kill().await;
        late = held.meet(cut.fate).or(late);
    }
    if deaths.len() == cuts.len() {
        stage.launch().await;
        let telling = async {
            stage.online().await;
            if let Some(held) = late {
                held.release();
            }
            tale.tell(&stage, &ada).await;
        };
        telling.await;
    }
    let journals = (stage.discord.world().journal().len(), stage.digitalocean.journal().len());
    let requests = [(Service::Discord, journals.0), (Service::DigitalOcean, journals.1)];
    let ending = Ending::of(&stage, &ada, &bob).await;
    stage.finish().await;
    Told { ending, requests, deaths }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
