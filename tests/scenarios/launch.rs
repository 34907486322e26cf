//! `/snapshot launch`: defaults from the source, suggestions with prices, the question, refusals, and the address at the end.

use insta::assert_snapshot;
use serde_json::json;
use snapshot_bot_sandbox::{
    digitalocean::{
        droplet::Blueprint,
        fault::{Disturbance, Fault, Pattern},
        http_types::Method,
    },
    discord::interaction::Response,
};

use crate::stage::{Person, Role, Stage};

fn golden(stage: &Stage) {
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        world.set_tags(web, &["prod"]);
        world.add_snapshot(web, "golden", 2.0)
    });
}

async fn choices(person: &Person, option: &str, partial: &str) -> Vec<String> {
    let others = [("snapshot", json!("golden"))];
    let found = person.seat.autocomplete("snapshot launch", option, partial, &others).await.unwrap();
    found.into_iter().map(|choice| choice.name).collect()
}

#[tokio::test]
async fn a_launch_asks_with_region_size_and_price_and_ends_with_its_address() {
    let stage = Stage::new().await;
    golden(&stage);
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot launch snapshot:golden name:web-2").await;
    assert!(stage.commands().is_empty(), "nothing is made before somebody says yes");
    let asked = rex.transcript();
    rex.press("Launch – $6/mo").await;
    stage.settle().await;
    let made = stage.digitalocean.read(|world| world.droplet_named("web-2").unwrap().clone());
    let address = made.address();
    assert_eq!((made.region.slug, made.size.slug), ("nyc3", "s-1vcpu-1gb"));
    assert!(!made.tags.contains("prod") && made.tags.len() == 1, "tags are not copied silently: {:?}", made.tags);
    assert_snapshot!(format!("{asked}\n=== Launch\n{}", rex.transcript().replace(&address, "ADDRESS")));
    stage.finish().await;
}

