//! Droplets: lists, single Droplets, their Snapshots and backups, and deleting them.

use serde_json::json;

use super::{Call, Outcome, Reply};
use crate::digitalocean::{
    droplet::{Droplet, Shown, Surroundings},
    image::{Image, Origin},
    refusal::Refusal,
    scopes::Scopes,
    world::World,
};

impl World {
    pub(super) fn render_droplet<'a>(&'a self, droplet: &'a Droplet, scopes: &Scopes) -> Shown<'a> {
        let ids = |origin| self.listed_images(droplet, origin).map(|image| image.id).collect();
        let around = Surroundings {
            image: self.images.get(&droplet.disk.image),
            snapshot_ids: ids(Origin::Snapshot),
            backup_ids: ids(Origin::Backup),
            locked_while_pending: self.settings.locked_while_pending,
            now: self.now,
        };
        droplet.render(scopes, around)
    }

    fn listed_images<'a>(&'a self, droplet: &'a Droplet, origin: Origin) -> impl Iterator<Item = &'a Image> + Clone {
        let images = droplet.images.iter().filter_map(|id| self.images.get(id));
        images.filter(move |image| image.origin == origin && image.is_listed(self.now))
    }

    pub(super) fn find_droplet(&self, id: u64) -> Result<&Droplet, Refusal> {
        self.droplets.get(&id).ok_or_else(Refusal::not_found)
    }

    /// `name` must match exactly except for case, and cannot be combined with `tag_name`; there are no GPU Droplets here.
    pub(super) fn list_droplets(&self, call: &Call<'_>) -> Outcome {
        call.need("droplet:read")?;
        let [tag, name, kind] = ["tag_name", "name", "type"].map(|key| call.request.parameter(key));
        if tag.is_some() {
            call.need("tag:read")?;
        }
        if tag.is_some() && (name.is_some() || kind.is_some()) {
            return Err(Refusal::malformed("tag_name can not be combined with name or type"));
        }
        let wanted = self.droplets.values().filter(|droplet| {
            kind != Some("gpus")
                && tag.is_none_or(|tag| droplet.tags.contains(tag))
                && name.is_none_or(|name| droplet.name.eq_ignore_ascii_case(name))
        });
        self.listing(call, "droplets", wanted, |droplet| self.render_droplet(droplet, &call.scopes))
    }

    pub(super) fn get_droplet(&self, call: &Call<'_>, id: u64) -> Outcome {
        call.need("droplet:read")?;
        let droplet = self.find_droplet(id)?;
        Ok(Reply::ok(&json!({"droplet": self.render_droplet(droplet, &call.scopes)})))
    }

    /// It is a guess that a pending event prevents deletion, as it does everything else.
    pub(super) fn delete_droplet(&mut self, call: &Call<'_>, id: u64) -> Outcome {
        call.need("droplet:delete")?;
        if self.find_droplet(id)?.pending.is_some() {
            return Err(Refusal::pending_event());
        }
        self.destroy(id);
        Ok(Reply::no_content())
    }

    pub(super) fn list_droplet_snapshots(&self, call: &Call<'_>, id: u64) -> Outcome {
        call.need("droplet:read")?;
        let snapshots = self.listed_images(self.find_droplet(id)?, Origin::Snapshot);
        self.listing(call, "snapshots", snapshots, |image| image.render_of_droplet(self.now))
    }

    pub(super) fn list_droplet_backups(&self, call: &Call<'_>, id: u64) -> Outcome {
        call.need("droplet:read")?;
        let backups = self.listed_images(self.find_droplet(id)?, Origin::Backup);
        self.listing(call, "backups", backups, |image| image.render_of_droplet(self.now))
    }
}
