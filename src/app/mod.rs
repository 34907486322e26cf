//! Assembles the bot: builds all modules, runs their loops, and drains them in order. No other module knows all of them.
//!
//! `main`, the demo and every scenario start it with [`App::start`]. A process is active if it holds the database's lease and has a token
//! of the account that its operations belong to; otherwise it stands by and changes nothing.

mod active;
pub mod audit;
pub mod backup;
mod calls;
pub mod check;
mod discord_side;
mod drain;
mod droplet_check;
mod error;
mod group_slots;
mod groups;
pub mod healthcheck;
mod heartbeat;
mod housekeeping;
mod inactive;
mod pings;
mod refused_token;
mod renewal;
mod rotation;
mod scheduler;
mod settings;
mod snapshot_records;
mod token;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    config::Config,
    digitalocean::client::{Client, Settings, Unusable},
    discord::incident::chain,
    http::{self, Readiness, Turn},
    store::{self, Lease, Store},
    telemetry::Metrics,
    worker::continuity::Continuity,
};
use active::Active;
pub use error::Error;
use renewal::{Ended, keep_lease};
use rotation::{Reread, Rotation};
pub use token::Proof;
use token::{Answer, Fitness, Token, Unfit};

/// How often a standby checks whether it can become active.
const STANDBY_PAUSE: Duration = Duration::from_secs(1);
/// How long a process with a refused token offers the lease to others while power is owed, before it takes it again itself.
const OFFERED: Duration = Duration::from_secs(6);

/// A running bot.
pub struct App {
    store: Arc<Store>,
    rotation: Arc<Rotation>,
    stop: CancellationToken,
    ready: watch::Receiver<bool>,
    life: JoinSet<Result<(), Error>>,
    http_address: Option<SocketAddr>,
}

impl App {
    /// Opens the database and the operators' HTTP server, and starts the bot.
    pub async fn start(config: Config, clock: Clock) -> Result<Self, Error> {
        Self::start_with(config, clock, Proof::Demanded).await
    }

    /// Starts the bot as [`start`](Self::start) does, with the operator's decision whether a changed token must prove that it belongs to
    /// the same account.
    pub async fn start_with(config: Config, clock: Clock, proof: Proof) -> Result<Self, Error> {
        let settings =
            store::Settings { url: config.database_url.clone(), notify_channel: config.discord.notify_channel };
        let store = Arc::new(Store::open(&settings, clock.clone()).await?);
        let client = client(&config, &clock)?;
        let token = Token {
            proof,
            client: client.clone(),
            store: Arc::clone(&store),
            settle_time: Duration::try_from(config.timing.settle_time).unwrap_or_default(),
            proven: Arc::default(),
        };
        let readiness = Readiness::default();
        readiness.set_database(true);
        let stop = CancellationToken::new();
        let mut life = JoinSet::new();
        let mut http_address = None;
        if let Some(address) = config.http_addr {
            let refused = |source| Error::Http { address, source };
            let listener = TcpListener::bind(address).await.map_err(refused)?;
            http_address = listener.local_addr().ok();
            // Metrics are recorded only if they are served.
            let serving = http::run(listener, readiness.clone(), Metrics::install(), stop.clone());
            life.spawn(async move { serving.await.map_err(|source| Error::Http { address, source }) });
        }
        let (told, ready) = watch::channel(false);
        let holder = format!("{:016x}", fastrand::u64(..));
        let rotation = Arc::new(Rotation::new(&config, &token, &clock));
        let (rotating, stop_rotating) = (Arc::clone(&rotation), stop.clone());
        life.spawn(async move {
            rotating.run(stop_rotating).await;
            Ok(())
        });
        let life_of = Life {
            config,
            store: Arc::clone(&store),
            clock,
            readiness,
            ready: told,
            client,
            token,
            holder,
            rotation: Arc::clone(&rotation),
        };
        life.spawn(life_of.run(stop.clone()));
        Ok(Self { store, rotation, stop, ready, life, http_address })
    }

    /// Keeps the database's connections open until [`Self::stop`] closes them or the process ends. For a process that has no other use for
    /// the database. SQLite deletes the write-ahead log with the last connection, and on a full disk the log is the space in which the next
    /// start continues.
    pub fn keep_connections(&self) {
        std::mem::forget(Arc::clone(&self.store));
    }

