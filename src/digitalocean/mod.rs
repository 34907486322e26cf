//! The client of DigitalOcean's API: what to ask, how answers are read, what an error means for the caller, and how much
//! may be asked at all.
//!
//! [`queries`], [`mutations`] and [`backups`] make [`call::Call`]s, which are data and do no I/O; [`client::Client`] carries them out within
//! the [`budget`]; [`watcher::Watcher`] shares the looks at what is running. A simulation runs the same calls, in its own time, by
//! [`attempts::Attempts`]. This room knows ids and nothing else of ours.

pub mod attempts;
pub mod backups;
pub mod budget;
pub mod call;
pub mod client;
pub mod error;
pub mod http_types;
mod lenient;
pub mod metadata;
pub mod model;
pub mod mutations;
mod outage;
mod plain;
pub mod probes;
pub mod queries;
pub mod readings;
mod request_log;
pub mod unattached;
pub mod watcher;
