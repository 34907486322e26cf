//! Enabling, changing or disabling DigitalOcean's own Backups of a Droplet, or keeping one of them as a Snapshot.

use serde::{Deserialize, Serialize};

use super::{Plan, SnapshotRef};
use crate::operation::{effect::BackupPolicy, step::Work};

/// An operation on DigitalOcean's own Backups of a Droplet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backups {
    /// The change to make.
    pub change: BackupsChange,
}

/// A change to DigitalOcean's Backups of a Droplet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum BackupsChange {
    /// Enable them.
    Enable(BackupPolicy),
    /// Make them at other times.
    Change(BackupPolicy),
    /// Disable them, which makes DigitalOcean delete the existing ones.
    Disable {
        /// The Backups that somebody was told will be deleted, including the kept one.
        listed: Vec<SnapshotRef>,
        /// The Backup to convert into a Snapshot first.
        keep: Option<SnapshotRef>,
    },
    /// Convert this Backup into a Snapshot, which is kept.
    Keep(SnapshotRef),
}

impl Default for Backups {
    fn default() -> Self {
        Self { change: BackupsChange::Keep(SnapshotRef::UNKNOWN) }
    }
}

impl Plan for Backups {
    fn word(&self) -> &'static str {
        "backups"
    }

    fn works(&self) -> Vec<Work> {
        match &self.change {
            BackupsChange::Enable(policy) => vec![Work::EnableBackups(policy.clone())],
            BackupsChange::Change(policy) => vec![Work::ChangeBackups(policy.clone())],
            BackupsChange::Disable { keep, .. } => {
                let kept = keep.as_ref().map(|backup| Work::KeepBackup(backup.id));
                kept.into_iter().chain([Work::DisableBackups]).collect()
            }
            BackupsChange::Keep(backup) => vec![Work::KeepBackup(backup.id)],
        }
    }

    fn snapshot(&self) -> Option<&SnapshotRef> {
        match &self.change {
            BackupsChange::Keep(backup) => Some(backup),
            BackupsChange::Disable { keep, .. } => keep.as_ref(),
            BackupsChange::Enable(_) | BackupsChange::Change(_) => None,
        }
    }

    fn needs_a_sure_answer(&self) -> bool {
        true
    }

    fn backups_to_delete(&self) -> &[SnapshotRef] {
        match &self.change {
            BackupsChange::Disable { listed, .. } => listed,
            BackupsChange::Enable(_) | BackupsChange::Change(_) | BackupsChange::Keep(_) => &[],
        }
    }
}
