//! A simulated DigitalOcean: small and stateful, it refuses what the real one refuses.
//!
//! [`world::World`] is the API without I/O, clock or randomness, which a simulation calls directly. [`server::DigitalOcean`] serves it on a
//! loopback port, with a journal and a gate for crash tests. Nothing in here knows the bot.
//!
//! The JSON has the form that the specification defines. Texts and behavior that it leaves open were taken from issue threads and client
//! sources where possible (cited where they are used). These are guesses: the texts for a locked Droplet, for an unsuitable size or region,
//! and for a Droplet whose Backups are already enabled or disabled; that `reboot` and `power_cycle` need a Droplet that is on; that
//! deleting a Droplet requires that no Action runs on it; that a `per_page` over 200 is refused rather than reduced; the order of lists;
//! and everything that [`settings::Settings`] makes configurable.

pub mod action;
mod advance;
pub mod backups;
pub mod catalogue;
pub mod corrupt;
pub mod droplet;
mod due;
mod execute;
pub mod fault;
mod handle;
pub mod http_types;
pub mod image;
pub mod laws;
pub mod limits;
mod operator;
mod paging;
#[cfg(test)]
mod promises;
mod refusal;
pub mod reserved_ip;
mod routes;
pub mod scopes;
pub mod server;
pub mod settings;
pub mod volume;
pub mod world;
