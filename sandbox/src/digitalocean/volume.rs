//! A Volume: block storage attached to a Droplet, which Droplet Snapshots do not include.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{catalogue::find_region, scopes::Scopes};

/// A Volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its id, a UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The region in which it is.
    pub region: String,
    /// Its size in GB.
    pub size_gigabytes: u64,
    /// The Droplet that it is attached to.
    pub droplet: Option<u64>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Volume {
    pub(super) fn render(&self, scopes: &Scopes) -> Value {
        let mut volume = json!({
            "id": self.id,
            "name": self.name,
            "description": "",
            "region": find_region(&self.region),
            "size_gigabytes": self.size_gigabytes,
            "droplet_ids": self.droplet.into_iter().collect::<Vec<_>>(),
            "created_at": format!("{:.0}", self.created_at),
            "filesystem_type": "ext4",
            "filesystem_label": self.name,
        });
        if scopes.allow("tag:read") {
            volume["tags"] = json!([]);
        }
        volume
    }
}
