//! The queries: what can be read from DigitalOcean, each as a [`Call`] that may be repeated freely.
//!
//! Called by the watcher, the inventory and the worker. An answer about something other than what was asked for is an error.

use serde_json::Value;

use super::{
    budget::Priority,
    call::{Call, OnePage},
    http_types::Method,
    lenient::Mismatch,
    model::{Account, Action, Droplet, Region, Size, Snapshot, SshKey},
};
use crate::operation::ids::{ActionId, DropletId, SnapshotId};

/// The account that the token belongs to.
pub fn account() -> Call<Account> {
    Call::single(Method::Get, "/v2/account".to_owned(), |wire| wire.decisive("account")).scopes(&["account:read"])
}

/// The id of the team that the token belongs to; `None` if DigitalOcean does not state it.
pub fn team() -> Call<Option<String>> {
    Call::single(Method::Get, "/v2/account".to_owned(), |wire| {
        let account: Option<Value> = wire.known("account");
        let team = account.as_ref().and_then(|account| account.pointer("/team/uuid"));
        Ok(team.and_then(Value::as_str).map(str::to_owned))
    })
    .scopes(&["account:read"])
}

/// All Droplets, or those with a tag, except GPU Droplets.
pub fn droplets(tag: Option<&str>) -> Call<Vec<Droplet>> {
    let call = Call::paged_in_earnest("/v2/droplets".to_owned(), "droplets", |droplet: &Droplet| droplet.id);
    let call = call.with_priority(Priority::Inventory);
    match tag {
        Some(tag) => call.query("tag_name", tag).scopes(&["droplet:read", "tag:read"]),
        None => call.scopes(&["droplet:read"]),
    }
}

/// All Droplets, or those with a tag, as proof that one of them does not exist: an item that cannot
/// be read makes the whole list unreadable.
pub fn every_droplet(tag: Option<&str>) -> Call<Vec<Droplet>> {
    let call = Call::paged_whole("/v2/droplets".to_owned(), "droplets", |droplet: &Droplet| droplet.id);
    let call = call.with_priority(Priority::Inventory);
    match tag {
        Some(tag) => call.query("tag_name", tag).scopes(&["droplet:read", "tag:read"]),
        None => call.scopes(&["droplet:read"]),
    }
}

/// The Droplets with exactly this name, ignoring case.
pub fn droplets_named(name: &str) -> Call<Vec<Droplet>> {
    Call::paged_in_earnest("/v2/droplets".to_owned(), "droplets", |droplet: &Droplet| droplet.id)
        .query("name", name)
        .scopes(&["droplet:read"])
}

/// One page of all Droplets, for a sweep.
pub fn droplets_page(page: u32) -> Call<OnePage<Droplet>> {
    Call::one_page("/v2/droplets".to_owned(), "droplets", page).with_priority(Priority::Poll).scopes(&["droplet:read"])
}

/// One Droplet.
pub fn droplet(id: DropletId) -> Call<Droplet> {
    Call::single(Method::Get, format!("/v2/droplets/{id}"), move |wire| {
        let droplet: Droplet = wire.decisive("droplet")?;
        same("droplet.id", &id, &droplet.id)?;
        Ok(droplet)
    })
    .scopes(&["droplet:read"])
}

/// Every Action that the Droplet has had so far, for a baseline before the first command.
pub fn droplet_actions(id: DropletId) -> Call<Vec<Action>> {
    Call::paged_in_earnest(format!("/v2/droplets/{id}/actions"), "actions", |action: &Action| action.id)
        .with_priority(Priority::LookUp)
        .scopes(&["droplet:read"])
}

/// All Actions of a Droplet with an id above `known`, reading as few of the older pages as possible.
///
/// DigitalOcean does not document the order of this list. So pages are read until the order has proved itself: all ids so
/// far descend, and a whole page is at or below `known`. Otherwise all pages are read. A Droplet that has had 5,000
/// Actions then costs two requests instead of 25.
pub fn droplet_actions_since(id: DropletId, known: ActionId) -> Call<Vec<Action>> {
    let mut lowest = Some(ActionId(u64::MAX));
    let reaches_known = move |page: &[Action]| {
        for action in page {
            lowest = lowest.filter(|lowest| action.id <= *lowest).map(|_| action.id);
        }
        lowest.is_some() && page.first().is_some_and(|newest| newest.id <= known)
    };
    Call::paged_until(format!("/v2/droplets/{id}/actions"), "actions", |action: &Action| action.id, reaches_known)
        .with_priority(Priority::LookUp)
        .scopes(&["droplet:read"])
}

