//! An image: one of DigitalOcean's base images, or a Snapshot or backup of a Droplet, and the three forms in which it is rendered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::scopes::Scopes;

/// The kind of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the API's")]
pub enum Origin {
    Base,
    Snapshot,
    Backup,
}

impl Origin {
    fn as_str(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Snapshot => "snapshot",
            Self::Backup => "backup",
        }
    }
}

/// How an unknown size is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum SizeShown {
    Absent,
    Null,
    Zero,
}

/// An image.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Its number; `/v2/snapshots` renders it as text.
    pub id: u64,
    /// Its name; not unique.
    pub name: String,
    /// Its kind.
    pub origin: Origin,
    /// A base image's slug.
    pub slug: Option<&'static str>,
    /// The Droplet that it was taken of, which may no longer exist.
    pub droplet: Option<u64>,
    /// The Action that made it; `None` if an operator added it.
    pub action: Option<u64>,
    /// When it was created, which is its Action's `started_at`, as terraform assumes.
    pub created_at: Timestamp,
    /// From when it is listed; `None` means never.
    pub listed_at: Option<Timestamp>,
    /// The regions in which it can be used.
    pub regions: Vec<String>,
    /// The minimum disk in GB.
    pub min_disk_size: u64,
    /// Its size in GB.
    pub size_gigabytes: f64,
    /// How its size is rendered, and until when; without a time, forever.
    pub sizeless: Option<(SizeShown, Option<Timestamp>)>,
    /// Its tags.
    pub tags: Vec<String>,
}

impl Image {
    /// Whether lists and lookups show it.
    pub fn is_listed(&self, now: Timestamp) -> bool {
        self.listed_at.is_some_and(|at| at <= now)
    }

    /// Renders it as in `/v2/snapshots`, where the id is text.
    pub(super) fn render_snapshot(&self, scopes: &Scopes, now: Timestamp) -> Value {
        let mut snapshot = json!({
            "id": self.id.to_string(),
            "name": self.name,
            "created_at": format!("{:.0}", self.created_at),
            "regions": self.regions,
            "min_disk_size": self.min_disk_size,
            "resource_id": self.droplet.map_or_else(String::new, |droplet| droplet.to_string()),
            "resource_type": "droplet",
        });
        self.render_size(&mut snapshot, now);
        if scopes.allow("tag:read") {
            snapshot["tags"] = json!(self.tags);
        }
        snapshot
    }

    /// Renders it as under a Droplet, where the id is a number.
    pub(super) fn render_of_droplet(&self, now: Timestamp) -> Value {
        let mut snapshot = json!({
            "id": self.id,
            "name": self.name,
            "created_at": format!("{:.0}", self.created_at),
            "regions": self.regions,
            "min_disk_size": self.min_disk_size,
            "type": self.origin.as_str(),
        });
        self.render_size(&mut snapshot, now);
        snapshot
    }

    /// Renders it as in `/v2/images`.
    pub(super) fn render_image(&self, scopes: &Scopes, now: Timestamp) -> Value {
        let mut image = json!({
            "id": self.id,
            "name": self.name,
            "type": self.origin.as_str(),
            "distribution": "Ubuntu",
            "slug": self.slug,
            "public": self.origin == Origin::Base,
            "regions": self.regions,
            "created_at": format!("{:.0}", self.created_at),
            "min_disk_size": self.min_disk_size,
            "description": "",
            "status": "available",
            "error_message": "",
        });
        self.render_size(&mut image, now);
        if scopes.allow("tag:read") {
            image["tags"] = json!(self.tags);
        }
        image
    }

    fn render_size(&self, shown: &mut Value, now: Timestamp) {
        let sizeless = self.sizeless.filter(|(_, until)| until.is_none_or(|until| now < until));
        match sizeless.map(|(how, _)| how) {
            None => shown["size_gigabytes"] = json!(self.size_gigabytes),
            Some(SizeShown::Zero) => shown["size_gigabytes"] = json!(0),
            Some(SizeShown::Null) => shown["size_gigabytes"] = Value::Null,
            Some(SizeShown::Absent) => {}
        }
    }
}
