//! One person can neither keep the bot from answering others, nor fill its log.

use snapshot_bot_sandbox::digitalocean::droplet::Blueprint;

use super::{
    installation::Installation,
    process::{PATIENCE, until_answered},
    waiting::within,
};

#[tokio::test]
async fn three_thousand_forged_presses_cost_no_log_lines_of_their_own() {
    let installation = Installation::new().await;
    let (bot, _) = installation.ready("bot").await;
    installation.ada.run("/snapshot take droplet:web-1").await.unwrap();
    installation.reads("is ready").await;
    let message = installation.ada.messages().last().unwrap().id;
    let before = bot.logged().lines().count();
    installation.ada.forge_presses(message, "forged", 3000);
    let bob = {
        let mut world = installation.discord.world();
        let bob = world.add_user("bob");
        world.join(installation.guild, bob, &[]);
        bob
    };
    // A person behind them is answered all the same, and by then all of them were handled.
    let bob = installation.discord.as_user(bob, installation.ops);
    let answered = async { while bob.run("/snapshot help").await.is_err() {} };
    within(PATIENCE * 3, answered, async || bot.logged()).await;
    let log = bot.logged();
    let more = log.lines().count() - before;
    assert!(more <= 5, "{more} lines\n{log}");
    installation.stop(bot).await;
}

#[tokio::test]
async fn a_person_who_is_too_fast_is_told_once_and_then_not_answered() {
    let mut installation = Installation::new().await;
    installation.environment.insert("INTERACTIONS_PER_PERSON", "4".to_owned());
    let (bot, address) = installation.ready("bot").await;
    installation.ada.run("/snapshot help").await.unwrap();
    let message = installation.ada.messages().last().unwrap().id;
    installation.ada.forge_presses(message, "forged", 10);
    installation.reads("That was too much").await;
    // All ten were handled; the answers arrive before the bot ends.
    for refused in [r#"{reason="TooFast"} 7"#, r#"{reason="UnknownButton"} 3"#] {
        until_answered(&address, "/metrics", 200, &format!("snapshot_bot_refused_interactions_total{refused}")).await;
    }
    installation.stop(bot).await;
    let transcript = installation.ada.transcript();
    assert_eq!(transcript.matches("That was too much").count(), 1, "{transcript}");
    assert_eq!(transcript.matches("from an older version").count(), 3, "{transcript}");
}

#[tokio::test]
async fn pressing_a_question_that_was_answered_again_and_again_costs_no_log_lines_either() {
    let mut installation = Installation::new().await;
    installation.environment.insert("INTERACTIONS_PER_PERSON", "1000".to_owned());
    installation.digitalocean.world(|world| {
        let web = world.droplets().find(|one| one.name == "web-1").unwrap().id;
        world.add_snapshot(web, "golden", 2.0);
    });
    let (bot, _) = installation.ready("bot").await;
    installation.ada.run("/snapshot delete snapshot:golden").await.unwrap();
    let (message, yes) = installation.button("Delete");
    installation.press("Never mind").await;
    let before = bot.logged().lines().count();
    installation.ada.forge_presses(message, &yes, 300);
    // By the time that this is answered, all of them were handled.
    let answered = async { while installation.ada.run("/snapshot help").await.is_err() {} };
    within(PATIENCE * 3, answered, async || bot.logged()).await;
    let log = bot.logged();
    let more = log.lines().count() - before;
    assert!(more <= 5, "{more} lines\n{log}");
    assert!(installation.commands().is_empty());
    installation.stop(bot).await;
}

#[tokio::test]
async fn a_person_has_ten_operations_at_most_and_each_droplet_its_rest() {
    let mut installation = Installation::new().await;
    installation.environment.insert("OPERATIONS_PER_PERSON", "1".to_owned());
    installation.environment.insert("TAKE_COOLDOWN", "1h".to_owned());
    installation.digitalocean.world(|world| world.add_droplet(&Blueprint::named("api-1")));
    let (bot, _) = installation.ready("bot").await;
    let held = installation.take_held_at("snapshot").await;
    let refusal = installation.answer("/snapshot take droplet:db-1").await;
    assert!(refusal.contains("You already have 1 operation running"), "{refusal}");
    held.release();
    installation.reads("is ready").await;
    let refusal = installation.answer("/snapshot take droplet:web-1").await;
    assert!(refusal.contains("was taken a short while ago"), "{refusal}");
    installation.ada.run("/snapshot take droplet:db-1").await.unwrap();
    installation.reads("of `db-1` is ready").await;
    installation.stop(bot).await;
}
