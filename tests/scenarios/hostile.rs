//! Names with hostile content.

use insta::assert_snapshot;
use snapshot_bot_sandbox::digitalocean::droplet::Blueprint;

use crate::stage::{Role, Stage};

#[tokio::test]
async fn a_hostile_name_is_only_ever_a_name() {
    let stage = Stage::new().await;
    let hostile = [
        "`@everyone`",
        "<@&1200000000000000005> **bold**",
        "a\n# Heading\u{202e}txt",
        "[click](https://evil.example)",
        "```\ncode",
        "||spoiler|| <@1200000000000000010>",
    ];
    let ids: Vec<u64> = stage
        .digitalocean
        .world(|world| hostile.iter().map(|name| world.add_droplet(&Blueprint::named(name))).collect());
    stage.digitalocean.world(snapshot_bot_sandbox::digitalocean::world::World::mark_power);
    let ada = stage.seat("ada", Role::Operator);
    for id in ids {
        let take = ada.seat.slash("snapshot take").with("droplet", id.to_string());
        ada.answered(&take.with("power", "live").send().await.unwrap()).await;
        stage.settle().await;
    }
    ada.run("/snapshot status").await;
    let choices = ada.suggestions("snapshot take", "droplet", "").await;
    assert!(choices.iter().all(|label| !label.contains('\n') && !label.contains('\u{202e}')), "{choices:?}");
    assert_eq!(ada.seat.pings(), hostile.len(), "only the announcements ping");
    // It is a matter of speed whether the answer or the progress message comes first.
    let transcript = ada.transcript();
    let mut said: Vec<&str> = transcript.split("\n\n").collect();
    said.sort_unstable();
    assert_snapshot!(said.join("\n\n"));
    stage.finish().await;
}

#[tokio::test]
async fn a_hostile_snapshot_name_is_only_ever_a_name() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    let take =
        ada.seat.slash("snapshot take").with("droplet", stage.droplet("web-1").to_string()).with("power", "live");
    take.with("name", "`@everyone` <@&1> **x** [a](b)").send().await.unwrap();
    stage.settle().await;
    assert_eq!(ada.seat.pings(), 1);
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_hostile_text_in_an_option_is_only_ever_a_text() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    for text in ["@everyone", "`` ` ``", "<@&1200000000000000005>", "\u{202e}\u{200b}", &"x".repeat(6000)] {
        ada.seat.slash("snapshot take").with("droplet", text).forged().send().await.unwrap();
        ada.seat.slash("snapshot status").with("operation", text).forged().send().await.unwrap();
    }
    assert!(stage.commands().is_empty());
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}
