//! The only room that knows all rooms: builds them, runs their loops, drains them in order.
//!
//! `main`, the demo and every scenario come in by the same door, [`App::start`]. Holding the account's lease is what makes a
//! process active; without it, it stands by.

mod active;
pub mod check;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    config::Config,
    digitalocean::client::Unusable,
    discord::{self, incident::chain},
    http::{self, Readiness, Turn},
    store::{self, Store},
    telemetry::Metrics,
};
use active::{Active, Ended};

/// How often a standby asks whether it is its turn.
const STANDBY_PAUSE: Duration = Duration::from_secs(1);

/// Why the bot cannot run, by who must do something about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is not usable.
    #[error("could not {}", chain(.0))]
    Store(store::Error),
    /// Discord does not let us in.
    #[error("could not {}", chain(.0))]
    Discord(discord::Error),
    /// DigitalOcean refuses the token.
    #[error(
        "could not log in to DigitalOcean: it refuses DIGITALOCEAN_TOKEN; make a new one under API > Tokens in the control panel"
    )]
    DigitalOceanToken,
    /// The client of DigitalOcean cannot be built.
    #[error("could not prepare for DigitalOcean: {}", chain(.0))]
    DigitalOcean(Unusable),
    /// `HTTP_ADDR` cannot be served.
    #[error("could not listen on HTTP_ADDR {address}: {source}")]
    Http {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A loop of ours died.
    #[error("could not go on: a part of the bot ended unexpectedly")]
    Died,
}

// The texts above tell the whole chain of causes, so none of these is offered as a source to be told once more.
impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<discord::Error> for Error {
    fn from(error: discord::Error) -> Self {
        Self::Discord(error)
    }
}

impl From<Unusable> for Error {
    fn from(error: Unusable) -> Self {
        Self::DigitalOcean(error)
    }
}

/// A running bot.
pub struct App {
    stop: CancellationToken,
    ready: watch::Receiver<bool>,
    life: JoinSet<Result<(), Error>>,
    http_address: Option<SocketAddr>,
}

impl App {
    /// Opens the database and the operators' door, and lets the bot live from then on.
    pub async fn start(config: Config, clock: Clock) -> Result<Self, Error> {
        let settings =
            store::Settings { url: config.database_url.clone(), notify_channel: config.discord.notify_channel };
        let store = Arc::new(Store::open(&settings, clock.clone()).await?);
        let readiness = Readiness::default();
        readiness.set_database(true);
        let stop = CancellationToken::new();
        let mut life = JoinSet::new();
        let mut http_address = None;
        if let Some(address) = config.http_addr {
            let refused = |source| Error::Http { address, source };
            let listener = TcpListener::bind(address).await.map_err(refused)?;
            http_address = listener.local_addr().ok();
            // Recorded only where somebody reads it.
            let serving = http::run(listener, readiness.clone(), Metrics::install(), stop.clone());
            life.spawn(async move { serving.await.map_err(|source| Error::Http { address, source }) });
        }
        let (told, ready) = watch::channel(false);
        let life_of = Life { config, store, clock, readiness, ready: told };
        life.spawn(life_of.run(stop.clone()));
        Ok(Self { stop, ready, life, http_address })
    }

    /// Where the operators' door is, if it is open.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http_address
    }

    /// Returns once the gateway is connected; at once if the bot has ended.
    pub async fn ready(&mut self) {
        drop(self.ready.wait_for(|ready| *ready).await);
    }

    /// Returns when the bot ends by itself, which it does only because of an error.
    pub async fn ended(&mut self) -> Result<(), Error> {
        match self.life.join_next().await {
            Some(Ok(result)) => result,
            Some(Err(_)) | None => Err(Error::Died),
        }
    }

    /// Lets nothing new begin, brings what is under way to its commit, says what is to be said, and gives the lease back.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.stop.cancel();
        let mut outcome = Ok(());
        while let Some(ended) = self.life.join_next().await {
            outcome = outcome.and(ended.unwrap_or(Err(Error::Died)));
        }
        outcome
    }
}

/// All that one process lives on: in turns standing by and active.
struct Life {
    config: Config,
    store: Arc<Store>,
    clock: Clock,
    readiness: Readiness,
    ready: watch::Sender<bool>,
}

impl Life {
    async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let account = account(&self.config);
        let holder = format!("{:016x}", fastrand::u64(..));
        let mut was_active = false;
        loop {
            let Some(lease) = self.await_lease(&account, &holder, was_active, &stop).await? else { return Ok(()) };
            self.readiness.set_turn(Turn::Active);
            was_active = true;
            let active = Active {
                config: &self.config,
                store: &self.store,
                clock: &self.clock,
                readiness: &self.readiness,
                ready: &self.ready,
                lease: Arc::new(lease),
            };
            let ended = active.run(&stop).await;
            self.ready.send_replace(false);
            self.readiness.set_gateway(false);
            self.readiness.set_turn(Turn::Unknown);
            match ended? {
                Ended::Stopped => return Ok(()),
                Ended::LeaseLost => tracing::warn!("another process has taken over; this one stands by"),
                Ended::LeaseRanOut => tracing::warn!("the database does not answer; standing by until it does"),
            }
        }
    }

    /// Stands by until it is this process's turn; none if it is told to stop before that. A database that does not answer ends
    /// only a process that has just begun: whoever was active has something to go on with.
    async fn await_lease(
        &self,
        account: &str,
        holder: &str,
        was_active: bool,
        stop: &CancellationToken,
    ) -> Result<Option<store::Lease>, Error> {
        let (mut is_new, mut said) = (!was_active, false);
        loop {
            let asked = tokio::select! {
                () = stop.cancelled() => return Ok(None),
                asked = self.store.try_lease(account, holder) => asked,
            };
            match asked {
                Ok(Some(lease)) => return Ok(Some(lease)),
                Ok(None) => {
                    self.readiness.set_database(true);
                    self.readiness.set_turn(Turn::Standby);
                    if !said {
                        tracing::info!("another process is active on this account; standing by");
                        said = true;
                    }
                }
                Err(error) if is_new => return Err(error.into()),
                Err(error) => {
                    self.readiness.set_database(false);
                    tracing::warn!(error = chain(&error), "could not ask for the lease");
                }
            }
            is_new = false;
            tokio::select! {
                () = stop.cancelled() => return Ok(None),
                () = tokio::time::sleep(STANDBY_PAUSE) => {}
            }
        }
    }
}

/// A name for the DigitalOcean account that tells nothing of its token.
fn account(config: &Config) -> String {
    let digest = Sha256::digest(config.digitalocean.token.expose_secret().as_bytes());
    let (first_half, _) = digest.split_at(8);
    let number = first_half.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    format!("{number:016x}")
}
