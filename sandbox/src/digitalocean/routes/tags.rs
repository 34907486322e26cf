//! Tags, and which Droplets have them.

use serde_json::{Value, json};

use super::{Call, Outcome, Reply};
use crate::digitalocean::{refusal::Refusal, world::World};

/// `^[a-zA-Z0-9_\-:]+$`, at most 255.
pub(super) fn is_valid(tag: &str) -> bool {
    (1..=255).contains(&tag.len()) && tag.chars().all(|c| c.is_ascii_alphanumeric() || "_-:".contains(c))
}

impl World {
    fn render_tag(&self, name: &str, call: &Call<'_>) -> Value {
        let tagged: Vec<u64> = self.droplets.values().filter(|d| d.tags.contains(name)).map(|d| d.id).collect();
        let mut resources = json!({"count": tagged.len()});
        if call.scopes.allow("droplet:read") {
            resources["droplets"] = json!({"count": tagged.len()});
            if let Some(last) = tagged.last() {
                let uri = format!("{}/v2/droplets/{last}", self.settings.origin);
                resources["last_tagged_uri"] = json!(uri);
                resources["droplets"]["last_tagged_uri"] = json!(uri);
            }
        }
        json!({"name": name, "resources": resources})
    }

    pub(super) fn list_tags(&self, call: &Call<'_>) -> Outcome {
        call.need("tag:read")?;
        self.listing(call, "tags", self.tags.iter(), |tag| self.render_tag(tag, call))
    }

    pub(super) fn get_tag(&self, call: &Call<'_>, name: &str) -> Outcome {
        call.need("tag:read")?;
        let tag = self.tags.get(name).ok_or_else(Refusal::not_found)?;
        Ok(Reply::ok(&json!({"tag": self.render_tag(tag, call)})))
    }

    /// Creating an existing tag again is not an error.
    pub(super) fn create_tag(&mut self, call: &Call<'_>) -> Outcome {
        call.need("tag:create")?;
        let body = call.body()?;
        let name = body.get("name").and_then(Value::as_str).filter(|name| is_valid(name));
        let name = name.ok_or_else(|| Refusal::malformed("name is not a valid tag"))?;
        self.tags.insert(name.to_owned());
        Ok(Reply::created(&json!({"tag": self.render_tag(name, call)})))
    }

    pub(super) fn tag_resources(&mut self, call: &Call<'_>, name: &str) -> Outcome {
        call.need("tag:create")?;
        for droplet in self.named_droplets(call, name)? {
            self.change(droplet, |droplet| {
                droplet.tags.insert(name.to_owned());
            });
        }
        Ok(Reply::no_content())
    }

    pub(super) fn untag_resources(&mut self, call: &Call<'_>, name: &str) -> Outcome {
        call.need("tag:delete")?;
        for droplet in self.named_droplets(call, name)? {
            self.change(droplet, |droplet| {
                droplet.tags.remove(name);
            });
        }
        Ok(Reply::no_content())
    }

    /// The Droplets that a body's `resources` names; nothing else can be tagged here.
    fn named_droplets(&self, call: &Call<'_>, tag: &str) -> Result<Vec<u64>, Refusal> {
        call.need("droplet:update")?;
        self.tags.get(tag).ok_or_else(Refusal::not_found)?;
        let body = call.body()?;
        let resources = body.get("resources").and_then(Value::as_array);
        let resources = resources.ok_or_else(|| Refusal::malformed("resources is missing"))?;
        let read = |resource: &Value| {
            let is_droplet = resource.get("resource_type").and_then(Value::as_str) == Some("droplet");
            let id = resource.get("resource_id").and_then(Value::as_str).filter(|_| is_droplet);
            id.and_then(|id| id.parse().ok()).ok_or_else(|| Refusal::malformed("only Droplets can be tagged here"))
        };
        let ids: Vec<u64> = resources.iter().map(read).collect::<Result<_, _>>()?;
        let all_there = ids.iter().all(|id| self.droplets.contains_key(id));
        if all_there { Ok(ids) } else { Err(Refusal::not_found()) }
    }
}
