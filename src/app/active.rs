//! A process that holds the lease: every loop runs, until it is told to stop, loses the lease, or cannot go on.

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::SignedDuration;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::Error;
use crate::{
    clock::Clock,
    config::Config,
    digitalocean::{
        self,
        client::{Client, Now},
        reads,
    },
    discord::{
        self,
        bot::{self, Bot, Rooms},
        doors::{Door, Doors},
        incident::chain,
        watchdog::Patience,
    },
    http::Readiness,
    inventory::{Inventory, Made, Tagged},
    operation::{Rules, power::Power},
    store::{self, Lease, Store},
    worker::{
        Worker,
        turns::{Parts, Turns},
    },
};

/// How often the lease is renewed; it lasts five times as long.
const RENEWAL: Duration = Duration::from_secs(3);
/// What the database may take to renew it, so that its end is noticed in time: a successor begins 10 s after it.
const RENEWAL_DEADLINE: Duration = Duration::from_secs(2);
/// What a stop may take in all is 8 s; requests under way get most of it.
const DRAIN_TURNS: Duration = Duration::from_millis(4_500);
/// For the last words, and for closing the gateway.
const DRAIN_FACE: Duration = Duration::from_secs(2);
/// For what fills the cache.
const DRAIN_INVENTORY: Duration = Duration::from_millis(500);
/// For giving the lease back; a successor waits until it has run out otherwise.
const RELEASE: Duration = Duration::from_millis(500);
/// Between two looks whether all power is back, where nothing else keeps the process.
const POWER_PAUSE: Duration = Duration::from_millis(500);
/// How long people may take to be told that power is owed and the token refused, before the process ends.
const LAST_CALL: Duration = Duration::from_secs(6);
/// Between two looks whether they were told.
const LAST_CALL_PAUSE: Duration = Duration::from_millis(100);

/// Everything that an active process works with.
pub(super) struct Active<'a> {
    pub(super) config: &'a Config,
    pub(super) store: &'a Arc<Store>,
    pub(super) clock: &'a Clock,
    pub(super) readiness: &'a Readiness,
    pub(super) ready: &'a watch::Sender<bool>,
    pub(super) lease: Arc<Lease>,
}

/// How an active time ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was told to stop.
    Stopped,
    /// Somebody else is active now.
    LeaseLost,
    /// The database did not answer until the lease ran out.
    LeaseRanOut,
}

/// The loops, each with its own stop, so that they end one after the other.
struct Loops {
    turns: JoinSet<()>,
    face: JoinSet<Result<(), Error>>,
    inventory: JoinSet<()>,
    stop_turns: CancellationToken,
    stop_reporter: CancellationToken,
    stop_gateway: CancellationToken,
    doors: Doors,
    connected: watch::Receiver<bool>,
}

