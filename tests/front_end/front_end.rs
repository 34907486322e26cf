//! Everything that the Discord front end needs, started for one test and stopped with it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::SignedDuration;
use secrecy::SecretString;
use snapshot_bot::{
    access::{Policy, Roles},
    clock::Clock,
    digitalocean::client::{self, Client},
    discord::{
        Error,
        bot::{Bot, Rooms, Settings},
        intake::Intake,
        limits::Limits,
        watchdog::Patience,
    },
    inventory::Inventory,
    operation::{
        Instruction, Operation, Rules,
        ids::{ChannelId, GuildId, OperationId, RoleId},
    },
    store::{self, Store},
};
use snapshot_bot_sandbox::{
    digitalocean::{server::DigitalOcean, settings::Settings as Catalogue, world::TOKEN},
    discord::{
        interaction::Response,
        journal::Exchange,
        message::Message,
        permission::Permissions,
        server::Discord,
        settings::{Now, Settings as SimulatedDiscord},
        simulated_user::SimulatedUser,
        snowflake::Snowflake,
        world::World as Chat,
    },
};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{services::Services, waiting::within};

/// How long a test waits before it fails: long enough for a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often Discord wants to hear from the bot, and how long the bot waits for Discord.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GatewayTiming {
    /// The heartbeat interval that Discord sends when the bot connects.
    pub(crate) heartbeat: Duration,
    pub(crate) patience: Patience,
}

impl Default for GatewayTiming {
    fn default() -> Self {
        Self { heartbeat: SimulatedDiscord::default().heartbeat_interval, patience: Patience::default() }
    }
}

/// A guild with one channel, three people and the bot: ada and bob take Snapshots, mia manages the guild.
pub(crate) struct FrontEnd {
    pub(crate) discord: Discord,
    pub(crate) store: Arc<Store>,
    pub(crate) clock: Clock,
    pub(crate) intake: Intake,
    pub(crate) guild: Snowflake,
    pub(crate) channel: Snowflake,
    /// The channel that receives every outcome.
    pub(crate) notified: Snowflake,
    /// Whether the bot reports that the gateway is connected; `None` while there is no bot.
    pub(crate) ready: Option<watch::Receiver<bool>>,
    patience: Patience,
    digitalocean: DigitalOcean,
    rooms: Rooms,
    takers: Snowflake,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    bot: Option<JoinHandle<Result<(), Error>>>,
}

impl FrontEnd {
    /// Everything started, connected and registered.
    pub(crate) async fn new() -> Self {
        Self::with(GatewayTiming::default()).await
    }

    /// Everything with this timing, started, connected and registered.
    pub(crate) async fn with(timing: GatewayTiming) -> Self {
        let mut front_end = Self::not_started(timing).await;
        front_end.start().await.expect("the bot starts");
        front_end.offered().await;
        front_end
    }

    /// The world without the bot.
    pub(crate) async fn not_started(GatewayTiming { heartbeat, patience }: GatewayTiming) -> Self {
        let clock = Clock::wall();
        let now = clock.clone();
        let settings = SimulatedDiscord {
            heartbeat_interval: heartbeat,
            now: Now::new(move || now.now()),
            ..SimulatedDiscord::default()
        };
        let (now, droplets) = (clock.clone(), ["web-1", "web-2", "valheim"]);
        let services = Services::start(settings, Catalogue::default(), &droplets, move || now.now()).await;
        let Services { discord, digitalocean, guild, ops: channel } = services;
        let (notified, takers, viewers) = {
            let mut world = discord.world();
            let notified = world.add_channel(guild, "watch");
            let takers = world.add_role(guild, "operators", Permissions::NONE);
            let viewers = world.add_role(guild, "guests", Permissions::NONE);
            for (name, role) in [("ada", takers), ("bob", takers), ("gil", viewers)] {
                let user = world.add_user(name);
                world.join(guild, user, &[role]);
            }
            (notified, takers, viewers)
        };
        let notify_channel = Some(ChannelId(notified.get()));
        let settings = store::Settings { url: SecretString::from("sqlite::memory:"), notify_channel };
        let store = Arc::new(Store::open(&settings, clock.clone()).await.expect("memory is free"));
        let now = clock.clone();
        let origin = digitalocean.url().parse().expect("an address");
        let settings = client::Settings::new(origin, SecretString::from(TOKEN));
        let client = Client::new(&settings, Arc::new(move || now.now())).expect("a client");
        let only = |role: Snowflake| BTreeSet::from([RoleId(role.get())]);
        let roles = Roles { view: only(viewers), take: only(takers), ..Roles::default() };
        let intake = Intake::default();
        let rooms = Rooms {
            store: Arc::clone(&store),
            inventory: Arc::new(Inventory::new(client, None)),
            policy: Policy::new([GuildId(guild.get())], roles),
            clock: clock.clone(),
            intake: intake.clone(),
            members: snapshot_bot::discord::members::Members::default(),
        };
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        Self {
            discord,
            store,
            clock,
            intake,
            guild,
            channel,
            notified,
            ready: None,
            patience,
            digitalocean,
            rooms,
            takers,
            shutdown,
            tasks,
            bot: None,
        }
    }

