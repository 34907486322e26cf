//! Scenarios: the whole bot between a simulated Discord and a simulated DigitalOcean, written as chats.

#![expect(clippy::unwrap_used, unreachable_pub, reason = "a test may fail loudly, and its modules are its own")]

mod announce;
mod autocomplete;
mod backups;
mod bot;
mod busy;
mod calls;
mod cancel;
mod chat_faults;
mod cloud_faults;
#[path = "../contract/mod.rs"]
mod contract;
mod costs;
mod crash;
mod delete;
#[path = "../harness/drop_bomb.rs"]
mod drop_bomb;
#[path = "../harness/environment.rs"]
mod environment;
mod gateway;
mod groups;
mod guilds;
mod hostile;
mod hung;
mod launch;
mod list;
mod many;
mod next_steps;
#[path = "../harness/openapi.rs"]
mod openapi;
mod pins;
mod power_kinds;
mod presses;
mod refusals;
#[path = "../harness/required.rs"]
mod required;
mod restore;
mod schedule_crashes;
mod schedule_edit;
mod schedule_month;
mod schedule_pings;
mod schedule_prunes;
mod schedule_trouble;
mod schedules;
#[path = "../harness/schema.rs"]
mod schema;
#[path = "../harness/sent.rs"]
mod sent;
#[path = "../harness/services.rs"]
mod services;
mod stage;
mod status_help;
mod take;
#[path = "../harness/waiting.rs"]
mod waiting;
mod warning;
