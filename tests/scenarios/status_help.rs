//! `/snapshot status` and `/snapshot help`.

use insta::assert_snapshot;
use snapshot_bot_sandbox::digitalocean::fault::{Fault, Pattern, Quirk};

use crate::stage::{Role, Stage};

#[tokio::test]
async fn help_lists_what_this_person_may_use() {
    let stage = Stage::new().await;
    until_ids_are_known(&stage).await;
    for (name, role) in [
        ("ada", Role::Operator),
        ("vic", Role::Viewer),
        ("eve", Role::Guest),
        ("ruth", Role::Restorer),
        ("root", Role::Admin),
    ] {
        let person = stage.seat(name, role);
        person.run("/snapshot help").await;
        assert_snapshot!(format!("help_for_{name}"), person.transcript());
    }
    assert!(stage.commands().is_empty());
    stage.finish().await;
}

#[tokio::test]
async fn help_says_that_no_role_is_configured() {
    let mut stage = Stage::dark().await;
    for variable in ["VIEW_ROLES", "TAKE_ROLES", "RESTORE_ROLES"] {
        stage.environment.remove(variable);
    }
    stage.start().await;
    until_ids_are_known(&stage).await;
    let bob = stage.seat("bob", Role::Guest);
    bob.run("/snapshot help").await;
    assert_snapshot!(bob.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn status_without_anything_says_so() {
    let stage = Stage::new().await;
    let vic = stage.seat("vic", Role::Viewer);
    vic.run("/snapshot status").await;
    assert_snapshot!(vic.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn status_is_for_who_may_look() {
    let stage = Stage::new().await;
    let eve = stage.seat("eve", Role::Guest);
    eve.run("/snapshot status").await;
    assert_eq!(
        eve.suggestions("snapshot status", "operation", "").await,
        ["You need @Restorer or @Operator or @Viewer to see operations"]
    );
    assert_snapshot!(eve.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn status_shows_what_runs_and_what_ended_with_ways_there() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1 power:live").await;
    stage.settle().await;
    ada.transcript();
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    ada.run("/snapshot take droplet:db-1").await;
    stage.shows(&ada, "Taking the Snapshot — started").await;
    let other = stage.discord.world().add_channel(stage.guild, "elsewhere");
    let vic = stage.seat("vic", Role::Viewer);
    let vic = stage.sit(vic.seat.user, other);
    vic.run("/snapshot status").await;
    let choices = vic.seat.autocomplete("snapshot status", "operation", "web", &[]).await.unwrap();
    assert_eq!(choices.len(), 1);
    let slash = vic.seat.slash("snapshot status").with("operation", choices[0].value.clone());
    slash.send().await.unwrap();
    vic.run("/snapshot status operation:web-1").await;
    vic.run("/snapshot status operation:nonsense").await;
    assert_snapshot!(vic.transcript());
    stage.complete_action("db-1");
    stage.settle().await;
    ada.transcript();
    stage.finish().await;
}

/// Until Discord has returned the commands' ids, help names them as text.
async fn until_ids_are_known(stage: &Stage) {
    let zoe = stage.seat("zoe", Role::Guest);
    let names_ids =
        |embed: &serde_json::Value| embed["description"].as_str().is_some_and(|text| text.contains("</snapshot help:"));
    let knows_ids = || zoe.seat.messages().last().is_some_and(|answer| answer.body.embeds.iter().any(names_ids));
    while !knows_ids() {
        zoe.run("/snapshot help").await;
    }
    zoe.transcript();
}
