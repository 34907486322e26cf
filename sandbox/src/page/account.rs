//! The simulated account as the panel shows it: Droplets with their power, running Actions and Snapshots.

use serde_json::{Value, json};

use crate::digitalocean::{
    action::{Action, Progress},
    droplet::{Droplet, Status},
    image::Image,
    world::World,
};

/// How many ended Actions are shown for a Droplet.
const ACTIONS: usize = 3;

/// Every Droplet, oldest first.
pub(super) fn droplets(world: &World) -> Value {
    world.droplets().map(|droplet| droplet_json(world, droplet)).collect()
}

fn droplet_json(world: &World, droplet: &Droplet) -> Value {
    let actions = world.actions_of(droplet.id);
    let recent = actions.iter().rev().take(ACTIONS).map(|action| action_json(action));
    let snapshots = world.snapshots_of(droplet.id);
    json!({
        "id": droplet.id, "name": droplet.name, "power": power(droplet.status),
        "region": droplet.region.slug, "size": droplet.size.slug, "disk": droplet.size.disk,
        "boots": droplet.boots,
        "actions": recent.collect::<Value>(),
        "snapshots": snapshots.iter().rev().map(|image| snapshot_json(world, image)).collect::<Value>(),
    })
}

fn action_json(action: &Action) -> Value {
    let state = match action.progress {
        Progress::InProgress => "in-progress",
        Progress::Completed => "completed",
        Progress::Errored => "errored",
    };
    json!({
        "id": action.id, "kind": action.kind.as_str(), "state": state,
        "started": action.started_at.as_millisecond(),
        "ended": action.completed_at.map(jiff::Timestamp::as_millisecond),
    })
}

fn snapshot_json(world: &World, image: &Image) -> Value {
    json!({
        "id": image.id, "name": image.name, "gigabytes": image.size_gigabytes,
        "created": image.created_at.as_millisecond(), "listed": image.is_listed(world.now()),
    })
}

fn power(status: Status) -> &'static str {
    match status {
        Status::Active => "on",
        Status::Off => "off",
        Status::New => "new",
        Status::Archive => "archived",
    }
}
