//! The laws hold in hundreds of simulated worlds, each seed replays exactly, and broken rules are found.
//!
//! `SEEDS` says how many worlds, `FROM` where they begin: `SEEDS=1 FROM=42 cargo test --test simulation` plays one again. An
//! unoptimised build plays some two a second on one core; `cargo test --profile bench --test simulation` plays thousands.

#[path = "simulation/mod.rs"]
mod simulation;

use std::{
    num::NonZero,
    panic::resume_unwind,
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

use jiff::SignedDuration;
use simulation::{
    coverage::Coverage,
    fleet::{Fleet, measure},
    run,
    sabotage::Sabotage,
};

/// About a minute's worth on two cores.
const SEEDS: u64 = if cfg!(debug_assertions) { 120 } else { 4_000 };

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn the_laws_hold_in_every_world() {
    let (from, seeds) = (number("FROM", 0), number("SEEDS", SEEDS));
    let cores = u64::try_from(thread::available_parallelism().map_or(1, NonZero::get)).unwrap_or(1);
    let began = Instant::now();
    let played = thread::scope(|scope| {
        let shares: Vec<_> = (0..cores).map(|core| scope.spawn(move || play(from, core, cores, seeds))).collect();
        shares.into_iter().fold(Played::default(), |mut all, share| {
            let share = share.join().unwrap_or_else(|broken| resume_unwind(broken));
            all.operations += share.operations;
            all.events += share.events;
            all.coverage.add(share.coverage);
            all
        })
    });
    let Played { operations, events, coverage } = played;
    println!("{seeds} worlds, {operations} operations, {events} events in {:.1} s", began.elapsed().as_secs_f64());
    println!("{coverage}");
}

/// What some worlds had.
#[derive(Default)]
struct Played {
    operations: usize,
    events: usize,
    coverage: Coverage,
}

/// Plays one core's share of the worlds.
#[tokio::main(flavor = "current_thread")]
async fn play(from: u64, core: u64, cores: u64, seeds: u64) -> Played {
    let mut played = Played::default();
    for seed in (from..from + seeds).filter(|seed| seed % cores == core) {
        let outcome = run(seed, None).await;
        played.operations += outcome.operations;
        played.events += outcome.trace.len();
        played.coverage.add(outcome.coverage);
        if let Some(broken) = outcome.broken {
            panic!("seed {seed}: {broken}\n{}seed {seed}: {broken}", outcome.trace);
        }
    }
    played
}

#[tokio::test]
async fn a_seed_replays_exactly() {
    for seed in 0..20 {
        let (first, again) = (run(seed, None).await, run(seed, None).await);
        assert_eq!(first.trace.digest(), again.trace.digest(), "seed {seed}");
        assert!(first.trace.len() > 10, "seed {seed} hardly plays");
    }
}

#[tokio::test]
async fn a_fleet_is_taken_within_the_limits() {
    let measured = measure(Fleet::of(40)).await.unwrap();
    println!("{measured}");
    assert_eq!(measured.tally.throttled, 0, "{measured}");
    assert!(measured.requests_per_take() <= 7.5, "{measured}");
    assert!(measured.wasted(100) <= SignedDuration::from_secs(15), "{measured}");
    assert!(measured.ended_after <= SignedDuration::from_mins(9), "{measured}");
}

#[tokio::test]
async fn a_single_take_is_hardly_off_for_nothing() {
    let measured = measure(Fleet::of(1)).await.unwrap();
    assert!(measured.wasted(100) <= SignedDuration::from_secs(3), "{measured}");
}

/// The first of so many seeds in which the law that is meant notices a broken rule.
async fn found(sabotage: Sabotage, seeds: u64) -> Option<(u64, String)> {
    for seed in 0..seeds {
        if let Some(broken) = run(seed, Some(sabotage)).await.broken {
            let broken = broken.to_string();
            if broken.contains(sabotage.law()) {
                return Some((seed, broken));
            }
        }
    }
    None
}

/// Breaks each rule in turn, until none is left; where each was noticed.
#[tokio::main(flavor = "current_thread")]
async fn break_rules(rules: &Mutex<Vec<Sabotage>>) -> Vec<String> {
    let mut noticed = Vec::new();
    loop {
        let Some(sabotage) = rules.lock().unwrap_or_else(PoisonError::into_inner).pop() else { return noticed };
        let (seed, broken) = found(sabotage, 1_500).await.unwrap_or_else(|| panic!("{sabotage:?} is not noticed"));
        let first_line = broken.lines().next().unwrap_or_default();
        noticed.push(format!("{sabotage:?} is noticed in world {seed}: {first_line}"));
    }
}

#[test]
fn every_broken_rule_is_found() {
    // `WITHOUT=theirs` breaks this rule alone.
    let only: Option<Sabotage> = std::env::var("WITHOUT").ok().and_then(|word| word.parse().ok());
    let is_meant = |rule: &Sabotage| only.is_none_or(|only| only == *rule);
    let rules = Mutex::new(Sabotage::ALL.into_iter().filter(is_meant).collect());
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let shares: Vec<_> = (0..cores).map(|_| scope.spawn(|| break_rules(&rules))).collect();
        for share in shares {
            for line in share.join().unwrap_or_else(|missed| resume_unwind(missed)) {
                println!("{line}");
            }
        }
    });
}
