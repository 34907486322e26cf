//! A page in the browser that looks and feels like a Channel, with the simulated account next to it.
//!
//! Start at `server` (the running page). `view` says what one person sees, `live` keeps a window up to date with it, `act` is
//! what a person can do, `switch` what can be made to go wrong. The demo starts it; nothing in here knows the bot: whoever
//! starts the page says by `bot` how the bot can be killed and started, and by `clock` how time can be made to run.

mod account;
mod act;
mod asset;
pub mod bot;
pub mod clock;
pub mod context;
mod file;
mod guard;
mod live;
mod place;
pub mod reach;
pub mod server;
mod switch;
mod view;
