//! The bot on Discord. It is built once and runs until it is stopped or Discord refuses it permanently.
//!
//! `app` starts it, runs it together with its [`Reporter`], and closes it before everything else when the process stops or loses its lease.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use secrecy::SecretString;
use serenity::{
    Client, all::GatewayIntents, cache, client::ClientBuilder, http::Http, model::gateway::SessionStartLimit,
    model::id::UserId,
};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Error, buckets,
    check::ApplicationId,
    dedup::RecentInteractions,
    global_rate_limit::GlobalRateLimit,
    group_reporter::GroupReporter,
    handler::Handler,
    intake::Intake,
    interactions::Interactions,
    limits::{Limits, People, RefusalLog},
    members::Members,
    messages::Wording,
    monthly::Monthly,
    names::Names,
    presence,
    registration::Registrar,
    relay::Relay,
    reporter::Reporter,
    roles::RoleNames,
    schedule_reporter::ScheduleReporter,
    state::{AppState, CommandIds},
    watchdog::{Patience, Watchdog},
    wire::{self, Route, Trouble},
};
use crate::{
    access::Policy,
    clock::Clock,
    inventory::Inventory,
    operation::{
        Rules,
        ids::{ChannelId, DropletId, RoleId},
    },
    ping::Reach,
    store::Store,
};

/// The longest pause between two attempts to reach Discord.
const SLOWEST: Duration = Duration::from_secs(30);
/// Discord revokes the token of a bot that begins more sessions than its daily limit, so the bot leaves this many unused.
const SPARE_SESSIONS: u64 = 50;
/// How long closing the gateway may take; a bot that is still connecting has nothing to close.
const CLOSING: Duration = Duration::from_secs(2);

/// How long the relay may take to forward the close frames.
const FAREWELL: Duration = Duration::from_millis(500);

/// The configuration that the bot needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The bot's token.
    pub token: SecretString,
    /// Where to connect instead of discord.com. Only simulators set it.
    pub connect_to: Option<SocketAddr>,
    /// The only root certificate to trust there, as PEM.
    pub extra_ca_pem: Option<String>,
    /// The price of a Snapshot, in dollars per GB and month.
    pub price_per_gb: f64,
    /// The timeouts of questions and shutdowns.
    pub rules: Rules,
    /// The Droplet that this process runs on, if known.
    pub own_droplet: Option<DropletId>,
    /// The channel for messages that cannot be posted where the operation was requested.
    pub notify_channel: Option<ChannelId>,
    /// The channel for the monthly cost report.
    pub report_channel: Option<ChannelId>,
    /// The role to ping when a Droplet is off and does not come back.
    pub failure_role: Option<RoleId>,
    /// How long the gateway may be disconnected.
    pub patience: Patience,
    /// How much one person may request.
    pub limits: Limits,
    /// Which addresses schedules may call.
    pub reach: Reach,
}

/// The modules that the bot works with.
#[derive(Clone)]
pub struct Rooms {
    /// The operations, schedules and reports.
    pub store: Arc<Store>,
    /// Droplets and Snapshots by name.
    pub inventory: Arc<Inventory>,
    /// Which roles have which rights, and in which guilds.
    pub policy: Policy,
    /// The source of the current time.
    pub clock: Clock,
    /// Whether new operations may start.
    pub intake: Intake,
    /// How other modules look up guild members.
    pub members: Members,
}

/// The bot, logged in and not yet connected to the gateway.
pub struct Bot {
    application: ApplicationId,
    client: Client,
    registrar: Registrar,
    reporter: Reporter,
    schedule_reporter: ScheduleReporter,
    group_reporter: GroupReporter,
    monthly: Monthly,
    watchdog: Watchdog,
    state: Arc<AppState>,
    refusals: RefusalLog,
    left: CancellationToken,
    relaying: TaskTracker,
}

