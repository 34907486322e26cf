//! The environment that leads a bot to its simulated services, and a fast DigitalOcean.

use std::{collections::BTreeMap, path::Path};

use jiff::SignedDuration;
use snapshot_bot_sandbox::digitalocean::{
    limits::Limits,
    settings::{Durations, Settings},
    world::TOKEN,
};

use crate::services::Services;

/// A DigitalOcean whose Actions take only as long as a request, and that lists their results at once.
pub(crate) fn quick() -> Settings {
    Settings {
        durations: Durations::all(SignedDuration::from_millis(40)),
        off_lag: SignedDuration::ZERO,
        listing_delay: SignedDuration::ZERO,
        // A bot whose clock leaps asks within one minute of this service's what it would ask within an hour.
        limits: Limits { burst: Limits::default().hourly, ..Limits::default() },
        ..Settings::default()
    }
}

/// The variables with which a bot finds them. Its database is in `folder`, as is Discord's certificate.
pub(crate) fn environment(services: &Services, folder: &Path) -> BTreeMap<&'static str, String> {
    let Services { discord, digitalocean, guild, .. } = services;
    let certificate = folder.join("ca.pem");
    std::fs::write(&certificate, discord.ca_pem()).unwrap();
    BTreeMap::from([
        ("DISCORD_TOKEN", discord.token()),
        ("DISCORD_GUILD_ID", guild.to_string()),
        ("DISCORD_CONNECT_TO", discord.rest_addr().to_string()),
        ("EXTRA_CA_FILE", certificate.display().to_string()),
        ("DIGITALOCEAN_TOKEN", TOKEN.to_owned()),
        ("DIGITALOCEAN_API_URL", digitalocean.url()),
        ("DATABASE_URL", format!("sqlite://{}", folder.join("bot.db").display())),
        ("POLL_INTERVAL", "10ms".to_owned()),
        ("SETTLE_TIME", "300ms".to_owned()),
    ])
}
