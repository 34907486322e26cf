//! THE FACE: commands, buttons and messages on Discord.
//!
//! A command enters `access`, then `inventory`, then the store, and is answered; the reporter says everything else, by comparing
//! what is stored with what is shown. This room knows neither the worker nor DigitalOcean's client, and `app` alone starts it.

mod asked;
mod begin;
pub mod bot;
mod buttons;
pub mod check;
mod commands;
mod confirm;
mod delivery;
pub mod doors;
mod error;
mod face;
mod first_response;
mod handler;
mod hush;
pub mod incident;
mod lookup;
pub mod messages;
mod names;
mod preflight;
pub mod press;
mod registration;
mod relay;
mod repeats;
pub mod reporter;
mod responder;
pub mod watchdog;
mod wire;

pub use error::Error;