impl Bot {
    /// Logs in and looks up the gateway's address. Retries until Discord answers or `shutdown` is cancelled, and fails at once if Discord
    /// refuses the token.
    pub async fn start(settings: Settings, rooms: Rooms, shutdown: &CancellationToken) -> Result<Self, Error> {
        let Settings {
            token,
            connect_to,
            extra_ca_pem,
            price_per_gb,
            rules,
            own_droplet,
            notify_channel,
            report_channel,
            failure_role,
            patience,
            limits,
            reach,
        } = settings;
        let http = wire::http(&Route { token, connect_to, extra_ca_pem })?;
        let login = log_in(&http, connect_to.is_some());
        let login = shutdown.run_until_cancelled(login).await.ok_or(Error::Stopped)??;
        let wording = Wording { price_per_gb, rules, failure_role };
        let Rooms { store, inventory, policy, clock, intake, members } = rooms;
        let state = Arc::new(AppState {
            store,
            inventory,
            policy,
            clock,
            intake,
            commands: CommandIds::default(),
            wording,
            own_droplet,
            names: Names::default(),
            roles: Arc::new(RoleNames::default()),
            limits,
            reach,
            people: People::new(&limits),
            refusals: RefusalLog::default(),
        });
        let (seen, guilds) = mpsc::unbounded_channel();
        let (global_rate_limit, stirred, left) =
            (GlobalRateLimit::default(), Arc::new(Notify::new()), CancellationToken::new());
        let handler = Arc::new(Handler {
            state: Arc::clone(&state),
            options: Handler::options(),
            shards: std::sync::OnceLock::new(),
            seen,
            recent_interactions: RecentInteractions::default(),
            global_rate_limit: global_rate_limit.clone(),
            stirred: Arc::clone(&stirred),
            left: left.clone(),
        });
        let client = ClientBuilder::new_with_http(http, GatewayIntents::GUILDS)
            .event_handler_arc(Arc::clone(&handler))
            .raw_event_handler(Interactions(Arc::clone(&handler)))
            .cache_settings(smallest_cache())
            .await
            .map_err(Error::of_gateway)?;
        // serenity connects to the real gateway if it cannot look up the address. The address is known here, so the relay stands in its
        // place.
        let relay = Relay::open(&login.gateway).await.map_err(Error::Relay)?;
        *client.ws_url.lock().await = relay.url().map_err(Error::Relay)?;
        let relaying = TaskTracker::new();
        let session = relay.session();
        relaying.spawn(relay.run(left.clone()));
        let shards = Arc::clone(&client.shard_manager);
        let _ = handler.shards.set(Arc::clone(&shards));
        let watchdog = Watchdog { shards, session, stirred, ready: watch::Sender::new(false), patience };
        let http = Arc::clone(&client.http);
        members.learn(&http);
        let other_channels = notify_channel.into_iter().chain(report_channel).collect();
        let schedule_reporter =
            ScheduleReporter::new(Arc::clone(&http), &state, global_rate_limit.clone(), other_channels, login.me);
        let group_reporter =
            GroupReporter::new(Arc::clone(&http), &state, global_rate_limit.clone(), notify_channel, login.me);
        let monthly =
            Monthly { http: Arc::clone(&http), state: Arc::clone(&state), channel: report_channel, me: login.me };
        let reporter = Reporter::new(Arc::clone(&http), &state, global_rate_limit, notify_channel, login.me);
        Ok(Self {
            application: login.application,
            refusals: state.refusals.clone(),
            state: Arc::clone(&state),
            registrar: Registrar::new(http, state, guilds),
            client,
            reporter,
            schedule_reporter,
            group_reporter,
            monthly,
            watchdog,
            left,
            relaying,
        })
    }

    /// The id of the application that the token belongs to.
    pub fn application(&self) -> ApplicationId {
        self.application
    }

    /// The reporter that posts progress and outcomes. Run it together with the bot; it outlives the bot by a moment.
    pub fn reporter(&self) -> Reporter {
        self.reporter.clone()
    }

    /// The reporter for schedules. Run it together with the bot.
    pub fn schedule_reporter(&self) -> ScheduleReporter {
        self.schedule_reporter.clone()
    }

    /// The reporter for runs of groups that people started. Run it together with the bot.
    pub fn group_reporter(&self) -> GroupReporter {
        self.group_reporter.clone()
    }

    /// The task that posts the monthly cost report. Run it together with the bot.
    pub fn monthly(&self) -> Monthly {
        self.monthly.clone()
    }

