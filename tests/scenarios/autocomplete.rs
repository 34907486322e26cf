//! Suggestions while a person types a Droplet's name.

use serde_json::json;
use snapshot_bot_sandbox::digitalocean::droplet::Blueprint;

use crate::stage::{Role, Stage};

const TAKE: &str = "snapshot take";

#[tokio::test]
async fn among_a_thousand_droplets_the_right_one_comes_first_and_digitalocean_is_not_asked_per_key() {
    let stage = Stage::new().await;
    stage.digitalocean.world(|world| world.add_droplets(&Blueprint::named("node"), 1000));
    let ada = stage.seat("ada", Role::Operator);
    assert_eq!(ada.suggestions(TAKE, "droplet", "").await.len(), 25);
    let asked = stage.digitalocean.journal().len();
    for typed in ["n", "no", "nod", "node", "node-", "node-7", "node-77", "node-777"] {
        let found = ada.suggestions(TAKE, "droplet", typed).await;
        assert!(!found.is_empty() && found.len() <= 25, "{typed}: {found:?}");
        assert!(found.iter().all(|label| label.chars().count() <= 100), "{found:?}");
    }
    let found = ada.suggestions(TAKE, "droplet", "node-777").await;
    assert!(found[0].starts_with("node-777"), "{found:?}");
    let found = ada.suggestions(TAKE, "droplet", "web").await;
    assert!(found[0].starts_with("web-1"), "{found:?}");
    assert_eq!(stage.digitalocean.journal().len(), asked, "typing asked DigitalOcean");
    stage.finish().await;
}

#[tokio::test]
async fn who_may_not_take_reads_why_in_place_of_suggestions() {
    let stage = Stage::new().await;
    for (name, role) in [("eve", Role::Guest), ("vic", Role::Viewer)] {
        let person = stage.seat(name, role);
        let why = person.suggestions(TAKE, "droplet", "w").await;
        assert_eq!(why, ["You need @Restorer or @Operator to take Snapshots"], "{name}");
        // It can be chosen, but does nothing.
        person.run("/snapshot take droplet:no-right").await;
        assert!(person.last().starts_with("You need"), "{}", person.last());
        person.transcript();
    }
    let at_the_start = |path: &str| matches!(path, "/v2/droplets" | "/v2/account");
    assert!(
        stage.digitalocean.journal().iter().all(|entry| at_the_start(&entry.request.path)),
        "{}",
        stage.conversation()
    );
    stage.finish().await;
}

/// Every command with options.
const COMMANDS: &[&str] = &[
    "backups change",
    "backups disable",
    "backups enable",
    "backups keep",
    "backups show",
    "droplet show",
    "schedule add",
    "schedule edit",
    "schedule pause",
    "schedule preview",
    "schedule remove",
    "schedule resume",
    "schedule run",
    "schedule show",
    "schedule take-over",
    "snapshot cancel",
    "snapshot cost",
    "snapshot delete",
    "snapshot launch",
    "snapshot list",
    "snapshot orphans",
    "snapshot panel",
    "snapshot pin",
    "snapshot restore",
    "snapshot status",
    "snapshot take",
    "snapshot take-group",
    "snapshot unpin",
];

#[tokio::test]
async fn every_option_that_suggests_something_tells_a_guest_why_it_does_not() {
    let stage = Stage::new().await;
    let eve = stage.seat("eve", Role::Guest);
    let mut told = Vec::new();
    for command in COMMANDS {
        let path: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let leaf = stage.discord.world().registered(Some(stage.guild), &path).expect("a command");
        for option in leaf.options.iter().filter(|option| option["autocomplete"] == true) {
            let option = option["name"].as_str().unwrap();
            let why = eve.suggestions(command, option, "").await;
            assert_eq!(why.len(), 1, "{command} {option}: {why:?}");
            told.push(format!("{command} {option}: {}", why[0]));
        }
    }
    insta::assert_snapshot!(told.join("\n"));
    stage.finish().await;
}

#[tokio::test]
async fn a_long_name_is_cut_between_characters() {
    let stage = Stage::new().await;
    let long = "a-very-long-name-".repeat(15);
    stage.digitalocean.world(|world| world.add_droplet(&Blueprint::named(&long[..255])));
    let ada = stage.seat("ada", Role::Operator);
    let found = ada.suggestions(TAKE, "droplet", "very-long").await;
    assert!(found[0].chars().count() <= 100 && found[0].starts_with("a-very-long-name"), "{found:?}");
    stage.finish().await;
}

#[tokio::test]
async fn other_options_that_are_half_typed_do_no_harm() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    let others = [("power", json!("live")), ("name", json!("x"))];
    let choices = ada.seat.autocomplete(TAKE, "droplet", "web", &others).await.unwrap();
    assert_eq!(choices.len(), 1);
    assert_eq!(choices[0].value, json!(stage.droplet("web-1").to_string()));
    stage.finish().await;
}

#[tokio::test]
async fn a_new_droplet_is_found_by_who_types_its_name() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    assert_eq!(ada.suggestions(TAKE, "droplet", "").await.len(), 2);
    stage.digitalocean.world(|world| world.add_droplet(&Blueprint::named("brand-new")));
    // A text that matches nothing makes the cache look again, at most every five seconds.
    stage.clock.advance(jiff::SignedDuration::from_secs(6));
    ada.suggestions(TAKE, "droplet", "brand").await;
    stage
        .until("the cache has looked again", |stage| {
            stage.digitalocean.journal().iter().filter(|entry| entry.request.path == "/v2/droplets").count() > 1
        })
        .await;
    ada.run("/snapshot take droplet:brand-new power:live").await;
    stage.settle().await;
    assert!(ada.sees("of `brand-new` is ready"), "{}", ada.transcript());
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn while_digitalocean_is_down_typing_is_answered_with_nothing() {
    let stage = Stage::new().await;
    stage.fault(snapshot_bot_sandbox::digitalocean::fault::Fault::always(
        snapshot_bot_sandbox::digitalocean::fault::Pattern::any(),
        snapshot_bot_sandbox::digitalocean::fault::Disturbance::Down,
    ));
    let ada = stage.seat("ada", Role::Operator);
    assert!(ada.suggestions(TAKE, "droplet", "web").await.is_empty());
    stage.finish().await;
}

#[tokio::test]
async fn namesakes_are_told_apart_and_a_label_is_as_good_as_its_value() {
    let stage = Stage::new().await;
    stage.digitalocean.world(|world| {
        for region in ["nyc3", "fra1"] {
            world.add_droplet(&Blueprint::named("web-1").region(region));
        }
        world.mark_power();
    });
    let ada = stage.seat("ada", Role::Operator);
    let found = ada.suggestions(TAKE, "droplet", "web-1").await;
    let distinct: std::collections::BTreeSet<_> = found.iter().collect();
    assert_eq!((found.len(), distinct.len()), (3, 3), "{found:?}");
    for label in &found {
        let take = ada.seat.slash(TAKE).with("droplet", label.clone()).with("power", "live");
        take.send().await.unwrap();
    }
    stage.settle().await;
    let taken = stage.digitalocean.read(|world| world.snapshots().count());
    assert_eq!(taken, 3, "{}", ada.transcript());
    ada.transcript();
    stage.finish().await;
}
