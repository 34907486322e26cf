//! The program itself, as a process beside simulated services: exit codes, signals, sudden death, and what it never says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "a test that was skipped, or measures, says so")]

mod account;
mod check;
mod configuration;
mod cost;
mod death;
mod disk;
mod door;
mod outage;
mod process;
mod refusals;
#[cfg(feature = "demo")]
mod sandbox;
mod secrets;
mod stage;
mod standby;
mod stopping;
