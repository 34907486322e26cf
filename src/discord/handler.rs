//! Dispatches gateway events: interactions go to the commands and the buttons, guilds to the registrar, and connection changes wake the
//! watchdog.

use std::sync::{Arc, OnceLock};

use serenity::{
    async_trait,
    client::{Context, EventHandler, FullEvent},
    gateway::{ShardManager, ShardStageUpdateEvent},
    http::RatelimitInfo,
    model::{
        application::{CommandInteraction, Interaction},
        gateway::Ready,
        guild::{Guild, Role},
        id::{GuildId, RoleId},
    },
};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};

use super::{
    buttons, commands,
    dedup::RecentInteractions,
    first_response::FirstResponse,
    global_rate_limit::GlobalRateLimit,
    incident::Fault,
    limits::Pace,
    messages::refusal::Refusal,
    responder::{Answer, Deferral, Responder},
    state::AppState,
};
use crate::operation::ids::{self, UserId};

/// The handler of gateway events.
pub(super) struct Handler {
    pub(super) state: Arc<AppState>,
    pub(super) options: poise::FrameworkOptions<Arc<AppState>, Fault>,
    /// Set once the client is built, which is before it receives anything.
    pub(super) shards: OnceLock<Arc<ShardManager>>,
    pub(super) seen: mpsc::UnboundedSender<GuildId>,
    pub(super) recent_interactions: RecentInteractions,
    pub(super) global_rate_limit: GlobalRateLimit,
    /// Notified when the connection changed.
    pub(super) stirred: Arc<Notify>,
    /// Cancelled when the bot has left the gateway, whatever serenity still tries.
    pub(super) left: CancellationToken,
}

impl Handler {
    pub(super) fn options() -> poise::FrameworkOptions<Arc<AppState>, Fault> {
        poise::FrameworkOptions {
            commands: commands::all(),
            on_error: |error| Box::pin(commands::on_error(error)),
            ..poise::FrameworkOptions::default()
        }
    }

    /// Whether to handle a command, a press or a form. A person who is too fast gets one refusal; further interactions are only counted.
    async fn is_heard(&self, context: &Context, interaction: &Interaction) -> bool {
        let (user, token) = match interaction {
            Interaction::Command(command) => (command.user.id, command.token.as_str()),
            Interaction::Component(component) => (component.user.id, component.token.as_str()),
            Interaction::Modal(form) => (form.user.id, form.token.as_str()),
            _ => return true,
        };
        let is_first = match self.state.people.hear(UserId(user.get())) {
            Pace::Fine => return true,
            Pace::TooFast { is_first } => is_first,
        };
        if is_first {
            let responder = Responder {
                state: &self.state,
                first: &FirstResponse::default(),
                http: &context.http,
                id: interaction.id(),
                token,
                deferral: Deferral::Thinking,
            };
            responder.answer(async { Err::<Answer, _>(Refusal::TooFast.into()) }).await;
        } else {
            self.state.refusals.note(&Refusal::TooFast);
        }
        false
    }

    async fn dispatch(&self, context: &Context, interaction: Interaction) {
        let Some(shard_manager) = self.shards.get() else { return };
        let framework = poise::FrameworkContext {
            serenity_context: context,
            options: &self.options,
            user_data: &self.state,
            shard_manager,
        };
        Box::pin(poise::dispatch_event(framework, FullEvent::InteractionCreate { interaction })).await;
    }
}

#[async_trait]
impl EventHandler for Handler {
    async fn interaction_create(&self, context: Context, interaction: Interaction) {
        if self.left.is_cancelled() || self.recent_interactions.is_repeat(interaction.id()) {
            return;
        }
        if !self.is_heard(&context, &interaction).await {
            return;
        }
        match &interaction {
            Interaction::Command(command) | Interaction::Autocomplete(command) => {
                let span = info_span!(
                    "interaction",
                    interaction.id = command.id.get(),
                    guild.id = command.guild_id.map(GuildId::get),
                    user.id = command.user.id.get(),
                    command = path(command),
                );
                self.state.names.learn(&command.user);
                self.dispatch(&context, interaction).instrument(span).await;
            }
            Interaction::Component(component) => {
                let span = info_span!(
                    "interaction",
                    interaction.id = component.id.get(),
                    guild.id = component.guild_id.map(GuildId::get),
                    user.id = component.user.id.get(),
                    custom_id = component.data.custom_id,
                );
                self.state.names.learn(&component.user);
                buttons::pressed(&self.state, &context.http, component).instrument(span).await;
            }
            Interaction::Modal(form) => {
                let span = info_span!(
                    "interaction",
                    interaction.id = form.id.get(),
                    guild.id = form.guild_id.map(GuildId::get),
                    user.id = form.user.id.get(),
                    custom_id = form.data.custom_id,
                );
                self.state.names.learn(&form.user);
                buttons::sent(&self.state, &context.http, form).instrument(span).await;
            }
            // Discord sends pings only over HTTP.
            _ => tracing::debug!("an interaction of a kind that this bot does not use"),
        }
    }

    async fn guild_role_create(&self, _: Context, role: Role) {
        self.state.roles.learn(&role);
    }

    async fn guild_role_delete(&self, _: Context, guild: GuildId, role: RoleId, _: Option<Role>) {
        self.state.roles.forget(ids::GuildId(guild.get()), ids::RoleId(role.get()));
    }

    async fn guild_role_update(&self, _: Context, _: Option<Role>, role: Role) {
        self.state.roles.learn(&role);
    }

    async fn guild_create(&self, _: Context, guild: Guild, _: Option<bool>) {
        self.state.roles.learn_guild(&guild);
        // The receiver is gone while the bot stops.
        let _ = self.seen.send(guild.id);
    }

    async fn ready(&self, _: Context, ready: Ready) {
        if self.left.is_cancelled() {
            // The bot left while this shard was connecting; a shard cannot be stopped before it has connected.
            if let Some(shards) = self.shards.get() {
                shards.shutdown_all().await;
            }
            return;
        }
        tracing::info!(user.name = ready.user.name, guilds = ready.guilds.len(), "connected to Discord");
        self.stirred.notify_one();
    }

    async fn shard_stage_update(&self, _: Context, _: ShardStageUpdateEvent) {
        self.stirred.notify_one();
    }

    async fn ratelimit(&self, limit: RatelimitInfo) {
        // serenity reports a 429 in the same way as a request that it holds back to avoid one.
        metrics::counter!("snapshot_bot_throttled_total", "service" => "discord").increment(1);
        if limit.global {
            tracing::warn!(pause = ?limit.timeout, "Discord limits the whole bot; messages wait");
            let now = self.state.clock.now();
            self.global_rate_limit.keep_until(now.checked_add(limit.timeout).unwrap_or(now));
        }
    }
}

/// The command's path, such as `snapshot take`.
fn path(command: &CommandInteraction) -> String {
    let sub = command.data.options.first().map(|option| option.name.as_str()).unwrap_or_default();
    format!("{} {sub}", command.data.name)
}
