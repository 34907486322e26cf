//! A simulated DigitalOcean: small, stateful, and refusing what the real one refuses.
//!
//! [`world::World`] is the API without I/O, clock or randomness: a simulation calls it directly. [`server::DigitalOcean`]
//! puts it on a loopback port, with a journal and a gate for crash tests. Nothing in here knows the bot.
//!
//! Shapes are the specification's. Texts and manners that it leaves open were taken from issue threads and client sources
//! where there were any (cited where they are used). Guessed are: the words for a locked Droplet and for an unfit size or
//! region or a Droplet whose Backups are on or off already; that `reboot` and `power_cycle` need a Droplet that is on, that deleting a Droplet needs it idle, that a `per_page`
//! over 200 is refused and not cut down; the order of lists; and everything that [`settings::Settings`] lets one choose.

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
