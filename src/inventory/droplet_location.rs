//! Where the Droplets of listed Snapshots are. A Droplet that a list lacks may still exist: lists hide GPU Droplets, and with `DROPLET_TAG`
//! all those without the tag. So such Droplets are read individually, and what is unknown is not claimed.

use std::collections::HashMap;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::{
    Inventory, Listing,
    timeouts::{SUGGESTION, within},
};
use crate::operation::ids::DropletId;

/// A name is looked up again after this time; a Droplet that is gone stays gone.
const KEEP: SignedDuration = SignedDuration::from_mins(5);
/// With more Droplets than this, the cache is cleared.
const MOST: usize = 10_000;

/// Where a Droplet is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DropletLocation {
    /// At DigitalOcean, under this name.
    There(String),
    /// The Droplet was destroyed.
    Gone,
    /// Unknown: no list has it, and it could not be read.
    Unlisted,
}

/// What individual reads have shown, and when.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<HashMap<DropletId, (Timestamp, DropletLocation)>>);

impl Known {
    fn learn(&self, id: DropletId, now: Timestamp, found: DropletLocation) {
        let mut known = self.0.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(id, (now, found));
    }

    fn of(&self, id: DropletId, now: Timestamp) -> Option<DropletLocation> {
        let known = self.0.lock();
        let (since, found) = known.get(&id)?;
        let is_good = *found == DropletLocation::Gone || now.duration_since(*since) < KEEP;
        is_good.then(|| found.clone())
    }
}

impl Inventory {
    /// Where each of these Droplets is, as far as that can be found out quickly.
    pub async fn locate(
        &self,
        listing: &Listing,
        droplets: impl IntoIterator<Item = DropletId>,
    ) -> HashMap<DropletId, DropletLocation> {
        let now = self.client.now();
        let listed = |id| listing.name_of(id).map(|name| DropletLocation::There(name.to_owned()));
        let mut found: HashMap<_, _> =
            droplets.into_iter().map(|id| (id, listed(id).or_else(|| self.known.of(id, now)))).collect();
        let unknown = found.iter().filter(|(_, where_it_is)| where_it_is.is_none());
        let looks = unknown.map(|(id, _)| async {
            if let Ok(droplet) = self.droplet_now(*id).await {
                let found = droplet.map_or(DropletLocation::Gone, |droplet| DropletLocation::There(droplet.name));
                self.known.learn(*id, now, found);
            }
        });
        // The bot does not wait longer for Droplets that were not read in time.
        let _ = within(&self.client, SUGGESTION, join_all(looks)).await;
        found
            .drain()
            .map(|(id, known)| (id, known.or_else(|| self.known.of(id, now)).unwrap_or(DropletLocation::Unlisted)))
            .collect()
    }
}
