//! The Discord front end alone, as people meet it: a simulated Discord and DigitalOcean, the real store and inventory, and no worker. A
//! test commits by hand what the worker would do.

mod calls;
mod commands;
mod front_end;
mod gateway;
mod reports;
#[path = "../harness/rows.rs"]
mod rows;
#[path = "../harness/services.rs"]
mod services;
#[path = "../harness/waiting.rs"]
mod waiting;
