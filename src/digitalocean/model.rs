//! DigitalOcean's data in our types.
//!
//! Only fields that decide something are required: a Droplet's id and status, an Action's id, status and type, a Snapshot's id and name,
//! and what is needed to choose a size or a key. Any other field may be missing, null or in another form, and then counts as unknown.

use std::{cmp::Ordering, net::Ipv4Addr};

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{Fields, Mismatch, Whole};
use crate::operation::ids::{ActionId, DropletId, OperationId, SnapshotId};

/// A Droplet as it was at the moment of reading.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Droplet {
    /// Its id.
    pub id: DropletId,
    /// Its name, which is not unique; its id if DigitalOcean does not state the name.
    pub name: String,
    /// Whether it runs.
    pub status: DropletStatus,
    /// Whether DigitalOcean refuses Actions on it at the moment.
    pub locked: bool,
    /// The Region's slug, such as `nyc3`.
    pub region: Option<String>,
    /// Its disk in GB, which is the minimum disk of a Droplet created from its Snapshots.
    pub disk_gb: Option<u64>,
    /// The size's slug, such as `s-1vcpu-1gb`.
    pub size_slug: Option<String>,
    /// Its price in dollars a month.
    pub price_monthly: Option<f64>,
    /// Its tags; absent if unknown, for example because the token may not read them, which is not the same as none.
    pub tags: Option<Vec<String>>,
    /// Its Volumes, which Snapshots never include.
    pub volume_ids: Vec<String>,
    /// Its public address, once it has one.
    pub public_ipv4: Option<Ipv4Addr>,
    /// When the next backup may run, if backups are on.
    pub next_backup_window: Option<BackupWindow>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
}

/// The power state of a Droplet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum DropletStatus {
    /// Being created.
    New,
    /// Running.
    Active,
    /// Powered off.
    Off,
    /// Archived.
    Archive,
    /// A word that DigitalOcean did not use when this was written.
    Other(String),
}

impl From<String> for DropletStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "new" => Self::New,
            "active" => Self::Active,
            "off" => Self::Off,
            "archive" => Self::Archive,
            _ => Self::Other(super::vendor_text::short_line(&word)),
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

/// An Action as it was at the moment of reading. It contains no percentage, no reason for an error and no Snapshot id.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Action {
    /// Its id.
    pub id: ActionId,
    /// Its progress.
    pub status: ActionStatus,
    /// DigitalOcean's `type`, such as `snapshot` or `power_on`.
    pub kind: String,
    /// The Droplet that it works on; `None` if it works on something else.
    pub droplet: Option<DropletId>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended; may be missing although it has ended.
    pub completed_at: Option<Timestamp>,
}

/// The progress of an Action.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum ActionStatus {
    /// It runs or waits.
    InProgress,
    /// It succeeded. For a shutdown, that only means that the command was issued.
    Completed,
    /// It failed.
    Errored,
    /// A word that DigitalOcean did not use when this was written.
    Other(String),
}

impl From<String> for ActionStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "in-progress" => Self::InProgress,
            "completed" => Self::Completed,
            "errored" => Self::Errored,
            _ => Self::Other(super::vendor_text::short_line(&word)),
        }
    }
}

/// A Snapshot (or backup) of a Droplet.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Snapshot {
    /// Its id, which is also its number as an image.
    pub id: SnapshotId,
    /// Its name; not unique.
    pub name: String,
    /// When its creation began: equal to its Action's `started_at`.
    pub created_at: Option<Timestamp>,
    /// The Regions where it can be used.
    pub regions: Vec<String>,
    /// The minimum disk in GB of a Droplet created from it.
    pub min_disk_size: Option<u64>,
    /// The size that is billed; missing for a while after the Snapshot was taken.
    pub size_gigabytes: Option<f64>,
    /// The Droplet that it was taken of, which may no longer exist.
    pub droplet: Option<DropletId>,
}

impl Snapshot {
    /// The operation whose id its name ends in, if the name is one of ours.
    pub fn operation(&self) -> Option<OperationId> {
        self.name.rsplit('-').next()?.parse().ok()
    }

    /// Sorts Snapshots by their beginning, newest first. DigitalOcean states whole seconds: of two that began in the same one, the later
    /// one has the higher id.
    pub fn newest_first(&self, other: &Self) -> Ordering {
        (other.created_at, other.id).cmp(&(self.created_at, self.id))
    }
}

/// What the token belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Fields")]
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
#[serde(try_from = "Fields")]
pub struct Size {
    /// Its slug.
    pub slug: String,
    /// Its disk in GB.
    pub disk_gb: u64,
    /// Its memory in MB.
    pub memory_mb: u64,
    /// Its virtual processors.
    pub vcpus: u64,
    /// Its price in dollars a month.
    pub price_monthly: f64,
    /// The Regions that have it, where known.
    pub regions: Option<Vec<String>>,
    /// Whether a new Droplet can have it; also true if unknown.
    pub available: bool,
}

/// A place where Droplets run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Region {
    /// Its slug.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Whether a new Droplet can be created there; also true if unknown.
    pub available: bool,
}

/// A key that can be put on a new Droplet.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Fields")]
pub struct SshKey {
    /// Its fingerprint, by which it is assigned to a new Droplet.
    pub fingerprint: String,
    /// Its name for people.
    pub name: String,
}

