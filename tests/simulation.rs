//! Checks that the laws hold in hundreds of simulated worlds, that each seed replays exactly, and that broken rules are found.
//!
//! `SEEDS` sets the number of worlds, `FROM` the first one: `SEEDS=1 FROM=42 cargo test --test simulation` replays one world. An
//! unoptimized build plays about two a second per core; `cargo test --profile bench --test simulation` plays thousands.

#[path = "simulation/mod.rs"]
mod simulation;

use std::{num::NonZero, panic::resume_unwind, thread, time::Instant};

use jiff::SignedDuration;
use parking_lot::Mutex;
use simulation::{
    coverage::Coverage,
    fleet::{Fleet, measure},
    run,
    sabotage::Sabotage,
};

/// About a minute on two cores.
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

/// The combined result of some worlds.
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
async fn a_single_take_is_hardly_off_for_nothing_however_long_its_snapshot_takes() {
    let mut wasted = Vec::new();
    for minutes in [1, 2, 3, 5, 8, 11, 16, 23, 30, 40] {
        let snapshot = SignedDuration::from_secs(minutes * 60 + minutes % 7);
        let measured = measure(Fleet { snapshot, ..Fleet::of(1) }).await.unwrap();
        wasted.push(measured.wasted(100));
    }
    wasted.sort_unstable();
    println!("{wasted:?}");
    assert!(wasted[wasted.len() / 2] <= SignedDuration::from_secs(3), "{wasted:?}");
    assert!(wasted[wasted.len() - 1] <= SignedDuration::from_secs(6), "{wasted:?}");
}

#[tokio::test]
async fn two_takes_share_their_looks() {
    let [one, two] = [measure(Fleet::of(1)).await.unwrap(), measure(Fleet::of(2)).await.unwrap()];
    assert!(two.requests_per_take() <= one.requests_per_take() * 0.6, "{one}\n{two}");
    assert!(two.wasted(100) <= SignedDuration::from_secs(6), "{two}");
}

#[tokio::test]
async fn a_take_that_waits_writes_that_down_and_then_costs_nothing() {
    let measured = measure(Fleet::of(120)).await.unwrap();
    println!("{measured}");
    assert!(measured.tally.put_off <= 120 * 2, "{measured}");
    assert!(measured.requests_per_take() <= 4.8, "{measured}");
}

#[tokio::test]
async fn another_person_is_served_as_if_nothing_ran() {
    let fleet = Fleet { second_requester_after: Some(SignedDuration::from_mins(4)), ..Fleet::of(120) };
    let measured = measure(fleet).await.unwrap();
    println!("{measured}");
    assert!(measured.second_requester_waited <= Some(SignedDuration::from_secs(5)), "{measured}");
}

#[tokio::test]
async fn what_others_use_of_the_token_leaves_room_for_the_rest() {
    let fleet = Fleet { foreign_per_minute: 150, hourly: 12_000, ..Fleet::of(60) };
    let measured = measure(fleet).await.unwrap();
    println!("{measured}");
    assert_eq!(measured.tally.throttled, 0, "{measured}");
    assert!(measured.wasted(100) <= SignedDuration::from_secs(60), "{measured}");
}

#[tokio::test]
async fn pages_behind_the_25th_are_swept_too() {
    let measured = measure(Fleet { others: 12_000, ..Fleet::of(40) }).await.unwrap();
    println!("{measured}");
    assert!(measured.requests_per_take() <= 13.0, "{measured}");
}

#[tokio::test]
async fn droplets_all_over_a_large_account_are_off_for_no_more_than_a_minute_for_nothing() {
    let measured = measure(Fleet { others: 1_800, is_scattered: true, ..Fleet::of(120) }).await.unwrap();
    println!("{measured}");
    assert!(measured.wasted(100) <= SignedDuration::from_mins(1), "{measured}");
}

/// The first of this many seeds in which the intended law notices a broken rule.
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

/// Breaks each rule in turn, until none is left. Returns where each was noticed.
#[tokio::main(flavor = "current_thread")]
async fn break_rules(rules: &Mutex<Vec<Sabotage>>) -> Vec<String> {
    let mut noticed = Vec::new();
    loop {
        let Some(sabotage) = rules.lock().pop() else { return noticed };
        let (seed, broken) = found(sabotage, 1_500).await.unwrap_or_else(|| panic!("{sabotage:?} is not noticed"));
        let first_line = broken.lines().next().unwrap_or_default();
        noticed.push(format!("{sabotage:?} is noticed in world {seed}: {first_line}"));
    }
}

#[test]
fn every_broken_rule_is_found() {
    // `WITHOUT=theirs` breaks only this rule.
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