    /// Whether the gateway is connected.
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.watchdog.ready.subscribe()
    }

    /// Listens until `shutdown`, then closes the gateway. Before that it returns only with an error, since a bot that receives nothing must
    /// not stay running.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let Self { mut client, registrar, watchdog, state, refusals, left, relaying, .. } = self;
        let left = left.drop_guard();
        let (shards, http) = (Arc::clone(&client.shard_manager), Arc::clone(&client.http));
        // While the bot is still connecting there is no shard to close, and serenity's own loop would wait for one forever.
        let close = async || drop(tokio::time::timeout(CLOSING, shards.shutdown_all()).await);
        let closed = async {
            shutdown.cancelled().await;
            close().await;
        };
        let deaf = async {
            let since = watchdog.watch().await;
            close().await;
            Error::Deaf(since)
        };
        let registering = async {
            registrar.run().await;
            std::future::pending::<()>().await;
        };
        let ended = tokio::select! {
            biased;
            () = closed => Ok(()),
            () = registering => Ok(()),
            () = presence::show(&state, &shards) => Ok(()),
            never = refusals.run() => match never {},
            never = buckets::watch(http) => match never {},
            error = deaf => Err(error),
            ended = client.start() => match ended {
                Ok(()) if shutdown.is_cancelled() => Ok(()),
                Ok(()) => Err(Error::Ended(None)),
                Err(error) => Err(Error::of_gateway(error)),
            },
        };
        drop(left);
        relaying.close();
        // The last frames are still on their way through the relay.
        drop(tokio::time::timeout(FAREWELL, relaying.wait()).await);
        ended
    }
}

/// What Discord returns at login.
struct Login {
    gateway: String,
    me: UserId,
    application: ApplicationId,
}

async fn log_in(http: &Http, is_simulated: bool) -> Result<Login, Error> {
    let application = patiently("log in to Discord", || wire::application(http)).await?;
    http.set_application_id(application.id);
    let me = patiently("ask Discord who we are", || wire::me(http)).await?;
    let gateway = loop {
        let gateway = patiently("ask Discord for its gateway", || http.get_bot_gateway()).await?;
        let Some(pause) = pause_before_session(&gateway.session_start_limit) else { break gateway.url };
        tracing::error!(?pause, "too many sessions were begun today; waiting until Discord allows more");
        tokio::time::sleep(pause).await;
    };
    let scheme = if is_simulated { "ws" } else { "wss://" };
    if !gateway.starts_with(scheme) {
        return Err(Error::BadGateway);
    }
    Ok(Login { gateway, me: me.id, application: ApplicationId(application.id.get()) })
}

/// How long the bot must wait before it may begin a session; `None` if it may begin one now.
fn pause_before_session(limit: &SessionStartLimit) -> Option<Duration> {
    (limit.remaining < SPARE_SESSIONS.min(limit.total)).then(|| Duration::from_millis(limit.reset_after))
}

/// Retries until Discord answers. A refusal is final.
async fn patiently<T, F: Future<Output = serenity::Result<T>>>(
    what: &'static str,
    ask: impl FnMut() -> F,
) -> Result<T, Error> {
    let pauses = ExponentialBuilder::default().with_jitter().with_max_delay(SLOWEST).without_max_times();
    let answer = ask
        .retry(pauses)
        .when(|error| Trouble::of(error) == Trouble::Later)
        .notify(|error, pause| tracing::warn!(cause = wire::describe(error), ?pause, "could not {what}"))
        .await;
    wire::count(&answer);
    answer.map_err(|error| match Trouble::of(&error) {
        Trouble::TokenRefused => Error::TokenRefused,
        _ => Error::Ended(Some(Box::new(error))),
    })
}

/// Interactions carry everything that the bot needs to know about people and channels, so the cache holds nothing else.
fn smallest_cache() -> cache::Settings {
    let mut settings = cache::Settings::default();
    settings.max_messages = 0;
    settings.cache_guilds = false;
    settings.cache_channels = false;
    settings.cache_users = false;
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_sessions_of_a_day_are_left_alone() {
        let limit = |remaining: u64| {
            let json = serde_json::json!({
                "total": 1000, "remaining": remaining, "reset_after": 7000, "max_concurrency": 1
            });
            serde_json::from_value::<SessionStartLimit>(json).unwrap()
        };
        assert_eq!(pause_before_session(&limit(SPARE_SESSIONS)), None);
        assert_eq!(pause_before_session(&limit(SPARE_SESSIONS - 1)), Some(Duration::from_secs(7)));
    }
}
