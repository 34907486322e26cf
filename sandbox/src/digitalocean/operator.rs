//! The operators' side: what people do to the account in the control panel, and what tests and demos set up.
//!
//! None of these can be refused; an unknown number changes nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use super::{
    action::{ActionKind, Progress},
    backups::BackupPolicy,
    catalogue::{REGIONS, find_size},
    droplet::{Blueprint, Status},
    fault::Fault,
    image::{Image, Origin},
    limits::Usage,
    reserved_ip::ReservedIp,
    scopes::{Scopes, Token},
    settings::Settings,
    volume::Volume,
    world::{SshKey, TOKEN, World},
};
use crate::control::fault::Faults;

impl World {
    /// An empty account with one SSH key, one base image, and [`TOKEN`] with full access.
    pub fn new(settings: Settings, start: Timestamp) -> Self {
        let base_image = settings.first_id;
        let mut world = Self {
            now: start,
            next_id: base_image,
            requests: 0,
            droplets: BTreeMap::new(),
            actions: BTreeMap::new(),
            images: BTreeMap::from([(base_image, base(base_image, start))]),
            base_image,
            volumes: Vec::new(),
            reserved_ips: Vec::new(),
            tags: BTreeSet::new(),
            ssh_keys: Vec::new(),
            tokens: Vec::new(),
            faults: Faults::default(),
            due: BTreeMap::new(),
            decided: 0,
            postponed: VecDeque::new(),
            rejections: Vec::new(),
            settings,
        };
        world.add_token(TOKEN, Scopes::all());
        world.add_ssh_key("operators");
        world
    }

    /// The time up to which everything has happened.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The behavior of this world.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes the behavior of this world; the end of running Actions does not change.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Creates a Droplet.
    pub fn add_droplet(&mut self, blueprint: &Blueprint) -> u64 {
        let id = self.new_id();
        let mut droplet = blueprint.build(id, self.base_image, self.now);
        self.tags.extend(droplet.tags.iter().cloned());
        for (name, gigabytes) in &blueprint.volumes {
            let number = self.new_id();
            let volume = Volume {
                id: format!("506f78a4-e098-11e5-ad9f-{number:012x}"),
                name: name.clone(),
                region: droplet.region.slug.to_owned(),
                size_gigabytes: *gigabytes,
                droplet: Some(id),
                created_at: self.now,
            };
            droplet.volumes.push(volume.id.clone());
            self.volumes.push(volume);
        }
        self.droplets.insert(id, droplet);
        id
    }

    /// Creates this many identical Droplets, named `<name>-1` and so on.
    pub fn add_droplets(&mut self, blueprint: &Blueprint, count: usize) -> Vec<u64> {
        let numbered = |n: usize| Blueprint { name: format!("{}-{n}", blueprint.name), ..blueprint.clone() };
        (1..=count).map(|n| self.add_droplet(&numbered(n))).collect()
    }

    /// Adds a Volume that is attached to nothing.
    pub fn add_volume(&mut self, name: &str, region: &str, size_gigabytes: u64) {
        let number = self.new_id();
        self.volumes.push(Volume {
            id: format!("506f78a4-e098-11e5-ad9f-{number:012x}"),
            name: name.to_owned(),
            region: region.to_owned(),
            size_gigabytes,
            droplet: None,
            created_at: self.now,
        });
    }

    /// Reserves an address, with or without a Droplet.
    pub fn reserve_ip(&mut self, ip: &str, region: &str, droplet: Option<u64>) {
        self.reserved_ips.push(ReservedIp { ip: ip.to_owned(), region: region.to_owned(), droplet });
    }

    /// Adds a Snapshot of a Droplet, taken now and listed immediately.
    pub fn add_snapshot(&mut self, droplet: u64, name: &str, gigabytes: f64) -> u64 {
        self.add_image(droplet, name, Origin::Snapshot, gigabytes)
    }

    /// Adds an automatic backup of a Droplet, taken now and listed immediately.
    pub fn add_backup(&mut self, droplet: u64, name: &str, gigabytes: f64) -> u64 {
        self.add_image(droplet, name, Origin::Backup, gigabytes)
    }

    fn add_image(&mut self, droplet: u64, name: &str, origin: Origin, size_gigabytes: f64) -> u64 {
        let id = self.new_id();
        let source = self.droplets.get_mut(&droplet);
        let (region, min_disk_size) = source.as_ref().map_or(("nyc3", 25), |d| (d.region.slug, d.size.disk));
        if let Some(source) = source {
            source.images.push(id);
        }
        let regions = vec![region.to_owned()];
        let droplet = Some(droplet);
        let image =
            Image { name: name.to_owned(), origin, slug: None, droplet, regions, min_disk_size, ..base(id, self.now) };
        self.images.insert(id, Image { size_gigabytes, ..image });
        id
    }

    /// Deletes a Snapshot or backup.
    pub fn delete_image(&mut self, id: u64) {
        if let Some(droplet) = self.images.remove(&id).and_then(|image| image.droplet) {
            self.change(droplet, |droplet| droplet.images.retain(|image| *image != id));
        }
    }

