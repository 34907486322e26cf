//! The outside world on loopback.

pub mod alone;
pub mod digitalocean;
pub mod discord;
pub mod page;
