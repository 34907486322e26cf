//! The Discord side of an active process: the gateway and the reporter, which are restarted as long as power is owed.
//!
//! `active` runs it. A process that owes power cannot end, so it must be able to receive commands and post messages: a connection that
//! ended permanently is opened again, after growing pauses. The reporter needs no gateway and continues between two connections.

use std::{future::pending, sync::Arc, time::Duration};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use secrecy::SecretString;
use tokio::{sync::watch, task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    Error, drain,
    rotation::{Reread, Rotation},
};
use crate::{
    digitalocean::metadata,
    discord::{
        self,
        bot::{self, Bot, Rooms},
    },
    store::Store,
};

/// The pause between two checks whether all Droplets are back on, when only that keeps the process alive.
pub(super) const POWER_PAUSE: Duration = Duration::from_millis(500);
/// The pause before the first new connection after one that ended permanently.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause before later connections: some 300 sessions a day, of the 1,000 that Discord allows.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// The bot on Discord and its reporter, from the first login to the last message.
pub(super) struct DiscordSide {
    pub(super) settings: bot::Settings,
    pub(super) rooms: Rooms,
    /// The source of new tokens.
    pub(super) rotation: Arc<Rotation>,
    /// The origin of DigitalOcean's API.
    pub(super) digitalocean: Url,
    /// Publishes whether the gateway is connected.
    pub(super) connected: watch::Sender<bool>,
    pub(super) stop_gateway: CancellationToken,
    pub(super) stop_reporter: CancellationToken,
}

/// Why a connection ended without an error.
enum Over {
    /// It was stopped.
    Stopped,
    /// There is a new token.
    Rotated,
}

impl DiscordSide {
    /// Runs until it is stopped. It ends on its own only with an error, and only once no power is owed.
    pub(super) async fn run(mut self) -> Result<(), Error> {
        // The worker does not wait for this, so it does not delay turning Droplets on.
        self.settings.own_droplet = metadata::own_droplet(&self.digitalocean).await;
        if let Some(droplet) = self.settings.own_droplet {
            tracing::info!(droplet.id = %droplet, "this process runs on a Droplet, which it will not shut down");
        }
        loop {
            let (mut reporters, stop_reporter) = (JoinSet::new(), self.stop_reporter.child_token());
            let ended = self.stay_connected(&mut reporters, &stop_reporter).await;
            match ended {
                Ok(()) => self.stop_reporter.cancelled().await,
                // Messages need no gateway, so the last ones are posted without it.
                Err(_) => stop_reporter.cancel(),
            }
            drain::finish(&mut reporters, drain::MESSAGES, "messages").await;
            // The worker continued meanwhile.
            if ended.is_ok() || self.all_power_is_back().await {
                return ended;
            }
        }
    }

    async fn stay_connected(
        &self,
        reporters: &mut JoinSet<()>,
        stop_reporter: &CancellationToken,
    ) -> Result<(), Error> {
        let (mut pauses, mut connections) = (pauses(), self.connected.subscribe());
        let mut tokens = self.rotation.discord_tokens();
        let (mut pause, mut earlier) = (Duration::ZERO, None);
        loop {
            let ended = tokio::select! {
                ended = self.connect(pause, &mut tokens, reporters, stop_reporter) => ended,
                () = self.is_needless(), if earlier.is_some() => return earlier.map_or(Ok(()), Err),
            };
            let error = match ended {
                Ok(Over::Stopped) => return Ok(()),
                Ok(Over::Rotated) => {
                    self.connected.send_replace(false);
                    (pause, earlier) = (Duration::ZERO, None);
                    continue;
                }
                Err(error) => error,
            };
            if connections.has_changed().unwrap_or_default() {
                pauses = self::pauses();
            }
            self.connected.send_replace(false);
            connections.mark_unchanged();
            let is_refused = matches!(error, Error::Discord(discord::Error::TokenRefused));
            if is_refused && self.rotation.discord().await == Reread::Taken {
                (pause, earlier) = (Duration::ZERO, None);
                continue;
            }
            if self.all_power_is_back().await {
                return Err(error);
            }
            pause = pauses.next().unwrap_or(LONGEST_PAUSE);
            tracing::error!(%error, ?pause, "power is owed, so the bot stays, and connects to Discord again");
            earlier = Some(error);
        }
    }

    /// Runs one connection, after a pause, from login to its end.
    async fn connect(
        &self,
        pause: Duration,
        tokens: &mut watch::Receiver<SecretString>,
        reporters: &mut JoinSet<()>,
        stop_reporter: &CancellationToken,
    ) -> Result<Over, Error> {
        let mut settings = self.settings.clone();
        settings.token = tokens.borrow_and_update().clone();
        let starting = async {
            sleep(pause).await;
            Bot::start(settings, self.rooms.clone(), &self.stop_gateway).await
        };
        let started = tokio::select! {
            () = self.stop_gateway.cancelled() => return Ok(Over::Stopped),
            Ok(()) = tokens.changed() => return Ok(Over::Rotated),
            started = starting => started,
        };
        let bot = match started {
            Ok(bot) => bot,
            Err(discord::Error::Stopped) => return Ok(Over::Stopped),
            Err(error) => return Err(error.into()),
        };
        self.rotation.learn_application(bot.application());
        // The reporter of an earlier connection has continued until now; two reporters would post everything twice.
        reporters.shutdown().await;
        reporters.spawn(bot.reporter().run(stop_reporter.clone()));
        reporters.spawn(bot.schedule_reporter().run(stop_reporter.clone()));
        reporters.spawn(bot.group_reporter().run(stop_reporter.clone()));
        reporters.spawn(bot.monthly().run(stop_reporter.clone()));
        let mut ready = bot.ready();
        let telling = async {
            while ready.changed().await.is_ok() {
                self.connected.send_replace(*ready.borrow_and_update());
            }
            pending::<()>().await;
        };
        let reporter_died = async {
            match reporters.join_next().await {
                Some(Err(_)) => {}
                // When the process stops, the reporter ends before the gateway does.
                Some(Ok(())) | None => pending().await,
            }
        };
        // It runs in a task of its own, so that a panic ends this connection but not the attempts to reconnect.
        let (mut gateway, leave) = (JoinSet::new(), self.stop_gateway.child_token());
        gateway.spawn(bot.run(leave.clone()));
        tokio::select! {
            ended = gateway.join_next() => match ended {
                Some(Ok(ended)) => ended.map(|()| Over::Stopped).map_err(Error::from),
                Some(Err(_)) | None => Err(Error::Died),
            },
            () = reporter_died => Err(Error::Died),
            Ok(()) = tokens.changed() => {
                // Close the old connection first, so that people do not get answers from two bots.
                leave.cancel();
                gateway.join_next().await;
                Ok(Over::Rotated)
            }
            () = telling => Ok(Over::Stopped),
        }
    }

    /// Returns once no power is owed and there is still no connection: a supervisor or a standby may do better then.
    async fn is_needless(&self) {
        let mut connected = self.connected.subscribe();
        let power_is_back = async {
            while !self.all_power_is_back().await {
                sleep(POWER_PAUSE).await;
            }
        };
        let connected_again = async { drop(connected.wait_for(|connected| *connected).await) };
        tokio::select! {
            () = power_is_back => {}
            () = connected_again => pending().await,
        }
    }

    /// Whether no power is owed. A store that does not answer proves nothing.
    async fn all_power_is_back(&self) -> bool {
        let store: &Arc<Store> = &self.rooms.store;
        store.power_owed().await.is_ok_and(|owed| owed.is_empty())
    }
}

fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times()
        .build()
}
