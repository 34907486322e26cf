//! New secrets without a restart: the files that contain them are read again on SIGHUP, and when a token is refused.
//!
//! A new secret is used only if it is accepted and belongs to the same account, application or database; otherwise the bot keeps the old
//! one and reports that. `active` and `discord_side` try this before they give up on a token. Nothing is interrupted: requests already sent
//! carry the old token, later ones the new one.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use super::token::{Answer, Fitness, Proven, Token, Unfit};
use crate::{
    clock::Clock,
    config::{Config, SecretFile, is_same_database, passwords_in},
    digitalocean::client::{Client, Settings},
    discord::{
        self,
        check::{Account, ApplicationId},
        incident::chain,
    },
    store::{self, Store},
    telemetry,
};

/// The pause before a file is read again whose secret could not be tested because the service did not answer.
const RETRY: Duration = Duration::from_secs(10);

/// The result of rereading a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reread {
    /// A new secret is in use.
    Taken,
    /// The secret is unchanged, or comes from no file.
    Unchanged,
    /// The file contains nothing that can be used; the old secret stays in use.
    Refused,
    /// The service did not say whether the new secret can be used; the old one stays in use for now.
    Unclear,
}

/// The secrets in use, and the files that may contain new ones. One per process.
pub(super) struct Rotation {
    config: Config,
    client: Client,
    store: Arc<Store>,
    proven: Arc<Mutex<Option<Proven>>>,
    clock: Clock,
    asked: Notify,
    discord: watch::Sender<SecretString>,
    /// The bot's application, once known from a login.
    application: Mutex<Option<ApplicationId>>,
    database: Mutex<SecretString>,
    /// Two readers of the same file would both test its secret.
    one_at_a_time: tokio::sync::Mutex<()>,
}

impl Rotation {
    pub(super) fn new(config: &Config, token: &Token, clock: &Clock) -> Self {
        Self {
            config: config.clone(),
            client: token.client.clone(),
            store: Arc::clone(&token.store),
            proven: Arc::clone(&token.proven),
            clock: clock.clone(),
            asked: Notify::new(),
            discord: watch::Sender::new(config.discord.token.clone()),
            application: Mutex::default(),
            database: Mutex::new(config.database_url.clone()),
            one_at_a_time: tokio::sync::Mutex::default(),
        }
    }

    /// Requests that every file is read again soon.
    pub(super) fn ask(&self) {
        self.asked.notify_one();
    }

    /// The Discord token in use, and later ones.
    pub(super) fn discord_tokens(&self) -> watch::Receiver<SecretString> {
        self.discord.subscribe()
    }

    /// Records which application the token in use belongs to, as a login has shown.
    pub(super) fn learn_application(&self, application: ApplicationId) {
        *self.application.lock() = Some(application);
    }

    /// Reads the files on each request, until `stop`.
    pub(super) async fn run(&self, stop: CancellationToken) {
        let work = async {
            loop {
                self.asked.notified().await;
                while self.all().await == Reread::Unclear {
                    sleep(RETRY).await;
                }
            }
        };
        stop.run_until_cancelled(work).await;
    }

    async fn all(&self) -> Reread {
        let files =
            [&self.config.discord.token_file, &self.config.digitalocean.token_file, &self.config.database_url_file];
        if files.iter().all(|file| file.is_none()) {
            tracing::info!(
                "asked to read secrets again, but none comes from a file: DISCORD_TOKEN_FILE and the like are not set"
            );
            return Reread::Unchanged;
        }
        let found = [self.database().await, self.digitalocean().await, self.discord().await];
        if found.iter().all(|found| *found == Reread::Unchanged) {
            tracing::info!("the files with secrets hold what is in use");
        }
        if found.contains(&Reread::Unclear) { Reread::Unclear } else { Reread::Unchanged }
    }

