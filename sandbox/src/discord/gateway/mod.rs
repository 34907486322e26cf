//! The gateway: the WebSocket over which Discord tells the bot what happens.
//!
//! `session` remembers what was told so that a resume can replay it, `socket` speaks with one connection.

pub(super) mod intent;
pub(super) mod session;
pub(super) mod socket;
