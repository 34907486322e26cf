//! An Action: DigitalOcean's record of something it does to a Droplet.
//!
//! It carries no percentage, no error text and no Snapshot id, as the real one does not.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{backups::BackupPolicy, catalogue::find_region, fault::Quirk};

/// How far an Action is.
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
pub enum Kind {
    Shutdown,
    PowerOff,
    PowerOn,
    PowerCycle,
    Reboot,
    /// Makes a Snapshot of this name.
    Snapshot(String),
    /// Puts this image back.
    Restore(u64),
    /// Starts over from this image.
    Rebuild(u64),
    Rename(String),
    Resize(String),
    EnableBackups(BackupPolicy),
    /// Deletes every Backup there is.
    DisableBackups,
    ChangeBackupPolicy(BackupPolicy),
    /// Turns this image, a Backup, into a Snapshot; done to the image and not to a Droplet.
    Convert(u64),
    PasswordReset,
    EnableIpv6,
    /// A new Droplet's first Action; cannot be asked for.
    Create,
    /// An automatic backup; cannot be asked for.
    Backup,
}

impl Kind {
    /// The API's word for it.
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
    pub kind: Kind,
    /// How far it is.
    pub progress: Progress,
    /// The Droplet it is done to; the one an image was taken of, where it is done to an image.
    pub droplet: u64,
    /// That Droplet's region.
    pub region: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// What a fault does to it.
    pub(super) quirk: Option<Quirk>,
}

impl Action {
    /// The image it is done to, where it is done to none of its Droplets.
    pub(super) fn image(&self) -> Option<u64> {
        if let Kind::Convert(image) = self.kind { Some(image) } else { None }
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
