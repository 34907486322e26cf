//! The client for DigitalOcean's API: which requests there are, how answers are read, what an error means for the
//! caller, and how many requests may be sent.
//!
//! [`queries`], [`mutations`] and [`backups`] create [`call::Call`]s, which are data and do no I/O; [`client::Client`] performs them within
//! the [`budget`]; [`watcher::Watcher`] shares looks at running Actions. A simulation performs the same calls in its own time, by
//! [`attempts::Attempts`]. Of the rest of the program this room knows only ids.

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
pub mod probes;
pub mod queries;
pub mod readings;
mod request_log;
pub mod unattached;
mod vendor_text;
pub mod watcher;
