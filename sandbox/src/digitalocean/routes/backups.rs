//! DigitalOcean's own Backups: their policies, and the conversion that removes one from the rotation.

use serde_json::{Map, Value, json};

use super::{Call, Outcome, Reply};
use crate::digitalocean::{
    action::Action,
    backups::BackupPolicy,
    droplet::Droplet,
    image::{Image, Origin},
    refusal::Refusal,
    world::World,
};

impl World {
    pub(super) fn list_supported_policies(call: &Call<'_>) -> Outcome {
        call.need("droplet:read")?;
        Ok(Reply::ok(&json!({"supported_policies": BackupPolicy::supported()})))
    }

    /// The result is an object with the Droplets' ids as keys, unlike every other list.
    pub(super) fn list_backup_policies(&self, call: &Call<'_>) -> Outcome {
        call.need("droplet:read")?;
        let policies: Map<String, Value> =
            self.droplets.values().map(|droplet| (droplet.id.to_string(), self.render_policy(droplet))).collect();
        let total = policies.len();
        Ok(Reply::ok(&json!({"policies": policies, "links": {}, "meta": {"total": total}})))
    }

    pub(super) fn get_backup_policy(&self, call: &Call<'_>, id: u64) -> Outcome {
        call.need("droplet:read")?;
        Ok(Reply::ok(&json!({"policy": self.render_policy(self.find_droplet(id)?)})))
    }

    fn render_policy(&self, droplet: &Droplet) -> Value {
        let mut record = json!({"droplet_id": droplet.id, "backup_enabled": droplet.backups.is_some()});
        if let Some(policy) = &droplet.backups {
            record["backup_policy"] = policy.render();
            record["next_backup_window"] = policy.next_window(self.now);
        }
        record
    }

    /// Only `convert` is supported: images here have no further regions.
    pub(super) fn begin_image_action(&mut self, call: &Call<'_>, id: u64) -> Outcome {
        call.need("image:update")?;
        let body = call.body()?;
        if body.get("type").and_then(Value::as_str) != Some("convert") {
            return Err(Refusal::malformed("type is not a valid Action type"));
        }
        let image = self.find_private_image(id)?;
        if image.origin != Origin::Backup {
            return Err(Refusal::unprocessable("This image is not a backup."));
        }
        let action = self.start_conversion(id, call.quirk.clone());
        Ok(Reply::created(&json!({"action": self.actions.get(&action).map(Action::render)})))
    }

    fn find_private_image(&self, id: u64) -> Result<&Image, Refusal> {
        let image = self.images.get(&id).filter(|image| image.origin != Origin::Base && image.is_listed(self.now));
        image.ok_or_else(Refusal::not_found)
    }

    pub(super) fn list_image_actions(&self, call: &Call<'_>, id: u64) -> Outcome {
        call.need("image:read")?;
        self.find_private_image(id)?;
        let actions = self.actions.values().rev().filter(|action| action.image() == Some(id));
        self.listing(call, "actions", actions, Action::render)
    }

    pub(super) fn get_image_action(&self, call: &Call<'_>, image: u64, id: u64) -> Outcome {
        call.need("image:read")?;
        let action = self.actions.get(&id).filter(|action| action.image() == Some(image));
        let action = action.ok_or_else(Refusal::not_found)?;
        Ok(Reply::ok(&json!({"action": action.render()})))
    }
}
