//! What counts if `DROPLET_TAG` is set: Droplets that have the tag, their Snapshots, and Snapshots that the bot took.
//!
//! The bot's Snapshots outlive their Droplet, which can lose its tag or be destroyed. Only the store knows which ones the bot took, and
//! this module may not import it, so `app` passes in the query.

use std::{collections::HashSet, sync::Arc};

use futures_util::future::BoxFuture;

use super::{
    Inventory, Unresolved,
    index::Index,
    timeouts::{self, Absent},
};
use crate::{
    digitalocean::{
        error::Error,
        model::{Droplet, Snapshot},
        queries,
    },
    operation::ids::DropletId,
};

/// Returns those of the given names under which the bot took Snapshots.
pub type Made = Arc<dyn Fn(Vec<String>) -> BoxFuture<'static, HashSet<String>> + Send + Sync>;

/// The tag, and the query for Snapshots that the bot took.
pub struct TagFilter {
    /// The value of `DROPLET_TAG`.
    pub tag: String,
    /// Called for Snapshots whose Droplet is not listed.
    pub made: Made,
}

impl Inventory {
    /// Whether a Droplet that was listed by tag has the tag, as far as is known.
    pub(super) fn is_ours(&self, droplet: &Droplet) -> bool {
        let Some(tagged) = &self.tagged else { return true };
        droplet.tags.as_ref().is_none_or(|tags| tags.contains(&tagged.tag))
    }

    /// The Droplet, if it may be used.
    pub(super) fn admit(&self, droplet: Droplet) -> Result<Droplet, Unresolved> {
        match (&self.tagged, &droplet.tags) {
            (None, _) => Ok(droplet),
            (Some(tagged), Some(tags)) if tags.contains(&tagged.tag) => Ok(droplet),
            (Some(tagged), Some(_)) => Err(Unresolved::NotTagged { name: droplet.name, tag: tagged.tag.clone() }),
            (Some(_), None) => Err(Unresolved::Unavailable(Error::Unreadable {
                path: "droplet.tags".to_owned(),
                detail: "it is not said whether the Droplet has the tag".to_owned(),
                request_id: None,
            })),
        }
    }

    /// A Droplet of this name that is missing from the lists because it lacks the tag.
    pub(super) async fn untagged(&self, name: &str) -> Result<Option<Droplet>, Unresolved> {
        if self.tagged.is_none() || name.is_empty() {
            return Ok(None);
        }
        match self.ask(queries::droplets_named(name)).await {
            Ok(droplets) => Ok(droplets.into_iter().next()),
            // The text may not be a name that a Droplet can have.
            Err(Absent::Failed(Error::Refused { .. } | Error::NotFound { .. })) => Ok(None),
            Err(absent) => Err(absent.into()),
        }
    }

    /// The Snapshot, if it counts.
    pub(super) async fn admit_snapshot(&self, snapshot: Snapshot) -> Result<Option<Snapshot>, Unresolved> {
        let Some(tagged) = &self.tagged else { return Ok(Some(snapshot)) };
        let droplets = self.droplets.list(&self.client, timeouts::COMMAND).await?;
        Ok(tagged.counting(vec![snapshot], &droplets).await.pop())
    }
}

impl TagFilter {
    /// Those of the Snapshots that count, given the Droplets that have the tag.
    pub(super) async fn counting(&self, mut snapshots: Vec<Snapshot>, droplets: &Index<Droplet>) -> Vec<Snapshot> {
        let is_listed = |droplet: Option<DropletId>| droplet.is_some_and(|id| droplets.by_id(id).is_some());
        let strays = snapshots.iter().filter(|snapshot| !is_listed(snapshot.droplet));
        let made = (self.made)(strays.map(|snapshot| snapshot.name.clone()).collect()).await;
        snapshots.retain(|snapshot| is_listed(snapshot.droplet) || made.contains(&snapshot.name));
        snapshots
    }
}
