//! Tags: which exist, and which Droplets have them.

use std::collections::BTreeMap;

use super::{Droplet, Inventory, Unresolved, timeouts};
use crate::digitalocean::queries;

impl Inventory {
    /// The Droplets that have a tag and may be used, bypassing all caches. A Droplet that cannot be read is an error, because it would
    /// otherwise be omitted silently.
    pub async fn droplets_with_tag(&self, tag: &str) -> Result<Vec<Droplet>, Unresolved> {
        let mut droplets = self.ask(queries::every_droplet(Some(tag))).await?;
        droplets.retain(|droplet| self.is_ours(droplet));
        Ok(droplets)
    }

    /// The tags that match a half-typed text, with the number of their Droplets; the largest first.
    pub async fn find_tags(&self, text: &str, limit: usize) -> Vec<(String, usize)> {
        let Ok(droplets) = self.droplets.list(&self.client, timeouts::SUGGESTION).await else { return Vec::new() };
        let wanted = text.trim().to_lowercase();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for tag in droplets.iter().flat_map(|droplet| droplet.tags.iter().flatten()) {
            if tag.to_lowercase().contains(&wanted) {
                *counts.entry(tag).or_default() += 1;
            }
        }
        let mut found: Vec<(String, usize)> = counts.into_iter().map(|(tag, count)| (tag.to_owned(), count)).collect();
        found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        found.truncate(limit);
        found
    }
}
