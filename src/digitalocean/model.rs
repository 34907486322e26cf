//! What DigitalOcean tells us, in our types. The wire shapes are private to this file and [`super::reads`].
//!
//! Unknown fields are ignored, nulls and fields that a token may not see are tolerated; a wrong type is an error that names
//! the field. Ids come as numbers and as text, and both are read.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de};

use crate::operation::ids::{ActionId, DropletId, SnapshotId};

/// A Droplet as it was at the moment of reading.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "WireDroplet")]
pub struct Droplet {
    /// Its id.
    pub id: DropletId,
    /// Its name; not unique.
    pub name: String,
    /// Whether it runs.
    pub status: DropletStatus,
    /// Whether DigitalOcean refuses Actions on it at the moment.
    pub locked: bool,
    /// The Region's slug, such as `nyc3`.
    pub region: Option<String>,
    /// Its disk in GB: the least disk that a Droplet made from its Snapshots needs.
    pub disk_gb: Option<u64>,
    /// The size's slug, such as `s-1vcpu-1gb`.
    pub size_slug: Option<String>,
    /// Its price in dollars a month.
    pub price_monthly: Option<f64>,
    /// Its tags; empty as well when the token may not see them.
    pub tags: Vec<String>,
    /// Its Volumes, which no Snapshot includes.
    pub volume_ids: Vec<String>,
    /// Its public address, once it has one.
    pub public_ipv4: Option<Ipv4Addr>,
    /// When the next backup may run, if backups are on.
    pub next_backup_window: Option<BackupWindow>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

/// The power state of a Droplet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum DropletStatus {
    /// Being made.
    New,
    /// Running.
    Active,
    /// Powered off.
    Off,
    /// Archived.
    Archive,
    /// A word that DigitalOcean did not know when this was written.
    Other(String),
}

impl From<String> for DropletStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "new" => Self::New,
            "active" => Self::Active,
            "off" => Self::Off,
            "archive" => Self::Archive,
            _ => Self::Other(super::error::plain(&word)),
        }
    }
}

/// The time in which a backup may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupWindow {
    /// Its beginning.
    pub start: Timestamp,
    /// Its end.
    pub end: Timestamp,
}

/// An Action as it was at the moment of reading. It carries neither a percentage nor a reason nor a Snapshot's id.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "WireAction")]
pub struct Action {
    /// Its id.
    pub id: ActionId,
    /// How far it is.
    pub status: ActionStatus,
    /// DigitalOcean's `type`, such as `snapshot` or `power_on`.
    pub kind: String,
    /// The Droplet it works on; none where it works on something else.
    pub droplet: Option<DropletId>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended; may be missing though it has ended.
    pub completed_at: Option<Timestamp>,
}

/// How far an Action is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum ActionStatus {
    /// It runs or waits.
    InProgress,
    /// It ended well. For a shutdown: the command was issued.
    Completed,
    /// It failed.
    Errored,
    /// A word that DigitalOcean did not know when this was written.
    Other(String),
}

impl From<String> for ActionStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "in-progress" => Self::InProgress,
            "completed" => Self::Completed,
            "errored" => Self::Errored,
            _ => Self::Other(super::error::plain(&word)),
        }
    }
}

/// A Snapshot (or backup) of a Droplet.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "WireSnapshot")]
pub struct Snapshot {
    /// Its id; as an image it has the same number.
    pub id: SnapshotId,
    /// Its name; not unique.
    pub name: String,
    /// When it was begun: equal to its Action's `started_at`.
    pub created_at: Option<Timestamp>,
    /// The Regions where it can be used.
    pub regions: Vec<String>,
    /// The least disk in GB of a Droplet made from it.
    pub min_disk_size: Option<u64>,
    /// What it is billed for; missing for a while after it was made.
    pub size_gigabytes: Option<f64>,
    /// The Droplet it was taken of, which may be gone.
    pub droplet: Option<DropletId>,
    /// Its tags.
    pub tags: Vec<String>,
}

/// What the token belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// The account's e-mail address.
    pub email: Option<String>,
    /// `active`, `warning` or `locked`.
    pub status: Option<String>,
    /// How many Droplets it may have.
    pub droplet_limit: Option<u64>,
}

/// A size that a Droplet can have.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Size {
    /// Its slug.
    pub slug: String,
    /// Its disk in GB.
    #[serde(rename = "disk")]
    pub disk_gb: u64,
    /// Its memory in MB.
    #[serde(rename = "memory")]
    pub memory_mb: u64,
    /// Its virtual processors.
    pub vcpus: u64,
    /// Its price in dollars a month.
    pub price_monthly: f64,
    /// The Regions that have it.
    #[serde(default, deserialize_with = "null_is_default")]
    pub regions: Vec<String>,
    /// Whether a new Droplet can have it.
    #[serde(default)]
    pub available: bool,
}

/// A place where Droplets run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Region {
    /// Its slug.
    pub slug: String,
    /// Its name for people.
    #[serde(default, deserialize_with = "null_is_default")]
    pub name: String,
    /// Whether a new Droplet can be made there.
    #[serde(default)]
    pub available: bool,
}

