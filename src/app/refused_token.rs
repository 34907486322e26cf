//! A process that holds the lease while DigitalOcean refuses its token: it ends, leaves the lease to a process with a
//! better token, or calls people and keeps trying.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{
    Error,
    active::Active,
    calls::Calls,
    renewal::Ended,
    rotation::Reread,
    settings::rules,
    token::{Answer, Unfit},
};
use crate::{discord::incident::chain, http};

/// How long a process with a refused token keeps the lease while power is owed and no other process has taken over, before it offers the
/// lease again.
const BORNE: Duration = Duration::from_mins(10);
/// How long posting the last messages may take before a process with a refused token ends.
const LAST_WORDS: Duration = Duration::from_secs(6);

impl Active<'_> {
    /// Returns once DigitalOcean refuses the token and either no Droplet may be off because of the bot, or another process may turn it on.
    /// Until then the process calls people and keeps trying the token.
    pub(super) async fn token_is_useless(&self) -> Result<Ended, Error> {
        let mut answer = self.token.ask().await;
        loop {
            match answer {
                Answer::Refused => {
                    if !self.token_was_renewed().await
                        && let Some(refused) = self.bear_refusal().await
                    {
                        return refused;
                    }
                }
                Answer::Accepted(Some(team)) => self.learn_team(&team).await,
                Answer::Accepted(None) | Answer::None => {}
            }
            self.client.unauthorized().await;
            // Read the file first: operations believe a refusal that is repeated after the same pause.
            if !self.token_was_renewed().await {
                sleep(self.token.pause()).await;
            }
            answer = self.token.ask_once().await;
        }
    }

    /// Calls people while power is owed, and returns how the active time ends; `None` if the token is accepted again.
    async fn bear_refusal(&self) -> Option<Result<Ended, Error>> {
        self.readiness.set_token(http::Token::Refused);
        tracing::error!("{}", Error::DigitalOceanToken);
        let (calls, since) = (self.calls(), Instant::now());
        while self.store.power_owed().await.map_or(true, |owed| !owed.is_empty()) {
            let is_offered = self.store.is_shared() && (!self.bears_refusal || since.elapsed() > BORNE);
            if is_offered {
                return Some(Ok(Ended::TokenRefused));
            }
            calls.make(Unfit::Refused).await;
            sleep(self.token.pause()).await;
            self.rotation.digitalocean().await;
            if matches!(self.token.ask_once().await, Answer::Accepted(_)) {
                self.readiness.set_token(http::Token::Usable);
                tracing::info!("DigitalOcean accepts the token again");
                self.resume_owed().await;
                return None;
            }
        }
        calls.say_all(Unfit::Refused, LAST_WORDS).await;
        Some(Err(Error::DigitalOceanToken))
    }

    /// Whether the token's file contained a new token, which is now in use.
    async fn token_was_renewed(&self) -> bool {
        let is_new = self.rotation.digitalocean().await == Reread::Taken;
        if is_new {
            self.resume_owed().await;
        }
        is_new
    }

    /// Resumes operations that waited for an accepted token.
    async fn resume_owed(&self) {
        if let Err(error) = self.calls().resume_owed().await {
            tracing::warn!(error = chain(&error), "what waited for the token goes on a little later");
        }
    }

    async fn learn_team(&self, team: &str) {
        let known = self.store.account().await.ok().flatten().and_then(|account| account.team);
        if known.is_none()
            && let Err(error) = self.store.remember_team(team).await
        {
            tracing::debug!(error = chain(&error), "could not remember the team");
        }
    }

    fn calls(&self) -> Calls {
        Calls::new(self.store, rules(self.config), self.clock.clone())
    }
}