impl Active<'_> {
    /// Runs everything until the end, whichever it is.
    pub(super) async fn run(self, stop: &CancellationToken) -> Result<Ended, Error> {
        let owed = self.store.power_owed().await?;
        metrics::gauge!("snapshot_bot_power_owed").set(f64::from(u32::try_from(owed.len()).unwrap_or(u32::MAX)));
        let worker = Worker::new(Arc::clone(self.store));
        for id in self.store.open_operations().await? {
            worker.on_restart(id, SignedDuration::ZERO, &rules(self.config), self.clock.now()).await?;
        }
        let client = self.client()?;
        let mut loops = self.begin(&client);
        let outcome = self.watch(&mut loops, &client, stop).await;
        let is_deposed = matches!(outcome, Ok(Ended::LeaseLost | Ended::LeaseRanOut));
        if is_deposed {
            // Whoever is active now answers people; two must not.
            loops.stop_gateway.cancel();
        }
        loops.drain(if is_deposed { Door::Standby } else { Door::Draining }).await;
        if let Ok(lease) = Arc::try_unwrap(self.lease)
            && !matches!(timeout(RELEASE, lease.release()).await, Ok(Ok(())))
        {
            tracing::warn!("could not give the lease back; a successor waits until it has run out");
        }
        outcome
    }

    fn client(&self) -> Result<Client, Error> {
        let settings = digitalocean::client::Settings::new(
            self.config.digitalocean.api_url.clone(),
            self.config.digitalocean.token.clone(),
        );
        let clock = self.clock.clone();
        let now: Now = Arc::new(move || clock.now());
        Ok(Client::new(&settings, now)?)
    }

    fn begin(&self, client: &Client) -> Loops {
        let config = self.config;
        let rules = rules(config);
        let (told, connected) = watch::channel(false);
        let mut loops = Loops {
            turns: JoinSet::new(),
            face: JoinSet::new(),
            inventory: JoinSet::new(),
            stop_turns: CancellationToken::new(),
            stop_reporter: CancellationToken::new(),
            stop_gateway: CancellationToken::new(),
            doors: Doors::default(),
            connected,
        };
        let turns = Turns::new(Parts {
            store: Arc::clone(self.store),
            client: client.clone(),
            lease: Arc::clone(&self.lease),
            rules: rules.clone(),
            clock: self.clock.clone(),
        });
        // Power comes back whether or not Discord can be reached, so the worker waits for nobody.
        loops.turns.spawn(turns.run(loops.stop_turns.clone()));
        let tag = config.digitalocean.droplet_tag.clone();
        let tagged = tag.map(|tag| Tagged { tag, made: made(Arc::clone(self.store)) });
        let inventory = Arc::new(Inventory::new(client.clone(), tagged));
        loops.inventory.spawn(Arc::clone(&inventory).run(loops.stop_gateway.clone()));
        let simulator = config.discord.simulator.as_ref();
        let settings = bot::Settings {
            token: config.discord.token.clone(),
            connect_to: simulator.map(|simulator| simulator.connect_to),
            extra_ca_pem: simulator.map(|simulator| simulator.root_certificate.clone()),
            price_per_gb: config.snapshot_price_per_gb,
            rules,
            notify_channel: config.discord.notify_channel,
            patience: Patience::default(),
        };
        let rooms = Rooms {
            store: Arc::clone(self.store),
            inventory,
            policy: config.policy.clone(),
            clock: self.clock.clone(),
            doors: loops.doors.clone(),
        };
        loops.face.spawn(face(settings, rooms, told, (loops.stop_gateway.clone(), loops.stop_reporter.clone())));
        loops
    }

    /// Waits for the first thing that ends this active time.
    async fn watch(&self, loops: &mut Loops, client: &Client, stop: &CancellationToken) -> Result<Ended, Error> {
        let mut connected = loops.connected.clone();
        let (token_refused, lease_ended) = (self.token_is_refused(client), self.keep_lease());
        tokio::pin!(token_refused, lease_ended);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(Ended::Stopped),
                () = &mut token_refused => {
                    // The lease is kept meanwhile: it may hold the very connection that the last call waits for.
                    tokio::select! {
                        () = self.last_call() => {}
                        _ = &mut lease_ended => {}
                    }
                    return Err(Error::DigitalOceanToken);
                }
                ended = &mut lease_ended => return Ok(ended),
                Ok(()) = connected.changed() => {
                    let is_connected = *connected.borrow_and_update();
                    self.readiness.set_gateway(is_connected);
                    self.ready.send_replace(is_connected);
                }
                Some(ended) = loops.face.join_next() => {
                    let error = match ended {
                        Ok(Err(error)) => error,
                        Ok(Ok(())) | Err(_) => Error::Died,
                    };
                    self.readiness.set_gateway(false);
                    tokio::select! {
                        () = stop.cancelled() => {}
                        _ = &mut lease_ended => {}
                        () = &mut token_refused => {}
                        _ = loops.turns.join_next() => {}
                        () = self.all_power_is_back(&error) => {}
                    }
                    return Err(error);
                }
                Some(_) = loops.turns.join_next() => return Err(Error::Died),
            }
        }
    }

    /// Renews the lease for as long as that goes well.
    async fn keep_lease(&self) -> Ended {
        let mut renewal = interval(RENEWAL);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            renewal.tick().await;
            let answers = match timeout(RENEWAL_DEADLINE, self.lease.renew()).await {
                Ok(Ok(())) => timeout(RENEWAL_DEADLINE, self.store.count_open()).await.is_ok_and(|count| count.is_ok()),
                Ok(Err(store::Error::LeaseLost)) => return Ended::LeaseLost,
                Ok(Err(error)) => {
                    tracing::warn!(error = chain(&error), "could not renew the lease");
                    false
                }
                Err(_) => {
                    tracing::warn!("could not renew the lease: the database does not answer");
                    false
                }
            };
            self.readiness.set_database(answers);
            if self.lease.remaining().is_zero() {
                return Ended::LeaseRanOut;
            }
        }
    }

    /// Waits until nothing is owed. People cannot be reached any more, and that must not leave their Droplets off.
    async fn all_power_is_back(&self, error: &Error) {
        let mut said = false;
        while self.store.power_owed().await.map_or(true, |owed| !owed.is_empty()) {
            if !said {
                tracing::error!(%error, "the bot ends once the Droplets that it turned off are on again");
                said = true;
            }
            sleep(POWER_PAUSE).await;
        }
    }

    /// Asks DigitalOcean once whether it knows the token; returns only if it does not.
    async fn token_is_refused(&self, client: &Client) {
        if let Err(digitalocean::error::Error::Unauthorized { .. }) = client.run(reads::droplets_page(1)).await {
            return;
        }
        std::future::pending::<()>().await;
    }

    /// While power is owed, the channels hear of it before the process ends: nobody else will turn those Droplets on.
    async fn last_call(&self) {
        let (until, rules, worker) =
            (Instant::now() + LAST_CALL, rules(self.config), Worker::new(Arc::clone(self.store)));
        let told = async {
            while !self.everybody_knows().await {
                for debt in self.store.power_owed().await.unwrap_or_default() {
                    // A turn that is under way may be quicker; then this is tried again.
                    drop(worker.give_up_hope(debt.operation, &rules, self.clock.now()).await);
                }
                sleep(LAST_CALL_PAUSE).await;
            }
        };
        if timeout_at(until, told).await.is_err() {
            tracing::error!("power is owed, and the channels could not be told");
        }
    }

    async fn everybody_knows(&self) -> bool {
        let (Ok(owed), Ok(reports)) =
            (self.store.power_owed().await, self.store.due_reports(self.clock.now(), 1).await)
        else {
            return false;
        };
        for debt in &owed {
            let operation = self.store.operation(debt.operation).await.ok().flatten();
            let is_told = |power: &Power| power.stuck.is_some() || power.parked;
            if !operation.is_some_and(|stored| is_told(&stored.operation.power)) {
                return false;
            }
        }
        reports.is_empty()
    }
}