    /// Changes a Droplet's backup policy; `None` disables backups, which deletes the existing ones.
    pub fn back_up(&mut self, droplet: u64, policy: Option<BackupPolicy>) {
        if policy.is_none() {
            self.delete_backups_of(droplet);
        }
        self.change(droplet, |droplet| droplet.backups = policy);
    }

    /// Deletes every Backup of a Droplet, as disabling Backups and destroying the Droplet do.
    pub(super) fn delete_backups_of(&mut self, droplet: u64) {
        let is_backup = |image: &&Image| image.origin == Origin::Backup && image.droplet == Some(droplet);
        let backups: Vec<u64> = self.images.values().filter(is_backup).map(|image| image.id).collect();
        for backup in backups {
            self.delete_image(backup);
        }
    }

    /// Makes a Snapshot or backup available in exactly these regions.
    pub fn set_image_regions(&mut self, id: u64, regions: &[&str]) {
        if let Some(image) = self.images.get_mut(&id) {
            image.regions = regions.iter().map(|region| (*region).to_owned()).collect();
        }
    }

    /// Starts an Action as another person would in the control panel; `None` if the Droplet does not exist or is busy.
    pub fn start_foreign_action(&mut self, droplet: u64, kind: ActionKind) -> Option<u64> {
        self.begin(droplet, kind, None).ok()
    }

    /// Turns a Droplet on immediately.
    pub fn turn_on(&mut self, droplet: u64) {
        self.boot(droplet);
    }

    /// Turns a Droplet off immediately.
    pub fn turn_off(&mut self, droplet: u64) {
        self.change(droplet, |droplet| droplet.status = Status::Off);
    }

    /// Renames a Droplet.
    pub fn rename(&mut self, droplet: u64, name: &str) {
        self.change(droplet, |droplet| name.clone_into(&mut droplet.name));
    }

    /// Changes the size of a Droplet immediately, even to a smaller disk; the size must be in the catalogue.
    pub fn resize(&mut self, id: u64, slug: &str) {
        if let Some(size) = find_size(slug) {
            self.change(id, |droplet| droplet.size = size);
        }
    }

    /// Locks or unlocks a Droplet as DigitalOcean's staff do.
    pub fn set_locked(&mut self, droplet: u64, locked: bool) {
        self.change(droplet, |droplet| droplet.locked = locked);
    }

    /// Sets how much of its disk a Droplet uses, which is the size of its next Snapshot.
    pub fn set_used_gigabytes(&mut self, droplet: u64, used: f64) {
        self.change(droplet, |droplet| droplet.used_gigabytes = used);
    }

    /// Replaces the tags of a Droplet.
    pub fn set_tags(&mut self, droplet: u64, tags: &[&str]) {
        let tags: BTreeSet<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        self.tags.extend(tags.iter().cloned());
        self.change(droplet, |droplet| droplet.tags = tags);
    }

    /// Destroys a Droplet: its running Actions end errored, its Snapshots stay, its Backups are deleted, its Volumes are detached.
    pub fn destroy(&mut self, id: u64) {
        self.delete_backups_of(id);
        let Some(droplet) = self.droplets.remove(&id) else { return };
        if let Some(pending) = droplet.pending {
            self.finish_action(pending, Progress::Errored);
        }
        for volume in self.volumes.iter_mut().filter(|volume| volume.droplet == Some(id)) {
            volume.droplet = None;
        }
    }

    /// Adds an SSH key.
    pub fn add_ssh_key(&mut self, name: &str) -> u64 {
        let id = self.new_id();
        self.ssh_keys.push(SshKey { id, name: name.to_owned() });
        id
    }

    /// Accepts this token from now on, with these scopes.
    pub fn add_token(&mut self, text: &str, scopes: Scopes) {
        self.revoke_token(text);
        self.tokens.push(Token { text: text.to_owned(), scopes, usage: Usage::default() });
    }

    /// Stops accepting this token.
    pub fn revoke_token(&mut self, text: &str) {
        self.tokens.retain(|token| token.text != text);
    }

    /// Adds a fault after the active ones.
    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.add(fault);
    }

    /// Ends the faults of this name; their effects on running Actions remain.
    pub fn end_fault(&mut self, name: &str) {
        self.faults.end(name);
    }

    /// Ends all faults; their effects on running Actions remain.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// The active faults.
    pub fn faults(&self) -> &[Fault] {
        self.faults.list()
    }
}

fn base(id: u64, now: Timestamp) -> Image {
    Image {
        id,
        name: "24.04 (LTS) x64".to_owned(),
        origin: Origin::Base,
        slug: Some("ubuntu-24-04-x64"),
        droplet: None,
        action: None,
        created_at: now,
        listed_at: Some(now),
        regions: REGIONS.iter().map(|region| region.slug.to_owned()).collect(),
        min_disk_size: 7,
        size_gigabytes: 2.36,
        sizeless: None,
        tags: Vec::new(),
    }
}
