//! `/snapshot launch`: defaults from the source, suggestions with prices, refusals, and the address at the end.

use insta::assert_snapshot;
use serde_json::json;
use snapshot_bot_sandbox::digitalocean::droplet::Blueprint;

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
async fn a_launch_takes_region_size_and_tags_of_the_source_and_ends_with_its_address() {
    let stage = Stage::new().await;
    golden(&stage);
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot launch snapshot:golden name:web-2").await;
    stage.settle().await;
    let made = stage.digitalocean.read(|world| world.droplet_named("web-2").unwrap().clone());
    let address = made.address();
    assert_eq!((made.region.slug, made.size.slug), ("nyc3", "s-1vcpu-1gb"));
    assert!(made.tags.contains("prod") && made.tags.len() == 2, "{:?}", made.tags);
    assert_snapshot!(rex.transcript().replace(&address, "ADDRESS"));
    stage.finish().await;
}

#[tokio::test]
async fn regions_sizes_and_keys_that_fit_are_offered_cheapest_first() {
    let stage = Stage::new().await;
    golden(&stage);
    stage.digitalocean.world(|world| world.add_ssh_key("laptop"));
    let (rex, ada) = (stage.seat("rex", Role::Restorer), stage.seat("ada", Role::Operator));
    let sizes = choices(&rex, "size", "").await;
    assert_eq!(sizes[0], "s-1vcpu-1gb · 1 vCPU · 1 GB · 25 GB disk · $6.00 a month");
    assert!(!sizes.iter().any(|size| size.contains("10gb")), "too small for the Snapshot: {sizes:?}");
    assert_eq!(choices(&rex, "region", "").await, ["nyc3 · New York 3"]);
    let keys = choices(&rex, "ssh-key", "lap").await;
    assert_eq!(keys.len(), 1);
    for option in ["size", "region", "ssh-key", "snapshot"] {
        assert_eq!(ada.suggestions("snapshot launch", option, "").await, Vec::<String>::new(), "{option}");
    }
    rex.run("/snapshot launch snapshot:golden name:web-2 size:s-1vcpu-2gb ssh-key:laptop").await;
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
    stage.settle().await;
    let made = stage.digitalocean.read(|world| world.droplet_named("found").unwrap().clone());
    assert_eq!((made.region.slug, made.size.slug), ("fra1", "s-2vcpu-4gb"));
    assert!(!made.tags.contains("prod"), "nobody knows the tags of a Droplet that is gone");
    assert!(rex.sees("It will be a `s-2vcpu-4gb` and cost $24.00 a month"));
    rex.transcript();
    stage.finish().await;
}
