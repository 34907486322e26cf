//! What an operation needs from DigitalOcean next: looks, which may be repeated freely, and commands, which may not.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ids::{ActionId, DropletId, OperationId, SnapshotId},
    reading::{ActionReading, DropletReading, ImageReading, SnapshotReading, Trouble},
};

/// A read from DigitalOcean that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// The Droplet itself.
    Droplet(DropletId),
    /// Every Action that the Droplet ever had.
    Actions(DropletId),
    /// One Action.
    Action(ActionId),
    /// The Droplet's Snapshots.
    Snapshots(DropletId),
    /// One Snapshot by id.
    Snapshot(SnapshotId),
    /// The Droplets that carry an operation's own tag.
    Launched(OperationId),
    /// The Droplets that a create may have made without it.
    CreatedAs(CreatedAs),
    /// Whether the complete list of Droplets has this one.
    Listed(DropletId),
    /// The Backups that DigitalOcean made of the Droplet.
    Backups(DropletId),
    /// One image, to see whether it is still a Backup.
    Image(SnapshotId),
}

/// What shows that a Droplet was created by an operation, if DigitalOcean does not list it under the operation's tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedAs {
    /// The operation.
    pub by: OperationId,
    /// Its name, which is not unique.
    pub name: String,
    /// When the command was first intended.
    pub since: Timestamp,
}

/// A request that changes something at DigitalOcean. It is sent only after its intent was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Ask the guest to shut down.
    ShutDown(DropletId),
    /// Cut the power.
    PowerOff(DropletId),
    /// Turn on.
    PowerOn(DropletId),
    /// Cut the power and restore it at once.
    Restart(DropletId),
    /// Take a Snapshot under this name.
    TakeSnapshot {
        /// The Droplet to take it of.
        droplet: DropletId,
        /// The Snapshot's name, which ends in the operation's id.
        name: String,
    },
    /// Put a Snapshot back onto its Droplet.
    Restore {
        /// The Droplet whose disk is replaced.
        droplet: DropletId,
        /// The Snapshot to restore.
        snapshot: SnapshotId,
    },
    /// Create a new Droplet.
    Create(NewDroplet),
    /// Delete a Snapshot.
    Delete(SnapshotId),
    /// Enable DigitalOcean's Backups of the Droplet.
    EnableBackups {
        /// The Droplet to back up.
        droplet: DropletId,
        /// When to back it up.
        policy: BackupPolicy,
    },
    /// Change when DigitalOcean backs the Droplet up.
    ChangeBackups {
        /// The Droplet that is backed up.
        droplet: DropletId,
        /// The new times.
        policy: BackupPolicy,
    },
    /// Disable DigitalOcean's Backups of the Droplet, which deletes the existing ones.
    DisableBackups(DropletId),
    /// Convert a Backup into a Snapshot.
    KeepBackup(SnapshotId),
}

/// When DigitalOcean backs a Droplet up, in its own words: it sells plans that its API specification does not list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupPolicy {
    /// The plan's name, such as `daily`.
    pub plan: String,
    /// The day of a weekly plan, such as `SUN`.
    pub weekday: Option<String>,
    /// The hour at which its window opens, in UTC.
    pub hour: u8,
}

/// A Droplet to be created from a Snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewDroplet {
    /// Host name.
    pub name: String,
    /// Region slug.
    pub region: String,
    /// Size slug.
    pub size: String,
    /// The Snapshot that its disk is created from.
    pub image: SnapshotId,
    /// Tags, the operation's own among them.
    pub tags: Vec<String>,
    /// Fingerprints or ids of the account's SSH keys.
    pub ssh_keys: Vec<String>,
}

/// What to do next for an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask DigitalOcean.
    Look(Look),
    /// Commit the intent, then send the command.
    Send(Command),
    /// Do nothing before this moment, unless a person says something.
    Sleep(Timestamp),
    /// Do nothing ever again: the operation has ended and owes nothing.
    Rest,
}

/// DigitalOcean's answer to a [`Look`] or a [`Command`].
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// One Droplet.
    Droplet(DropletReading),
    /// The Droplet's Actions.
    Actions(Vec<ActionReading>),
    /// One Action, read or just started.
    Action(ActionReading),
    /// A list of Snapshots.
    Snapshots(Vec<SnapshotReading>),
    /// One image.
    Image(ImageReading),
    /// Droplets found by tag, or the one just created.
    Droplets(Vec<DropletReading>),
    /// Success without content.
    Done,
    /// No answer, or a refusal.
    Trouble(Trouble),
}

impl Answer {
    /// This answer, marked as asked for at `moment`: a shared answer may be older than the operation that receives it assumes.
    #[must_use]
    pub fn asked_at(self, moment: Timestamp) -> Self {
        match self {
            Self::Droplet(reading) => Self::Droplet(DropletReading { asked_at: Some(moment), ..reading }),
            other => other,
        }
    }
}
