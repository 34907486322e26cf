//! What an operation wants of DigitalOcean next: looks, which may be repeated freely, and commands, which may not.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ids::{ActionId, DropletId, OperationId, SnapshotId},
    reading::{ActionReading, DropletReading, ImageReading, SnapshotReading, Trouble},
};

/// A question to DigitalOcean that changes nothing.
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
    /// Whether the complete list of Droplets has this one.
    Listed(DropletId),
    /// The Backups that DigitalOcean made of the Droplet.
    Backups(DropletId),
    /// One image: whether it is a Backup still.
    Image(SnapshotId),
}

/// An order to DigitalOcean. It leaves only after its intent was committed.
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
        /// Of which Droplet.
        droplet: DropletId,
        /// Ends in the operation's id.
        name: String,
    },
    /// Put a Snapshot back onto its Droplet.
    Restore {
        /// The Droplet whose disk is replaced.
        droplet: DropletId,
        /// With what.
        snapshot: SnapshotId,
    },
    /// Make a new Droplet.
    Create(NewDroplet),
    /// Delete a Snapshot.
    Delete(SnapshotId),
    /// Have DigitalOcean back the Droplet up.
    EnableBackups {
        /// Which Droplet.
        droplet: DropletId,
        /// When.
        policy: BackupPolicy,
    },
    /// Have the Droplet backed up at other times.
    ChangeBackups {
        /// Which Droplet.
        droplet: DropletId,
        /// When.
        policy: BackupPolicy,
    },
    /// Have the Droplet backed up no more: its Backups are deleted.
    DisableBackups(DropletId),
    /// Make a Snapshot of a Backup.
    KeepBackup(SnapshotId),
}

/// When DigitalOcean backs a Droplet up, in its own words: it sells plans that its specification does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupPolicy {
    /// Such as `daily`.
    pub plan: String,
    /// The day of a weekly plan, such as `SUN`.
    pub weekday: Option<String>,
    /// The hour at which its window opens, in UTC.
    pub hour: u8,
}

/// A Droplet to be made from a Snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewDroplet {
    /// Host name.
    pub name: String,
    /// Region slug.
    pub region: String,
    /// Size slug.
    pub size: String,
    /// What is on its disk.
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
    /// Write the intent down, then order it.
    Send(Command),
    /// Nothing before this moment, unless a person says something.
    Sleep(Timestamp),
    /// Nothing ever again: the operation has ended and owes nothing.
    Rest,
}

/// DigitalOcean's answer to a [`Look`] or a [`Command`].
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A Droplet.
    Droplet(DropletReading),
    /// Actions.
    Actions(Vec<ActionReading>),
    /// One Action: looked at, or just begun.
    Action(ActionReading),
    /// Snapshots.
    Snapshots(Vec<SnapshotReading>),
    /// One image.
    Image(ImageReading),
    /// Droplets found by tag, or the one just created.
    Droplets(Vec<DropletReading>),
    /// Done, with nothing to say.
    Done,
    /// No answer, or a refusal.
    Trouble(Trouble),
}

impl Answer {
    /// The same, to a look that left at this moment: what others asked for may be older than who hears it thinks.
    #[must_use]
    pub fn asked_at(self, moment: Timestamp) -> Self {
        match self {
            Self::Droplet(reading) => Self::Droplet(DropletReading { asked_at: Some(moment), ..reading }),
            other => other,
        }
    }
}
