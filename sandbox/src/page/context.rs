//! What a page is made for: the services, the Guild, and the bot and the clock if they can be ordered about.

use std::sync::Arc;

use super::{bot::BotStrings, clock::ClockStrings};
use crate::{
    digitalocean::server::DigitalOcean,
    discord::{server::Discord, snowflake::Snowflake},
};

/// What the page shows.
#[derive(Debug)]
pub struct Context {
    /// Where people talk.
    pub discord: Arc<Discord>,
    /// What the bot works on.
    pub digitalocean: Arc<DigitalOcean>,
    /// The Guild whose Channels are shown.
    pub guild: Snowflake,
    /// The people whose seats can be taken; the first is taken at the start.
    pub seats: Vec<Snowflake>,
    /// How to kill and start the bot, where that is possible.
    pub bot: Option<BotStrings>,
    /// How to let the clock run fast, where that is possible.
    pub clock: Option<ClockStrings>,
}
