//! The commands: requests that start or remove something at DigitalOcean, each as a [`Call`] that is sent once.
//!
//! Called by the worker, which commits the intent first. No command is idempotent or accepts an idempotency key:
//! after a lost answer the worker has to look.

use serde_json::{Value, json};

use super::{
    budget::Priority,
    call::Call,
    http_types::Method,
    lenient::{Fields, Mismatch, Whole},
    model::{Action, Droplet},
    queries::same,
};
use crate::operation::ids::{ActionId, DropletId, SnapshotId};

/// Asks the Droplet's operating system to shut down. `completed` will only mean that it was asked.
pub fn shutdown(droplet: DropletId) -> Call<Action> {
    start(droplet, "shutdown", json!({})).with_priority(Priority::Shutdown)
}

/// Cuts the Droplet's power.
pub fn power_off(droplet: DropletId) -> Call<Action> {
    start(droplet, "power_off", json!({})).with_priority(Priority::Person)
}

/// Turns the Droplet on.
pub fn power_on(droplet: DropletId) -> Call<Action> {
    start(droplet, "power_on", json!({})).with_priority(Priority::PowerOn)
}

/// Cuts the Droplet's power and restores it immediately.
pub fn power_cycle(droplet: DropletId) -> Call<Action> {
    start(droplet, "power_cycle", json!({})).with_priority(Priority::Person)
}

/// Takes a Snapshot with this name.
pub fn take_snapshot(droplet: DropletId, name: &str) -> Call<Action> {
    start(droplet, "snapshot", json!({ "name": name }))
        .with_priority(Priority::Off)
        .scopes(&["droplet:update", "image:create"])
}

/// Restores one of the Droplet's own Snapshots or Backups onto it, which overwrites the disk.
pub fn restore(droplet: DropletId, image: SnapshotId) -> Call<Action> {
    start(droplet, "restore", json!({ "image": image }))
        .with_priority(Priority::Off)
        .scopes(&["droplet:update", "droplet:admin"])
}

/// The body of a request that creates a Droplet from a Snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateDroplet {
    /// Its name: letters, digits, dots and dashes.
    pub name: String,
    /// The Region's slug; the Snapshot must be available there.
    pub region: String,
    /// The size's slug; its disk must hold the Snapshot.
    pub size: String,
    /// The Snapshot to create it from.
    pub image: SnapshotId,
    /// Its tags.
    pub tags: Vec<String>,
    /// Fingerprints of the SSH keys to install.
    pub ssh_keys: Vec<String>,
}

/// Creates a Droplet. Returns it with the Action that creates it.
pub fn create_droplet(wanted: &CreateDroplet) -> Call<(Droplet, Option<ActionId>)> {
    let body = json!({
        "name": wanted.name, "region": wanted.region, "size": wanted.size, "image": wanted.image,
        "tags": wanted.tags, "ssh_keys": wanted.ssh_keys,
    });
    Call::single(Method::Post, "/v2/droplets".to_owned(), |wire| {
        let links: Option<Fields> = wire.known("links");
        let actions = links.and_then(|links| links.known_list::<Fields>("links.actions")).unwrap_or_default();
        let is_create =
            |action: &&Fields| action.known::<String>("links.actions.rel").is_some_and(|rel| rel == "create");
        let create = actions.iter().find(is_create).and_then(|action| action.known("links.actions.id"));
        Ok((wire.decisive("droplet")?, create.map(|Whole(id)| ActionId(id))))
    })
    .body(body)
    .scopes(&["droplet:create", "tag:create", "image:read", "ssh_key:read"])
}

/// Deletes a Snapshot permanently.
pub fn delete_snapshot(id: SnapshotId) -> Call<()> {
    Call::bodiless(Method::Delete, format!("/v2/snapshots/{id}"), || ()).scopes(&["image:delete", "snapshot:delete"])
}

pub(super) fn start(droplet: DropletId, kind: &'static str, mut body: Value) -> Call<Action> {
    body["type"] = kind.into();
    Call::single(Method::Post, format!("/v2/droplets/{droplet}/actions"), move |wire| {
        let action: Action = wire.decisive("action")?;
        if let Some(told) = action.droplet {
            same("action.resource_id", &droplet, &told)?;
        }
        if action.kind == kind { Ok(action) } else { Err(Mismatch::at("action.type", format!("asked for {kind}"))) }
    })
    .body(body)
    .scopes(&["droplet:update"])
}
