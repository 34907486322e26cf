//! A small Guild for tests: two people, a Channel, and a plain REST client that acts as the bot.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::SignedDuration;
use serde_json::{Value, json};
use snapshot_bot_sandbox::discord::{
    event::Event,
    server::Discord,
    settings::{Now, Settings},
    simulated_user::SimulatedUser,
    snowflake::Snowflake,
};

use crate::{contract::Contract, drop_bomb::DropBomb};

/// The Guild, its people and its bot.
pub(crate) struct SandboxDiscord {
    pub(crate) discord: Discord,
    pub(crate) guild: Snowflake,
    pub(crate) channel: Snowflake,
    pub(crate) operators: Snowflake,
    pub(crate) ada: Snowflake,
    pub(crate) gil: Snowflake,
    client: reqwest::Client,
    ahead: Arc<AtomicI64>,
    bomb: DropBomb,
}

impl SandboxDiscord {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let ahead = Arc::new(AtomicI64::new(0));
        let (wall, moved) = (Now::wall(), Arc::clone(&ahead));
        let now = Now::new(move || wall.get() + SignedDuration::from_secs(moved.load(Ordering::SeqCst)));
        let mut settings = Settings { now, ..Settings::default() };
        change(&mut settings);
        let discord = Discord::start(settings).await.expect("loopback is free");
        let client = client(&discord);
        let (guild, channel, operators, ada, gil) = {
            let mut world = discord.world();
            let guild = world.add_guild("Acme");
            let operators =
                world.add_role(guild, "operators", snapshot_bot_sandbox::discord::permission::Permissions::NONE);
            let channel = world.add_channel(guild, "ops");
            let (ada, gil) = (world.add_user("ada"), world.add_user("gil"));
            world.join(guild, ada, &[operators]);
            world.join(guild, gil, &[]);
            (guild, channel, operators, ada, gil)
        };
        let bomb = DropBomb::new("a test ends with `finish`, which checks every exchange");
        Self { discord, guild, channel, operators, ada, gil, client, ahead, bomb }
    }

    /// Advances the world's clock.
    pub(crate) fn advance(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn seat(&self, user: Snowflake) -> SimulatedUser {
        self.discord.as_user(user, self.channel)
    }

    /// Sends a request as the bot. The body of the answer is null if there is none. A cut connection has status 0.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("https://discord.com/api/v10{path}");
        let method = method.parse().expect("a method");
        let mut request =
            self.client.request(method, url).header("authorization", format!("Bot {}", self.discord.token()));
        if !body.is_null() {
            request = request.json(body);
        }
        let Ok(response) = request.send().await else { return (0, Value::Null) };
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or_default())
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, &Value::Null).await
    }

    /// Sends a request that must be refused, and returns its status and code.
    pub(crate) async fn refused(&self, method: &str, path: &str, body: &Value) -> (u16, u64) {
        let (status, answer) = self.ask(method, path, body).await;
        (status, answer["code"].as_u64().unwrap_or_default())
    }

    /// Posts in the Channel without a ping.
    pub(crate) async fn post(&self, mut message: Value) -> (u16, Value) {
        if message["allowed_mentions"].is_null() {
            message["allowed_mentions"] = json!({"parse": []});
        }
        self.ask("POST", &format!("/channels/{}/messages", self.channel), &message).await
    }

    /// Registers `/snapshot take droplet: [power:]` and `/ping` in the Guild.
    pub(crate) async fn register(&self) {
        let power = json!({
            "type": 3, "name": "power", "description": "Off or live",
            "choices": [{"name": "Power off first", "value": "off"}, {"name": "Live", "value": "live"}],
        });
        let droplet =
            json!({"type": 3, "name": "droplet", "description": "Which", "required": true, "autocomplete": true});
        let take = json!({"type": 1, "name": "take", "description": "Take one", "options": [droplet, power]});
        let commands = json!([
            {"name": "snapshot", "description": "Snapshots", "options": [take]},
            {"name": "ping", "description": "Answer"},
        ]);
        let path = format!("/applications/{}/guilds/{}/commands", self.bot(), self.guild);
        let (status, answer) = self.ask("PUT", &path, &commands).await;
        assert_eq!(status, 200, "{answer}");
    }

    pub(crate) fn bot(&self) -> Snowflake {
        self.discord.world().bot()
    }

    /// Answers the newest waiting Interaction, and returns the answer to that.
    pub(crate) async fn respond(&self, response: Value) -> (u16, Value) {
        let path = self.callback().await;
        self.ask("POST", &path, &response).await
    }

    /// The path for the response to the newest Interaction, once one waits.
    pub(crate) async fn callback(&self) -> String {
        let (id, token) = self.waiting().await;
        format!("/interactions/{id}/{token}/callback")
    }

    /// An Interaction that waits for its first response.
    pub(crate) async fn waiting(&self) -> (Snowflake, String) {
        self.discord.until(|world| world.awaited().map(|interaction| (interaction.id, interaction.token.clone()))).await
    }

    /// Ends the test: checks every exchange so far against Discord's specification.
    pub(crate) async fn finish(mut self) {
        self.bomb.defuse();
        let journal = self.discord.world().journal().clone();
        self.discord.stop().await;
        if let Some(contract) = Contract::get() {
            let broken: Vec<String> = journal.iter().filter_map(|exchange| contract.broken_by(exchange)).collect();
            assert!(broken.is_empty(), "{}", broken.join("\n"));
        }
    }
}

/// A client that connects to loopback for discord.com.
pub(crate) fn client(discord: &Discord) -> reqwest::Client {
    let authority = reqwest::Certificate::from_pem(discord.ca_pem().as_bytes()).expect("a certificate");
    reqwest::Client::builder()
        .use_rustls_tls()
        .tls_built_in_root_certs(false)
        .add_root_certificate(authority)
        .resolve("discord.com", discord.rest_addr())
        .no_proxy()
        .build()
        .expect("a client")
}

/// Waits for one event.
pub(crate) async fn wait_for(
    events: &mut tokio::sync::broadcast::Receiver<Event>,
    wanted: impl Fn(&Event) -> bool,
) -> Event {
    loop {
        let event = events.recv().await.expect("the world goes on");
        if wanted(&event) {
            return event;
        }
    }
}
