//! A process that must not be active with its token: it ends, or calls people about Droplets that may be off because of the bot.

use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{
    Error, Life,
    calls::Calls,
    renewal::keep_lease,
    settings::{bot_parts, rules},
    token::Unfit,
};
use crate::{
    discord::{bot::Bot, incident::chain, intake::Intake},
    store::Lease,
};

/// How long the lease must have been free before a process that must not be active calls people: another process may have a better token.
const LEFT_ALONE: Duration = Duration::from_mins(2);
/// How long logging in to Discord and posting the calls may take then.
const CALLING: Duration = Duration::from_mins(1);

impl Life {
    /// Ends a process that must not be active. While Droplets may be off because of the bot, it calls people instead.
    pub(super) async fn keep_out(
        &self,
        why: Unfit,
        free: Option<Duration>,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        self.readiness.set_token(why.into());
        if self.store.power_owed().await?.is_empty() {
            return if why == Unfit::Unproven { Ok(()) } else { Err(why.into()) };
        }
        tracing::error!("{}", Error::from(why));
        let calls = Calls::new(&self.store, rules(&self.config), self.clock.clone());
        if free.is_none_or(|free| free < LEFT_ALONE) || calls.are_said().await {
            return Ok(());
        }
        let Some(lease) = self.store.try_lease(&self.holder).await? else { return Ok(()) };
        tokio::select! {
            () = stop.cancelled() => {}
            _ = keep_lease(&lease, &self.store, &self.readiness) => {}
            called = timeout(CALLING, self.call_people(&calls, why)) => match called {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "could not call people about Droplets that may be off"),
                Err(_) => tracing::error!("could not call people about Droplets that may be off: Discord does not answer"),
            },
        }
        self.give_back(lease).await;
        Ok(())
    }

    /// Posts the calls without connecting to the gateway: another active bot of the same application answers people there.
    async fn call_people(&self, calls: &Calls, why: Unfit) -> Result<(), Error> {
        let (mut settings, rooms) = bot_parts(&self.config, &self.store, &self.clock, &self.client, Intake::default());
        settings.token = self.rotation.discord_tokens().borrow().clone();
        let end = CancellationToken::new();
        let bot = Bot::start(settings, rooms, &end).await?;
        let said = async {
            calls.say_all(why, CALLING).await;
            end.cancel();
        };
        tokio::join!(bot.reporter().run(end.clone()), said);
        Ok(())
    }

    pub(super) async fn give_back(&self, lease: Lease) {
        if let Err(error) = lease.release().await {
            tracing::warn!(error = chain(&error), "could not give the lease back");
        }
    }
}
