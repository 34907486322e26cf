//! DigitalOcean's own Backups of a Droplet enabled, changed or disabled, or one of them kept as a Snapshot.

use serde::{Deserialize, Serialize};

use super::{Plan, SnapshotRef};
use crate::operation::{effect::BackupPolicy, step::Work};

/// What becomes of DigitalOcean's own Backups of a Droplet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backups {
    /// What.
    pub change: BackupsChange,
}

/// What becomes of a Droplet's Backups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum BackupsChange {
    /// They are made from now on.
    Enable(BackupPolicy),
    /// They are made at other times.
    Change(BackupPolicy),
    /// They are made no more, and DigitalOcean deletes those that there are.
    Disable {
        /// Those that somebody was told will be deleted, the kept one included.
        listed: Vec<SnapshotRef>,
        /// The one that becomes a Snapshot first.
        keep: Option<SnapshotRef>,
    },
    /// This one becomes a Snapshot, which stays.
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