    /// Reads the DigitalOcean token again.
    pub(super) async fn digitalocean(&self) -> Reread {
        let _alone = self.one_at_a_time.lock().await;
        let Some(token) = changed(self.config.digitalocean.token_file.as_ref(), &self.client.token()) else {
            return Reread::Unchanged;
        };
        telemetry::seal(std::slice::from_ref(&token));
        let refused = |why: &str| {
            tracing::error!("the token in DIGITALOCEAN_TOKEN_FILE is not used, the earlier one stays in use: {why}");
            Reread::Refused
        };
        let unclear = || {
            tracing::warn!(
                "a new token is in DIGITALOCEAN_TOKEN_FILE, but DigitalOcean does not answer; the earlier one stays in use"
            );
            Reread::Unclear
        };
        let candidate = match self.candidate(token.clone()) {
            Ok(candidate) => candidate,
            Err(error) => return refused(&error.to_string()),
        };
        match candidate.ask().await {
            Answer::Refused => return refused("DigitalOcean refuses it"),
            Answer::None => return unclear(),
            Answer::Accepted(_) => {}
        }
        let accepted = match candidate.fitness().await {
            Ok(Fitness::Fit(accepted)) => accepted,
            Ok(Fitness::Unfit(Unfit::Refused)) => return refused("DigitalOcean refuses it"),
            Ok(Fitness::Unfit(Unfit::OtherAccount)) => {
                return refused("nothing shows that it is of the account that the operations belong to");
            }
            Ok(Fitness::Unfit(Unfit::Unproven)) => return unclear(),
            Err(error) => return refused(&chain(&error)),
        };
        if let Some(accepted) = accepted {
            match self.store.accept_token(&token, accepted.team.as_deref()).await {
                // A standby stores nothing; it proves its token again when it becomes active.
                Ok(()) | Err(store::Error::LeaseLost) => {}
                Err(error) => return refused(&chain(&error)),
            }
        }
        if let Err(error) = self.client.set_token(token) {
            return refused(&error.to_string());
        }
        tracing::info!("DIGITALOCEAN_TOKEN_FILE holds a new token of the same account; it is in use from now on");
        Reread::Taken
    }

    /// A separate client with this token, which does not affect the bot's own client.
    fn candidate(&self, token: SecretString) -> Result<Token, super::Unusable> {
        let clock = self.clock.clone();
        let settings = Settings::new(self.config.digitalocean.api_url.clone(), token);
        Ok(Token {
            proof: super::Proof::Demanded,
            client: Client::new(&settings, Arc::new(move || clock.now()))?,
            store: Arc::clone(&self.store),
            settle_time: Duration::try_from(self.config.timing.settle_time).unwrap_or_default(),
            proven: Arc::clone(&self.proven),
        })
    }

    /// Reads the Discord token again.
    pub(super) async fn discord(&self) -> Reread {
        let _alone = self.one_at_a_time.lock().await;
        let used = self.discord.borrow().clone();
        let Some(token) = changed(self.config.discord.token_file.as_ref(), &used) else { return Reread::Unchanged };
        telemetry::seal(std::slice::from_ref(&token));
        let refused = |why: &str| {
            tracing::error!("the token in DISCORD_TOKEN_FILE is not used, the earlier one stays in use: {why}");
            Reread::Refused
        };
        let simulator = self.config.discord.simulator.as_ref();
        let connect_to = simulator.map(|simulator| simulator.connect_to);
        let root = simulator.map(|simulator| simulator.root_certificate.clone());
        let account = match Account::open(token.clone(), connect_to, root).await {
            Ok(account) => account,
            Err(discord::Error::TokenRefused) => return refused("Discord refuses it"),
            Err(error) => {
                tracing::warn!(
                    error = chain(&error),
                    "a new token is in DISCORD_TOKEN_FILE, but could not be tried; the earlier one stays in use"
                );
                return Reread::Unclear;
            }
        };
        let known = *self.application.lock();
        // Before the first login, only the token itself tells: a bot's token begins with its id.
        let is_same = known.map_or_else(|| bot_of(&token) == bot_of(&used), |known| account.application() == known);
        if !is_same {
            return refused("it is of another application");
        }
        self.discord.send_replace(token);
        tracing::info!("DISCORD_TOKEN_FILE holds a new token of the same application; the bot connects with it");
        Reread::Taken
    }

    /// Reads the database's URL again.
    pub(super) async fn database(&self) -> Reread {
        let _alone = self.one_at_a_time.lock().await;
        let used = self.database.lock().clone();
        let Some(url) = changed(self.config.database_url_file.as_ref(), &used) else { return Reread::Unchanged };
        telemetry::seal(&passwords_in(&url));
        if !is_same_database(&used, &url) {
            tracing::error!(
                "DATABASE_URL_FILE leads to another database; the earlier address stays in use, and only a restart changes that"
            );
            return Reread::Refused;
        }
        match self.store.set_address(&url).await {
            Ok(()) => {
                *self.database.lock() = url;
                tracing::info!("DATABASE_URL_FILE holds a new address of the same database; new connections use it");
                Reread::Taken
            }
            Err(error) => {
                tracing::error!(
                    error = chain(&error),
                    "the address in DATABASE_URL_FILE could not be used; the earlier one stays in use"
                );
                Reread::Refused
            }
        }
    }
}

/// The contents of a file, if they are new and can be used.
fn changed(file: Option<&SecretFile>, used: &SecretString) -> Option<SecretString> {
    match file?.read() {
        Ok(secret) => (secret.expose_secret() != used.expose_secret()).then_some(secret),
        Err(error) => {
            tracing::error!("could not read a secret again, the earlier one stays in use: {error}");
            None
        }
    }
}

/// The part of a bot's token that identifies the bot.
fn bot_of(token: &SecretString) -> &str {
    token.expose_secret().split('.').next().unwrap_or_default()
}
