//! What counts where `DROPLET_TAG` is set: Droplets that have it, Snapshots of those, and Snapshots that we took ourselves.
//!
//! Our own outlive their Droplet, which can lose its tag or be destroyed. Only the store knows what we took, and this room may
//! not ask it, so `app` brings the question along.

use std::{collections::HashSet, sync::Arc};

use futures_util::future::BoxFuture;

use super::index::Index;
use crate::{
    digitalocean::model::{Droplet, Snapshot},
    operation::ids::DropletId,
};

/// Those of these names under which we took Snapshots.
pub type Made = Arc<dyn Fn(Vec<String>) -> BoxFuture<'static, HashSet<String>> + Send + Sync>;

/// The tag, and who remembers what we took.
pub struct Tagged {
    /// `DROPLET_TAG`.
    pub tag: String,
    /// Asked about Snapshots whose Droplet is not listed.
    pub made: Made,
}

impl Tagged {
    /// Those of the Snapshots that count, when these Droplets have the tag.
    pub(super) async fn counting(&self, mut snapshots: Vec<Snapshot>, droplets: &Index<Droplet>) -> Vec<Snapshot> {
        let is_listed = |droplet: Option<DropletId>| droplet.is_some_and(|id| droplets.by_id(id).is_some());
        let strays = snapshots.iter().filter(|snapshot| !is_listed(snapshot.droplet));
        let made = (self.made)(strays.map(|snapshot| snapshot.name.clone()).collect()).await;
        snapshots.retain(|snapshot| is_listed(snapshot.droplet) || made.contains(&snapshot.name));
        snapshots
    }
}
