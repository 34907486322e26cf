//! Signals: a clean stop, what people read during it, and a second signal.

use snapshot_bot_sandbox::control::gate::Point;

use super::{
    installation::Installation,
    process::{Process, Signal},
};

async fn hears(bot: &Process, signal: Signal) {
    bot.signal(signal);
    bot.logs("stopping; what is under way is brought to a safe point").await;
}

#[tokio::test]
async fn either_signal_ends_the_bot_well() {
    let installation = Installation::new().await;
    for (name, signal) in [("first", Signal::Terminate), ("second", Signal::Interrupt)] {
        let (bot, _) = installation.ready(name).await;
        bot.signal(signal);
        let ended = bot.end().await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(!installation.discord.world().is_bot_online(), "the gateway is closed");
    }
}

#[tokio::test]
async fn a_bot_that_is_stopped_leaves_one_whole_file() {
    let installation = Installation::new().await;
    let (bot, _) = installation.ready("bot").await;
    installation.ada.run("/snapshot take droplet:web-1").await.unwrap();
    installation.reads("is ready").await;
    let log = installation.folder.path().join("bot.db-wal");
    assert!(log.exists(), "the write-ahead log is there while the bot runs");
    installation.stop(bot).await;
    assert!(!log.exists(), "the log is a part of the database, and nobody copies it along");
    assert!(installation.folder.path().join("bot.db").exists());
}

#[tokio::test]
async fn a_signal_before_discord_answers_ends_the_bot_well() {
    let installation = Installation::new().await;
    let waiting = installation.discord.gate().hold(Point::BeforeAnswer, "GET /gateway".parse().unwrap(), 0);
    let bot = installation.start("bot");
    let held = waiting.caught().await;
    bot.signal(Signal::Terminate);
    let ended = bot.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    drop(held);
}

#[tokio::test]
async fn who_asks_during_the_stop_is_told_to_come_back() {
    let installation = Installation::new().await;
    let (bot, _) = installation.ready("bot").await;
    let held = installation.take_held_at("shutdown").await;
    hears(&bot, Signal::Terminate).await;
    // Until the intake closes, the Droplet is busy. Either way there is an answer.
    while !installation.answer("/snapshot take droplet:web-1").await.contains("I'm being restarted") {}
    held.release();
    let ended = bot.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(installation.commands(), ["shutdown web-1"], "nothing new began");
    let (bot, _) = installation.ready("again").await;
    installation.reads("is ready").await;
    assert_eq!(installation.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert!(installation.web_is_on());
    installation.stop(bot).await;
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let installation = Installation::new().await;
    let (bot, _) = installation.ready("bot").await;
    let held = installation.take_held_at("shutdown").await;
    hears(&bot, Signal::Interrupt).await;
    bot.signal(Signal::Interrupt);
    let ended = bot.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("stopping at once"), "{}", ended.stderr);
    drop(held);
}
