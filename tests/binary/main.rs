//! The program as a process with the simulated services: exit codes, signals, sudden death, and what it never prints.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "a measurement says what it found")]

mod account;
mod audit;
mod backup;
mod check;
mod configuration;
mod cost;
mod death;
mod disk;
mod documents;
#[path = "../harness/environment.rs"]
mod environment;
mod healthcheck;
mod http_port;
mod installation;
mod limits;
mod outage;
mod process;
mod proxies;
mod refusals;
#[path = "../harness/required.rs"]
mod required;
mod rotation;
#[cfg(feature = "demo")]
mod sandbox;
#[path = "../harness/schema.rs"]
mod schema;
mod secrets;
#[path = "../harness/sent.rs"]
mod sent;
#[path = "../harness/services.rs"]
mod services;
mod standby;
mod stopping;
mod unwritable;
#[path = "../harness/waiting.rs"]
mod waiting;
