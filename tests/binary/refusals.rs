//! Tokens that are refused: which one, what to do, and whom to tell before the end.

use std::time::Duration;

use snapshot_bot::sandbox::digitalocean::world::TOKEN;

use super::{process::Signal, stage::Stage};

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