    /// Requests that every file with a secret is read again soon: see [`Config`]'s files.
    pub fn reread_secrets(&self) {
        self.rotation.ask();
    }

    /// The address of the operators' HTTP server, if it runs.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http_address
    }

    /// Waits until the gateway is connected; returns immediately if the bot has ended.
    pub async fn ready(&mut self) {
        drop(self.ready.wait_for(|ready| *ready).await);
    }

    /// Waits until the bot ends on its own, which it does only because of an error.
    pub async fn ended(&mut self) -> Result<(), Error> {
        match self.life.join_next().await {
            Some(Ok(result)) => result,
            Some(Err(_)) | None => Err(Error::Died),
        }
    }

    /// Stops starting anything new, lets everything in flight reach its commit, posts outstanding messages,
    /// releases the lease and closes the database.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.stop.cancel();
        let mut outcome = Ok(());
        while let Some(ended) = self.life.join_next().await {
            outcome = outcome.and(ended.unwrap_or(Err(Error::Died)));
        }
        drain::close(&self.store).await;
        outcome
    }
}

/// The state of a process that alternates between standing by and being active.
struct Life {
    config: Config,
    store: Arc<Store>,
    clock: Clock,
    readiness: Readiness,
    ready: watch::Sender<bool>,
    client: Client,
    token: Token,
    /// Identifies this run of the process to others that want the lease.
    holder: String,
    rotation: Arc<Rotation>,
}

/// The result of one check by a process that is not active.
enum Turned {
    /// This process can become active with this lease.
    Ours(Lease),
    /// Another process is active, or the database does not answer.
    NotYet,
    /// This process must not be active, or DigitalOcean does not say whether it may.
    KeptOut,
}

