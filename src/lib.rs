//! A Discord bot with which a team takes, restores and manages DigitalOcean Droplet Snapshots.
//!
//! This page lists the modules; `ARCHITECTURE.md` describes how a command passes through them. Modules import each other only in the
//! directions that `tests/rooms.rs` checks; nothing is re-exported here.

pub mod access;
pub mod app;
pub mod clock;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
pub mod digitalocean;
pub mod discord;
pub mod http;
pub mod inventory;
pub mod operation;
pub mod ping;
pub mod schedule;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod worker;
