//! What new Droplets can be created with: sizes with their prices, Regions, and the account's SSH keys.
//!
//! They rarely change, so they are read when a person launches a Droplet, and kept for an hour.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{Inventory, Region, Size, SshKey, Unresolved, single_flight::SingleFlight, timeouts};
use crate::digitalocean::queries;

/// How long prices and Regions are cached: they change less than once a month.
const KEEP: SignedDuration = SignedDuration::from_hours(1);
/// How long keys are cached. A person may add a key in order to use it here.
const KEEP_KEYS: SignedDuration = SignedDuration::from_mins(1);

/// Recently read data.
#[derive(Default)]
pub(super) struct Catalogue {
    sizes: SingleFlight<Vec<Size>>,
    regions: SingleFlight<Vec<Region>>,
    keys: SingleFlight<Vec<SshKey>>,
}

/// The kind of caller that waits for the catalogue, which determines how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// A command, for some seconds.
    Command,
    /// Suggestions, for a moment.
    Suggestion,
}

impl Waiting {
    pub(super) fn patience(self) -> SignedDuration {
        match self {
            Self::Command => timeouts::COMMAND,
            Self::Suggestion => timeouts::SUGGESTION,
        }
    }
}

impl Inventory {
    /// All sizes, cheapest first.
    pub async fn sizes(&self, who: Waiting) -> Result<Arc<Vec<Size>>, Unresolved> {
        let cheapest_first = |mut sizes: Vec<Size>| {
            sizes.sort_by(|a, b| a.price_monthly.total_cmp(&b.price_monthly).then_with(|| a.slug.cmp(&b.slug)));
            sizes
        };
        let read = || queries::sizes().map(cheapest_first);
        Ok(self.catalogue.sizes.get((&self.client, &self.background), KEEP, who.patience(), read).await?)
    }

    /// All Regions.
    pub async fn regions(&self, who: Waiting) -> Result<Arc<Vec<Region>>, Unresolved> {
        Ok(self.catalogue.regions.get((&self.client, &self.background), KEEP, who.patience(), queries::regions).await?)
    }

    /// The account's SSH keys.
    pub async fn ssh_keys(&self, who: Waiting) -> Result<Arc<Vec<SshKey>>, Unresolved> {
        Ok(self
            .catalogue
            .keys
            .get((&self.client, &self.background), KEEP_KEYS, who.patience(), queries::ssh_keys)
            .await?)
    }
}
