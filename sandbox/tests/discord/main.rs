//! The simulated Discord, held to its promises: by a bare REST client, by a poise bot, and by clients nobody here wrote.
//!
//! Every answer is held against Discord's own specification where `SPEC_DIR` names it.

mod bot;
mod contract;
mod foreign;
mod gateway;
mod interactions;
mod messages;
#[path = "../../../tests/harness/openapi.rs"]
mod openapi;
mod refusals;
#[path = "../../../tests/harness/required.rs"]
mod required;
mod stage;
mod trouble;
