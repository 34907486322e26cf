//! The read side: Droplets and Snapshots by name, fuzzy and best first, from a cache, so that no key that a person presses
//! costs a request.
//!
//! The Discord front end asks here while somebody types and again when a command arrives, since values can be submitted that were never
//! offered. `app` runs [`Inventory::run`], which alone reads from DigitalOcean to fill the cache. Knows nothing of rights,
//! operations or Discord.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{
    digitalocean::{budget::Priority, call::Call, client::Client, error::Error, queries},
    operation::ids::DropletId,
};
use background::Background;
use cached_list::CachedList;
use catalogue::Catalogue;
use droplet_location::Known;
use images::Backups;
use index::Index;
use timeouts::{Absent, within};

pub use crate::digitalocean::backups::{BackupPolicy, BackupRecord, SupportedPolicy};
pub use crate::digitalocean::model::{BackupWindow, Droplet, DropletStatus, Region, Size, Snapshot, SshKey};
pub use crate::digitalocean::unattached::{ReservedIp, Volume};
pub use backups::BackedUp;
pub use catalogue::Waiting;
pub use droplet_location::DropletLocation;
pub use images::{Inspection, Origin};
pub use label::{age, distinct, snapshot_label};
pub use listing::Listing;
pub use tag_filter::{Made, TagFilter};
pub use unattached::Unattached;

mod background;
mod backups;
mod cached_list;
mod catalogue;
mod droplet_location;
mod images;
mod index;
mod label;
mod listed;
mod listing;
mod single_flight;
mod tag_filter;
mod tags;
mod timeouts;
mod unattached;

/// How many names a refusal suggests.
const SUGGESTIONS: usize = 3;

/// What is there, by name.
pub struct Inventory {
    client: Client,
    tagged: Option<TagFilter>,
    droplets: CachedList<Droplet>,
    snapshots: CachedList<Snapshot>,
    backups: Backups,
    catalogue: Catalogue,
    plans: backups::Plans,
    records: backups::Records,
    beside: unattached::Beside,
    background: Background,
    known: Known,
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
    /// DigitalOcean refuses the token.
    TokenRefused,
    /// DigitalOcean does not allow the token to read this.
    Forbidden {
        /// The scopes that it may lack.
        scopes: Vec<&'static str>,
        /// DigitalOcean's words.
        message: String,
    },
    /// DigitalOcean cannot be asked at the moment.
    Unavailable(Error),
    /// DigitalOcean did not answer as soon as people want to know.
    Late,
}

impl Inventory {
    /// An empty inventory; where something is tagged, only that counts.
    pub fn new(client: Client, tagged: Option<TagFilter>) -> Self {
        Self {
            client,
            tagged,
            droplets: CachedList::new(),
            snapshots: CachedList::new(),
            backups: Backups::default(),
            catalogue: Catalogue::default(),
            plans: backups::Plans::default(),
            records: backups::Records::default(),
            beside: unattached::Beside::default(),
            background: Background::default(),
            known: Known::default(),
        }
    }

