//! The read side: searches Droplets and Snapshots by name, fuzzily and best match first, in a cache, so that no keystroke costs a request.
//!
//! The Discord front end searches while a person types and again when a command arrives, since people can submit values that were never
//! offered. `app` runs [`Inventory::run`], which alone reads from DigitalOcean to fill the cache. This module knows nothing of rights,
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

/// The cached Droplets and Snapshots, by name.
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

/// Something to choose: its id is the value, and the label is what people read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice<Id> {
    /// At most 100 characters.
    pub label: String,
    /// The value that is submitted.
    pub id: Id,
}

/// Why a text does not lead to exactly one thing that may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// Nothing has this id or name.
    NotFound {
        /// The most similar names, best first; empty if none is similar.
        nearest: Vec<String>,
    },
    /// Several things have this name.
    Ambiguous {
        /// The name.
        name: String,
        /// Their labels, which tell them apart.
        labels: Vec<String>,
    },
    /// It exists, but without `DROPLET_TAG`.
    NotTagged {
        /// Its name.
        name: String,
        /// The tag.
        tag: String,
    },
    /// The Snapshot exists, but belongs to another Droplet than the one asked for.
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
        /// DigitalOcean's message.
        message: String,
    },
    /// DigitalOcean cannot be reached at the moment.
    Unavailable(Error),
    /// DigitalOcean did not answer within the time that people wait.
    Late,
}

impl Inventory {
    /// An empty inventory. If `tagged` is set, only Droplets with the tag count.
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

    /// Fills the cache on request, until `shutdown`. Sends nothing while the cache is unused.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let droplets = self.droplets.run(&self.client, "Droplets", || self.read_droplets());
        let snapshots = self.snapshots.run(&self.client, "Snapshots", || self.read_snapshots());
        let filling = async { tokio::join!(droplets, snapshots) };
        shutdown.run_until_cancelled(filling).await;
        self.background.end().await;
    }

    /// Marks the cache as out of date, because something was created, changed or removed.
    pub fn invalidate(&self) {
        self.droplets.invalidate(&self.client);
        self.snapshots.invalidate(&self.client);
        self.backups.forget();
    }

    /// The Droplets that match a text, best first; without a text all of them, by name.
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

    /// The Snapshots that match a text, best first; without a text newest first.
    pub async fn find_snapshots(&self, text: &str, limit: usize) -> Vec<Snapshot> {
        let Ok(index) = self.snapshots.list(&self.client, timeouts::SUGGESTION).await else { return Vec::new() };
        let found = index.search(text, limit, |_| true);
        if found.is_empty() {
            self.snapshots.missed(&self.client);
        }
        found.into_iter().cloned().collect()
    }

    /// The Droplet in another option of the command, according to the cache, while a person types. That value may itself be incomplete.
    pub async fn peek_droplet(&self, text: &str) -> Option<DropletId> {
        let index = self.droplets.list(&self.client, timeouts::SUGGESTION).await.ok()?;
        let text = text.trim();
        match index.meaning(text, |_| true) {
            index::Meaning::One(droplet) => Some(droplet.id),
            index::Meaning::Several(_) => None,
            // Lists hide GPU Droplets, so an id may be valid although it is not listed. With a tag, other Droplets are hidden too.
            index::Meaning::Nothing => text.parse().ok().filter(|_| self.tagged.is_none()),
        }
    }

    /// A Droplet, according to the cache.
    pub async fn peek_listed(&self, id: DropletId) -> Option<Droplet> {
        self.droplets.list(&self.client, timeouts::SUGGESTION).await.ok()?.by_id(id).cloned()
    }

    /// A Snapshot, according to the cache, with the Droplet that it was taken of if that is listed.
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

    /// The Droplet for a submitted value: an id, or a name that only one Droplet has. Fails with the reason if there is none that may be
    /// used.
    pub async fn resolve_droplet(&self, text: &str) -> Result<Droplet, Unresolved> {
        let text = text.trim();
        let listed = || self.droplets.resolve(&self.client, text, |_| true, |droplet| label::droplet(droplet).label);
        if let Some(droplet) = listed().await? {
            return Ok(droplet);
        }
        // It is not listed because it is new, lacks the tag, or is a GPU Droplet, which lists hide.
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

    /// The Snapshot for a submitted value: an id, or a name that only one Snapshot has. Fails with the reason if there is none that may be
    /// used.
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
            // It may be too new for the list, which need not be read again for it.
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

    /// Reads one Droplet, bypassing all caches; `None` if it is gone. This does not check whether it may be used.
    pub async fn droplet_now(&self, id: DropletId) -> Result<Option<Droplet>, Unresolved> {
        match self.ask(queries::droplet(id)).await {
            Ok(droplet) => Ok(Some(droplet)),
            Err(Absent::Failed(Error::NotFound { .. })) => Ok(None),
            Err(absent) => Err(absent.into()),
        }
    }

    /// Runs a call that a command waits for.
    async fn ask<T: 'static>(&self, call: Call<T>) -> Result<T, Absent> {
        let answer = self.client.run(call.with_priority(Priority::Person));
        within(&self.client, timeouts::COMMAND, answer).await?.map_err(Absent::Failed)
    }

    async fn read_droplets(&self) -> Result<Index<Droplet>, Error> {
        let tag = self.tagged.as_ref().map(|tagged| tagged.tag.as_str());
        let mut droplets = self.client.run_ranked(queries::droplets(tag), || self.droplets.rank()).await?;
        // The request filters by tag; check that the answer does too.
        droplets.retain(|droplet| self.is_ours(droplet));
        Ok(Index::new(droplets, |a, b| (&a.name, a.id).cmp(&(&b.name, b.id))))
    }

    async fn read_snapshots(&self) -> Result<Index<Snapshot>, Error> {
        let mut snapshots = self.client.run_ranked(queries::snapshots(), || self.snapshots.rank()).await?;
        if let Some(tagged) = &self.tagged {
            snapshots = tagged.counting(snapshots, &*self.droplets.list_at_last(&self.client).await?).await;
        }
        Ok(Index::new(snapshots, Snapshot::newest_first))
    }
}