    /// Starts the bot, its reporter and the inventory.
    pub(crate) async fn start(&mut self) -> Result<(), Error> {
        let settings = Settings {
            token: SecretString::from(self.discord.token()),
            connect_to: Some(self.discord.rest_addr()),
            extra_ca_pem: Some(self.discord.ca_pem().to_owned()),
            price_per_gb: 0.06,
            rules: rules(),
            notify_channel: Some(ChannelId(self.notified.get())),
            own_droplet: None,
            failure_role: None,
            reach: snapshot_bot::ping::Reach::Public,
            report_channel: None,
            patience: self.patience,
            // People in tests are faster than real ones.
            limits: Limits { interactions: 1_000, operations: 10, take_cooldown: None },
        };
        let bot = Bot::start(settings, self.rooms.clone(), &self.shutdown).await?;
        self.ready = Some(bot.ready());
        self.tasks.spawn(bot.reporter().run(self.shutdown.clone()));
        self.tasks.spawn(Arc::clone(&self.rooms.inventory).run(self.shutdown.clone()));
        self.bot = Some(self.tasks.spawn(bot.run(self.shutdown.clone())));
        Ok(())
    }

    /// Waits until the commands are offered to people.
    pub(crate) async fn offered(&self) {
        let ada = self.seat("ada");
        self.until(|world| (!world.offered_commands(ada.channel, ada.user).is_empty()).then_some(())).await;
    }

    /// How the bot ended.
    pub(crate) async fn ended(&mut self) -> Result<(), Error> {
        self.bot.take().expect("it runs").await.expect("it does not panic")
    }

    pub(crate) fn seat(&self, name: &str) -> SimulatedUser {
        let user = self.discord.world().user_named(name).expect("somebody of this name");
        self.discord.as_user(user, self.channel)
    }

    /// Runs a command to its answer, and returns the text that the person reads.
    pub(crate) async fn said_to(&self, name: &str, line: &str) -> String {
        let response = self.seat(name).run(line).await.expect("an answer");
        self.read(&response).await
    }

    /// The text of an answer, once the bot has stopped thinking.
    pub(crate) async fn read(&self, response: &Response) -> String {
        let (Response::Message(id) | Response::Thinking(id)) = response else { panic!("no message: {response:?}") };
        let id = *id;
        self.until(|world| {
            let message = world.message(id).filter(|message| !message.is_loading())?;
            let framed = message.body.embeds.iter().filter_map(|embed| embed["description"].as_str());
            Some(framed.fold(message.body.content.clone(), |said, framed| said + framed))
        })
        .await
    }

    /// A public message of the bot that fits, once it is posted.
    pub(crate) async fn posted(&self, fits: impl Fn(&Message) -> bool) -> Message {
        self.posted_in(self.channel, fits).await
    }

    /// A message of the bot that fits in another channel, once it is posted.
    pub(crate) async fn posted_in(&self, channel: Snowflake, fits: impl Fn(&Message) -> bool) -> Message {
        self.until(|world| world.messages_in(channel).find(|message| message.is_public() && fits(message)).cloned())
            .await
    }

    /// How many messages in a channel contain this text.
    pub(crate) fn count(&self, channel: Snowflake, text: &str) -> usize {
        let world = self.discord.world();
        world.messages_in(channel).filter(|message| message.is_public() && message.body.content.contains(text)).count()
    }

