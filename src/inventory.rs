//! The read side: Droplets and Snapshots by name, fuzzy and best first, from a cache, so that no key that a person presses
//! costs a request.
//!
//! The face asks here while somebody types and again when a command arrives, since values can be submitted that were never
//! offered. `app` runs [`Inventory::run`], which alone reads from DigitalOcean to fill the cache. Knows nothing of rights,
//! operations or Discord.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{
    digitalocean::{client::Client, error::Error, reads},
    operation::ids::{DropletId, SnapshotId},
};
use catalogue::Catalogue;
use images::Backups;
use index::Index;
use shelf::Shelf;

pub use crate::digitalocean::model::{Droplet, DropletStatus, Region, Size, Snapshot, SshKey};
pub use images::Inspection;
pub use label::snapshot_label;
pub use listing::Listing;
pub use tagged::{Made, Tagged};

mod catalogue;
mod glance;
mod images;
mod index;
mod label;
mod listing;
mod shelf;
mod tagged;

/// How many names a refusal suggests.
const SUGGESTIONS: usize = 3;

/// What is there, by name.
pub struct Inventory {
    client: Client,
    tagged: Option<Tagged>,
    droplets: Shelf<Droplet>,
    snapshots: Shelf<Snapshot>,
    backups: Backups,
    catalogue: Catalogue,
}

/// Something to choose: its id is the value, and the label is what a person reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice<Id> {
    /// At most 100 characters.
    pub label: String,
    /// What is submitted.
    pub id: Id,
}

/// A text that does not lead to exactly one thing which may be touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// Nothing has this id or name.
    NotFound {
        /// The nearest names, best first; none if nothing is near.
        nearest: Vec<String>,
    },
    /// Several have this name.
    Ambiguous {
        /// The name.
        name: String,
        /// How they differ.
        labels: Vec<String>,
    },
    /// It is there, but without `DROPLET_TAG`.
    NotTagged {
        /// Its name.
        name: String,
        /// The tag.
        tag: String,
    },
    /// The Snapshot is there, but not of the Droplet that was asked for.
    OfAnotherDroplet {
        /// The Snapshot's name.
        name: String,
    },
    /// DigitalOcean cannot be asked at the moment.
    Unavailable(Error),
}

impl Inventory {
    /// An empty inventory; where something is tagged, only that counts.
    pub fn new(client: Client, tagged: Option<Tagged>) -> Self {
        Self {
            client,
            tagged,
            droplets: Shelf::new(),
            snapshots: Shelf::new(),
            backups: Backups::default(),
            catalogue: Catalogue::default(),
        }
    }

