//! The simulated services, and the environment that leads the program to them.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::Value;
use snapshot_bot_sandbox::{
    control::gate::{Held, Point},
    digitalocean::{
        droplet::{Blueprint, Status},
        fault::Pattern,
        server::DigitalOcean,
        settings::Settings as CloudSettings,
        world::{TOKEN, World as Cloud},
    },
    discord::{
        interaction::Response,
        permission::Permissions,
        server::Discord,
        settings::{Now, Settings},
        simulated_user::SimulatedUser,
        snowflake::Snowflake,
    },
};

use super::{
    process::{PATIENCE, Process, Signal, until_answered},
    services::{environment, quick},
};

/// A Guild with `#ops`, where Ada may take Snapshots, and an account with `web-1` and `db-1`.
pub(crate) struct Stage {
    pub(crate) discord: Discord,
    pub(crate) digitalocean: DigitalOcean,
    pub(crate) guild: Snowflake,
    pub(crate) ops: Snowflake,
    pub(crate) ada: SimulatedUser,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) environment: BTreeMap<&'static str, String>,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(quick()).await
    }

    pub(crate) async fn with(settings: CloudSettings) -> Self {
        let now = Now::wall();
        let mut account = Cloud::new(settings, now.get());
        for name in ["web-1", "db-1"] {
            account.add_droplet(&Blueprint::named(name));
        }
        let digitalocean = DigitalOcean::start(account, Arc::new(move || now.get())).await.unwrap();
        let discord = Discord::start(Settings::default()).await.unwrap();
        let (guild, ops, role, ada) = {
            let mut world = discord.world();
            let guild = world.add_guild("The Workshop");
            let (ops, role) = (world.add_channel(guild, "ops"), world.add_role(guild, "Operator", Permissions::NONE));
            let ada = world.add_user("ada");
            world.join(guild, ada, &[role]);
            (guild, ops, role, ada)
        };
        let folder = tempfile::tempdir().unwrap();
        let mut environment = environment(&discord, guild, (&digitalocean, TOKEN), folder.path());
        environment.insert("RESTORE_ROLES", role.to_string());
        let ada = discord.as_user(ada, ops);
        Self { discord, digitalocean, guild, ops, ada, folder, environment }
    }

    /// Starts the bot.
    pub(crate) fn start(&self, name: &str) -> Process {
        self.start_with(name, &[])
    }

    /// Starts the bot with further variables.
    pub(crate) fn start_with(&self, name: &str, variables: &[(&'static str, String)]) -> Process {
        let mut environment = self.environment.clone();
        environment.extend(variables.iter().cloned());
        Process::start(self.folder.path(), name, &[], &environment)
    }

    /// Starts the bot with an address of its own, and waits until it is ready and has registered its commands.
    pub(crate) async fn ready(&self, name: &str) -> (Process, String) {
        let address = free_address();
        let process = self.start_with(name, &[("HTTP_ADDR", address.clone())]);
        until_answered(&address, "/readyz", 200, "ready").await;
        let path = ["snapshot", "take"].map(str::to_owned);
        let registered = self.discord.until(|world| world.registered(Some(self.guild), &path).map(drop));
        let registered = tokio::time::timeout(PATIENCE, registered).await;
        assert!(registered.is_ok(), "the commands were never registered\n{}", process.logged());
        (process, address)
    }

    /// Takes a Snapshot of `web-1` as Ada, and holds the Action of this type after it began.
    pub(crate) async fn take_held_at(&self, action: &str) -> Held {
        let held = self.digitalocean.gate().hold(Point::BeforeAnswer, Pattern::action(action), 0);
        self.ada.run("/snapshot take droplet:web-1").await.unwrap();
        let held = tokio::time::timeout(PATIENCE, held.caught()).await;
        held.unwrap_or_else(|_| panic!("no {action} came\n{}", self.ada.transcript())).unwrap()
    }

    /// Waits until Ada sees this text.
    pub(crate) async fn reads(&self, text: &str) {
        let mut changes = self.discord.changes();
        let reading = async {
            while !self.ada.transcript().contains(text) {
                changes.changed().await.unwrap();
            }
        };
        let read = tokio::time::timeout(PATIENCE, reading).await;
        assert!(read.is_ok(), "ada never read `{text}`\n{}\n{:?}", self.ada.transcript(), self.commands());
    }

    /// Presses, as Ada, the button with this label on the latest message that has it.
    pub(crate) async fn press(&self, label: &str) {
        let (message, custom_id) = self.button(label);
        self.ada.press(message, &custom_id).await.unwrap();
    }

    /// The button with this label on the latest message that has it, and that message.
    pub(crate) fn button(&self, label: &str) -> (Snowflake, String) {
        let messages = self.ada.messages();
        let button = messages.iter().rev().find_map(|message| {
            let rows = message.body.components.iter();
            let mut buttons = rows.flat_map(|row| row["components"].as_array().into_iter().flatten());
            let button = buttons.find(|button| button["label"] == label)?;
            Some((message.id, button["custom_id"].as_str()?.to_owned()))
        });
        button.unwrap_or_else(|| panic!("no button {label}\n{}", self.ada.transcript()))
    }

    /// The answer that Ada reads to a command.
    pub(crate) async fn answer(&self, line: &str) -> String {
        let response = self.ada.run(line).await;
        let Ok(Response::Message(message)) = response else { panic!("{response:?}") };
        self.discord.world().message(message).unwrap().body.content.clone()
    }

    /// The Actions that began, as words such as `shutdown web-1`.
    pub(crate) fn commands(&self) -> Vec<String> {
        let journal = self.digitalocean.journal();
        let begun = journal.iter().filter(|entry| entry.request.method.to_string() == "POST");
        begun
            .map(|entry| {
                let body: Value = serde_json::from_slice(&entry.request.body).unwrap_or_default();
                let id = entry.request.path.split('/').nth(3).and_then(|id| id.parse().ok());
                let name = id.and_then(|id| self.digitalocean.read(|world| world.droplet(id).map(|d| d.name.clone())));
                format!("{} {}", body["type"].as_str().unwrap_or("?"), name.unwrap_or_default())
            })
            .collect()
    }

    /// Whether `web-1` runs.
    pub(crate) fn web_is_on(&self) -> bool {
        self.digitalocean.read(|world| world.droplets().any(|one| one.name == "web-1" && one.status == Status::Active))
    }

    /// Stops a bot with a signal.
    pub(crate) async fn stop(&self, process: Process) -> super::process::Ended {
        process.signal(Signal::Terminate);
        let ended = process.end().await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended
    }
}

/// An address that nothing listens on and that no other test gets.
///
/// A port alone is not enough: between this look and the bot's own bind, the system may give it to another test's bot, whose readiness then
/// answers for this one. So each caller gets a host of its own, where the whole of 127.0.0.0/8 is loopback, as on Linux.
pub(crate) fn free_address() -> String {
    static GIVEN: AtomicU32 = AtomicU32::new(1);
    let given = GIVEN.fetch_add(1, Ordering::Relaxed);
    assert!(given < 511, "more addresses than one run has hosts");
    let host = (127 << 24) | ((std::process::id() << 9) & 0x00ff_ffff) | given;
    let listener = TcpListener::bind((Ipv4Addr::from_bits(host), 0));
    let listener = listener.or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    listener.unwrap().local_addr().unwrap().to_string()
}
