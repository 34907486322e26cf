//! Bots that use libraries of other authors, run as separate programs.

use std::{
    process::{Child, Command},
    time::Duration,
};

use serde_json::json;
use snapshot_bot_sandbox::discord::{interaction::Response, server::Discord};

use crate::{required, sandbox_discord::SandboxDiscord};

/// A program that ends with the test.
struct Bot {
    child: Child,
    /// The folder of the certificate.
    _folder: tempfile::TempDir,
}

impl Drop for Bot {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Bot {
    /// Starts a bot with everything that it needs in its environment, and waits until it is connected and has registered.
    async fn start(mut command: Command, sandbox: &SandboxDiscord) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = folder.path().join("ca.pem");
        std::fs::write(&authority, sandbox.discord.ca_pem()).expect("the certificate is written");
        let child = command
            .env("DISCORD_API", api(&sandbox.discord))
            .env("DISCORD_GATEWAY", sandbox.discord.gateway_url())
            .env("DISCORD_TOKEN", sandbox.discord.token())
            .env("DISCORD_GUILD_ID", sandbox.guild.to_string())
            .env("NODE_EXTRA_CA_CERTS", &authority)
            .env("SSL_CERT_FILE", &authority)
            .spawn()
            .expect("the bot starts");
        let bot = Self { child, _folder: folder };
        let ready = sandbox.discord.until(|world| {
            let ready = world.is_bot_online() && !world.offered_commands(sandbox.channel, sandbox.ada).is_empty();
            ready.then_some(())
        });
        // The bot's own output tells one that failed to start from a slow one.
        tokio::time::timeout(Duration::from_mins(1), ready).await.expect("the bot comes online");
        bot
    }
}

fn api(discord: &Discord) -> String {
    format!("https://localhost:{}/api", discord.rest_addr().port())
}

/// What every such bot must manage: it registers `/hello name:` with autocomplete, answers, handles its button, and fills in a deferred
/// answer.
async fn plays(sandbox: &SandboxDiscord) {
    let ada = sandbox.seat(sandbox.ada);
    let choices = ada.autocomplete("hello", "name", "gr", &[]).await.expect("suggestions");
    assert_eq!(choices.first().map(|choice| &choice.value), Some(&json!("grace")));
    let answered = ada.run("/hello name:grace").await;
    let Ok(Response::Message(message)) = answered else { panic!("{answered:?}") };
    let pressed = ada.press(message, "again").await;
    assert_eq!(pressed, Ok(Response::Updated(message)));
    assert_eq!(ada.transcript(), "ada used /hello\nsnapshot-bot: Hello again. (edited)\n");
    let Ok(Response::Thinking(later)) = ada.run("/hello name:linus").await else { panic!("{}", ada.transcript()) };
    let is_filled = sandbox.discord.until(|world| (!world.message(later)?.is_loading()).then_some(()));
    tokio::time::timeout(Duration::from_mins(1), is_filled).await.expect("the answer is filled in");
    assert_eq!(
        sandbox.discord.world().message(later).map(|it| it.body.content.clone()).as_deref(),
        Some("Hello at last.")
    );
    assert_eq!(sandbox.discord.world().complaints(), []);
}

#[tokio::test]
async fn a_discord_js_bot_logs_in_registers_and_answers() {
    let Some(folder) = required::variable("DISCORDJS_DIR", "a folder with discord.js 14 in node_modules") else {
        return;
    };
    let sandbox = SandboxDiscord::new().await;
    let mut command = Command::new("node");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/discordjs/bot.mjs");
    command.arg(script).env("DISCORDJS_DIR", folder);
    let bot = Bot::start(command, &sandbox).await;
    plays(&sandbox).await;
    drop(bot);
    sandbox.finish().await;
}

#[tokio::test]
async fn a_discord_py_bot_logs_in_registers_and_answers() {
    let Some(python) = required::variable("DISCORDPY_PYTHON", "a Python that has discord.py 2") else { return };
    let sandbox = SandboxDiscord::new().await;
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/discordpy/bot.py"));
    let bot = Bot::start(command, &sandbox).await;
    plays(&sandbox).await;
    drop(bot);
    sandbox.finish().await;
}
