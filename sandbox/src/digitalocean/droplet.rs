//! A Droplet: its power, its disk, and how the API renders it for a token with given scopes.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    backups::BackupPolicy,
    catalogue::{DiskInfo, Region, Size, find_region, find_size},
    image::Image,
    scopes::Scopes,
};

/// Whether a Droplet runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the API's")]
pub enum Status {
    New,
    Active,
    Off,
    Archive,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Active => "active",
            Self::Off => "off",
            Self::Archive => "archive",
        }
    }
}

/// The contents of a Droplet's disk, for tests that check the effect of a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// The image from which it was last written.
    pub image: u64,
    /// How often it was written: 0 for the first time.
    pub generation: u32,
    /// False after a restore or rebuild that errored.
    pub sound: bool,
}

/// A Droplet.
#[derive(Clone, Debug, PartialEq)]
pub struct Droplet {
    /// Its number.
    pub id: u64,
    /// Its name; not unique.
    pub name: String,
    /// Whether it runs.
    pub status: Status,
    /// Whether DigitalOcean itself locked it; a pending event makes it appear locked too.
    pub locked: bool,
    /// The Action that is in progress.
    pub pending: Option<u64>,
    /// The region in which it runs.
    pub region: &'static Region,
    /// Its resources.
    pub size: &'static Size,
    /// The contents of its disk.
    pub disk: Disk,
    /// Used GB, which is the size of a Snapshot of it.
    pub used_gigabytes: f64,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// The Volumes attached to it.
    pub volumes: Vec<String>,
    /// Its Snapshots and backups, whether listed yet or not.
    pub images: Vec<u64>,
    /// Its Actions, oldest first.
    pub actions: Vec<u64>,
    /// When it is backed up automatically, if it is.
    pub backups: Option<BackupPolicy>,
    /// When it was created.
    pub created_at: Timestamp,
    /// How often it was turned on: a late shutdown must not take effect after the next boot.
    pub boots: u32,
    /// Whether it was on when it was added, or when [`World::mark_power`](super::world::World::mark_power) was last called.
    pub was_on: bool,
}

/// The properties of a new Droplet; [`super::world::World::add_droplet`] creates it.
#[derive(Clone, Debug)]
pub struct Blueprint {
    pub(super) name: String,
    pub(super) status: Status,
    pub(super) locked: bool,
    pub(super) region: &'static Region,
    pub(super) size: &'static Size,
    pub(super) used_gigabytes: f64,
    pub(super) tags: BTreeSet<String>,
    pub(super) volumes: Vec<(String, u64)>,
    pub(super) backups: Option<BackupPolicy>,
}

impl Blueprint {
    /// A running Droplet of the smallest usual size in New York.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            status: Status::Active,
            locked: false,
            region: known(find_region("nyc3")),
            size: known(find_size("s-1vcpu-1gb")),
            used_gigabytes: 2.36,
            tags: BTreeSet::new(),
            volumes: Vec::new(),
            backups: None,
        }
    }

    /// Sets the region, which must be in the catalogue.
    #[must_use]
    pub fn region(mut self, slug: &str) -> Self {
        self.region = known(find_region(slug));
        self
    }

    /// Sets the size, which must be in the catalogue.
    #[must_use]
    pub fn size(mut self, slug: &str) -> Self {
        self.size = known(find_size(slug));
        self
    }

    /// Sets the status.
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        self.tags.insert(tag.to_owned());
        self
    }

    /// Attaches a Volume of this name and size.
    #[must_use]
    pub fn volume(mut self, name: &str, gigabytes: u64) -> Self {
        self.volumes.push((name.to_owned(), gigabytes));
        self
    }

    /// Sets how much of its disk is used.
    #[must_use]
    pub fn used_gigabytes(mut self, used: f64) -> Self {
        self.used_gigabytes = used;
        self
    }

    /// Lets DigitalOcean lock it.
    #[must_use]
    pub fn locked(mut self) -> Self {
        self.locked = true;
        self
    }

    /// Enables daily backups at midnight.
    #[must_use]
    pub fn backups(self) -> Self {
        self.backed_up(BackupPolicy::DAILY)
    }

    /// Enables backups by this policy.
    #[must_use]
    pub fn backed_up(mut self, policy: BackupPolicy) -> Self {
        self.backups = Some(policy);
        self
    }

    pub(super) fn build(&self, id: u64, image: u64, now: Timestamp) -> Droplet {
        Droplet {
            id,
            name: self.name.clone(),
            status: self.status,
            locked: self.locked,
            pending: None,
            region: self.region,
            size: self.size,
            disk: Disk { image, generation: 0, sound: true },
            used_gigabytes: self.used_gigabytes,
            tags: self.tags.clone(),
            volumes: Vec::new(),
            images: Vec::new(),
            actions: Vec::new(),
            backups: self.backups.clone(),
            created_at: now,
            boots: 0,
            was_on: self.status == Status::Active,
        }
    }
}