impl Life {
    async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let mut was_active = false;
        let mut bears_refusal = false;
        loop {
            let Some(lease) = self.await_turn(was_active, bears_refusal, &stop).await? else { return Ok(()) };
            self.readiness.set_turn(Turn::Active);
            was_active = true;
            let active = Active {
                config: &self.config,
                store: &self.store,
                clock: &self.clock,
                readiness: &self.readiness,
                ready: &self.ready,
                client: &self.client,
                token: &self.token,
                rotation: &self.rotation,
                lease: Arc::new(lease),
                continuity: Arc::new(Continuity::new(&self.clock, &self.client)),
                bears_refusal,
            };
            let ended = active.run(&stop).await;
            bears_refusal = false;
            self.ready.send_replace(false);
            self.readiness.set_gateway(false);
            self.readiness.set_turn(Turn::Unknown);
            let ended = match ended {
                // A single failed statement must not end a process that can try again.
                Err(Error::Store(error)) if error.may_pass() => {
                    tracing::warn!(error = chain(&error), "could not take over; standing by");
                    tokio::time::sleep(STANDBY_PAUSE).await;
                    continue;
                }
                ended => ended?,
            };
            match ended {
                Ended::Stopped => return Ok(()),
                Ended::LeaseLost => tracing::warn!("another process has taken over; this one stands by"),
                Ended::LeaseRanOut => tracing::warn!("the database does not answer; standing by until it does"),
                Ended::TokenRefused => {
                    tracing::warn!("DigitalOcean refuses the token; another process may take over");
                    stop.run_until_cancelled(tokio::time::sleep(OFFERED)).await;
                    bears_refusal = true;
                }
            }
        }
    }

    /// Stands by until this process can become active; `None` if it is stopped before that. A database that does not answer ends only a
    /// process that has just started; one that was active before keeps trying.
    async fn await_turn(
        &self,
        was_active: bool,
        mut bears_refusal: bool,
        stop: &CancellationToken,
    ) -> Result<Option<Lease>, Error> {
        let (mut is_new, mut is_fit, mut said) = (!was_active, was_active, false);
        while !stop.is_cancelled() {
            let turned = match self.turn(&mut is_fit, bears_refusal, stop).await {
                Ok(Turned::Ours(lease)) => return Ok(Some(lease)),
                Ok(turned) => {
                    self.readiness.set_database(true);
                    turned
                }
                Err(Error::Store(error)) if !is_new && error.may_pass() => {
                    self.readiness.set_database(false);
                    tracing::warn!(error = chain(&error), "could not ask for the lease");
                    // The database may refuse the password because it was changed.
                    self.rotation.database().await;
                    Turned::NotYet
                }
                Err(error) => return Err(error),
            };
            is_new = false;
            // Whether or not another process took the lease in time, this process is now a standby like any other.
            bears_refusal = false;
            let pause = match turned {
                Turned::Ours(_) | Turned::NotYet => STANDBY_PAUSE,
                Turned::KeptOut => self.token.pause(),
            };
            if !said {
                tracing::info!("standing by");
                said = true;
            }
            stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
        Ok(None)
    }

    /// Checks once whether this process can become active. Its token is tested at the start and whenever the lease is free, unless the
    /// process `bears_refusal`: then no other process has a better token.
    async fn turn(&self, is_fit: &mut bool, bears_refusal: bool, stop: &CancellationToken) -> Result<Turned, Error> {
        let stopped = Ok(Turned::NotYet);
        let looked = stop.run_until_cancelled(self.store.lease_is_free_for(&self.holder)).await;
        let Some(free) = looked.transpose()? else { return stopped };
        if free.is_none() {
            self.readiness.set_turn(Turn::Standby);
            if *is_fit {
                return Ok(Turned::NotYet);
            }
        }
        if bears_refusal && free.is_some() {
            return Ok(self.take_lease(stop).await?.map_or(Turned::NotYet, Turned::Ours));
        }
        let Some(fitness) = stop.run_until_cancelled(self.fitness()).await.transpose()? else { return stopped };
        *is_fit = matches!(fitness, Fitness::Fit(_));
        match (fitness, free) {
            (Fitness::Fit(_), Some(_)) => {
                self.readiness.set_token(http::Token::Usable);
                Ok(self.take_lease(stop).await?.map_or(Turned::NotYet, Turned::Ours))
            }
            (Fitness::Fit(_), None) => {
                self.readiness.set_token(http::Token::Usable);
                Ok(Turned::NotYet)
            }
            (Fitness::Unfit(why), free) => {
                Box::pin(self.keep_out(why, free, stop)).await?;
                Ok(Turned::KeptOut)
            }
        }
    }

    /// Whether this process may be active with its token, or with a new one that its file contains by now.
    async fn fitness(&self) -> Result<Fitness, store::Error> {
        let fitness = self.fitness_of_token().await?;
        let is_unfit = matches!(fitness, Fitness::Unfit(_));
        if is_unfit && self.rotation.digitalocean().await == Reread::Taken {
            return self.fitness_of_token().await;
        }
        Ok(fitness)
    }

    /// The fitness of the current token. If other processes can stand by, a refused token makes this one leave the lease to them.
    async fn fitness_of_token(&self) -> Result<Fitness, store::Error> {
        if !self.store.is_up_to_date() {
            // The account can be read only once the lease is held.
            return Ok(Fitness::Fit(None));
        }
        let fitness = self.token.fitness().await?;
        if self.store.is_shared() && fitness == Fitness::Fit(None) && self.token.ask().await == Answer::Refused {
            return Ok(Fitness::Unfit(Unfit::Refused));
        }
        Ok(fitness)
    }

    /// Takes the lease, then checks the token again, because the tables may have been too old before. `None` if another process
    /// was faster, or if this one must not have it.
    async fn take_lease(&self, stop: &CancellationToken) -> Result<Option<Lease>, Error> {
        let Some(lease) = self.store.try_lease(&self.holder).await? else { return Ok(None) };
        let accepted = tokio::select! {
            () = stop.cancelled() => Ok(false),
            _ = keep_lease(&lease, &self.store, &self.readiness) => return Ok(None),
            accepted = self.accept_token() => accepted,
        };
        if matches!(accepted, Ok(true)) {
            return Ok(Some(lease));
        }
        self.give_back(lease).await;
        accepted.map(|_| None)
    }

    async fn accept_token(&self) -> Result<bool, Error> {
        match self.token.fitness().await? {
            Fitness::Fit(None) => Ok(true),
            Fitness::Fit(Some(accepted)) => {
                self.store.accept_token(&self.client.token(), accepted.team.as_deref()).await?;
                Ok(true)
            }
            Fitness::Unfit(_) => Ok(false),
        }
    }
}

fn client(config: &Config, clock: &Clock) -> Result<Client, Error> {
    let settings = Settings::new(config.digitalocean.api_url.clone(), config.digitalocean.token.clone());
    let clock = clock.clone();
    Ok(Client::new(&settings, Arc::new(move || clock.now()))?)
}