/// A key that can be put on a new Droplet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SshKey {
    /// Its fingerprint, by which a new Droplet can be given it.
    pub fingerprint: String,
    /// Its name for people.
    #[serde(default, deserialize_with = "null_is_default")]
    pub name: String,
}

#[derive(Deserialize)]
struct WireDroplet {
    #[serde(deserialize_with = "number_or_text")]
    id: u64,
    name: String,
    status: DropletStatus,
    #[serde(default, deserialize_with = "null_is_default")]
    locked: bool,
    region: Option<WireSlug>,
    disk: Option<u64>,
    size_slug: Option<String>,
    size: Option<WireDropletSize>,
    #[serde(default, deserialize_with = "null_is_default")]
    tags: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    volume_ids: Vec<String>,
    networks: Option<WireNetworks>,
    next_backup_window: Option<WireWindow>,
    created_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct WireSlug {
    slug: Option<String>,
}

#[derive(Deserialize)]
struct WireDropletSize {
    price_monthly: Option<f64>,
}

#[derive(Deserialize)]
struct WireNetworks {
    #[serde(default, deserialize_with = "null_is_default")]
    v4: Vec<WireAddress>,
}

#[derive(Deserialize)]
struct WireAddress {
    ip_address: Option<Ipv4Addr>,
    r#type: Option<String>,
}

#[derive(Deserialize)]
struct WireWindow {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl From<WireDroplet> for Droplet {
    fn from(wire: WireDroplet) -> Self {
        let addresses = wire.networks.map(|networks| networks.v4).unwrap_or_default();
        let public = addresses.into_iter().find(|address| address.r#type.as_deref() == Some("public"));
        let window = wire.next_backup_window.and_then(|window| window.start.zip(window.end));
        Self {
            id: DropletId(wire.id),
            name: wire.name,
            status: wire.status,
            locked: wire.locked,
            region: wire.region.and_then(|region| region.slug),
            disk_gb: wire.disk,
            size_slug: wire.size_slug,
            price_monthly: wire.size.and_then(|size| size.price_monthly),
            tags: wire.tags,
            volume_ids: wire.volume_ids,
            public_ipv4: public.and_then(|address| address.ip_address),
            next_backup_window: window.map(|(start, end)| BackupWindow { start, end }),
            created_at: wire.created_at,
        }
    }
}

#[derive(Deserialize)]
struct WireAction {
    #[serde(deserialize_with = "number_or_text")]
    id: u64,
    status: ActionStatus,
    r#type: String,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "optional_number_or_text")]
    resource_id: Option<u64>,
    resource_type: Option<String>,
}

impl From<WireAction> for Action {
    fn from(wire: WireAction) -> Self {
        // The transfer of an image is an Action too, and its `resource_id` is the image's.
        let of_droplet = wire.resource_type.as_deref().is_none_or(|kind| kind == "droplet");
        Self {
            id: ActionId(wire.id),
            status: wire.status,
            kind: wire.r#type,
            droplet: wire.resource_id.filter(|_| of_droplet).map(DropletId),
            started_at: wire.started_at,
            completed_at: wire.completed_at,
        }
    }
}

#[derive(Deserialize)]
struct WireSnapshot {
    #[serde(deserialize_with = "number_or_text")]
    id: u64,
    #[serde(default, deserialize_with = "null_is_default")]
    name: String,
    created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "null_is_default")]
    regions: Vec<String>,
    min_disk_size: Option<u64>,
    size_gigabytes: Option<f64>,
    #[serde(default, deserialize_with = "optional_number_or_text")]
    resource_id: Option<u64>,
    #[serde(default, deserialize_with = "null_is_default")]
    tags: Vec<String>,
}

impl From<WireSnapshot> for Snapshot {
    fn from(wire: WireSnapshot) -> Self {
        Self {
            id: SnapshotId(wire.id),
            name: wire.name,
            created_at: wire.created_at,
            regions: wire.regions,
            min_disk_size: wire.min_disk_size,
            size_gigabytes: wire.size_gigabytes,
            droplet: wire.resource_id.map(DropletId),
            tags: wire.tags,
        }
    }
}

fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(wire: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(wire)?.unwrap_or_default())
}

fn number_or_text<'de, D: Deserializer<'de>>(wire: D) -> Result<u64, D::Error> {
    optional_number_or_text(wire)?.ok_or_else(|| de::Error::custom("an id is missing"))
}

fn optional_number_or_text<'de, D: Deserializer<'de>>(wire: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "an id is wanted, as a number or as its text")]
    enum Id {
        Number(u64),
        Text(String),
    }
    match Option::deserialize(wire)? {
        None => Ok(None),
        Some(Id::Number(id)) => Ok(Some(id)),
        Some(Id::Text(text)) => text.parse().map(Some).map_err(|_| de::Error::custom("an id is wanted, not a word")),
    }
}

#[cfg(test)]
mod tests;
