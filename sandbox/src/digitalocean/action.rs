//! An Action: DigitalOcean's record of something that it does to a Droplet.
//!
//! Like the real one, it contains no percentage, no error text and no Snapshot id.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{backups::BackupPolicy, catalogue::find_region, fault::Quirk};

/// The progress of an Action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the API's")]
pub enum Progress {
    InProgress,
    Completed,
    Errored,
}

impl Progress {
    fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Errored => "errored",
        }
    }
}

/// What an Action does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the API's")]
pub enum ActionKind {
    Shutdown,
    PowerOff,
    PowerOn,
    PowerCycle,
    Reboot,
    /// Takes a Snapshot with this name.
    Snapshot(String),
    /// Restores this image.
    Restore(u64),
    /// Rebuilds from this image.
    Rebuild(u64),
    Rename(String),
    Resize(String),
    EnableBackups(BackupPolicy),
    /// Deletes every Backup.
    DisableBackups,
    ChangeBackupPolicy(BackupPolicy),
    /// Converts this image, a Backup, into a Snapshot; an Action of the image rather than of a Droplet.
    Convert(u64),
    PasswordReset,
    EnableIpv6,
    /// A new Droplet's first Action; clients cannot start it.
    Create,
    /// An automatic backup; clients cannot start it.
    Backup,
}

impl ActionKind {
    /// The API's `type` for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Shutdown => "shutdown",
            Self::PowerOff => "power_off",
            Self::PowerOn => "power_on",
            Self::PowerCycle => "power_cycle",
            Self::Reboot => "reboot",
            Self::Snapshot(_) => "snapshot",
            Self::Restore(_) => "restore",
            Self::Rebuild(_) => "rebuild",
            Self::Rename(_) => "rename",
            Self::Resize(_) => "resize",
            Self::EnableBackups(_) => "enable_backups",
            Self::DisableBackups => "disable_backups",
            Self::Convert(_) => "convert",
            Self::ChangeBackupPolicy(_) => "change_backup_policy",
            Self::PasswordReset => "password_reset",
            Self::EnableIpv6 => "enable_ipv6",
            Self::Create => "create",
            Self::Backup => "backup",
        }
    }
}

/// An Action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its number.
    pub id: u64,
    /// What it does.
    pub kind: ActionKind,
    /// Its progress.
    pub progress: Progress,
    /// The Droplet that it works on. If it works on an image, the Droplet that the image was taken of.
    pub droplet: u64,
    /// That Droplet's region.
    pub region: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// The effect of a fault on it.
    pub(super) quirk: Option<Quirk>,
}

impl Action {
    /// The image that it works on, if it does not work on a Droplet.
    pub(super) fn image(&self) -> Option<u64> {
        if let ActionKind::Convert(image) = self.kind { Some(image) } else { None }
    }

    pub(super) fn render(&self) -> Value {
        let image = self.image();
        json!({
            "id": self.id,
            "status": self.progress.as_str(),
            "type": self.kind.as_str(),
            "started_at": format!("{:.0}", self.started_at),
            "completed_at": self.completed_at.map(|at| format!("{at:.0}")),
            "resource_id": image.unwrap_or(self.droplet),
            "resource_type": if image.is_some() { "image" } else { "droplet" },
            "region": find_region(&self.region),
            "region_slug": self.region,
        })
    }
}