/// Tests and demos write blueprints, so a slug outside the catalogue is a programming error.
fn known<T>(found: Option<T>) -> T {
    found.expect("a slug of the sandbox's catalogue")
}

/// The data of the world that is needed to render a Droplet.
pub(super) struct Surroundings<'a> {
    pub(super) image: Option<&'a Image>,
    pub(super) snapshot_ids: Vec<u64>,
    pub(super) backup_ids: Vec<u64>,
    pub(super) locked_while_pending: bool,
    pub(super) now: Timestamp,
}

impl Droplet {
    /// The public address.
    pub fn address(&self) -> String {
        format!("198.18.{}.{}", self.id / 256 % 256, self.id % 256)
    }

    fn networks(&self) -> Value {
        if self.status == Status::New {
            return json!({"v4": [], "v6": []});
        }
        let gateway = "198.18.0.1";
        json!({"v4": [{"ip_address": self.address(), "netmask": "255.255.0.0", "gateway": gateway, "type": "public"}], "v6": []})
    }

    fn features(&self) -> Vec<&'static str> {
        let backups = self.backups.as_ref().map(|_| "backups");
        backups.into_iter().chain(["private_networking", "droplet_agent"]).collect()
    }

    fn backup_window(&self, now: Timestamp) -> Value {
        self.backups.as_ref().map_or(Value::Null, |policy| policy.next_window(now))
    }

    /// Renders the Droplet as the API does: a token without a field's scope does not get that field.
    pub(super) fn render<'a>(&'a self, scopes: &Scopes, around: Surroundings<'a>) -> Shown<'a> {
        let (images, now) = (scopes.allow("image:read"), around.now);
        let image = || around.image.map_or_else(|| json!({}), |image| image.render_image(scopes, now));
        Shown {
            id: self.id,
            name: &self.name,
            memory: self.size.memory,
            vcpus: self.size.vcpus,
            disk: self.size.disk,
            disk_info: DiskInfo::local(self.size.disk),
            locked: self.locked || (around.locked_while_pending && self.pending.is_some()),
            status: self.status.as_str(),
            kernel: (),
            created_at: format!("{:.0}", self.created_at),
            features: self.features(),
            next_backup_window: self.backup_window(now),
            size: self.size,
            size_slug: self.size.slug,
            networks: self.networks(),
            region: self.region,
            image: images.then(image),
            snapshot_ids: images.then_some(around.snapshot_ids),
            backup_ids: images.then_some(around.backup_ids),
            volume_ids: scopes.allow("block_storage:read").then_some(&self.volumes),
            tags: scopes.allow("tag:read").then_some(&self.tags),
            vpc_uuid: scopes.allow("vpc:read").then_some("760e09ef-dc84-11e8-981e-3cfdfeaae000"),
        }
    }
}

/// The API's JSON form of a Droplet.
#[derive(Debug, Serialize)]
pub(super) struct Shown<'a> {
    id: u64,
    name: &'a str,
    memory: u64,
    vcpus: u64,
    disk: u64,
    disk_info: [DiskInfo; 1],
    locked: bool,
    status: &'static str,
    kernel: (),
    created_at: String,
    features: Vec<&'static str>,
    next_backup_window: Value,
    size: &'static Size,
    size_slug: &'static str,
    networks: Value,
    region: &'static Region,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_ids: Option<Vec<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_ids: Option<Vec<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume_ids: Option<&'a Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vpc_uuid: Option<&'static str>,
}
