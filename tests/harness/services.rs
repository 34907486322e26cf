//! The simulated services of a test: a Discord with one Guild, and a DigitalOcean with a few Droplets.

use jiff::Timestamp;
use snapshot_bot_sandbox::{
    digitalocean::{
        droplet::Blueprint, server::DigitalOcean, settings::Settings as DigitalOceanSettings, world::World as Account,
    },
    discord::{server::Discord, settings::Settings as DiscordSettings, snowflake::Snowflake},
};

/// Both services, running. The account's token is [`TOKEN`](snapshot_bot_sandbox::digitalocean::world::TOKEN).
pub(crate) struct Services {
    pub(crate) discord: Discord,
    pub(crate) digitalocean: DigitalOcean,
    /// *The Workshop*, with the bot as a member.
    pub(crate) guild: Snowflake,
    /// Its channel `#ops`.
    pub(crate) ops: Snowflake,
}

impl Services {
    /// Starts them with these settings. `now` is DigitalOcean's clock; Discord's is among its settings.
    ///
    /// # Panics
    /// If loopback has no free port.
    pub(crate) async fn start(
        discord: DiscordSettings,
        digitalocean: DigitalOceanSettings,
        droplets: &[&str],
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        let mut account = Account::new(digitalocean, now());
        for name in droplets {
            account.add_droplet(&Blueprint::named(name));
        }
        let digitalocean = DigitalOcean::start(account, std::sync::Arc::new(now)).await.expect("loopback is free");
        let discord = Discord::start(discord).await.expect("loopback is free");
        let (guild, ops) = {
            let mut world = discord.world();
            let guild = world.add_guild("The Workshop");
            (guild, world.add_channel(guild, "ops"))
        };
        Self { discord, digitalocean, guild, ops }
    }
}
