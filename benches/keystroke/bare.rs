//! The least that suggests Droplets with poise: 1,000 names in memory, and a filter.

#![expect(clippy::unused_async, reason = "poise awaits what it calls")]

use serenity::{
    all::{AutocompleteChoice, GatewayIntents, GuildId},
    builder::CreateAutocompleteResponse,
    client::ClientBuilder,
    http::HttpBuilder,
};

/// What the program is started with to be this bot.
pub(crate) const ARGUMENT: &str = "bare";

type Error = Box<dyn std::error::Error + Send + Sync>;
type Context<'a> = poise::Context<'a, Vec<String>, Error>;

/// Snapshots
#[poise::command(slash_command, subcommands("take"), subcommand_required)]
async fn snapshot(_: Context<'_>) -> Result<(), Error> {
    Ok(())
}

/// Take a Snapshot
#[poise::command(slash_command)]
async fn take(
    context: Context<'_>,
    #[description = "The Droplet"]
    #[autocomplete = "droplets"]
    droplet: String,
) -> Result<(), Error> {
    context.say(droplet).await?;
    Ok(())
}

async fn droplets(context: Context<'_>, partial: &str) -> CreateAutocompleteResponse {
    let found = context.data().iter().filter(|name| name.contains(partial)).take(25);
    CreateAutocompleteResponse::new()
        .set_choices(found.map(|name| AutocompleteChoice::new(name, name.as_str())).collect())
}

/// Runs it until it is killed, with the variables that lead the program to its simulated Discord.
pub(crate) async fn run() {
    let variable = |name| std::env::var(name).unwrap();
    let root = reqwest::Certificate::from_pem(&std::fs::read(variable("EXTRA_CA_FILE")).unwrap()).unwrap();
    let address = variable("DISCORD_CONNECT_TO").parse().unwrap();
    let client = reqwest::Client::builder().tls_built_in_root_certs(false).add_root_certificate(root);
    let client = client.no_proxy().resolve("discord.com", address).build().unwrap();
    let guild: GuildId = variable("DISCORD_GUILD_ID").parse().unwrap();
    let options = poise::FrameworkOptions { commands: vec![snapshot()], ..poise::FrameworkOptions::default() };
    let framework = poise::Framework::builder().options(options).setup(move |context, _, framework| {
        Box::pin(async move {
            poise::builtins::register_in_guild(context, &framework.options().commands, guild).await?;
            Ok((1..=1_000).map(|number| format!("node-{number}")).collect())
        })
    });
    let http = HttpBuilder::new(variable("DISCORD_TOKEN")).client(client).build();
    let client = ClientBuilder::new_with_http(http, GatewayIntents::GUILDS).framework(framework.build());
    client.await.unwrap().start().await.unwrap();
}
