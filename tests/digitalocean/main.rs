//! The client, the watcher and the inventory against a real socket on loopback.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod client;
mod inventory;
mod timeouts;
mod vendor;
mod watcher;