    /// Waits for a message with this text in a channel, while time passes.
    pub(crate) async fn posted_later(&self, channel: Snowflake, text: &str) {
        self.until_later(|front_end| front_end.count(channel, text) > 0).await;
    }

    /// Waits until Discord has answered this many requests of a kind, while time passes.
    pub(crate) async fn until_answered_later(&self, method: &str, path: &str, times: usize) {
        self.until_later(|front_end| answered(&front_end.discord.world(), method, path) >= times).await;
    }

    async fn until_later(&self, instruction: impl Fn(&Self) -> bool) {
        self.patiently(async {
            while !instruction(self) {
                self.clock.advance(SignedDuration::from_secs(10));
                // The store does not notify when the bot has recorded what to retry, and when.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }

    /// Waits until `look` finds something in Discord's world.
    pub(crate) async fn until<T>(&self, look: impl FnMut(&mut Chat) -> Option<T>) -> T {
        self.patiently(self.discord.until(look)).await
    }

    /// A wait that takes too long fails the test with what people saw meanwhile.
    async fn patiently<T>(&self, waiting: impl Future<Output = T>) -> T {
        within(PATIENCE, waiting, async || {
            let world = self.discord.world();
            let channels = [self.channel, self.notified].into_iter();
            let said: Vec<_> =
                channels.flat_map(|channel| world.messages_in(channel)).map(|message| &message.body).collect();
            format!("what the channels show: {said:#?}")
        })
        .await
    }

    /// Waits until Discord has answered this many requests of a kind.
    pub(crate) async fn until_answered(&self, method: &str, path: &str, times: usize) {
        self.until(|world| (answered(world, method, path) >= times).then_some(())).await;
    }

    /// Waits until the bot reports that the gateway is connected, or that it is not.
    pub(crate) async fn until_ready(&mut self, is_ready: bool) {
        let ready = self.ready.as_mut().expect("a bot");
        ready.wait_for(|ready| *ready == is_ready).await.expect("it lives");
    }

    /// Lets the bot send what is due, and ends it.
    pub(crate) async fn leave(&self) {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// The running operation.
    pub(crate) async fn running(&self) -> Operation {
        let mut running = self.store.running().await.expect("the store answers");
        running.pop().expect("one runs").operation
    }

    /// Commits a change in place of the worker.
    pub(crate) async fn commit(&self, id: OperationId, change: impl FnOnce(&mut Operation)) {
        let loaded = self.store.load(id).await.expect("the store answers").expect("it exists");
        let mut operation = loaded.operation.clone();
        change(&mut operation);
        self.store.commit(&loaded, &operation, None).await.expect("nobody else commits");
    }

    /// Waits until the bot records that people can read a question.
    pub(crate) async fn until_shown(&self, id: OperationId) {
        self.patiently(async {
            loop {
                let instructions =
                    self.store.load(id).await.expect("the store answers").expect("it exists").instructions;
                if instructions.iter().any(|(_, instructed)| instructed.instruction == Instruction::QuestionShown) {
                    return;
                }
                self.store.changes().worker.notified().await;
            }
        })
        .await;
    }

    /// Stops everything. The bot must have done nothing that Discord would refuse.
    pub(crate) async fn close(self) {
        let complaints = self.discord.world().complaints();
        self.leave().await;
        self.discord.stop().await;
        self.digitalocean.stop().await;
        assert!(complaints.is_empty(), "{complaints:#?}");
    }

    /// Stops the bot.
    pub(crate) fn stop(&self) {
        self.shutdown.cancel();
    }

    pub(crate) fn takers(&self) -> Snowflake {
        self.takers
    }
}

/// How many requests of this kind Discord has answered.
fn answered(world: &Chat, method: &str, path: &str) -> usize {
    let fits = |exchange: &&Exchange| {
        exchange.request.method == method && exchange.request.path == path && exchange.status().is_some()
    };
    world.journal().iter().filter(fits).count()
}

pub(crate) fn rules() -> Rules {
    Rules {
        shutdown_timeout: SignedDuration::from_mins(2),
        decision_timeout: SignedDuration::from_mins(10),
        settle_time: SignedDuration::from_secs(30),
        poll_interval: SignedDuration::from_secs(5),
        droplet_tag: None,
        are_requests_scarce: false,
    }
}
