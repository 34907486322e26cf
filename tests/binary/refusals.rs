//! Tokens that are refused: which one, what to do, and whom to tell before the end.

use std::time::Duration;

use snapshot_bot::sandbox::digitalocean::{
    fault::{Disturbance, Fault, Pattern},
    world::TOKEN,
};

use super::{
    process::{PATIENCE, Signal},
    stage::Stage,
};

/// A refused token ends the program within this time.
const REFUSAL: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_refused_discord_token_ends_the_bot_and_is_named() {
    let stage = Stage::new().await;
    stage.discord.world().accept_token(false);
    let ended = stage.start("bot").end(REFUSAL).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("refuses DISCORD_TOKEN; copy the bot's token anew"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_refused_digitalocean_token_ends_the_bot_and_is_named() {
    let stage = Stage::new().await;
    let ended = stage.start_with("bot", &[("DIGITALOCEAN_TOKEN", "dop_v1_revoked".to_owned())]).end(REFUSAL).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("refuses DIGITALOCEAN_TOKEN; make a new one"), "{}", ended.stderr);
}

#[tokio::test]
async fn while_power_is_owed_the_channel_hears_of_the_refused_token_before_the_end() {
    let stage = Stage::new().await;
    let (bot, _) = stage.ready("first").await;
    let held = stage.take_held_at("snapshot").await;
    bot.signal(Signal::Kill);
    bot.end(REFUSAL).await;
    held.release();
    stage.digitalocean.world(|world| world.revoke_token(TOKEN));
    let ended = stage.start("second").end(REFUSAL).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("DIGITALOCEAN_TOKEN"), "{}", ended.stderr);
    let read = stage.ada.transcript();
    assert!(read.contains("is off and could not be turned on again"), "{read}\n{}", ended.stderr);
    assert_eq!(stage.ada.pings(), 1, "{read}");
}

#[tokio::test]
async fn people_hear_of_the_refused_token_also_where_nothing_was_to_be_done_for_an_hour() {
    let stage = Stage::new().await;
    let (bot, _) = stage.ready("first").await;
    let held = stage.take_held_at("snapshot").await;
    let throttled = Disturbance::Throttle { retry_after: Some(3_600) };
    stage.digitalocean.world(|world| world.add_fault(Fault::always(Pattern::any(), throttled)));
    held.release();
    stage.reads("request limit is reached").await;
    bot.signal(Signal::Kill);
    bot.end(REFUSAL).await;
    stage.digitalocean.world(|world| {
        world.clear_faults();
        world.revoke_token(TOKEN);
    });
    let ended = stage.start("second").end(REFUSAL).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let read = stage.ada.transcript();
    assert!(read.contains("could not be turned on again"), "{read}\n{}", ended.stderr);
    assert_eq!(stage.ada.pings(), 1);
}

#[tokio::test]
async fn a_refused_discord_token_ends_the_bot_only_once_what_it_turned_off_is_on_again() {
    let stage = Stage::new().await;
    let (bot, _) = stage.ready("first").await;
    let held = stage.take_held_at("snapshot").await;
    bot.signal(Signal::Kill);
    bot.end(REFUSAL).await;
    held.release();
    stage.discord.world().accept_token(false);
    let ended = stage.start("second").end(PATIENCE).await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("refuses DISCORD_TOKEN"), "{}", ended.stderr);
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert!(stage.web_is_on());
    stage.discord.world().accept_token(true);
    let (bot, _) = stage.ready("third").await;
    stage.reads("is ready").await;
    assert_eq!(stage.ada.pings(), 1);
    stage.stop(bot).await;
}
