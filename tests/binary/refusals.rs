//! Refused tokens: which one it is, what to do, and the notice to people before the end.

use snapshot_bot_sandbox::digitalocean::{
    droplet::Status,
    fault::{Disturbance, Fault, Pattern},
    scopes::Scopes,
    world::{TOKEN, World},
};

use super::{
    installation::{Installation, free_address},
    process::{Process, Signal, until_answered},
};

#[tokio::test]
async fn a_refused_discord_token_ends_the_bot_and_is_named() {
    let installation = Installation::new().await;
    installation.discord.world().accept_token(false);
    let ended = installation.start("bot").end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("refuses DISCORD_TOKEN; copy the bot's token again"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_refused_digitalocean_token_ends_the_bot_and_is_named() {
    let installation = Installation::new().await;
    let ended = installation.start_with("bot", &[("DIGITALOCEAN_TOKEN", "dop_v1_revoked".to_owned())]).end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("refuses DIGITALOCEAN_TOKEN; make a new one"), "{}", ended.stderr);
}

#[tokio::test]
async fn while_power_is_owed_a_refused_token_is_told_and_waited_for() {
    let installation = Installation::new().await;
    let (bot, _) = installation.ready("first").await;
    let held = installation.take_held_at("snapshot").await;
    bot.signal(Signal::Kill);
    bot.end().await;
    held.release();
    installation.digitalocean.world(|world| world.revoke_token(TOKEN));
    let address = free_address();
    let bot = installation.start_with("second", &[("HTTP_ADDR", address.clone())]);
    installation.reads("is off, and I couldn't turn it back on").await;
    until_answered(&address, "/readyz", 503, "DigitalOcean: refuses the token").await;
    bot.logs("DIGITALOCEAN_TOKEN").await;
    installation.digitalocean.world(|world| world.add_token(TOKEN, Scopes::all()));
    until_answered(&address, "/readyz", 200, "ready").await;
    installation.digitalocean.until(|world| world.droplets().all(|droplet| droplet.status == Status::Active)).await;
    assert!(installation.ada.pings() >= 1, "{}", installation.ada.transcript());
    installation.stop(bot).await;
}

#[tokio::test]
async fn a_token_that_is_refused_while_the_bot_runs_ends_it_only_once_nothing_is_owed() {
    let installation = Installation::new().await;
    let (bot, address) = installation.ready("bot").await;
    let held = installation.take_held_at("snapshot").await;
    installation.digitalocean.world(|world| world.revoke_token(TOKEN));
    held.release();
    until_answered(&address, "/readyz", 503, "DigitalOcean: refuses the token").await;
    installation.reads("I couldn't turn").await;
    installation.press("I'll handle it").await;
    let ended = bot.end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("refuses DIGITALOCEAN_TOKEN"), "{}", ended.stderr);
}

#[tokio::test]
async fn people_hear_of_the_refused_token_also_where_nothing_was_to_be_done_for_an_hour() {
    let installation = Installation::new().await;
    let (bot, _) = installation.ready("first").await;
    let held = installation.take_held_at("snapshot").await;
    let throttled = Disturbance::Throttle { retry_after: Some(3_600) };
    installation.digitalocean.world(|world| world.add_fault(Fault::always(Pattern::any(), throttled)));
    held.release();
    installation.reads("request limit is reached").await;
    bot.signal(Signal::Kill);
    bot.end().await;
    installation.digitalocean.world(|world| {
        world.clear_faults();
        world.revoke_token(TOKEN);
    });
    let bot = installation.start("second");
    installation.reads("I couldn't turn").await;
    assert_eq!(installation.ada.pings(), 1);
    bot.signal(Signal::Kill);
    bot.end().await;
}

#[tokio::test]
async fn a_refused_discord_token_ends_the_bot_only_once_what_it_turned_off_is_on_again() {
    let installation = Installation::new().await;
    let (bot, _) = installation.ready("first").await;
    let held = installation.take_held_at("snapshot").await;
    bot.signal(Signal::Kill);
    bot.end().await;
    held.release();
    installation.discord.world().accept_token(false);
    let ended = installation.start("second").end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("refuses DISCORD_TOKEN"), "{}", ended.stderr);
    assert_eq!(installation.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert!(installation.web_is_on());
    installation.discord.world().accept_token(true);
    let (bot, _) = installation.ready("third").await;
    installation.reads("is ready").await;
    assert_eq!(installation.ada.pings(), 1);
    installation.stop(bot).await;
}

/// A bot that has `web-1` off and is refused each time it wants to turn it on.
async fn with_power_owed(installation: &Installation) -> (Process, String) {
    let (bot, address) = installation.ready("bot").await;
    let held = installation.take_held_at("snapshot").await;
    let message = "try again later".to_owned();
    let refusal = Disturbance::Refuse { status: 500, id: "server_error".to_owned(), message };
    installation.digitalocean.world(|world| world.add_fault(Fault::always(Pattern::action("power_on"), refusal)));
    held.release();
    (bot, address)
}

#[tokio::test]
async fn while_power_is_owed_a_bot_that_lost_the_gateway_for_good_comes_back_and_answers() {
    let installation = Installation::new().await;
    let (bot, address) = with_power_owed(&installation).await;
    installation.discord.world().refuse_sessions(Some(4014));
    installation.discord.world().close_gateway(4014);
    until_answered(&address, "/readyz", 503, "gateway: not connected").await;
    installation.discord.world().refuse_sessions(None);
    until_answered(&address, "/readyz", 200, "ready").await;
    installation.answer("/snapshot status").await;
    installation.digitalocean.world(World::clear_faults);
    installation.reads("is ready").await;
    assert!(installation.web_is_on());
    installation.stop(bot).await;
}

#[tokio::test]
async fn without_a_gateway_people_are_told_all_the_same() {
    let installation = Installation::new().await;
    let (bot, address) = with_power_owed(&installation).await;
    installation.discord.world().refuse_sessions(Some(4014));
    installation.discord.world().close_gateway(4014);
    until_answered(&address, "/readyz", 503, "gateway: not connected").await;
    bot.logs("power is owed, so the bot stays").await;
    installation.digitalocean.world(World::clear_faults);
    installation.reads("is ready").await;
    let ended = bot.end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(installation.web_is_on());
}

#[tokio::test]
async fn while_power_is_owed_a_refused_discord_token_is_tried_again() {
    let installation = Installation::new().await;
    let (bot, address) = with_power_owed(&installation).await;
    installation.discord.world().accept_token(false);
    installation.discord.world().close_gateway(4004);
    bot.logs("refuses DISCORD_TOKEN").await;
    installation.discord.world().accept_token(true);
    until_answered(&address, "/readyz", 200, "ready").await;
    installation.digitalocean.world(World::clear_faults);
    installation.reads("is ready").await;
    installation.stop(bot).await;
}

#[tokio::test]
async fn the_droplet_that_the_bot_runs_on_is_not_shut_down() {
    let installation = Installation::new().await;
    installation.digitalocean.world(|world| {
        let own = world.droplet_named("web-1").map(|droplet| droplet.id);
        world.settings_mut().clients_droplet = own;
    });
    let (bot, _) = installation.ready("bot").await;
    let refusal = installation.answer("/snapshot take droplet:web-1").await;
    assert!(refusal.contains("I run on `web-1` myself"), "{refusal}");
    assert!(installation.commands().is_empty(), "{:?}", installation.commands());
    installation.ada.run("/snapshot take droplet:web-1 power:live").await.unwrap();
    installation.reads("is ready").await;
    assert_eq!(installation.commands(), ["snapshot web-1"]);
    installation.stop(bot).await;
}
