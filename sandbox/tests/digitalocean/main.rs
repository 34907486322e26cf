//! The simulated DigitalOcean as its users meet it: answers that the vendor's specification allows, and a server whose requests can be
//! held.

#![expect(clippy::unwrap_used, reason = "what surprises a test is its failure")]

mod answers;
#[path = "../contract/digitalocean.rs"]
mod contract;
#[path = "../../../tests/harness/openapi.rs"]
mod openapi;
#[path = "../../../tests/harness/required.rs"]
mod required;
mod server;
