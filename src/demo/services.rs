//! The services of the demo: a guild with three people, an account with some Droplets, and the environment that leads a bot there.
//!
//! All files are in a temporary directory, which is deleted when they are shut down.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use snapshot_bot_sandbox::{
    digitalocean::{
        droplet::{Blueprint, Status},
        limits::Limits,
        server::DigitalOcean,
        settings::{Durations, Settings},
        world::{TOKEN, World},
    },
    discord::{
        permission::Permissions,
        server::Discord,
        settings::{Now, Settings as DiscordSettings},
        simulated_user::SimulatedUser,
        snowflake::Snowflake,
    },
};
use tempfile::TempDir;

use crate::{
    clock::Clock,
    config::Config,
    operation::ids::{DropletId, SnapshotId},
    store::{self, Store, Weighed},
};

/// How fast the simulated world runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// For a person who watches and presses buttons.
    Watched,
    /// For a conversation that plays itself.
    Played,
}

impl Pace {
    fn durations(self) -> Durations {
        let millis = SignedDuration::from_millis;
        match self {
            Self::Watched => Durations {
                shutdown: millis(2_500),
                power_off: millis(1_500),
                power_on: millis(2_500),
                snapshot: millis(5_000),
                snapshot_per_gigabyte: millis(300),
                restore: millis(6_000),
                create: millis(5_000),
                ..Durations::all(millis(3_000))
            },
            Self::Played => Durations { snapshot: millis(2_000), ..Durations::all(millis(900)) },
        }
    }

    fn shutdown_timeout(self) -> &'static str {
        match self {
            Self::Watched => "12s",
            Self::Played => "4s",
        }
    }
}

/// For how many days the bot has recorded the account already.
const DAYS: i64 = 40;

/// A Snapshot in addition to those of the story.
#[derive(Clone, Debug)]
pub(super) struct Seed {
    pub(super) droplet: String,
    pub(super) name: String,
}

/// The simulated world for the bot.
pub(super) struct Services {
    pub(super) discord: Arc<Discord>,
    pub(super) digitalocean: Arc<DigitalOcean>,
    /// The clock that the bot, Discord and DigitalOcean use.
    pub(super) clock: Clock,
    pub(super) guild: Snowflake,
    ops: Snowflake,
    people: [Snowflake; 3],
    environment: BTreeMap<&'static str, String>,
    directory: TempDir,
}

impl Services {
    /// Builds the services, on any free ports.
    pub(super) async fn build(pace: Pace, seeds: &[Seed]) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("snapshot-bot-demo-").tempdir();
        let directory = directory.context("could not make a temporary directory")?;
        let clock = Clock::wall();
        let theirs = clock.clone();
        let now = Now::new(move || theirs.now());
        let discord = Discord::start(DiscordSettings { now: now.clone(), ..DiscordSettings::default() })
            .await
            .context("could not start the simulated Discord")?;
        let world = account(pace, now.get(), seeds);
        let digitalocean = DigitalOcean::start(world, Arc::new(move || now.get()))
            .await
            .context("could not start the simulated DigitalOcean")?;
        let certificate = directory.path().join("ca.pem");
        std::fs::write(&certificate, discord.ca_pem()).context("could not write the simulated authority")?;
        let (guild, ops, people, [operator, restorer]) = settle(&discord);
        let environment = BTreeMap::from([
            ("DISCORD_TOKEN", discord.token()),
            ("DISCORD_GUILD_ID", guild.to_string()),
            ("DIGITALOCEAN_TOKEN", TOKEN.to_owned()),
            ("DIGITALOCEAN_API_URL", digitalocean.url()),
            ("TAKE_ROLES", operator.to_string()),
            ("RESTORE_ROLES", restorer.to_string()),
            ("DATABASE_URL", format!("sqlite://{}", directory.path().join("demo.db").display())),
            ("POLL_INTERVAL", "250ms".to_owned()),
            ("SHUTDOWN_TIMEOUT", pace.shutdown_timeout().to_owned()),
            ("DECISION_TIMEOUT", "60s".to_owned()),
            ("SETTLE_TIME", "3s".to_owned()),
            ("DISCORD_CONNECT_TO", discord.rest_addr().to_string()),
            ("EXTRA_CA_FILE", certificate.display().to_string()),
        ]);
        if pace == Pace::Watched {
            talk(&discord, ops, people);
        }
        let (discord, digitalocean) = (Arc::new(discord), Arc::new(digitalocean));
        Ok(Self { discord, digitalocean, clock, guild, ops, people, environment, directory })
    }

    /// The configuration for a bot that uses these services.
    pub(super) fn config(&self) -> anyhow::Result<Config> {
        Config::from_lookup(|name| self.environment.get(name).cloned()).context("the demo's own configuration is wrong")
    }

    /// Records the daily sizes of the Snapshots, as a bot that ran on those days would have.
    pub(super) async fn remember(&self) -> anyhow::Result<()> {
        let url = self.environment.get("DATABASE_URL").cloned().unwrap_or_default();
        let settings = store::Settings { url: SecretString::from(url), notify_channel: None };
        let store = Store::open(&settings, self.clock.clone()).await.context("could not open the demo's database")?;
        let snapshots: Vec<(Timestamp, Weighed)> = self.digitalocean.read(|world| {
            let weighed = world.snapshots().map(|image| {
                let (snapshot, droplet) = (SnapshotId(image.id), image.droplet.map(DropletId));
                (image.created_at, Weighed { snapshot, droplet, gigabytes: image.size_gigabytes })
            });
            weighed.collect()
        });
        for days in (1..DAYS).rev() {
            let day = self.clock.now() - SignedDuration::from_hours(24 * days);
            let there: Vec<_> = snapshots.iter().filter(|(since, _)| *since <= day).map(|(_, it)| *it).collect();
            store.weigh(day, &there).await.context("could not write into the demo's database")?;
        }
        store.close().await;
        Ok(())
    }

    /// Adds running Droplets of these names.
    pub(super) fn add_droplets(&self, names: &[String]) {
        self.digitalocean.world(|world| {
            for name in names {
                world.add_droplet(&Blueprint::named(name));
            }
        });
    }

    /// The people whom a visitor can act as.
    pub(super) fn seats(&self) -> Vec<Snowflake> {
        self.people.to_vec()
    }

    /// The person who may take Snapshots, in `#ops`.
    pub(super) fn operator(&self) -> SimulatedUser {
        self.discord.as_user(self.people[0], self.ops)
    }

    /// The person who may restore and add schedules, in `#ops`.
    pub(super) fn restorer(&self) -> SimulatedUser {
        self.discord.as_user(self.people[1], self.ops)
    }

    /// The person who may do nothing, in `#ops`.
    pub(super) fn guest(&self) -> SimulatedUser {
        self.discord.as_user(self.people[2], self.ops)
    }

    /// Shuts down the services, once its parts are no longer in use.
    pub(super) async fn shutdown(self) {
        if let Some(discord) = Arc::into_inner(self.discord) {
            discord.stop().await;
        }
        if let Some(digitalocean) = Arc::into_inner(self.digitalocean) {
            digitalocean.stop().await;
        }
        // If it cannot be deleted, it is still in the system's temporary directory, which gets cleaned.
        let _ = self.directory.close();
    }
}

