//! Scenarios: the whole bot between a simulated Discord and a simulated DigitalOcean, told as chats.

mod bot;
mod cancel;
mod crash;
mod delete;
mod launch;
mod list;
mod restore;
mod stage;
mod take;
