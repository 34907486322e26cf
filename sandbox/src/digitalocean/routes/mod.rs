//! Routing of requests, the data of a call, and how lists are answered. There is one file for each kind of resource.

mod account;
mod actions;
mod backups;
mod create;
mod droplets;
mod images;
mod tags;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value, json};

use super::{
    fault::Quirk,
    http_types::{Method, Request},
    paging::Page,
    refusal::Refusal,
    scopes::Scopes,
    world::World,
};

/// A request with a valid token.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) scopes: Scopes,
    /// The effect of a fault on the Action that this call may start.
    pub(super) quirk: Option<Quirk>,
}

impl Call<'_> {
    /// Refuses a token without this scope.
    fn need(&self, scope: &str) -> Result<(), Refusal> {
        if self.scopes.allow(scope) { Ok(()) } else { Err(Refusal::forbidden()) }
    }

    /// The fields of the body.
    fn body(&self) -> Result<Map<String, Value>, Refusal> {
        serde_json::from_slice(&self.request.body).map_err(|_| Refusal::unreadable_body())
    }
}

/// The answer to a request that is not refused.
pub(super) struct Reply {
    pub(super) status: u16,
    /// JSON.
    pub(super) body: Option<String>,
}

impl Reply {
    fn ok(body: &impl Serialize) -> Self {
        Self::of(200, body)
    }

    fn created(body: &impl Serialize) -> Self {
        Self::of(201, body)
    }

    fn accepted(body: &impl Serialize) -> Self {
        Self::of(202, body)
    }

    fn of(status: u16, body: &impl Serialize) -> Self {
        Self { status, body: serde_json::to_string(body).ok() }
    }

    fn no_content() -> Self {
        Self { status: 204, body: None }
    }
}

/// A page of a list.
struct Listing<S> {
    key: &'static str,
    items: Vec<S>,
    links: Value,
    total: usize,
}

impl<S: Serialize> Serialize for Listing<S> {
    fn serialize<W: Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        let mut body = serializer.serialize_map(Some(3))?;
        body.serialize_entry(self.key, &self.items)?;
        body.serialize_entry("links", &self.links)?;
        body.serialize_entry("meta", &json!({"total": self.total}))?;
        body.end()
    }
}

type Outcome = Result<Reply, Refusal>;

/// A number in a path; anything else is answered with 404.
fn number(segment: &str) -> Result<u64, Refusal> {
    segment.parse().map_err(|_| Refusal::not_found())
}

impl World {
    pub(super) fn route(&mut self, call: Call<'_>) -> Outcome {
        use Method::{Delete, Get, Post};
        let segments = call.request.segments();
        let Some(("v2", rest)) = segments.split_first().map(|(first, rest)| (*first, rest)) else {
            return Err(Refusal::no_such_route());
        };
        match (call.request.method, rest) {
            (Get, ["account"]) => self.get_account(&call),
            (Get, ["account", "keys"]) => self.list_keys(&call),
            (Get, ["account", "keys", key]) => self.get_key(&call, key),
            (Get, ["regions"]) => self.list_regions(&call),
            (Get, ["sizes"]) => self.list_sizes(&call),
            (Get, ["volumes"]) => self.list_volumes(&call),
            (Get, ["reserved_ips"]) => self.list_reserved_ips(&call),
            (Get, ["volumes", id]) => self.get_volume(&call, id),
            (Get, ["droplets"]) => self.list_droplets(&call),
            (Post, ["droplets"]) => self.create_droplets(&call),
            (Post, ["droplets", "actions"]) => self.begin_by_tag(&call),
            (Get, ["droplets", "backups", "policies"]) => self.list_backup_policies(&call),
            (Get, ["droplets", "backups", "supported_policies"]) => Self::list_supported_policies(&call),
            (Get, ["droplets", id]) => self.get_droplet(&call, number(id)?),
            (Delete, ["droplets", id]) => self.delete_droplet(&call, number(id)?),
            (Get, ["droplets", id, "actions"]) => self.list_droplet_actions(&call, number(id)?),
            (Post, ["droplets", id, "actions"]) => self.begin_action(call, number(id)?),
            (Get, ["droplets", id, "actions", action]) => self.get_droplet_action(&call, number(id)?, number(action)?),
            (Get, ["droplets", id, "snapshots"]) => self.list_droplet_snapshots(&call, number(id)?),
            (Get, ["droplets", id, "backups"]) => self.list_droplet_backups(&call, number(id)?),
            (Get, ["droplets", id, "backups", "policy"]) => self.get_backup_policy(&call, number(id)?),
            (Get, ["actions"]) => self.list_actions(&call),
            (Get, ["actions", id]) => self.get_action(&call, number(id)?),
            (Get, ["snapshots"]) => self.list_snapshots(&call),
            (Get, ["snapshots", id]) => self.get_snapshot(&call, number(id)?),
            (Delete, ["snapshots", id]) => self.delete_snapshot(&call, number(id)?),
            (Get, ["images"]) => self.list_images(&call),
            (Get, ["images", id]) => self.get_image(&call, id),
            (Get, ["images", id, "actions"]) => self.list_image_actions(&call, number(id)?),
            (Post, ["images", id, "actions"]) => self.begin_image_action(&call, number(id)?),
            (Get, ["images", id, "actions", action]) => self.get_image_action(&call, number(id)?, number(action)?),
            (Delete, ["images", id]) => self.delete_private_image(&call, number(id)?),
            (Get, ["tags"]) => self.list_tags(&call),
            (Post, ["tags"]) => self.create_tag(&call),
            (Get, ["tags", name]) => self.get_tag(&call, name),
            (Post, ["tags", name, "resources"]) => self.tag_resources(&call, name),
            (Delete, ["tags", name, "resources"]) => self.untag_resources(&call, name),
            _ => Err(Refusal::no_such_route()),
        }
    }

    /// One page of a list.
    fn listing<T, S: Serialize>(
        &self,
        call: &Call<'_>,
        key: &'static str,
        items: impl Iterator<Item = T> + Clone,
        render: impl FnMut(T) -> S,
    ) -> Outcome {
        let page = Page::of(call.request)?;
        let total = items.clone().count();
        let links = page.links(&self.settings.origin, call.request, total);
        Ok(Reply::ok(&Listing { key, items: page.cut(items, render), links, total }))
    }
}
