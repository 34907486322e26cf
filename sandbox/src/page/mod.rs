//! A page in the browser that looks and feels like a Channel, with the simulated account next to it.
//!
//! Start reading at `server` (the running page). `view` computes what one person sees, `live` keeps a window up to date with it, `act`
//! handles what a person can do, and `switch` the faults that can be turned on. The demo starts the page, and nothing in here knows the
//! bot: the program that starts the page provides `bot` to kill and start the bot, and `clock` to let time run fast.

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