impl Loops {
    /// Ends the loops in order: nothing new begins, what was sent is stored, what is stored is said, and the line is closed.
    async fn drain(mut self, door: Door) {
        self.doors.set(door);
        self.stop_turns.cancel();
        finish(&mut self.turns, DRAIN_TURNS, "requests to DigitalOcean").await;
        self.stop_reporter.cancel();
        // The reporter says its last words while the gateway is still open: people's commands get a kind answer until then.
        self.stop_gateway.cancel();
        finish(&mut self.face, DRAIN_FACE, "messages").await;
        finish(&mut self.inventory, DRAIN_INVENTORY, "the inventory").await;
    }
}

/// The bot and its reporter, from logging in to the last word.
async fn face(
    settings: bot::Settings,
    rooms: Rooms,
    told: watch::Sender<bool>,
    (stop_gateway, stop_reporter): (CancellationToken, CancellationToken),
) -> Result<(), Error> {
    let bot = match Bot::start(settings, rooms, &stop_gateway).await {
        Ok(bot) => bot,
        Err(discord::Error::Stopped) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let (mut ready, reporter) = (bot.ready(), bot.reporter());
    let telling = async {
        while ready.changed().await.is_ok() {
            told.send_replace(*ready.borrow_and_update());
        }
        std::future::pending::<()>().await;
    };
    let talking = async {
        tokio::try_join!(async { bot.run(stop_gateway).await.map_err(Error::from) }, async {
            reporter.run(stop_reporter).await;
            Ok(())
        })
    };
    tokio::select! {
        ended = talking => ended.map(|((), ())| ()),
        () = telling => Ok(()),
    }
}

/// Waits for loops to end, and ends them after `patience`: whatever they leave is taken up at the next start.
async fn finish<T: Send + 'static>(loops: &mut JoinSet<T>, patience: Duration, what: &str) {
    let ended = timeout(patience, async { while loops.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        tracing::warn!(what, "not finished in time; the next start goes on there");
        loops.shutdown().await;
    }
}

/// What the inventory may know of the store: which Snapshots we took.
fn made(store: Arc<Store>) -> Made {
    Arc::new(move |names| {
        let store = Arc::clone(&store);
        Box::pin(async move {
            let origins = store.origins(names.iter().map(String::as_str)).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "could not learn which Snapshots we took");
                HashMap::new()
            });
            origins.into_keys().collect()
        })
    })
}

fn rules(config: &Config) -> Rules {
    let timing = &config.timing;
    Rules {
        shutdown_timeout: timing.shutdown_timeout,
        decision_timeout: timing.decision_timeout,
        settle_time: timing.settle_time,
        poll_interval: timing.poll_interval.max(SignedDuration::from_millis(1)),
        droplet_tag: config.digitalocean.droplet_tag.clone(),
    }
}
