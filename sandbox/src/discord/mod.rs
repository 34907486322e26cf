//! A small, stateful, faithful Discord on loopback that refuses what the real one refuses.
//!
//! Start reading at `server` (the running service and its handle), `world` (all state) and `simulated_user` (a person in a Channel). Tests
//! and the demo call these; nothing here knows our bot. These are not simulated: voice, Components V2, modals with anything but text
//! inputs, reactions, webhooks other than those of Interactions.

mod api_error;
pub mod attachment;
pub mod body;
pub mod channel;
pub mod command;
mod command_form;
mod component;
mod embed;
pub mod error;
pub mod event;
pub mod fault;
mod gateway;
pub mod guild;
pub mod interaction;
pub mod journal;
mod mention;
pub mod message;
pub mod modal;
pub mod permission;
pub mod presence;
mod rate_limit;
pub mod refused;
mod rest;
mod serve;
pub mod server;
pub mod settings;
mod shared;
pub mod simulated_user;
pub mod snowflake;
mod tls;
pub mod transcript;
mod typed;
pub mod world;
