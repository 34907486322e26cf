//! The outside world on loopback.

pub mod digitalocean;
pub mod discord;
pub mod page;
