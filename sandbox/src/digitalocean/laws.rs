//! What a test or a simulation needs to judge a bot: which Droplets are off, what was created, which requests were wrong.

use super::{
    action::Action,
    droplet::{Droplet, Status},
    image::{Image, Origin},
    volume::Volume,
    world::{Rejection, World},
};

impl World {
    /// Records which Droplets are on now, for [`World::left_off`].
    pub fn mark_power(&mut self) {
        for droplet in self.droplets.values_mut() {
            droplet.was_on = droplet.status == Status::Active;
        }
    }

    /// Droplets that are off although they were on when the world began, or at the last [`World::mark_power`].
    pub fn left_off(&self) -> Vec<&Droplet> {
        self.droplets.values().filter(|droplet| droplet.was_on && droplet.status == Status::Off).collect()
    }

    /// A Droplet.
    pub fn droplet(&self, id: u64) -> Option<&Droplet> {
        self.droplets.get(&id)
    }

    /// The Droplet with this name; the oldest, if there are several.
    pub fn droplet_named(&self, name: &str) -> Option<&Droplet> {
        self.droplets.values().find(|droplet| droplet.name == name)
    }

    /// All Droplets, oldest first.
    pub fn droplets(&self) -> impl Iterator<Item = &Droplet> + Clone {
        self.droplets.values()
    }

    /// An Action by number.
    pub fn action(&self, id: u64) -> Option<&Action> {
        self.actions.get(&id)
    }

    /// All Actions, oldest first, including those of deleted Droplets.
    pub fn actions(&self) -> impl DoubleEndedIterator<Item = &Action> + Clone {
        self.actions.values()
    }

    /// A Droplet's Actions, oldest first.
    pub fn actions_of(&self, droplet: u64) -> Vec<&Action> {
        self.actions.values().filter(|action| action.droplet == droplet && action.image().is_none()).collect()
    }

    /// An image by number, whether listed yet or not.
    pub fn image(&self, id: u64) -> Option<&Image> {
        self.images.get(&id)
    }

    /// All Snapshots of Droplets, oldest first, whether listed yet or not.
    pub fn snapshots(&self) -> impl Iterator<Item = &Image> + Clone {
        self.images.values().filter(|image| image.origin == Origin::Snapshot)
    }

    /// A Droplet's Snapshots, oldest first, whether listed yet or not.
    pub fn snapshots_of(&self, droplet: u64) -> Vec<&Image> {
        self.snapshots().filter(|image| image.droplet == Some(droplet)).collect()
    }

    /// A Droplet's Backups, oldest first, whether listed yet or not.
    pub fn backups_of(&self, droplet: u64) -> Vec<&Image> {
        let is_its_backup = |image: &&Image| image.origin == Origin::Backup && image.droplet == Some(droplet);
        self.images.values().filter(is_its_backup).collect()
    }

    /// All Volumes.
    pub fn volumes(&self) -> &[Volume] {
        &self.volumes
    }

    /// Requests that no correct client would have sent.
    pub fn rejections(&self) -> &[Rejection] {
        &self.rejections
    }

    /// How many requests were answered.
    pub fn requests(&self) -> u64 {
        self.requests
    }
}