    /// Fills the cache whenever that is wished for, until `shutdown`. Sends nothing while nobody asks.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let droplets = self.droplets.run(&self.client, "Droplets", || self.read_droplets());
        let snapshots = self.snapshots.run(&self.client, "Snapshots", || self.read_snapshots());
        let filling = async { tokio::join!(droplets, snapshots) };
        shutdown.run_until_cancelled(filling).await;
    }

    /// Says that something was made, changed or removed: what is cached is out of date.
    pub fn invalidate(&self) {
        self.droplets.invalidate(&self.client);
        self.snapshots.invalidate(&self.client);
        self.backups.forget();
    }

    /// The Droplets that a text may mean, best first; all of them by name while there is no text.
    pub async fn find_droplets(&self, text: &str, limit: usize) -> Vec<Choice<DropletId>> {
        let Ok(index) = self.droplets.list(&self.client).await else { return Vec::new() };
        let found = index.search(text, limit, |_| true);
        if found.is_empty() {
            self.droplets.missed(&self.client);
        }
        found.into_iter().map(label::droplet).collect()
    }

    /// The Snapshots that a text may mean, of one Droplet or of all, best first; newest first while there is no text.
    pub async fn find_snapshots(&self, of: Option<DropletId>, text: &str, limit: usize) -> Vec<Choice<SnapshotId>> {
        let now = self.client.now();
        self.snapshots_like(of, text, limit).await.iter().map(|snapshot| label::snapshot(snapshot, now)).collect()
    }

    /// The same, whole, for whoever labels them with more than this room knows.
    pub async fn snapshots_like(&self, of: Option<DropletId>, text: &str, limit: usize) -> Vec<Snapshot> {
        let Ok(index) = self.snapshots.list(&self.client).await else { return Vec::new() };
        let found = index.search(text, limit, |snapshot| of.is_none_or(|of| snapshot.droplet == Some(of)));
        if found.is_empty() {
            self.snapshots.missed(&self.client);
        }
        found.into_iter().cloned().collect()
    }

    /// The Droplet that a submitted value means: an id, or a name that only one has.
    pub async fn resolve_droplet(&self, text: &str) -> Result<Droplet, Unresolved> {
        let text = text.trim();
        if let Some(droplet) =
            self.droplets.resolve(&self.client, text, |_| true, |droplet| label::droplet(droplet).label).await?
        {
            return Ok(droplet);
        }
        // Not in the list: without the tag, or a GPU Droplet, which lists hide.
        let beyond = match text.parse() {
            Ok(id) => self.client.run(reads::droplet(id)).await.map(|droplet| vec![droplet]),
            Err(_) if self.tagged.is_some() && !text.is_empty() => self.client.run(reads::droplets_named(text)).await,
            Err(_) => Ok(Vec::new()),
        };
        match beyond {
            Ok(droplets) => match droplets.into_iter().next() {
                Some(droplet) => self.admit(droplet),
                None => Err(self.droplets.nothing_like(text, |_| true)),
            },
            Err(Error::NotFound { .. } | Error::Refused { .. }) => Err(self.droplets.nothing_like(text, |_| true)),
            Err(error) => Err(Unresolved::Unavailable(error)),
        }
    }

    /// The Snapshot that a submitted value means: an id, or a name that only one has (among those of the Droplet, if one is
    /// given).
    pub async fn resolve_snapshot(&self, of: Option<DropletId>, text: &str) -> Result<Snapshot, Unresolved> {
        let text = text.trim();
        let now = self.client.now();
        let labelled = |snapshot: &Snapshot| label::snapshot(snapshot, now).label;
        let counts = |snapshot: &Snapshot| of.is_none_or(|of| snapshot.droplet == Some(of));
        if let Some(snapshot) = self.snapshots.resolve(&self.client, text, counts, labelled).await? {
            return Ok(snapshot);
        }
        match self.snapshots.resolve(&self.client, text, |_| true, labelled).await {
            Ok(Some(Snapshot { name, .. })) | Err(Unresolved::Ambiguous { name, .. }) => {
                Err(Unresolved::OfAnotherDroplet { name })
            }
            Ok(None) => Err(self.snapshots.nothing_like(text, counts)),
            Err(error) => Err(error),
        }
    }

    fn is_ours(&self, droplet: &Droplet) -> bool {
        self.tagged.as_ref().is_none_or(|tagged| droplet.tags.contains(&tagged.tag))
    }

    /// The Droplet, if it may be touched.
    fn admit(&self, droplet: Droplet) -> Result<Droplet, Unresolved> {
        match &self.tagged {
            Some(tagged) if !self.is_ours(&droplet) => {
                Err(Unresolved::NotTagged { name: droplet.name, tag: tagged.tag.clone() })
            }
            Some(_) | None => Ok(droplet),
        }
    }

    async fn read_droplets(&self) -> Result<Index<Droplet>, Error> {
        let tag = self.tagged.as_ref().map(|tagged| tagged.tag.as_str());
        let mut droplets = self.client.run(reads::droplets(tag)).await?;
        // The list is asked for by tag; that it was answered by tag is looked at once more.
        droplets.retain(|droplet| self.is_ours(droplet));
        Ok(Index::new(droplets, |a, b| a.name.cmp(&b.name)))
    }

    async fn read_snapshots(&self) -> Result<Index<Snapshot>, Error> {
        let mut snapshots = self.client.run(reads::snapshots()).await?;
        if let Some(tagged) = &self.tagged {
            snapshots = tagged.counting(snapshots, &*self.droplets.list(&self.client).await?).await;
        }
        Ok(Index::new(snapshots, |a, b| b.created_at.cmp(&a.created_at)))
    }
}
