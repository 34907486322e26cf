//! Scenarios: the whole bot between a simulated Discord and a simulated DigitalOcean, told as chats.

mod crash;
mod stage;
mod take;
