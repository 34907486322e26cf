//! The simulated services without the bot: a small Guild and a small account, for trying any bot or client against them.
//!
//! `snapshot-bot sandbox` starts them, prints their addresses as one line of JSON, and stops them on a signal. A page shows
//! the Channel and the account; there people give the bot its commands, and trigger faults. The certificate is in a
//! temporary directory, which is deleted afterwards.

use std::{io, net::SocketAddr, sync::Arc};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::{
    digitalocean::{
        droplet::{Blueprint, Status},
        server::DigitalOcean,
        settings::Settings as CloudSettings,
        world::{TOKEN, World},
    },
    discord::{
        error,
        permission::Permissions,
        server::Discord,
        settings::{Now, Settings},
        snowflake::Snowflake,
    },
    page::{
        context::Context,
        reach::Reach,
        server::{self as page, Page},
    },
};

/// Why the simulated services did not start; the message continues "could not".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The simulated Discord did not start.
    #[error("start the simulated Discord: {0}")]
    Discord(#[from] error::Error),
    /// The simulated DigitalOcean did not start.
    #[error("start the simulated DigitalOcean at {address}: {source}")]
    DigitalOcean {
        /// The address on which it should listen.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The page could not be served.
    #[error("serve the page: {0}")]
    Page(#[from] page::Error),
    /// The certificate's file could not be written.
    #[error("write the simulated authority's certificate: {0}")]
    Certificate(#[source] io::Error),
}

/// Both services, running.
#[derive(Debug)]
pub struct Services {
    discord: Arc<Discord>,
    digitalocean: Arc<DigitalOcean>,
    page: Page,
    guild: Settled,
    directory: TempDir,
}

/// The ids of what is in the Guild.
#[derive(Debug)]
struct Settled {
    id: Snowflake,
    channels: Vec<(&'static str, Snowflake)>,
    roles: Vec<(&'static str, Snowflake)>,
    users: Vec<(&'static str, Snowflake)>,
}

impl Services {
    /// Starts both: Discord's REST and DigitalOcean's API at these loopback addresses, and the gateway on a free port.
    pub async fn start(discord: SocketAddr, digitalocean: SocketAddr) -> Result<Self, Error> {
        let (address, now) = (digitalocean, Now::wall());
        let gateway = SocketAddr::new(discord.ip(), 0);
        let settings = Settings { rest: discord, gateway, now: now.clone(), ..Settings::default() };
        let discord = Discord::start(settings).await?;
        let account = account(&now);
        let digitalocean = DigitalOcean::start_at(address, account, Arc::new(move || now.get())).await;
        let digitalocean = digitalocean.map_err(|source| Error::DigitalOcean { address, source })?;
        let directory = tempfile::Builder::new().prefix("snapshot-bot-sandbox-").tempdir();
        let directory = directory.map_err(Error::Certificate)?;
        std::fs::write(directory.path().join("ca.pem"), discord.ca_pem()).map_err(Error::Certificate)?;
        let guild = settle(&discord);
        let (discord, digitalocean) = (Arc::new(discord), Arc::new(digitalocean));
        let context = Context {
            discord: Arc::clone(&discord),
            digitalocean: Arc::clone(&digitalocean),
            guild: guild.id,
            seats: guild.users.iter().map(|(_, user)| *user).collect(),
            bot: None,
            clock: None,
        };
        let page = Page::start(Page::listen(gateway, Reach::Loopback).await?, Reach::Loopback, context)?;
        Ok(Self { discord, digitalocean, page, guild, directory })
    }

    /// All addresses, names and tokens.
    pub fn introduction(&self) -> Value {
        let Settled { id, channels, roles, users } = &self.guild;
        let rest = self.discord.rest_addr();
        let droplets: Map<String, Value> =
            self.digitalocean.read(|world| world.droplets().map(|one| (one.name.clone(), one.id.into())).collect());
        json!({
            "discord": {
                "rest": rest.to_string(),
                "api": format!("https://localhost:{}/api", rest.port()),
                "gateway": self.discord.gateway_url(),
                "ca_file": self.directory.path().join("ca.pem"),
                "token": self.discord.token(),
                "application_id": self.discord.world().bot(),
                "guild_id": id,
                "channels": named(channels),
                "roles": named(roles),
                "users": named(users),
            },
            "page": self.page.url(),
            "digitalocean": {"url": self.digitalocean.url(), "token": TOKEN, "droplets": droplets},
        })
    }

    /// Ends every connection and deletes the temporary files.
    pub async fn stop(self) -> io::Result<()> {
        self.page.stop().await;
        if let Some(discord) = Arc::into_inner(self.discord) {
            discord.stop().await;
        }
        if let Some(digitalocean) = Arc::into_inner(self.digitalocean) {
            digitalocean.stop().await;
        }
        self.directory.close()
    }
}

fn named(things: &[(&'static str, Snowflake)]) -> Value {
    things.iter().map(|(name, id)| ((*name).to_owned(), json!(id))).collect::<Map<_, _>>().into()
}

/// Droplets of every relevant kind: three that run, one of them with a Snapshot, and one that is off.
fn account(now: &Now) -> World {
    let mut world = World::new(CloudSettings::default(), now.get());
    world.add_droplet(&Blueprint::named("web-1").tag("web"));
    world.add_droplet(&Blueprint::named("db-1").used_gigabytes(11.8).volume("data", 100));
    let game = world.add_droplet(&Blueprint::named("valheim").region("fra1").tag("games"));
    world.add_snapshot(game, "valheim-before-the-patch", 3.1);
    world.add_droplet(&Blueprint::named("old-1").status(Status::Off));
    world
}

/// A Guild with two Channels, and a person for each Role as well as one with none.
fn settle(discord: &Discord) -> Settled {
    let mut world = discord.world();
    let id = world.add_guild("The Workshop");
    let channels = ["ops", "general"].map(|name| (name, world.add_channel(id, name)));
    let roles = ["Viewer", "Operator", "Restorer"].map(|name| (name, world.add_role(id, name, Permissions::NONE)));
    let admin = ("Admin", world.add_role(id, "Admin", Permissions::MANAGE_GUILD));
    let roles: Vec<_> = roles.into_iter().chain([admin]).collect();
    let held = roles.iter().map(|(_, role)| vec![*role]).chain([Vec::new()]);
    let people = ["vera", "ada", "grace", "linus", "guest"].into_iter().zip(held);
    let users = people.map(|(name, roles)| {
        let user = world.add_user(name);
        world.join(id, user, &roles);
        (name, user)
    });
    Settled { id, users: users.collect(), channels: channels.to_vec(), roles }
}
