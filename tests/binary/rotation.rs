//! New tokens without a restart: from files, on SIGHUP or after a refusal, and never for another account or application.

use std::fs;

use snapshot_bot_sandbox::digitalocean::{
    scopes::Scopes,
    world::{TOKEN, World},
};

use super::{
    account::another_account,
    installation::Installation,
    process::{Process, Signal, until_answered},
    standby::Cluster,
};

const NEW_TOKEN: &str = "dop_v1_renewed";
const NEW_BOT_TOKEN: &str = "MTIz.renewed.bot-token";

/// An installation whose bot reads both tokens from files.
async fn with_files() -> Installation {
    let mut installation = Installation::new().await;
    for (variable, in_file) in
        [("DISCORD_TOKEN", "DISCORD_TOKEN_FILE"), ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_TOKEN_FILE")]
    {
        move_into_file(&mut installation, variable, in_file);
    }
    installation
}

fn move_into_file(installation: &mut Installation, variable: &'static str, in_file: &'static str) {
    let path = installation.folder.path().join(in_file);
    let secret = installation.environment.remove(variable).unwrap();
    fs::write(&path, secret + "\n").unwrap();
    installation.environment.insert(in_file, path.display().to_string());
}

fn write(installation: &Installation, in_file: &str, secret: &str) {
    fs::write(&installation.environment[in_file], secret).unwrap();
}

/// The token becomes valid at DigitalOcean, and the earlier one becomes invalid.
fn renew_at_digitalocean(installation: &Installation) {
    installation.digitalocean.world(|world| {
        world.add_token(NEW_TOKEN, Scopes::all());
        world.revoke_token(TOKEN);
    });
}

async fn takes(installation: &Installation, bot: &Process, snapshots: usize) {
    installation.reads("is ready").await;
    let one = ["shutdown web-1", "snapshot web-1", "power_on web-1"];
    assert_eq!(installation.commands(), one.repeat(snapshots), "{}", bot.logged());
    assert_eq!(installation.ada.pings(), snapshots, "{}", installation.ada.transcript());
    assert!(installation.web_is_on());
}

#[tokio::test]
async fn both_tokens_are_renewed_on_sighup_while_a_take_runs() {
    let installation = with_files().await;
    let (bot, address) = installation.ready("bot").await;
    let held = installation.take_held_at("snapshot").await;
    installation.digitalocean.world(|world| world.add_token(NEW_TOKEN, Scopes::all()));
    installation.discord.world().reset_token(NEW_BOT_TOKEN);
    write(&installation, "DIGITALOCEAN_TOKEN_FILE", NEW_TOKEN);
    write(&installation, "DISCORD_TOKEN_FILE", NEW_BOT_TOKEN);
    bot.signal(Signal::Hangup);
    bot.logs("new token of the same account").await;
    bot.logs("new token of the same application").await;
    installation.digitalocean.world(|world| world.revoke_token(TOKEN));
    until_answered(&address, "/readyz", 200, "ready").await;
    held.release();
    takes(&installation, &bot, 1).await;
    let ended = installation.stop(bot).await;
    assert!(!ended.stderr.contains(NEW_TOKEN) && !ended.stderr.contains(NEW_BOT_TOKEN), "{}", ended.stderr);
    // From now on, the new token is the known one.
    let (bot, _) = installation.ready("next").await;
    installation.stop(bot).await;
}

#[tokio::test]
async fn a_refused_digitalocean_token_is_read_again_before_anybody_is_called() {
    let mut installation = with_files().await;
    // The pause before operations believe that the token is refused is a third of this.
    installation.environment.insert("SETTLE_TIME", "10s".to_owned());
    let (bot, address) = installation.ready("bot").await;
    let held = installation.take_held_at("snapshot").await;
    write(&installation, "DIGITALOCEAN_TOKEN_FILE", NEW_TOKEN);
    renew_at_digitalocean(&installation);
    held.release();
    bot.logs("new token of the same account").await;
    takes(&installation, &bot, 1).await;
    until_answered(&address, "/readyz", 200, "ready").await;
    installation.stop(bot).await;
}

#[tokio::test]
async fn a_refused_discord_token_is_read_again_before_the_bot_ends() {
    let installation = with_files().await;
    let (bot, address) = installation.ready("bot").await;
    write(&installation, "DISCORD_TOKEN_FILE", NEW_BOT_TOKEN);
    installation.discord.world().reset_token(NEW_BOT_TOKEN);
    installation.discord.world().close_gateway(4004);
    bot.logs("new token of the same application").await;
    until_answered(&address, "/readyz", 200, "ready").await;
    installation.ada.run("/snapshot take droplet:web-1").await.unwrap();
    takes(&installation, &bot, 1).await;
    installation.stop(bot).await;
}

#[tokio::test]
async fn a_file_that_gives_nothing_usable_changes_nothing_and_is_named() {
    let installation = with_files().await;
    let (bot, address) = installation.ready("bot").await;
    installation.ada.run("/snapshot take droplet:web-1").await.unwrap();
    takes(&installation, &bot, 1).await;
    for (file, text, told) in [
        ("DIGITALOCEAN_TOKEN_FILE", " \n", "the file is empty"),
        ("DIGITALOCEAN_TOKEN_FILE", "two words", "white space"),
        ("DIGITALOCEAN_TOKEN_FILE", "dop_v1_unknown", "the token in DIGITALOCEAN_TOKEN_FILE is not used"),
        ("DISCORD_TOKEN_FILE", "MTIz.unknown.token", "the token in DISCORD_TOKEN_FILE is not used"),
    ] {
        let earlier = fs::read_to_string(&installation.environment[file]).unwrap();
        write(&installation, file, text);
        bot.signal(Signal::Hangup);
        bot.logs(told).await;
        write(&installation, file, &earlier);
    }
    fs::remove_file(&installation.environment["DISCORD_TOKEN_FILE"]).unwrap();
    bot.signal(Signal::Hangup);
    bot.logs("No such file").await;
    assert_eq!(super::process::ask(&address, "/readyz").await, Some((200, "ready\n".to_owned())));
    installation.digitalocean.world(World::clear_faults);
    installation.ada.run("/snapshot take droplet:web-1").await.unwrap();
    installation.stop(bot).await;
}

#[tokio::test]
async fn a_token_of_another_account_or_application_is_never_taken() {
    let mut installation = with_files().await;
    let (bot, _) = installation.ready("first").await;
    installation.ada.run("/snapshot take droplet:web-1").await.unwrap();
    takes(&installation, &bot, 1).await;
    installation.stop(bot).await;

    // From here on, the same address leads to another account.
    let (_elsewhere, [way, (_, other_token)]) = another_account().await;
    let (bot, _) = installation.ready("second").await;
    installation.discord.world().replace_application(NEW_BOT_TOKEN);
    write(&installation, "DISCORD_TOKEN_FILE", NEW_BOT_TOKEN);
    bot.signal(Signal::Hangup);
    bot.logs("it is of another application").await;
    bot.signal(Signal::Kill);
    drop(bot);

    installation.environment.extend([way]);
    write(&installation, "DIGITALOCEAN_TOKEN_FILE", &other_token);
    let ended = installation.start("third").end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("--same-account"), "{}", ended.stderr);
}

