//! What new Droplets can be made of: sizes with their prices, Regions, and the account's SSH keys.
//!
//! They hardly ever change, so they are read when somebody launches and kept for an hour.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{Inventory, Region, Size, SshKey, Unresolved, glance::Glance};
use crate::digitalocean::reads;

/// Prices and places change less than once a month.
const KEEP: SignedDuration = SignedDuration::from_hours(1);
/// Somebody may add a key in order to use it here.
const KEEP_KEYS: SignedDuration = SignedDuration::from_mins(1);

/// What was read lately.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    sizes: Glance<Vec<Size>>,
    regions: Glance<Vec<Region>>,
    keys: Glance<Vec<SshKey>>,
}

impl Inventory {
    /// All sizes, the cheapest first.
    pub async fn sizes(&self) -> Result<Arc<Vec<Size>>, Unresolved> {
        let read = async || {
            let mut sizes = self.client.run(reads::sizes()).await?;
            sizes.sort_by(|a, b| a.price_monthly.total_cmp(&b.price_monthly).then_with(|| a.slug.cmp(&b.slug)));
            Ok(sizes)
        };
        self.catalogue.sizes.get(KEEP, self.client.now(), read).await.map_err(Unresolved::Unavailable)
    }

    /// All Regions.
    pub async fn regions(&self) -> Result<Arc<Vec<Region>>, Unresolved> {
        let read = || self.client.run(reads::regions());
        self.catalogue.regions.get(KEEP, self.client.now(), read).await.map_err(Unresolved::Unavailable)
    }

    /// The account's SSH keys.
    pub async fn ssh_keys(&self) -> Result<Arc<Vec<SshKey>>, Unresolved> {
        let read = || self.client.run(reads::ssh_keys());
        self.catalogue.keys.get(KEEP_KEYS, self.client.now(), read).await.map_err(Unresolved::Unavailable)
    }
}