impl TryFrom<Fields> for Droplet {
    type Error = Mismatch;

    fn try_from(wire: Fields) -> Result<Self, Mismatch> {
        let Whole(id) = wire.decisive("droplet.id")?;
        let name: Option<String> = wire.known("droplet.name");
        let addresses: Option<Vec<Fields>> =
            wire.known("droplet.networks").and_then(|networks: Fields| networks.known_list("droplet.networks.v4"));
        Ok(Self {
            id: DropletId(id),
            name: name.filter(|name| !name.is_empty()).unwrap_or_else(|| id.to_string()),
            status: wire.decisive("droplet.status")?,
            locked: wire.known("droplet.locked").unwrap_or_default(),
            region: wire.known("droplet.region").and_then(|region: Fields| region.known("droplet.region.slug")),
            disk_gb: whole(&wire, "droplet.disk"),
            size_slug: wire.known("droplet.size_slug"),
            price_monthly: wire.known("droplet.size").and_then(|size: Fields| size.known("droplet.size.price_monthly")),
            tags: wire.known_list("droplet.tags"),
            volume_ids: wire.known_list("droplet.volume_ids").unwrap_or_default(),
            public_ipv4: addresses.unwrap_or_default().iter().find_map(public_address),
            next_backup_window: wire
                .known("droplet.next_backup_window")
                .and_then(|window: Fields| backup_window(&window)),
            created_at: wire.known("droplet.created_at"),
        })
    }
}

fn public_address(address: &Fields) -> Option<Ipv4Addr> {
    let kind: Option<String> = address.known("droplet.networks.v4.type");
    if kind.as_deref() == Some("public") { address.known("droplet.networks.v4.ip_address") } else { None }
}

pub(super) fn backup_window(window: &Fields) -> Option<BackupWindow> {
    let start = window.known("droplet.next_backup_window.start")?;
    let end = window.known("droplet.next_backup_window.end")?;
    Some(BackupWindow { start, end })
}

impl TryFrom<Fields> for Action {
    type Error = Mismatch;

    fn try_from(wire: Fields) -> Result<Self, Mismatch> {
        let Whole(id) = wire.decisive("action.id")?;
        // The transfer of an image is an Action too, whose `resource_id` is the image's.
        let of: Option<String> = wire.known("action.resource_type");
        let of_droplet = of.is_none_or(|kind| kind == "droplet");
        Ok(Self {
            id: ActionId(id),
            status: wire.decisive("action.status")?,
            kind: wire.decisive("action.type")?,
            droplet: whole(&wire, "action.resource_id").filter(|_| of_droplet).map(DropletId),
            started_at: wire.known("action.started_at"),
            completed_at: wire.known("action.completed_at"),
        })
    }
}

impl TryFrom<Fields> for Snapshot {
    type Error = Mismatch;

    fn try_from(wire: Fields) -> Result<Self, Mismatch> {
        let Whole(id) = wire.decisive("snapshot.id")?;
        Ok(Self {
            id: SnapshotId(id),
            name: wire.decisive("snapshot.name")?,
            created_at: wire.known("snapshot.created_at"),
            regions: wire.known_list("snapshot.regions").unwrap_or_default(),
            min_disk_size: whole(&wire, "snapshot.min_disk_size"),
            size_gigabytes: wire.known("snapshot.size_gigabytes"),
            droplet: whole(&wire, "snapshot.resource_id").map(DropletId),
        })
    }
}

impl TryFrom<Fields> for Account {
    type Error = Mismatch;

    fn try_from(wire: Fields) -> Result<Self, Mismatch> {
        Ok(Self {
            email: wire.known("account.email"),
            status: wire.known("account.status"),
            droplet_limit: whole(&wire, "account.droplet_limit"),
        })
    }
}

impl TryFrom<Fields> for Size {
    type Error = Mismatch;

    fn try_from(wire: Fields) -> Result<Self, Mismatch> {
        let number = |place| wire.decisive(place).map(|Whole(number)| number);
        Ok(Self {
            slug: wire.decisive("size.slug")?,
            disk_gb: number("size.disk")?,
            memory_mb: number("size.memory")?,
            vcpus: number("size.vcpus")?,
            price_monthly: wire.decisive("size.price_monthly")?,
            regions: wire.known_list("size.regions"),
            available: wire.known("size.available").unwrap_or(true),
        })
    }
}

impl TryFrom<Fields> for Region {
    type Error = Mismatch;

    fn try_from(wire: Fields) -> Result<Self, Mismatch> {
        Ok(Self {
            slug: wire.decisive("region.slug")?,
            name: wire.known("region.name").unwrap_or_default(),
            available: wire.known("region.available").unwrap_or(true),
        })
    }
}

impl TryFrom<Fields> for SshKey {
    type Error = Mismatch;

    fn try_from(wire: Fields) -> Result<Self, Mismatch> {
        Ok(Self {
            fingerprint: wire.decisive("ssh_key.fingerprint")?,
            name: wire.known("ssh_key.name").unwrap_or_default(),
        })
    }
}

fn whole(wire: &Fields, place: &'static str) -> Option<u64> {
    wire.known(place).map(|Whole(number)| number)
}

#[cfg(test)]
mod tests;
