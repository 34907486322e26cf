//! `POST /v2/droplets`: one Droplet or up to ten, from an image that fits size and region.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Outcome, Reply};
use crate::digitalocean::{
    action::ActionKind,
    backups::BackupPolicy,
    catalogue::{Region, Size, find_region, find_size},
    droplet::{Blueprint, Shown, Status},
    image::Image,
    refusal::Refusal,
    routes::tags,
    scopes::Scopes,
    world::World,
};

const AT_ONCE: usize = 10;

/// The fields that the sandbox uses; other fields of the real API are ignored.
#[derive(Deserialize)]
struct Order {
    name: Option<String>,
    names: Option<Vec<String>>,
    region: Option<String>,
    size: String,
    image: Value,
    #[serde(default)]
    ssh_keys: Option<Vec<Value>>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    backups: bool,
}

impl World {
    pub(super) fn create_droplets(&mut self, call: &Call<'_>) -> Outcome {
        call.need("droplet:create")?;
        let order: Order = serde_json::from_value(Value::Object(call.body()?))
            .map_err(|error| Refusal::malformed(error.to_string()))?;
        let blueprint = self.plan_droplet(&call.scopes, &order)?;
        let (names, several) = match (order.name, order.names) {
            (Some(name), None) => (vec![name], false),
            (None, Some(names)) if (1..=AT_ONCE).contains(&names.len()) => (names, true),
            (Some(_) | None, _) => return Err(Refusal::malformed("Name can't be blank")),
        };
        if let Some(name) = names.iter().find(|name| !is_host_name(name)) {
            let reason = "Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)";
            return Err(Refusal::malformed(format!("{name}: {reason}")));
        }
        let image = self.find_image(&order.image).map_or(self.base_image, |image| image.id);
        let mut made = Vec::new();
        for name in names {
            let id = self.add_droplet(&Blueprint { name, ..blueprint.clone() });
            self.change(id, |droplet| droplet.disk.image = image);
            made.push((id, self.start(id, ActionKind::Create, call.quirk.clone())));
        }
        Ok(Reply::accepted(&self.render_created(&made, several, &call.scopes)))
    }

    fn render_created(&self, made: &[(u64, u64)], several: bool, scopes: &Scopes) -> Value {
        let droplets = made.iter().filter_map(|(id, _)| self.droplets.get(id));
        let mut droplets: Vec<Shown<'_>> = droplets.map(|droplet| self.render_droplet(droplet, scopes)).collect();
        let origin = &self.settings.origin;
        let link =
            |action: u64| json!({"id": action, "rel": "create", "href": format!("{origin}/v2/actions/{action}")});
        let actions: Vec<Value> = made.iter().map(|(_, action)| link(*action)).collect();
        let links = json!({ "actions": actions });
        if several {
            return json!({"droplets": droplets, "links": links});
        }
        json!({"droplet": droplets.pop(), "links": links})
    }

    fn plan_droplet(&self, scopes: &Scopes, order: &Order) -> Result<Blueprint, Refusal> {
        let tags = order.tags.clone().unwrap_or_default();
        if !tags.is_empty() && !scopes.allow("tag:create") {
            return Err(Refusal::forbidden());
        }
        if let Some(tag) = tags.iter().find(|tag| !tags::is_valid(tag)) {
            return Err(Refusal::malformed(format!("{tag} is not a valid tag")));
        }
        self.check_keys(scopes, order.ssh_keys.as_deref().unwrap_or_default())?;
        let size = find_size(&order.size)
            .ok_or_else(|| Refusal::malformed("You specified an invalid size for Droplet creation."))?;
        let region = match &order.region {
            None => find_region("nyc3"),
            Some(slug) => find_region(slug),
        };
        let region =
            region.ok_or_else(|| Refusal::malformed("You specified an invalid region for Droplet creation."))?;
        let image = self.find_image(&order.image);
        let image =
            image.ok_or_else(|| Refusal::unprocessable("You specified an invalid image for Droplet creation."))?;
        fits(image, region, size)?;
        let tags = tags.into_iter().collect();
        let plain = Blueprint::named("").status(Status::New).used_gigabytes(image.size_gigabytes);
        Ok(Blueprint { region, size, tags, backups: order.backups.then_some(BackupPolicy::DAILY), ..plain })
    }

    fn check_keys(&self, scopes: &Scopes, keys: &[Value]) -> Result<(), Refusal> {
        if !keys.is_empty() && !scopes.allow("ssh_key:read") {
            return Err(Refusal::forbidden());
        }
        let known = |key: &Value| {
            let wanted = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            self.ssh_keys.iter().any(|key| key.answers_to(&wanted))
        };
        match keys.iter().find(|key| !known(key)) {
            None => Ok(()),
            Some(key) => {
                Err(Refusal::unprocessable(format!("{key} are invalid key identifiers for Droplet creation.")))
            }
        }
    }
}

/// The image must be available in the region, and the disk large enough.
fn fits(image: &Image, region: &Region, size: &Size) -> Result<(), Refusal> {
    if !image.regions.iter().any(|slug| slug == region.slug) {
        return Err(Refusal::unprocessable("The image you specified is not available in the selected region."));
    }
    if size.disk < image.min_disk_size {
        return Err(Refusal::unprocessable(
            "You specified an image with a minimum disk size larger than the size's disk.",
        ));
    }
    Ok(())
}

/// `^[a-zA-Z0-9]?[a-z0-9A-Z.\-]*[a-z0-9A-Z]$`, at most 255.
fn is_host_name(name: &str) -> bool {
    name.len() <= 255
        && name.ends_with(|last: char| last.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
}
