//! The Discord front end: commands, buttons and messages.
//!
//! A command goes through `access`, `inventory` and the store, and is answered. The reporter says everything else, by comparing what is
//! stored with what is shown. This module knows neither the worker nor DigitalOcean's client, and only `app` starts it.

pub mod bot;
mod buckets;
mod buttons;
pub mod check;
mod commands;
mod confirm;
mod cost_sums;
mod costs;
mod dedup;
mod delivery;
mod direct_message;
mod error;
mod first_response;
mod global_rate_limit;
pub mod group;
pub mod group_reporter;
mod handler;
pub mod incident;
mod instructions;
pub mod intake;
mod interaction_info;
mod interactions;
mod leftovers;
pub mod limits;
mod lookup;
pub mod members;
mod mend;
pub mod messages;
mod monthly;
mod names;
mod passes;
mod pauses;
mod posted;
mod posting;
mod preflight;
mod presence;
pub mod press;
mod registration;
mod relay;
pub mod reporter;
mod responder;
mod retry;
mod rights;
mod roles;
mod schedule_facts;
pub mod schedule_reporter;
mod start;
mod state;
pub mod watchdog;
mod wire;

pub use error::Error;
