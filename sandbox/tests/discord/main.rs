//! Checks the promises of the simulated Discord with a plain REST client, with a poise bot, and with clients of other authors.
//!
//! Every answer is checked against Discord's own specification if `SPEC_DIR` names it.

mod bot;
#[path = "../contract/discord.rs"]
mod contract;
#[path = "../../../tests/harness/drop_bomb.rs"]
mod drop_bomb;
mod foreign;
mod gateway;
mod interactions;
mod messages;
#[path = "../../../tests/harness/openapi.rs"]
mod openapi;
mod refusals;
#[path = "../../../tests/harness/required.rs"]
mod required;
mod sandbox_discord;
mod trouble;
