//! DigitalOcean's own Backups of one Droplet: whether they are enabled, when they run, and which exist. Read on request.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{Absent, Droplet, Inventory, Snapshot, Unresolved, catalogue::Waiting, single_flight::SingleFlight};
use crate::{
    digitalocean::{
        backups::{self, BackupRecord, SupportedPolicy},
        error::Error,
        queries,
    },
    operation::ids::DropletId,
};

/// How long plans are cached: they change less than once a month.
const KEEP: SignedDuration = SignedDuration::from_hours(1);

/// How long backup policies are cached. They change when a person changes them, perhaps through this bot.
const KEEP_RECORDS: SignedDuration = SignedDuration::from_mins(1);

/// The backup policies of the Droplets, as read recently.
pub(super) type Records = SingleFlight<Vec<BackupRecord>>;
/// The available plans, as read recently.
pub(super) type Plans = SingleFlight<Vec<SupportedPolicy>>;

/// A Droplet with its Backups, just read.
#[derive(Clone, Debug)]
pub struct BackedUp {
    /// The Droplet.
    pub droplet: Droplet,
    /// Whether it is backed up, and how.
    pub record: BackupRecord,
    /// Its Backups, newest first.
    pub backups: Vec<Snapshot>,
    /// Whether these are all of them; if not, DigitalOcean has some that cannot be read.
    pub are_all: bool,
}

impl Inventory {
    /// Reads a Droplet and its Backups, bypassing all caches.
    pub async fn backed_up(&self, droplet: DropletId) -> Result<BackedUp, Unresolved> {
        let (seen, record, backups) = tokio::join!(
            self.ask(queries::droplet(droplet)),
            self.ask(backups::policy(droplet)),
            self.backups_past_cache(droplet),
        );
        let gone = |absent| match absent {
            Absent::Failed(Error::NotFound { .. }) => Unresolved::NotFound { nearest: Vec::new() },
            absent => absent.into(),
        };
        let droplet = self.admit(seen.map_err(gone)?)?;
        let (mut backups, are_all) = backups.map_err(gone)?;
        backups.sort_by(Snapshot::newest_first);
        Ok(BackedUp { droplet, record: record.map_err(gone)?, backups, are_all })
    }

    /// The Backups of a Droplet, and whether these are all.
    async fn backups_past_cache(&self, droplet: DropletId) -> Result<(Vec<Snapshot>, bool), Absent> {
        match self.ask(queries::every_droplet_backup(droplet)).await {
            Ok(all) => Ok((all, true)),
            Err(Absent::Failed(Error::Unreadable { .. })) => {
                Ok((self.ask(queries::droplet_backups(droplet)).await?, false))
            }
            Err(absent) => Err(absent),
        }
    }

    /// The backup policies of all Droplets.
    pub async fn backup_records(&self) -> Result<Arc<Vec<BackupRecord>>, Unresolved> {
        let patience = Waiting::Command.patience();
        Ok(self.records.get((&self.client, &self.background), KEEP_RECORDS, patience, backups::policies).await?)
    }

    /// The backup plans that DigitalOcean offers.
    pub async fn backup_plans(&self, who: Waiting) -> Result<Arc<Vec<SupportedPolicy>>, Unresolved> {
        let read = backups::supported_policies;
        Ok(self.plans.get((&self.client, &self.background), KEEP, who.patience(), read).await?)
    }
}
