//! A plain poise bot, as anyone would write it: `/snapshot take` with autocomplete, a progress Message, a button.

use std::sync::Arc;

use poise::serenity_prelude as serenity;
use tokio::task::JoinSet;

use crate::sandbox_discord::{SandboxDiscord, client};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Context<'a> = poise::Context<'a, (), Error>;

/// A connected bot.
pub(crate) struct Bot {
    shards: Arc<serenity::ShardManager>,
    running: JoinSet<()>,
}

impl Bot {
    /// Logs in and registers. When this returns, the bot answers.
    pub(crate) async fn start(sandbox: &SandboxDiscord) -> Self {
        let token = sandbox.discord.token();
        let http = serenity::HttpBuilder::new(&token)
            .client(client(&sandbox.discord))
            .default_allowed_mentions(serenity::CreateAllowedMentions::new())
            .build();
        let guild = serenity::GuildId::new(sandbox.guild.get());
        let framework = poise::Framework::builder()
            .options(poise::FrameworkOptions {
                commands: vec![snapshot()],
                event_handler: |framework, event| Box::pin(press(framework.serenity_context, event)),
                ..Default::default()
            })
            .setup(move |context, _, framework| {
                Box::pin(async move {
                    poise::builtins::register_in_guild(context, &framework.options().commands, guild).await?;
                    Ok(())
                })
            })
            .build();
        let intents = serenity::GatewayIntents::GUILDS;
        let mut client =
            serenity::ClientBuilder::new_with_http(http, intents).framework(framework).await.expect("a client");
        let shards = Arc::clone(&client.shard_manager);
        let mut running = JoinSet::new();
        running.spawn(async move {
            // A revoked token ends it with an error, which some tests intend.
            let _ = client.start().await;
        });
        sandbox
            .discord
            .until(|world| {
                let ready = world.is_bot_online() && !world.offered_commands(sandbox.channel, sandbox.ada).is_empty();
                ready.then_some(())
            })
            .await;
        Self { shards, running }
    }

    /// Waits until it has given up.
    pub(crate) async fn ended(&mut self) {
        self.running.join_next().await;
    }

    /// Logs out.
    pub(crate) async fn stop(mut self) {
        self.shards.shutdown_all().await;
        self.ended().await;
    }
}

/// Snapshots
#[poise::command(slash_command, subcommands("take", "ignore"), subcommand_required)]
#[expect(clippy::unused_async, reason = "poise wants it so")]
async fn snapshot(_: Context<'_>) -> Result<(), Error> {
    Ok(())
}

/// Take one
#[poise::command(slash_command)]
async fn take(
    context: Context<'_>,
    #[description = "Which"]
    #[autocomplete = "droplets"]
    droplet: String,
) -> Result<(), Error> {
    let reply = poise::CreateReply::default().content(format!("Taking a snapshot of {droplet}.")).ephemeral(true);
    context.send(reply).await?;
    let embed = serenity::CreateEmbed::new().title(format!("Snapshot of `{droplet}`")).colour(0x0058_65F2);
    let cancel = serenity::CreateButton::new("cancel:7f3kq2xa").label("Cancel").style(serenity::ButtonStyle::Danger);
    let progress = serenity::CreateMessage::new()
        .embed(embed)
        .components(vec![serenity::CreateActionRow::Buttons(vec![cancel])])
        .nonce(serenity::Nonce::String("7f3kq2xa-p".to_owned()))
        .enforce_nonce(true)
        .allowed_mentions(serenity::CreateAllowedMentions::new());
    let first = context.channel_id().send_message(context.http(), progress.clone()).await?;
    let again = context.channel_id().send_message(context.http(), progress).await?;
    assert_eq!(first.id, again.id);
    Ok(())
}

/// Never answers
#[poise::command(slash_command)]
#[expect(clippy::unused_async, reason = "poise wants it so")]
async fn ignore(_: Context<'_>) -> Result<(), Error> {
    Ok(())
}

#[expect(clippy::unused_async, reason = "poise wants it so")]
async fn droplets(_: Context<'_>, partial: &str) -> serenity::CreateAutocompleteResponse {
    let names = ["db-1", "web-1", "web-2"].into_iter().filter(|name| name.starts_with(partial));
    let choices = names.map(|name| serenity::AutocompleteChoice::new(name, name)).collect();
    serenity::CreateAutocompleteResponse::new().set_choices(choices)
}

async fn press(context: &serenity::Context, event: &serenity::FullEvent) -> Result<(), Error> {
    let serenity::FullEvent::InteractionCreate { interaction: serenity::Interaction::Component(press) } = event else {
        return Ok(());
    };
    let embed = serenity::CreateEmbed::new().title(format!("Cancelled by <@{}>", press.user.id)).colour(0x00ED_4245);
    let message = serenity::CreateInteractionResponseMessage::new().embed(embed).components(Vec::new());
    press.create_response(context, serenity::CreateInteractionResponse::UpdateMessage(message)).await?;
    Ok(())
}
