//! Scenarios: the whole bot between a simulated Discord and a simulated DigitalOcean, told as chats.

mod autocomplete;
mod busy;
mod chat_faults;
mod cloud_faults;
mod contract;
mod crash;
mod gateway;
mod hostile;
mod hung;
mod many;
mod refusals;
mod stage;
mod status_help;
mod take;
