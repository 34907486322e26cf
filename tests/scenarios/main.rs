//! Scenarios: the whole bot between a simulated Discord and a simulated DigitalOcean, told as chats.

mod restore;
mod stage;
mod take;
