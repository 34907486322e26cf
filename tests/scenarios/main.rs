//! Scenarios: the whole bot between a simulated Discord and a simulated DigitalOcean, told as chats.

mod bot;
mod crash;
mod stage;
mod take;
