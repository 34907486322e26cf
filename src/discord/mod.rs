//! THE FACE: commands, buttons and messages on Discord.
//!
//! A command enters `access`, then `inventory`, then the store, and is answered; the reporter says everything else, by comparing
//! what is stored with what is shown. This room knows neither the worker nor DigitalOcean's client, and `app` alone starts it.

pub mod bot;
mod buttons;
pub mod check;
mod commands;
mod delivery;
pub mod doors;
mod error;
mod face;
mod handler;
mod incident;
pub mod messages;
pub mod press;
mod registration;
pub mod reporter;
mod responder;
mod wire;

pub use error::Error;
