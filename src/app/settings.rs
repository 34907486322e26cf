//! Translates the configuration for each part of the bot.

use std::{collections::HashMap, sync::Arc};

use jiff::SignedDuration;

use crate::{
    clock::Clock,
    config::Config,
    digitalocean::client::Client,
    discord::{
        bot::{self, Rooms},
        intake::Intake,
        limits::Limits,
        members::Members,
        watchdog::Patience,
    },
    inventory::{Inventory, Made, TagFilter},
    operation::Rules,
    store::Store,
};

/// The settings and modules for the bot on Discord.
pub(super) fn bot_parts(
    config: &Config,
    store: &Arc<Store>,
    clock: &Clock,
    client: &Client,
    intake: Intake,
) -> (bot::Settings, Rooms) {
    let tag = config.digitalocean.droplet_tag.clone();
    let tagged = tag.map(|tag| TagFilter { tag, made: made(Arc::clone(store)) });
    let simulator = config.discord.simulator.as_ref();
    let settings = bot::Settings {
        token: config.discord.token.clone(),
        connect_to: simulator.map(|simulator| simulator.connect_to),
        extra_ca_pem: simulator.map(|simulator| simulator.root_certificate.clone()),
        price_per_gb: config.snapshot_price_per_gb,
        rules: rules(config),
        own_droplet: None,
        notify_channel: config.discord.notify_channel,
        failure_role: config.discord.failure_role,
        report_channel: config.discord.report_channel,
        reach: config.pings.reach,
        patience: Patience::default(),
        limits: Limits {
            interactions: config.limits.interactions,
            operations: config.limits.operations,
            take_cooldown: config.limits.take_cooldown,
        },
    };
    let rooms = Rooms {
        store: Arc::clone(store),
        inventory: Arc::new(Inventory::new(client.clone(), tagged)),
        policy: config.policy.clone(),
        clock: clock.clone(),
        intake,
        members: Members::default(),
    };
    (settings, rooms)
}

/// Lets the inventory ask the store which Snapshots the bot took.
fn made(store: Arc<Store>) -> Made {
    Arc::new(move |names| {
        let store = Arc::clone(&store);
        Box::pin(async move {
            let origins = store.origins(names.iter().map(String::as_str)).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "could not learn which Snapshots we took");
                HashMap::new()
            });
            origins.into_keys().collect()
        })
    })
}

/// The rules for operations.
pub(super) fn rules(config: &Config) -> Rules {
    let timing = &config.timing;
    Rules {
        shutdown_timeout: timing.shutdown_timeout,
        decision_timeout: timing.decision_timeout,
        settle_time: timing.settle_time,
        poll_interval: timing.poll_interval.max(SignedDuration::from_millis(1)),
        droplet_tag: config.digitalocean.droplet_tag.clone(),
        are_requests_scarce: false,
    }
}