#[tokio::test]
async fn a_new_droplet_that_may_be_there_unseen_is_named_and_is_not_launched_again_by_a_press() {
    let stage = Stage::new().await;
    golden(&stage);
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot launch snapshot:golden name:web-2").await;
    stage.fault(Fault::once(Pattern::action("create"), Disturbance::CutAfter));
    let (id, message) = ("forbidden".to_owned(), "You are not authorized to perform this operation".to_owned());
    let refused = Disturbance::Refuse { status: 403, id, message };
    stage.fault(Fault::always(Pattern::of(Method::Get, "/v2/droplets"), refused));
    rex.press("Launch – $6/mo").await;
    stage.settle().await;
    assert!(stage.digitalocean.read(|world| world.droplet_named("web-2").is_some()), "it was made all the same");
    assert!(rex.sees("may exist anyway, and then it costs money"), "{}", rex.transcript());
    assert!(rex.button("Try again").is_none(), "{}", rex.transcript());
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn regions_sizes_and_keys_that_fit_are_offered_cheapest_first() {
    let stage = Stage::new().await;
    golden(&stage);
    stage.digitalocean.world(|world| world.add_ssh_key("laptop"));
    let (rex, ada) = (stage.seat("rex", Role::Restorer), stage.seat("ada", Role::Operator));
    let sizes = choices(&rex, "size", "").await;
    assert_eq!(sizes[0], "1 vCPU · 1 GB · 25 GB disk · $6/mo · s-1vcpu-1gb");
    assert!(!sizes.iter().any(|size| size.contains("10gb")), "too small for the Snapshot: {sizes:?}");
    assert_eq!(choices(&rex, "region", "").await, ["New York 3 · nyc3"]);
    let keys = choices(&rex, "ssh-key", "lap").await;
    assert_eq!(keys.len(), 1);
    for option in ["size", "region", "ssh-key", "snapshot"] {
        let why = ada.suggestions("snapshot launch", option, "").await;
        assert_eq!(why, ["You need @Restorer to launch Droplets"], "{option}");
    }
    // Some clients submit the labels that they showed.
    let larger = sizes.iter().find(|size| size.ends_with(" · s-1vcpu-2gb")).expect("a larger size");
    let launch = rex.seat.slash("snapshot launch").with("snapshot", "golden").with("name", "web-2");
    let labels =
        launch.with("size", larger.clone()).with("region", "New York 3 · nyc3").with("ssh-key", keys[0].clone());
    labels.send().await.unwrap();
    assert!(rex.sees("**SSH keys:** `laptop`"), "{}", rex.transcript());
    rex.press("Launch – $12/mo").await;
    stage.settle().await;
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn what_cannot_be_launched_is_refused_with_what_would_do() {
    let stage = Stage::new().await;
    golden(&stage);
    let (rex, ada) = (stage.seat("rex", Role::Restorer), stage.seat("ada", Role::Operator));
    for line in [
        "/snapshot launch snapshot:golden name:web_2",
        "/snapshot launch snapshot:gloden name:web-2",
        "/snapshot launch snapshot:golden name:web-2 region:fra1",
        "/snapshot launch snapshot:golden name:web-2 size:s-1vcpu-512mb-10gb",
        "/snapshot launch snapshot:golden name:web-2 size:huge",
        "/snapshot launch snapshot:golden name:web-2 size:gpu-h100x1-80gb",
        "/snapshot launch snapshot:golden name:web-2 ssh-key:nobody",
    ] {
        rex.run(line).await;
    }
    ada.run("/snapshot launch snapshot:golden name:web-2").await;
    assert!(stage.commands().is_empty());
    assert_snapshot!(format!("{}\n=== ada\n{}", rex.transcript(), ada.transcript()));
    stage.finish().await;
}

#[tokio::test]
async fn a_snapshot_that_outlived_its_droplet_is_launched_where_it_is_in_the_cheapest_size_that_fits() {
    let stage = Stage::new().await;
    stage.digitalocean.world(|world| {
        let lost = world.add_droplet(&Blueprint::named("lost").region("fra1").size("s-2vcpu-4gb").tag("prod"));
        world.add_snapshot(lost, "heirloom", 2.0);
        world.destroy(lost);
    });
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot launch snapshot:heirloom name:found").await;
    rex.press("Launch – $24/mo").await;
    stage.settle().await;
    let made = stage.digitalocean.read(|world| world.droplet_named("found").unwrap().clone());
    assert_eq!((made.region.slug, made.size.slug), ("fra1", "s-2vcpu-4gb"));
    assert!(!made.tags.contains("prod"), "nobody knows the tags of a Droplet that is gone");
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn tags_and_keys_are_chosen_in_the_question_and_only_what_was_offered_counts() {
    let stage = Stage::new().await;
    golden(&stage);
    stage.digitalocean.world(|world| {
        world.add_ssh_key("laptop");
        world.add_ssh_key("phone");
    });
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot launch snapshot:golden name:web-2").await;
    assert!(rex.sees("**SSH keys:** none: DigitalOcean mails a root password"), "{}", rex.transcript());
    assert!(rex.sees("**Tags:** none. `web-1` has `prod`"), "{}", rex.transcript());
    let (message, menu, keys) = rex.menu().expect("a menu of keys");
    rex.seat.forge_choice(message, &menu, &["00:00"]).await.unwrap();
    assert!(rex.sees("**SSH keys:** none"), "{}", rex.transcript());
    let (message, menu, _) = rex.menu().expect("a menu of keys");
    let both: Vec<&str> = keys.iter().map(String::as_str).collect();
    rex.seat.choose(message, &menu, &both).await.unwrap();
    assert!(rex.sees("**SSH keys:** `operators`, `laptop`, `phone`"), "{}", rex.transcript());
    rex.press("Give it these tags").await;
    assert!(rex.sees("**Tags:** `prod`, like `web-1`"), "{}", rex.transcript());
    rex.press("Launch – $6/mo").await;
    stage.settle().await;
    let made = stage.digitalocean.read(|world| world.droplet_named("web-2").unwrap().clone());
    assert!(made.tags.contains("prod"), "{:?}", made.tags);
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_launch_that_is_tried_again_keeps_every_key_and_the_tags() {
    let mut stage = Stage::new().await;
    golden(&stage);
    stage.digitalocean.world(|world| world.add_ssh_key("laptop"));
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot launch snapshot:golden name:web-2").await;
    let (message, menu, keys) = rex.menu().expect("a menu of keys");
    let both: Vec<&str> = keys.iter().map(String::as_str).collect();
    rex.seat.choose(message, &menu, &both).await.unwrap();
    rex.press("Give it these tags").await;
    let (id, message) = ("not_found".to_owned(), "The resource you were accessing could not be found.".to_owned());
    let refused = Disturbance::Refuse { status: 404, id, message };
    stage.fault(Fault::always(Pattern::action("create"), refused));
    rex.press("Launch – $6/mo").await;
    stage.settle().await;
    stage.digitalocean.world(snapshot_bot_sandbox::digitalocean::world::World::clear_faults);
    // As if it had failed for a temporary reason.
    stage.kill().await;
    stage.tamper("UPDATE operations SET state = REPLACE(state, '\"SnapshotGone\"', '\"TooOld\"')").await;
    stage.start().await;
    let failed = rex.seat.transcript().split("operation ").last().expect("an id").chars().take(8).collect::<String>();
    let announcement = rex.seat.messages().last().expect("an announcement").id;
    let asked = rex.seat.forge_press(announcement, &format!("again:{failed}")).await.unwrap();
    rex.answered(&asked).await;
    assert!(rex.sees("**SSH keys:** `operators`, `laptop`"), "{}", rex.transcript());
    assert!(rex.sees("**Tags:** `prod`, like `web-1`"), "{}", rex.transcript());
    rex.press("Launch – $6/mo").await;
    stage.settle().await;
    let made = stage.digitalocean.read(|world| world.droplet_named("web-2").unwrap().clone());
    assert!(made.tags.contains("prod") && made.tags.len() == 2, "{:?}", made.tags);
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_snapshot_that_is_ready_is_launched_and_restored_by_its_buttons() {
    let stage = Stage::new().await;
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot take droplet:web-1 power:live").await;
    stage.settle().await;
    let Response::Form(form) = rex.press("Launch…").await else { panic!("no form\n{}", rex.transcript()) };
    let refused = rex.seat.submit(&form, &[("text", "web_2")]).await.unwrap();
    rex.answered(&refused).await;
    assert!(rex.last().starts_with("A Droplet's name"), "{}", rex.transcript());
    let asked = rex.seat.submit(&form, &[("text", "web-2")]).await.unwrap();
    rex.answered(&asked).await;
    rex.press("Never mind").await;
    rex.press("Restore…").await;
    assert!(rex.sees("**Restore `web-1` from `web-1-"), "{}", rex.transcript());
    rex.press("Never mind").await;
    assert_eq!(stage.commands(), ["snapshot web-1"]);
    rex.transcript();
    stage.finish().await;
}
