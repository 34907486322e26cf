//! One person can neither keep the bot from answering others, nor fill its log.

use snapshot_bot_sandbox::digitalocean::droplet::Blueprint;

use super::{
    process::{PATIENCE, until_answered},
    stage::Stage,
};

#[tokio::test]
async fn three_thousand_forged_presses_cost_no_log_lines_of_their_own() {
    let stage = Stage::new().await;
    let (bot, _) = stage.ready("bot").await;
    stage.ada.run("/snapshot take droplet:web-1").await.unwrap();
    stage.reads("is ready").await;
    let message = stage.ada.messages().last().unwrap().id;
    let before = bot.logged().lines().count();
    stage.ada.forge_presses(message, "forged", 3000);
    let bob = {
        let mut world = stage.discord.world();
        let bob = world.add_user("bob");
        world.join(stage.guild, bob, &[]);
        bob
    };
    // A person behind them is answered all the same, and by then all of them were handled.
    let bob = stage.discord.as_user(bob, stage.ops);
    let answered = async { while bob.run("/snapshot help").await.is_err() {} };
    tokio::time::timeout(PATIENCE * 3, answered).await.unwrap_or_else(|_| panic!("{}", bot.logged()));
    let log = bot.logged();
    let more = log.lines().count() - before;
    assert!(more <= 5, "{more} lines\n{log}");
    stage.stop(bot).await;
}

#[tokio::test]
async fn a_person_who_is_too_fast_is_told_once_and_then_not_answered() {
    let mut stage = Stage::new().await;
    stage.environment.insert("INTERACTIONS_PER_PERSON", "4".to_owned());
    let (bot, address) = stage.ready("bot").await;
    stage.ada.run("/snapshot help").await.unwrap();
    let message = stage.ada.messages().last().unwrap().id;
    stage.ada.forge_presses(message, "forged", 10);
    stage.reads("That was too much").await;
    // All ten were handled; the answers arrive before the bot ends.
    for refused in [r#"{reason="TooFast"} 7"#, r#"{reason="UnknownButton"} 3"#] {
        until_answered(&address, "/metrics", 200, &format!("snapshot_bot_refused_interactions_total{refused}")).await;
    }
    stage.stop(bot).await;
    let transcript = stage.ada.transcript();
    assert_eq!(transcript.matches("That was too much").count(), 1, "{transcript}");
    assert_eq!(transcript.matches("from an older version").count(), 3, "{transcript}");
}

#[tokio::test]
async fn pressing_a_question_that_was_answered_again_and_again_costs_no_log_lines_either() {
    let mut stage = Stage::new().await;
    stage.environment.insert("INTERACTIONS_PER_PERSON", "1000".to_owned());
    stage.digitalocean.world(|world| {
        let web = world.droplets().find(|one| one.name == "web-1").unwrap().id;
        world.add_snapshot(web, "golden", 2.0);
    });
    let (bot, _) = stage.ready("bot").await;
    stage.ada.run("/snapshot delete snapshot:golden").await.unwrap();
    let (message, yes) = stage.button("Delete");
    stage.press("Never mind").await;
    let before = bot.logged().lines().count();
    stage.ada.forge_presses(message, &yes, 300);
    // By the time that this is answered, all of them were handled.
    let answered = async { while stage.ada.run("/snapshot help").await.is_err() {} };
    tokio::time::timeout(PATIENCE * 3, answered).await.unwrap_or_else(|_| panic!("{}", bot.logged()));
    let log = bot.logged();
    let more = log.lines().count() - before;
    assert!(more <= 5, "{more} lines\n{log}");
    assert!(stage.commands().is_empty());
    stage.stop(bot).await;
}

#[tokio::test]
async fn a_person_has_ten_operations_at_most_and_each_droplet_its_rest() {
    let mut stage = Stage::new().await;
    stage.environment.insert("OPERATIONS_PER_PERSON", "1".to_owned());
    stage.environment.insert("TAKE_COOLDOWN", "1h".to_owned());
    stage.digitalocean.world(|world| world.add_droplet(&Blueprint::named("api-1")));
    let (bot, _) = stage.ready("bot").await;
    let held = stage.take_held_at("snapshot").await;
    let refusal = stage.answer("/snapshot take droplet:db-1").await;
    assert!(refusal.contains("You already have 1 operation running"), "{refusal}");
    held.release();
    stage.reads("is ready").await;
    let refusal = stage.answer("/snapshot take droplet:web-1").await;
    assert!(refusal.contains("was taken a short while ago"), "{refusal}");
    stage.ada.run("/snapshot take droplet:db-1").await.unwrap();
    stage.reads("of `db-1` is ready").await;
    stage.stop(bot).await;
}
