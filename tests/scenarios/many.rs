//! Twelve Droplets at once, and a thousand.

use std::time::Duration;

use jiff::SignedDuration;
use snapshot_bot_sandbox::digitalocean::{droplet::Blueprint, settings::Durations};

use crate::stage::{Role, Stage};

#[tokio::test]
async fn twelve_droplets_at_once_all_come_back_within_the_budget() {
    let mut stage = Stage::dark().await;
    stage.environment.insert("OPERATIONS_PER_PERSON", "12".to_owned());
    stage.start().await;
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

#[tokio::test]
#[ignore = "takes more than an hour of real time: cargo test --profile bench --test scenarios -- --ignored a_thousand"]
async fn a_thousand_takes_run_in_waves_without_one_429() {
    let mut stage = Stage::dark().await;
    for (variable, value) in [
        ("POLL_INTERVAL", "5s"),
        ("SHUTDOWN_TIMEOUT", "2m"),
        ("SETTLE_TIME", "30s"),
        ("OPERATIONS_PER_PERSON", "1000"),
        ("INTERACTIONS_PER_PERSON", "1000"),
    ] {
        stage.environment.insert(variable, value.to_owned());
    }
    stage.digitalocean.world(|world| {
        let seconds = SignedDuration::from_secs;
        world.settings_mut().durations = Durations { snapshot: seconds(120), ..Durations::all(seconds(10)) };
        world.settings_mut().listing_delay = seconds(5);
        world.add_droplets(&Blueprint::named("node"), 1_000);
        world.mark_power();
    });
    stage.start().await;
    let (ada, began) = (stage.seat("ada", Role::Operator), stage.clock.now());
    for number in 1..=1_000 {
        ada.run(&format!("/snapshot take droplet:node-{number}")).await;
    }
    stage.settled_within(Duration::from_hours(3), "all have settled", |_| false).await;
    let journal = stage.digitalocean.journal();
    println!("{} requests in {} min", journal.len(), stage.clock.now().duration_since(began).as_mins());
    assert_eq!(stage.commands().len(), 3_000);
    assert!(journal.iter().all(|entry| entry.status() != Some(429)));
    assert_eq!(ada.seat.pings(), 1_000);
    ada.transcript();
    stage.finish().await;
}