/// Builds the guild. Returns the guild, `#ops`, its people and the two roles that matter to the bot.
fn settle(discord: &Discord) -> (Snowflake, Snowflake, [Snowflake; 3], [Snowflake; 2]) {
    let mut world = discord.world();
    let guild = world.add_guild("The Workshop");
    let ops = world.add_channel(guild, "ops");
    world.add_channel(guild, "lounge");
    let operator = world.add_role(guild, "Operator", Permissions::NONE);
    let restorer = world.add_role(guild, "Restorer", Permissions::NONE);
    let people = ["ada", "rae", "gus"].map(|name| world.add_user(name));
    let roles: [&[Snowflake]; 3] = [&[operator], &[restorer], &[]];
    for (person, roles) in people.iter().zip(roles) {
        world.join(guild, *person, roles);
    }
    (guild, ops, people, [operator, restorer])
}

/// Adds the messages posted in `#ops` before the visitor came.
fn talk(discord: &Discord, ops: Snowflake, [ada, rae, gus]: [Snowflake; 3]) {
    for (who, words) in [
        (rae, "Minecraft gets its upgrade tonight. If it breaks the world, I want to be able to go back."),
        (gus, "Spawn took us three weeks, please don't lose it!"),
        (ada, "I'll take a Snapshot of `minecraft` first. The bot turns it back on by itself."),
    ] {
        discord.as_user(who, ops).say(words);
    }
}

/// The account: some running Droplets, one that is off, and Snapshots from earlier days.
fn account(pace: Pace, now: Timestamp, seeds: &[Seed]) -> World {
    let days_ago = |days: i64| now - SignedDuration::from_hours(24 * days);
    let settings = Settings {
        durations: pace.durations(),
        off_lag: SignedDuration::from_millis(400),
        listing_delay: SignedDuration::from_millis(600),
        // With four looks a second, the usual hourly limit would be used up within minutes.
        limits: Limits::hourly(100_000),
        ..Settings::default()
    };
    let mut world = World::new(settings, days_ago(DAYS));
    let droplets = [
        Blueprint::named("web-1").used_gigabytes(4.2),
        Blueprint::named("web-2").used_gigabytes(4.1),
        Blueprint::named("db-1").size("s-1vcpu-2gb").used_gigabytes(12.4),
        Blueprint::named("minecraft").region("fra1").size("s-2vcpu-2gb").used_gigabytes(8.7).tag("game"),
        Blueprint::named("valheim").region("fra1").size("s-1vcpu-2gb").used_gigabytes(6.3).tag("game"),
        Blueprint::named("staging").region("ams3").used_gigabytes(3.0).status(Status::Off),
    ];
    let [_, _, db, minecraft, _, staging] = droplets.map(|droplet| world.add_droplet(&droplet));
    for (hours, Seed { droplet, name }) in (1..).zip(seeds) {
        world.advance(days_ago(DAYS) + SignedDuration::from_hours(hours));
        let known = world.droplet_named(droplet).map(|known| (known.id, known.used_gigabytes));
        let (droplet, used) = known.unwrap_or_else(|| (world.add_droplet(&Blueprint::named(droplet)), 2.4));
        world.add_snapshot(droplet, name, used);
    }
    let snapshots = [
        (33, minecraft, "minecraft-spawn-finished", 7.9),
        (12, db, "db-1-before-migration", 11.8),
        (5, minecraft, "minecraft-before-1.21", 8.2),
        (2, staging, "staging-green", 3.0),
    ];
    for (days, droplet, name, gigabytes) in snapshots {
        world.advance(days_ago(days));
        world.add_snapshot(droplet, name, gigabytes);
    }
    world.add_volume("old-forum-data", "ams3", 20);
    world.advance(now);
    world
}
