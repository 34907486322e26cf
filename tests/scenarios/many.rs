//! Twelve Droplets at once.

use std::time::Duration;

use snapshot_bot::sandbox::digitalocean::droplet::Blueprint;

use crate::stage::{Role, Stage};

#[tokio::test]
async fn twelve_droplets_at_once_all_come_back_within_the_budget() {
    let stage = Stage::new().await;
    stage.digitalocean.world(|world| {
        world.add_droplets(&Blueprint::named("node"), 12);
        world.mark_power();
    });
    let ada = stage.seat("ada", Role::Operator);
    for number in 1..=12 {
        ada.run(&format!("/snapshot take droplet:node-{number}")).await;
    }
    stage.settled_within(Duration::from_secs(90), "all have settled", |_| false).await;
    let commands = stage.commands();
    for number in 1..=12 {
        let name = format!("node-{number}");
        let own: Vec<&str> = commands.iter().filter_map(|line| line.strip_suffix(&format!(" {name}"))).collect();
        assert_eq!(own, ["shutdown", "snapshot", "power_on"], "{name}");
    }
    assert_eq!(ada.seat.pings(), 12);
    assert!(stage.digitalocean.journal().iter().all(|entry| entry.status() != Some(429)));
    let seen = ada.transcript();
    assert_eq!(seen.matches("is ready: 2.4 GB").count(), 12, "{seen}");
    assert_eq!(seen.matches("· ready**").count(), 12, "{seen}");
    stage.finish().await;
}
