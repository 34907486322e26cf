//! Refusals: friendly and visible to one person only, without a request to DigitalOcean that changes anything.

use insta::assert_snapshot;
use serde_json::json;
use snapshot_bot_sandbox::{
    digitalocean::{
        droplet::Blueprint,
        fault::{Fault, Pattern, Quirk},
    },
    discord::permission::Permissions,
};

use crate::stage::{Person, Role, Stage};

/// Returns the answer, and checks that nothing was begun.
async fn refused(stage: Stage, person: &Person) -> String {
    assert!(stage.commands().is_empty(), "{}", stage.conversation());
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM operations").await, 0);
    let seen = person.transcript();
    stage.finish().await;
    seen
}

#[tokio::test]
async fn without_a_role_nothing_is_taken() {
    let stage = Stage::new().await;
    let eve = stage.seat("eve", Role::Guest);
    eve.run("/snapshot take droplet:web-1").await;
    assert_snapshot!(refused(stage, &eve).await);
}

#[tokio::test]
async fn who_may_look_may_not_take() {
    let stage = Stage::new().await;
    let vic = stage.seat("vic", Role::Viewer);
    vic.run("/snapshot take droplet:web-1").await;
    assert_snapshot!(refused(stage, &vic).await);
}

#[tokio::test]
async fn where_no_role_is_configured_only_who_runs_the_server_may() {
    let mut stage = Stage::dark().await;
    for variable in ["VIEW_ROLES", "TAKE_ROLES", "RESTORE_ROLES"] {
        stage.environment.remove(variable);
    }
    stage.start().await;
    let bob = stage.seat("bob", Role::Operator);
    bob.run("/snapshot take droplet:web-1").await;
    assert_snapshot!(bob.transcript());
    let root = stage.seat("root", Role::Admin);
    root.run("/snapshot take droplet:web-1 power:live").await;
    stage.settle().await;
    root.transcript();
    assert_eq!(stage.commands(), ["snapshot web-1"]);
    stage.finish().await;
}

#[tokio::test]
async fn a_server_that_is_not_served_is_told_so() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Admin);
    let elsewhere = {
        let mut world = stage.discord.world();
        let guild = world.add_guild("Elsewhere");
        world.invite_bot(guild);
        let everything = world.add_role(guild, "Owner", Permissions::ADMINISTRATOR);
        world.join(guild, ada.seat.user, &[everything]);
        world.add_channel(guild, "general")
    };
    let there = stage.sit(ada.seat.user, elsewhere);
    let slash = there.seat.slash("snapshot take").with("droplet", stage.droplet("web-1").to_string());
    slash.forged().send().await.unwrap();
    assert_snapshot!(refused(stage, &there).await);
}

#[tokio::test]
async fn a_direct_message_is_told_where_to_go() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Restorer);
    let direct = stage.discord.world().direct_channel(ada.seat.user);
    let there = stage.sit(ada.seat.user, direct);
    let slash = there.seat.slash("snapshot take").with("droplet", stage.droplet("web-1").to_string());
    slash.forged().send().await.unwrap();
    assert_snapshot!(refused(stage, &there).await);
}

#[tokio::test]
async fn an_unknown_droplet_is_answered_with_the_nearest_names() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:wbe-1").await;
    ada.run("/snapshot take droplet:something-else-altogether").await;
    assert_snapshot!(refused(stage, &ada).await);
}

#[tokio::test]
async fn values_that_were_never_offered_are_looked_up_again() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    for value in [
        json!("999999999"),
        json!(""),
        json!("0"),
        json!("-1"),
        json!("1; DROP TABLE operations"),
        json!("../../account"),
    ] {
        ada.seat.slash("snapshot take").with("droplet", value).forged().send().await.unwrap();
    }
    assert_snapshot!(refused(stage, &ada).await);
}

#[tokio::test]
async fn forged_options_get_a_kind_answer() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    let web = stage.droplet("web-1").to_string();
    let take = || ada.seat.slash("snapshot take").with("droplet", web.clone());
    take().with("power", 7).forged().send().await.unwrap();
    take().with("if-hung", -1).forged().send().await.unwrap();
    take().with("name", "n".repeat(101)).forged().send().await.unwrap();
    take().with("name", "a\u{202e}b").forged().send().await.unwrap();
    take().with("name", "   ").forged().send().await.unwrap();
    ada.seat.slash("snapshot take").forged().send().await.unwrap();
    ada.seat.slash("snapshot explode").with("droplet", web.clone()).forged().send().await.unwrap();
    ada.seat.slash("snapshot").forged().send().await.unwrap();
    assert_snapshot!(refused(stage, &ada).await);
}

#[tokio::test]
async fn of_two_with_one_name_one_must_be_chosen() {
    let stage = Stage::new().await;
    stage.digitalocean.world(|world| world.add_droplet(&Blueprint::named("web-1").region("fra1")));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    let seen = refused(stage, &ada).await;
    assert_snapshot!(seen);
}

