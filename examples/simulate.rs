//! Plays any number of simulated worlds and prints how fast that was: the simulation of `tests/simulation` without an end.
//!
//! `cargo run --profile bench --example simulate -- --seeds 100000 --from 0`. If a world breaks a law, the program prints it and ends with
//! code 1. On a machine with several cores, pinning the program to one core (`taskset -c 0`) makes it faster.
//!
//! `-- --fleet 1000` takes that many Droplets at once instead, without faults, and prints the cost: requests by kind, downtimes, the time
//! until all are done, and what simulating it took.

#![expect(clippy::print_stdout, reason = "it is a command line program")]

#[path = "../tests/simulation/mod.rs"]
mod simulation;

use std::{process::ExitCode, time::Instant};

use clap::Parser;
use jiff::SignedDuration;
use simulation::{
    coverage::Coverage,
    fleet::{Fleet, Measured, measure},
    run,
    sabotage::Sabotage,
};

/// Plays simulated worlds.
#[derive(Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
struct Arguments {
    /// How many worlds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The seed of the first.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Do not stop at a broken law; name it and go on.
    #[arg(long)]
    keep_going: bool,
    /// Print every event of every world.
    #[arg(long)]
    trace: bool,
    /// Break a rule on purpose, such as `intent`; a wrong word names them all.
    #[arg(long)]
    without: Option<Sabotage>,
    /// Measure so many takes that are asked for at once, instead of playing worlds.
    #[arg(long)]
    fleet: Option<usize>,
    /// How many Droplets a fleet's account has besides those that are taken.
    #[arg(long, default_value_t = 0)]
    others: usize,
    /// Those stand among the others, instead of next to each other.
    #[arg(long)]
    scattered: bool,
    /// How many requests a minute others ask with a fleet's token.
    #[arg(long, default_value_t = 0)]
    foreign: usize,
    /// After how many minutes somebody else asks for one more take.
    #[arg(long)]
    second_requester: Option<i64>,
    /// Hold a fleet to what is promised of a thousand: 70 minutes, 4.5 requests each, a minute off for nothing, no 429.
    #[arg(long)]
    assert: bool,
    /// DigitalOcean's limit an hour for a fleet.
    #[arg(long, default_value_t = 5_000)]
    hourly: usize,
    /// How many seconds each Snapshot of a fleet takes.
    #[arg(long, default_value_t = 300)]
    snapshot: i64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(takes) = arguments.fleet {
        let snapshot = SignedDuration::from_secs(arguments.snapshot);
        let fleet = Fleet {
            others: arguments.others,
            is_scattered: arguments.scattered,
            foreign_per_minute: arguments.foreign,
            second_requester_after: arguments.second_requester.map(SignedDuration::from_mins),
            hourly: arguments.hourly,
            snapshot,
            ..Fleet::of(takes)
        };
        return measure_fleet(fleet, arguments.assert).await;
    }
    let (began, mut operations, mut events, mut broken, mut digest) = (Instant::now(), 0, 0, 0_u64, 0);
    let mut coverage = Coverage::default();
    for seed in arguments.from..arguments.from.saturating_add(arguments.seeds) {
        let outcome = run(seed, arguments.without).await;
        operations += outcome.operations;
        events += outcome.trace.len();
        digest ^= outcome.trace.digest();
        coverage.add(outcome.coverage);
        if arguments.trace {
            println!("{}", outcome.trace);
        }
        if let Some(law) = outcome.broken {
            // A violation that another law reports first does not count for this rule.
            if arguments.without.is_some_and(|rule| !law.to_string().contains(rule.law())) {
                continue;
            }
            broken += 1;
            if arguments.keep_going {
                println!("seed {seed}: {}", law.to_string().lines().next().unwrap_or_default());
            } else {
                println!("{}seed {seed}: {law}", outcome.trace);
                break;
            }
        }
    }
    println!("{coverage}");
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{operations} operations, {events} events, {broken} broken worlds in {seconds:.1} s, digest {digest:016x}"
    );
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measure_fleet(fleet: Fleet, is_held: bool) -> ExitCode {
    let began = Instant::now();
    match Box::pin(measure(fleet)).await {
        Ok(measured) => {
            println!("{measured}\n  {:.1} s of real time{}", began.elapsed().as_secs_f64(), used());
            if is_held && !is_as_promised(&measured) {
                println!("that is not what is promised");
                return ExitCode::FAILURE;
            }
            ExitCode::SUCCESS
        }
        Err(broken) => {
            println!("{broken}");
            ExitCode::FAILURE
        }
    }
}

/// The processor time that this process has used, and the most memory that it had, if the system says so.
fn used() -> String {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let (stat, status) = (read("/proc/self/stat"), read("/proc/self/status"));
    // In hundredths of a second, as `proc(5)` counts them: in user mode, and in the kernel.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let processor: f64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
    format!(", {:.1} s of the processor, at most {memory} of memory", processor / 100.0)
}

/// Whether a fleet kept what is promised for a thousand takes.
fn is_as_promised(measured: &Measured) -> bool {
    measured.ended_after <= SignedDuration::from_mins(70)
        && measured.requests_per_take() <= 4.5
        && measured.wasted(100) <= SignedDuration::from_mins(1)
        && measured.tally.throttled == 0
        && measured.too_old == 0
}
