//! The gateway: the WebSocket over which Discord sends events to the bot.
//!
//! `session` keeps what was sent, so that a resume can replay it; `socket` handles one connection.

pub(super) mod intent;
pub(super) mod session;
pub(super) mod socket;