#[tokio::test]
async fn without_the_tag_a_droplet_is_not_touched() {
    let mut stage = Stage::dark().await;
    stage.environment.insert("DROPLET_TAG", "prod".to_owned());
    let web = stage.droplet("web-1");
    let db = stage.droplet("db-1");
    stage.digitalocean.world(|world| world.set_tags(web, &["prod"]));
    stage.start().await;
    let ada = stage.seat("ada", Role::Operator);
    assert_eq!(ada.suggestions("snapshot take", "droplet", "").await.len(), 1);
    ada.run("/snapshot take droplet:db-1").await;
    ada.seat.slash("snapshot take").with("droplet", db.to_string()).forged().send().await.unwrap();
    assert_snapshot!(refused(stage, &ada).await);
}

#[tokio::test]
async fn a_busy_droplet_leads_to_what_runs_on_it() {
    let stage = Stage::new().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    let (ada, bob) = (stage.seat("ada", Role::Operator), stage.seat("bob", Role::Operator));
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "Taking the Snapshot — started").await;
    bob.run("/snapshot take droplet:web-1").await;
    assert_snapshot!(bob.transcript());
    stage.complete_action("web-1");
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn where_the_bot_may_not_post_it_says_so_before_anything_happens() {
    let stage = Stage::new().await;
    stage.discord.world().deny_bot(stage.ops, Permissions::SEND_MESSAGES | Permissions::EMBED_LINKS);
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    assert_snapshot!(refused(stage, &ada).await);
}

#[tokio::test]
async fn while_digitalocean_is_down_nothing_is_promised() {
    let stage = Stage::new().await;
    stage.fault(Fault::always(Pattern::any(), snapshot_bot_sandbox::digitalocean::fault::Disturbance::Down));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.until("the answer is there", |_| !ada.sees("is thinking")).await;
    assert_snapshot!(refused(stage, &ada).await);
}

#[tokio::test]
async fn forged_presses_do_nothing() {
    let stage = Stage::new().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    let (ada, eve) = (stage.seat("ada", Role::Operator), stage.seat("eve", Role::Guest));
    let bob = stage.seat("bob", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "Taking the Snapshot — started").await;
    let (message, cancel) = ada.button("Cancel").unwrap();
    eve.seat.press(message, &cancel).await.unwrap();
    bob.seat.press(message, &cancel).await.unwrap();
    for forged in ["", "cancel", "cancel:", "cancel:00000000", "x:y:z", "😀", &"c".repeat(100)] {
        if !forged.is_empty() {
            eve.seat.forge_press(message, forged).await.unwrap();
        }
    }
    let (_, leave_off) = ada.button("Leave it off").unwrap();
    let force = leave_off.replace("leave", "force");
    eve.seat.forge_press(message, &leave_off).await.unwrap();
    ada.seat.forge_press(message, &force).await.unwrap();
    assert_snapshot!("forged_presses_of_eve", eve.transcript());
    assert_snapshot!("forged_presses_of_bob", bob.transcript());
    stage.complete_action("web-1");
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert!(ada.sees("is ready"));
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn nobody_replaces_a_public_message_by_a_forged_press() {
    let stage = Stage::new().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let (ada, vic) = (stage.seat("ada", Role::Operator), stage.seat("vic", Role::Viewer));
    let rex = stage.seat("rex", Role::Restorer);
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "Taking the Snapshot — started").await;
    let (progress, _) = ada.button("Cancel").unwrap();
    rex.run("/snapshot delete snapshot:golden").await;
    let (_, confirm) = rex.button("Delete").unwrap();
    let (_, decline) = rex.button("Never mind").unwrap();
    vic.seat.forge_press(progress, "page:all:1").await.unwrap();
    for forged in ["page:all:1", &decline, &confirm] {
        rex.seat.forge_press(progress, forged).await.unwrap();
    }
    assert!(ada.sees("Taking the Snapshot — started"), "{}", ada.transcript());
    assert_snapshot!(vic.transcript());
    // The question itself still works.
    rex.press("Never mind").await;
    assert!(rex.sees("was not deleted."));
    stage.complete_action("web-1");
    stage.settle().await;
    for person in [&ada, &rex] {
        person.transcript();
    }
    stage.finish().await;
}

#[tokio::test]
async fn who_lost_the_role_may_not_press_any_more() {
    let stage = Stage::new().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "Taking the Snapshot — started").await;
    stage.discord.world().join(stage.guild, ada.seat.user, &[]);
    ada.press("Leave it off").await;
    stage.complete_action("web-1");
    stage.settle().await;
    assert!(stage.is_on("web-1"));
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn while_the_database_is_locked_nothing_is_begun_and_the_log_knows_why() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    let lock = stage.lock_database().await;
    ada.run("/snapshot take droplet:web-1").await;
    stage.until("it is answered", |_| ada.sees("incident")).await;
    lock.rollback().await.unwrap();
    assert_snapshot!(ada.transcript());
    ada.press("Try again").await;
    ada.press("Keep running").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["snapshot web-1"]);
    ada.transcript();
    stage.finish().await;
}
