//! Registers the bot's commands in each guild, only when they have changed or Discord has lost them.
//!
//! Discord allows 200 command creations per day and guild. The digest of what was sent is compared, not what Discord returns, which has
//! more fields. A failure here never stops the bot: it retries, more and more slowly.

use std::{collections::HashSet, sync::Arc, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use futures_util::{StreamExt, stream::FuturesUnordered};
use serenity::{
    builder::CreateCommand,
    http::Http,
    model::{application::Command, id::GuildId},
};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::{
    commands,
    incident::chain,
    messages::{help::Mentions, message::hex},
    state::AppState,
    wire,
};
use crate::{operation::ids, store};

/// The shortest and the longest pause before a retry.
const SOON: Duration = Duration::from_millis(250);
const SLOWEST: Duration = Duration::from_mins(5);

/// Registers the commands in each guild that becomes visible.
pub(super) struct Registrar {
    registration: Registration,
    seen: mpsc::UnboundedReceiver<GuildId>,
}

/// What every guild gets, and the client that sends it.
struct Registration {
    http: Arc<Http>,
    state: Arc<AppState>,
    commands: Vec<CreateCommand>,
    names: Vec<String>,
    digest: String,
}

/// Why a registration did not succeed.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("could not {0}")]
    Store(#[from] store::Error),
    #[error("Discord: {}", wire::describe(.0))]
    Discord(Box<serenity::Error>),
}

impl From<serenity::Error> for Error {
    fn from(error: serenity::Error) -> Self {
        Self::Discord(Box::new(error))
    }
}

impl Registrar {
    pub(super) fn new(http: Arc<Http>, state: Arc<AppState>, seen: mpsc::UnboundedReceiver<GuildId>) -> Self {
        let all = commands::all();
        let names = all.iter().map(|command| command.name.to_string()).collect();
        let commands = poise::builtins::create_application_commands(&all);
        let digest = digest(&commands);
        Self { registration: Registration { http, state, commands, names, digest }, seen }
    }

    /// Handles each guild as it becomes visible: at the start, and when the bot is invited again. A guild that refuses delays no other.
    pub(super) async fn run(self) {
        let Self { registration, mut seen } = self;
        let (mut under_way, mut guilds, mut again) = (FuturesUnordered::new(), HashSet::new(), HashSet::new());
        loop {
            tokio::select! {
                guild = seen.recv() => match guild {
                    Some(guild) if !registration.serves(guild) => {
                        tracing::info!(guild.id = guild.get(), "the bot is in a guild that it does not serve");
                    }
                    Some(guild) if guilds.insert(guild) => under_way.push(registration.ensure_in_the_end(guild)),
                    // A registration under way may have seen the guild before the bot left it and joined again.
                    Some(guild) => {
                        again.insert(guild);
                    }
                    None => return,
                },
                Some(guild) = under_way.next() => {
                    if again.remove(&guild) {
                        under_way.push(registration.ensure_in_the_end(guild));
                    } else {
                        guilds.remove(&guild);
                    }
                }
            }
        }
    }
}

impl Registration {
    fn serves(&self, guild: GuildId) -> bool {
        self.state.policy.guilds().any(|served| served.0 == guild.get())
    }

    async fn ensure_in_the_end(&self, guild: GuildId) -> GuildId {
        let patience = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(SOON)
            .with_max_delay(SLOWEST)
            .without_max_times();
        let ensured = (|| self.ensure(guild)).retry(patience).notify(|error, pause| {
            let cause = chain(error);
            tracing::warn!(guild.id = guild.get(), cause, ?pause, "could not register the commands");
        });
        // It retries until it succeeds, so there is no error to handle.
        drop(ensured.await);
        guild
    }

    /// Whether Discord lists every command of this bot.
    fn are_all_in(&self, known: &[Command]) -> bool {
        self.names.iter().all(|ours| known.iter().any(|command| command.name == *ours))
    }

    async fn ensure(&self, guild: GuildId) -> Result<(), Error> {
        let id = ids::GuildId(guild.get());
        let known = self.http.get_guild_commands(guild).await;
        wire::count(&known);
        let known = known?;
        let is_unchanged = self.state.store.registered_commands(id).await?.as_deref() == Some(&self.digest);
        if is_unchanged && self.are_all_in(&known) {
            self.state.commands.learn(id, mentions(known));
            self.tell_ready(guild);
            return Ok(());
        }
        let registered = self.http.create_guild_commands(guild, &self.commands).await;
        wire::count(&registered);
        self.state.commands.learn(id, mentions(registered?));
        self.state.store.set_registered_commands(id, &self.digest).await?;
        tracing::info!(guild.id = guild.get(), "registered the commands");
        self.tell_ready(guild);
        Ok(())
    }

    /// Logs the line that the operator waits for after starting the bot.
    fn tell_ready(&self, guild: GuildId) {
        let commands: Vec<String> = self.names.iter().map(|name| format!("/{name}")).collect();
        tracing::info!("ready: guild {guild}, {}", commands.join(", "));
    }
}

fn mentions(commands: Vec<Command>) -> Mentions {
    Mentions::new(commands.into_iter().map(|command| (command.name, command.id.get())))
}

fn digest(commands: &[CreateCommand]) -> String {
    hex(&Sha256::digest(serde_json::to_vec(commands).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_registered_is_the_same_each_time() {
        let made = || poise::builtins::create_application_commands(&commands::all());
        assert_eq!(digest(&made()), digest(&made()));
        insta::assert_snapshot!(serde_json::to_string_pretty(&made()).unwrap());
    }
}