    /// Fills the cache whenever that is wished for, until `shutdown`. Sends nothing while nobody asks.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let droplets = self.droplets.run(&self.client, "Droplets", || self.read_droplets());
        let snapshots = self.snapshots.run(&self.client, "Snapshots", || self.read_snapshots());
        let filling = async { tokio::join!(droplets, snapshots) };
        shutdown.run_until_cancelled(filling).await;
        self.background.end().await;
    }

    /// Says that something was made, changed or removed: what is cached is out of date.
    pub fn invalidate(&self) {
        self.droplets.invalidate(&self.client);
        self.snapshots.invalidate(&self.client);
        self.backups.forget();
    }

    /// The Droplets that a text may mean, best first; all of them by name while there is no text.
    pub async fn find_droplets(&self, text: &str, limit: usize) -> Vec<Choice<DropletId>> {
        let Ok(index) = self.droplets.list(&self.client, timeouts::SUGGESTION).await else { return Vec::new() };
        let found = index.search(text, limit, |_| true);
        if found.is_empty() {
            self.droplets.missed(&self.client);
        }
        let choices: Vec<_> = found.into_iter().map(label::droplet).collect();
        let mut labelled: Vec<_> = choices.iter().map(|choice| (choice.label.clone(), choice.id.to_string())).collect();
        distinct(&mut labelled);
        choices.into_iter().zip(labelled).map(|(choice, (label, _))| Choice { label, ..choice }).collect()
    }

    /// The Snapshots that a text may mean, best first; newest first while there is no text.
    pub async fn find_snapshots(&self, text: &str, limit: usize) -> Vec<Snapshot> {
        let Ok(index) = self.snapshots.list(&self.client, timeouts::SUGGESTION).await else { return Vec::new() };
        let found = index.search(text, limit, |_| true);
        if found.is_empty() {
            self.snapshots.missed(&self.client);
        }
        found.into_iter().cloned().collect()
    }

    /// The Droplet that a value means which stands next to what somebody types, perhaps half-typed itself: as the cache has it.
    pub async fn peek_droplet(&self, text: &str) -> Option<DropletId> {
        let index = self.droplets.list(&self.client, timeouts::SUGGESTION).await.ok()?;
        let text = text.trim();
        match index.meaning(text, |_| true) {
            index::Meaning::One(droplet) => Some(droplet.id),
            index::Meaning::Several(_) => None,
            // Lists hide GPU Droplets. Without the tag, nothing else may be hidden here.
            index::Meaning::Nothing => text.parse().ok().filter(|_| self.tagged.is_none()),
        }
    }

    /// A Droplet as the cache has it.
    pub async fn peek_listed(&self, id: DropletId) -> Option<Droplet> {
        self.droplets.list(&self.client, timeouts::SUGGESTION).await.ok()?.by_id(id).cloned()
    }

    /// The same for a Snapshot, with the Droplet that it was taken of where that is listed.
    pub async fn peek_snapshot(&self, text: &str) -> Option<(Snapshot, Option<Droplet>)> {
        let (snapshots, droplets) = tokio::join!(
            self.snapshots.list(&self.client, timeouts::SUGGESTION),
            self.droplets.list(&self.client, timeouts::SUGGESTION)
        );
        let snapshots = snapshots.ok()?;
        let index::Meaning::One(snapshot) = snapshots.meaning(text.trim(), |_| true) else { return None };
        let source = snapshot.droplet.and_then(|id| droplets.ok()?.by_id(id).cloned());
        Some((snapshot.clone(), source))
    }

    /// The Droplet that a submitted value means: an id, or a name that only one has.
    pub async fn resolve_droplet(&self, text: &str) -> Result<Droplet, Unresolved> {
        let text = text.trim();
        let listed = || self.droplets.resolve(&self.client, text, |_| true, |droplet| label::droplet(droplet).label);
        if let Some(droplet) = listed().await? {
            return Ok(droplet);
        }
        // Not in the list: new, or without the tag, or a GPU Droplet, which lists hide.
        let beyond = if let Ok(id) = text.parse() {
            self.droplet_now(id).await?
        } else {
            self.droplets.look_again(&self.client).await?;
            if let Some(droplet) = listed().await? {
                return Ok(droplet);
            }
            self.untagged(text).await?
        };
        match beyond {
            Some(droplet) => self.admit(droplet),
            None => Err(self.droplets.nothing_like(text, |_| true)),
        }
    }

    /// The Snapshot that a submitted value means: an id, or a name that only one has.
    pub async fn resolve_snapshot(&self, text: &str) -> Result<Snapshot, Unresolved> {
        let text = text.trim();
        let now = self.client.now();
        let listed = || {
            self.snapshots.resolve(&self.client, text, |_| true, |snapshot| label::snapshot_label(snapshot, None, now))
        };
        if let Some(snapshot) = listed().await? {
            return Ok(snapshot);
        }
        let beyond = if let Ok(id) = text.parse() {
            // So new that the list is behind: it need not be read for that.
            match self.snapshot_now(id).await {
                Ok(snapshot) => self.admit_snapshot(snapshot).await?,
                Err(Unresolved::NotFound { .. }) => None,
                Err(unresolved) => return Err(unresolved),
            }
        } else {
            self.snapshots.look_again(&self.client).await?;
            listed().await?
        };
        beyond.ok_or_else(|| self.snapshots.nothing_like(text, |_| true))
    }

    /// Looks at one Droplet, past every cache; none if it is gone. Whether it counts is not asked.
    pub async fn droplet_now(&self, id: DropletId) -> Result<Option<Droplet>, Unresolved> {
        match self.ask(queries::droplet(id)).await {
            Ok(droplet) => Ok(Some(droplet)),
            Err(Absent::Failed(Error::NotFound { .. })) => Ok(None),
            Err(absent) => Err(absent.into()),
        }
    }

    /// Asks DigitalOcean something that a command waits for.
    async fn ask<T: 'static>(&self, call: Call<T>) -> Result<T, Absent> {
        let answer = self.client.run(call.with_priority(Priority::Person));
        within(&self.client, timeouts::COMMAND, answer).await?.map_err(Absent::Failed)
    }

    async fn read_droplets(&self) -> Result<Index<Droplet>, Error> {
        let tag = self.tagged.as_ref().map(|tagged| tagged.tag.as_str());
        let mut droplets = self.client.run_ranked(queries::droplets(tag), || self.droplets.rank()).await?;
        // The list is asked for by tag; that it was answered by tag is looked at once more.
        droplets.retain(|droplet| self.is_ours(droplet));
        Ok(Index::new(droplets, |a, b| a.name.cmp(&b.name)))
    }

    async fn read_snapshots(&self) -> Result<Index<Snapshot>, Error> {
        let mut snapshots = self.client.run_ranked(queries::snapshots(), || self.snapshots.rank()).await?;
        if let Some(tagged) = &self.tagged {
            snapshots = tagged.counting(snapshots, &*self.droplets.list_at_last(&self.client).await?).await;
        }
        Ok(Index::new(snapshots, |a, b| b.created_at.cmp(&a.created_at)))
    }
}