/// The Snapshots of one Droplet.
pub fn droplet_snapshots(id: DropletId) -> Call<Vec<Snapshot>> {
    of_droplet(id, Call::paged(format!("/v2/droplets/{id}/snapshots"), "snapshots", |image: &Snapshot| image.id))
}

/// The Backups of one Droplet.
pub fn droplet_backups(id: DropletId) -> Call<Vec<Snapshot>> {
    of_droplet(id, Call::paged(format!("/v2/droplets/{id}/backups"), "backups", |image: &Snapshot| image.id))
}

/// The Backups of one Droplet, as proof that there are no others: Backups that are not listed would be deleted without confirmation.
pub fn every_droplet_backup(id: DropletId) -> Call<Vec<Snapshot>> {
    of_droplet(id, Call::paged_whole(format!("/v2/droplets/{id}/backups"), "backups", |image: &Snapshot| image.id))
}

/// Adds the Droplet, which the images listed under a Droplet do not state.
fn of_droplet(id: DropletId, images: Call<Vec<Snapshot>>) -> Call<Vec<Snapshot>> {
    let named = move |mut images: Vec<Snapshot>| {
        for image in &mut images {
            image.droplet = Some(id);
        }
        images
    };
    images.map(named).scopes(&["droplet:read"])
}

/// One page of the account's Actions, for a sweep; DigitalOcean does not document their order.
pub fn actions_page(page: u32) -> Call<OnePage<Action>> {
    Call::one_page("/v2/actions".to_owned(), "actions", page).with_priority(Priority::Poll).scopes(&["actions:read"])
}

/// One Action. The Droplet's path is not used, because there `completed_at` may stay null forever.
pub fn action(id: ActionId) -> Call<Action> {
    Call::single(Method::Get, format!("/v2/actions/{id}"), move |wire| {
        let action: Action = wire.decisive("action")?;
        same("action.id", &id, &action.id)?;
        Ok(action)
    })
    .with_priority(Priority::Poll)
    .scopes(&["actions:read"])
}

/// All Snapshots of Droplets, except those of Volumes.
pub fn snapshots() -> Call<Vec<Snapshot>> {
    Call::paged("/v2/snapshots".to_owned(), "snapshots", |snapshot: &Snapshot| snapshot.id)
        .query("resource_type", "droplet")
        .with_priority(Priority::Inventory)
        .scopes(&["snapshot:read"])
}

/// All Snapshots of Droplets, as proof that one of them is absent: an item that cannot be read makes the whole list unreadable.
pub fn every_snapshot() -> Call<Vec<Snapshot>> {
    Call::paged_whole("/v2/snapshots".to_owned(), "snapshots", |snapshot: &Snapshot| snapshot.id)
        .query("resource_type", "droplet")
        .with_priority(Priority::Inventory)
        .scopes(&["snapshot:read"])
}

/// One page of all Snapshots of Droplets, for a sweep; the newest are on the last page.
pub fn snapshots_page(page: u32) -> Call<OnePage<Snapshot>> {
    Call::one_page("/v2/snapshots".to_owned(), "snapshots", page)
        .query("resource_type", "droplet")
        .with_priority(Priority::Poll)
        .scopes(&["snapshot:read"])
}

/// One Snapshot.
pub fn snapshot(id: SnapshotId) -> Call<Snapshot> {
    Call::single(Method::Get, format!("/v2/snapshots/{id}"), move |wire| {
        let snapshot: Snapshot = wire.decisive("snapshot")?;
        same("snapshot.id", &id, &snapshot.id)?;
        Ok(snapshot)
    })
    .scopes(&["snapshot:read"])
}

/// All sizes.
pub fn sizes() -> Call<Vec<Size>> {
    Call::paged("/v2/sizes".to_owned(), "sizes", |size: &Size| size.slug.clone())
        .with_priority(Priority::Inventory)
        .scopes(&["sizes:read", "regions:read"])
}

/// All Regions.
pub fn regions() -> Call<Vec<Region>> {
    Call::paged("/v2/regions".to_owned(), "regions", |region: &Region| region.slug.clone())
        .with_priority(Priority::Inventory)
        .scopes(&["regions:read"])
}

/// The account's SSH keys. DigitalOcean allows this request ten times a minute.
pub fn ssh_keys() -> Call<Vec<SshKey>> {
    Call::paged("/v2/account/keys".to_owned(), "ssh_keys", |key: &SshKey| key.fingerprint.clone())
        .scopes(&["ssh_key:read"])
}

/// Returns an error if the answer is about something else.
pub(super) fn same<T: PartialEq + std::fmt::Display>(field: &str, asked: &T, told: &T) -> Result<(), Mismatch> {
    if asked == told { Ok(()) } else { Err(Mismatch::at(field, format!("asked for {asked}, told of {told}"))) }
}