#[tokio::test]
async fn sighup_without_files_is_no_end() {
    let installation = Installation::new().await;
    let (bot, address) = installation.ready("bot").await;
    bot.signal(Signal::Hangup);
    bot.logs("none comes from a file").await;
    until_answered(&address, "/readyz", 200, "ready").await;
    installation.stop(bot).await;
}

#[tokio::test]
async fn a_new_password_of_the_same_postgresql_is_taken_and_another_database_is_not() {
    let Some(mut cluster) = Cluster::new().await else { return };
    move_into_file(&mut cluster.installation, "DATABASE_URL", "DATABASE_URL_FILE");
    let file = cluster.installation.environment["DATABASE_URL_FILE"].clone();
    let url = fs::read_to_string(&file).unwrap().trim().to_owned();
    let (bot, _) = cluster.installation.ready("bot").await;
    // The tests' server accepts any password.
    let separator = if url.contains('?') { '&' } else { '?' };
    fs::write(&file, format!("{url}{separator}password=renewed-password")).unwrap();
    bot.signal(Signal::Hangup);
    bot.logs("a new address of the same database").await;
    fs::write(&file, format!("{url}{separator}dbname=elsewhere")).unwrap();
    bot.signal(Signal::Hangup);
    bot.logs("leads to another database").await;
    cluster.takes().await;
    let ended = cluster.installation.stop(bot).await;
    assert!(!ended.stderr.contains("renewed-password"), "{}", ended.stderr);
    cluster.installation.environment.insert("DATABASE_URL", url);
    cluster.finish().await;
}
