//! The map: [`discord`] and [`digitalocean`] stand each for itself, and [`control`] is what both have; [`standalone`] starts
//! both with a small Guild and a small account, and [`page`] lets people look at them and act in a browser. Nothing here knows
//! the bot, so that it cannot agree with it by sharing its code.
#![doc = include_str!("../README.md")]

pub mod control;
pub mod digitalocean;
pub mod discord;
pub mod page;
pub mod standalone;
