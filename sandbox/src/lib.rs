//! The modules: [`discord`] and [`digitalocean`] are independent of each other, and [`control`] is what both share. [`standalone`] starts
//! both with a small Guild and a small account, and [`page`] lets people look at them and act in a browser. Nothing here knows the bot, so
//! that they cannot agree merely because they share code.
#![doc = include_str!("../README.md")]

pub mod control;
pub mod digitalocean;
pub mod discord;
pub mod page;
pub mod standalone;
