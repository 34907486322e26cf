//! Snapshots under `/v2/snapshots`, where their ids are text, and all images under `/v2/images`.

use serde_json::{Value, json};

use super::{Call, Outcome, Reply};
use crate::digitalocean::{
    image::{Image, Origin},
    refusal::Refusal,
    world::World,
};

impl World {
    fn listed_snapshots(&self) -> impl Iterator<Item = &Image> + Clone {
        self.images.values().filter(|image| image.origin == Origin::Snapshot && image.is_listed(self.now))
    }

    /// A listed image by the number or slug in a request's body.
    pub(super) fn find_image(&self, wanted: &Value) -> Option<&Image> {
        let listed = |image: &&Image| image.is_listed(self.now);
        match wanted {
            Value::Number(number) => self.images.get(&number.as_u64()?).filter(listed),
            Value::String(text) => self.find_image_by_text(text),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn find_image_by_text(&self, text: &str) -> Option<&Image> {
        let by_number = text.parse().ok().and_then(|number: u64| self.images.get(&number));
        let image = by_number.or_else(|| self.images.values().find(|image| image.slug == Some(text)));
        image.filter(|image| image.is_listed(self.now))
    }

    /// Oldest first: a client that forgets to page misses the newest ones (hashicorp/packer#3158). There are no Volume Snapshots here.
    pub(super) fn list_snapshots(&self, call: &Call<'_>) -> Outcome {
        call.need("snapshot:read")?;
        let kind = call.request.parameter("resource_type");
        if kind.is_some_and(|kind| kind != "droplet" && kind != "volume") {
            return Err(Refusal::malformed("resource_type is droplet or volume"));
        }
        let snapshots = self.listed_snapshots().filter(|_| kind != Some("volume"));
        self.listing(call, "snapshots", snapshots, |image| image.render_snapshot(&call.scopes, self.now))
    }

    pub(super) fn get_snapshot(&self, call: &Call<'_>, id: u64) -> Outcome {
        call.need("snapshot:read")?;
        let image = self.find_snapshot(id)?;
        Ok(Reply::ok(&json!({"snapshot": image.render_snapshot(&call.scopes, self.now)})))
    }

    fn find_snapshot(&self, id: u64) -> Result<&Image, Refusal> {
        let image = self.images.get(&id).filter(|image| image.is_listed(self.now)).ok_or_else(Refusal::not_found)?;
        if image.origin == Origin::Snapshot { Ok(image) } else { Err(Refusal::not_a_snapshot()) }
    }

    pub(super) fn delete_snapshot(&mut self, call: &Call<'_>, id: u64) -> Outcome {
        call.need("image:delete")?;
        call.need("snapshot:delete")?;
        let id = self.find_snapshot(id)?.id;
        self.delete_image(id);
        Ok(Reply::no_content())
    }

    pub(super) fn list_images(&self, call: &Call<'_>) -> Outcome {
        call.need("image:read")?;
        let private = call.request.parameter("private") == Some("true");
        let [kind, tag] = ["type", "tag_name"].map(|key| call.request.parameter(key));
        let images = self.images.values().filter(|image| {
            image.is_listed(self.now)
                && (!private || image.origin != Origin::Base)
                && kind.is_none_or(|kind| kind == "distribution" && image.origin == Origin::Base)
                && tag.is_none_or(|tag| image.tags.iter().any(|other| other == tag))
        });
        self.listing(call, "images", images, |image| image.render_image(&call.scopes, self.now))
    }

    pub(super) fn get_image(&self, call: &Call<'_>, wanted: &str) -> Outcome {
        call.need("image:read")?;
        let image = self.find_image_by_text(wanted).ok_or_else(Refusal::not_found)?;
        Ok(Reply::ok(&json!({"image": image.render_image(&call.scopes, self.now)})))
    }

    pub(super) fn delete_private_image(&mut self, call: &Call<'_>, id: u64) -> Outcome {
        call.need("image:delete")?;
        let image = self.images.get(&id).filter(|image| image.origin != Origin::Base && image.is_listed(self.now));
        let id = image.ok_or_else(Refusal::not_found)?.id;
        self.delete_image(id);
        Ok(Reply::no_content())
    }
}
