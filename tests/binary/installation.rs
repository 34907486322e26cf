//! The program as its operator installs it: a folder, and the environment that leads it to the simulated services.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU32, Ordering},
};

use snapshot_bot_sandbox::{
    control::gate::{Held, Point, Waiting},
    digitalocean::{droplet::Status, fault::Pattern, server::DigitalOcean, settings::Settings as DigitalOceanSettings},
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
    environment::{environment, quick},
    process::{Ended, PATIENCE, Process, Signal, until_answered},
    sent,
    services::Services,
    waiting::within,
};

/// A Guild with `#ops`, where Ada may take Snapshots, and an account with `web-1` and `db-1`.
pub(crate) struct Installation {
    pub(crate) discord: Discord,
    pub(crate) digitalocean: DigitalOcean,
    pub(crate) guild: Snowflake,
    pub(crate) ops: Snowflake,
    pub(crate) ada: SimulatedUser,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) environment: BTreeMap<&'static str, String>,
}

impl Installation {
    pub(crate) async fn new() -> Self {
        Self::with(quick()).await
    }

    pub(crate) async fn with(digitalocean: DigitalOceanSettings) -> Self {
        let now = Now::wall();
        let services = Services::start(Settings::default(), digitalocean, &["web-1", "db-1"], move || now.get()).await;
        let folder = tempfile::tempdir().unwrap();
        let mut environment = environment(&services, folder.path());
        let Services { discord, digitalocean, guild, ops } = services;
        let (role, ada) = {
            let mut world = discord.world();
            let (role, ada) = (world.add_role(guild, "Operator", Permissions::NONE), world.add_user("ada"));
            world.join(guild, ada, &[role]);
            (role, ada)
        };
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
        within(PATIENCE, registered, async || format!("its commands are registered\n{}", process.logged())).await;
        (process, address)
    }

    /// Takes a Snapshot of `web-1` as Ada, and holds the Action of this type after it began.
    pub(crate) async fn take_held_at(&self, action: &str) -> Held {
        let held = self.digitalocean.gate().hold(Point::BeforeAnswer, Pattern::action(action), 0);
        self.ada.run("/snapshot take droplet:web-1").await.unwrap();
        self.caught(held).await
    }

    /// Waits until a request arrives that is to be held.
    pub(crate) async fn caught(&self, held: Waiting) -> Held {
        within(PATIENCE, held.caught(), async || format!("a request is held\n{}", self.ada.transcript())).await.unwrap()
    }

    /// Waits until Ada sees this text.
    pub(crate) async fn reads(&self, text: &str) {
        let mut changes = self.discord.changes();
        let reading = async {
            while !self.ada.transcript().contains(text) {
                changes.changed().await.unwrap();
            }
        };
        let seen = async || format!("ada reads `{text}`\n{}\n{:?}", self.ada.transcript(), self.commands());
        within(PATIENCE, reading, seen).await;
    }

    /// Presses, as Ada, the button with this label on the latest message that has it.
    pub(crate) async fn press(&self, label: &str) {
        let (message, custom_id) = self.button(label);
        self.ada.press(message, &custom_id).await.unwrap();
    }

    /// The button with this label on the latest message that has it, and that message.
    pub(crate) fn button(&self, label: &str) -> (Snowflake, String) {
        self.ada.button(label).unwrap_or_else(|| panic!("no button {label}\n{}", self.ada.transcript()))
    }

    /// The answer that Ada reads to a command.
    pub(crate) async fn answer(&self, line: &str) -> String {
        let response = self.ada.run(line).await;
        let Ok(Response::Message(message)) = response else { panic!("{response:?}") };
        self.discord.world().message(message).unwrap().body.content.clone()
    }

    /// The POSTs and DELETEs that DigitalOcean has received, as words such as `shutdown web-1`.
    pub(crate) fn commands(&self) -> Vec<String> {
        sent::commands(&self.digitalocean)
    }

    /// Whether `web-1` runs.
    pub(crate) fn web_is_on(&self) -> bool {
        self.digitalocean.read(|world| world.droplets().any(|one| one.name == "web-1" && one.status == Status::Active))
    }

    /// Stops a bot with a signal.
    pub(crate) async fn stop(&self, process: Process) -> Ended {
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
