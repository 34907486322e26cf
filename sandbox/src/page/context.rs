//! What a page needs: the services, the Guild, and the controls of the bot and the clock if they exist.

use std::sync::Arc;

use super::{bot::BotStrings, clock::ClockStrings};
use crate::{
    digitalocean::server::DigitalOcean,
    discord::{server::Discord, snowflake::Snowflake},
};

/// What the page shows and controls.
#[derive(Debug)]
pub struct Context {
    /// The simulated Discord.
    pub discord: Arc<Discord>,
    /// The simulated DigitalOcean.
    pub digitalocean: Arc<DigitalOcean>,
    /// The Guild whose Channels are shown.
    pub guild: Snowflake,
    /// The people whom a visitor can act as; the first is selected at the start.
    pub seats: Vec<Snowflake>,
    /// How to kill and start the bot, if possible.
    pub bot: Option<BotStrings>,
    /// How to let the clock run fast, if possible.
    pub clock: Option<ClockStrings>,
}
