//! What a step does, and all properties of it that the rules need, in one table.

use serde::{Deserialize, Serialize};

use crate::operation::{
    effect::{BackupPolicy, NewDroplet},
    ids::SnapshotId,
    reading::PowerState,
};

/// What a step does, with everything that its command needs apart from the Droplet. Plans are made of these, so a step cannot be built
/// without what it works with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Ask the guest to shut down.
    ShutDown,
    /// Cut the power.
    PowerOff,
    /// Take a Snapshot under the operation's name for it.
    Snapshot,
    /// Cut the power and restore it at once.
    Restart,
    /// Restore this Snapshot.
    Restore(SnapshotId),
    /// Create this Droplet.
    Create(NewDroplet),
    /// Delete this Snapshot.
    Delete(SnapshotId),
    /// Turn the Droplet on.
    PowerOn,
    /// Enable DigitalOcean's Backups of the Droplet.
    EnableBackups(BackupPolicy),
    /// Change when DigitalOcean backs the Droplet up.
    ChangeBackups(BackupPolicy),
    /// Disable DigitalOcean's Backups of the Droplet.
    DisableBackups,
    /// Convert this Backup into a Snapshot.
    KeepBackup(SnapshotId),
}

impl Work {
    /// The task, without what it works with.
    pub fn task(&self) -> Task {
        match self {
            Self::ShutDown => Task::ShutDown,
            Self::PowerOff => Task::PowerOff,
            Self::Snapshot => Task::Snapshot,
            Self::Restart => Task::Restart,
            Self::Restore(_) => Task::Restore,
            Self::Create(_) => Task::Create,
            Self::Delete(_) => Task::Delete,
            Self::PowerOn => Task::PowerOn,
            Self::EnableBackups(_) => Task::EnableBackups,
            Self::ChangeBackups(_) => Task::ChangeBackups,
            Self::DisableBackups => Task::DisableBackups,
            Self::KeepBackup(_) => Task::KeepBackup,
        }
    }
}

/// A row names only the task. What it works with is stored once, in the operation's kind.
impl Serialize for Work {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.task().serialize(serializer)
    }
}

/// What steps do: a [`Work`] without its data, for rows, history, logs and messages. Its [`Traits`] hold all that the rules need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, strum::VariantArray)]
pub enum Task {
    /// Ask the guest to shut down, and wait until the Droplet is seen off.
    ShutDown,
    /// Cut the power, and wait until the Droplet is seen off: one answer to a hung shutdown.
    PowerOff,
    /// Take a Snapshot, and wait until it is listed.
    Snapshot,
    /// Cut the power and restore it at once.
    Restart,
    /// Restore a Snapshot.
    Restore,
    /// Create a new Droplet, and wait until it is seen active.
    Create,
    /// Delete a Snapshot.
    Delete,
    /// Turn the Droplet on, and wait until it is seen active. Never part of a plan, but always owed.
    PowerOn,
    /// Enable DigitalOcean's Backups of the Droplet.
    EnableBackups,
    /// Change when DigitalOcean backs the Droplet up.
    ChangeBackups,
    /// Disable DigitalOcean's Backups of the Droplet, which deletes the existing ones.
    DisableBackups,
    /// Convert a Backup into a Snapshot, and wait until it is one.
    KeepBackup,
}

/// What the rules need to know about a task.
#[expect(clippy::struct_excessive_bools, reason = "each is a column of one table, and none follows from another")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// One word for logs, metrics and history.
    pub word: &'static str,
    /// DigitalOcean's `type` of the Action that carries it out; absent if there is no Action.
    pub action: Option<&'static str>,
    /// The power state that it aims for, if any. The Droplet's state then decides whether the command was carried out.
    pub reaches: Option<PowerState>,
    /// Whether the Droplet may be off because of it, so that power is owed from its intent onwards.
    pub may_turn_off: bool,
    /// Whether it is not started once the Droplet was told to turn on.
    pub yields_to_power: bool,
    /// Whether it acts on the operation's Droplet. The Droplet must be seen unlocked and its Actions read before the command is sent.
    pub needs_baseline: bool,
    /// Whether it waits for somebody else's Action to end.
    pub waits_for_others: bool,
    /// Whether it destroys what existed before. Such a task is not started if it is old or if somebody replaced the disk meanwhile.
    pub is_destructive: bool,
    /// Whether it may be sent again although an earlier command may have been carried out and the Droplet used since.
    pub is_repeatable: bool,
    /// Whether the end of its Action is all that can be seen.
    pub ends_with_its_action: bool,
    /// Whether its result shows in the image that it works on, so that sending the command twice does no harm.
    pub shows_in_its_image: bool,
    /// For how many `SETTLE_TIME`s a command whose answer was lost may still take effect.
    pub settle_factor: i32,
}

impl Task {
    /// All that the rules need to know about this task.
    pub const fn traits(self) -> Traits {
        /// The traits of most tasks: they act on an existing Droplet and change nothing else.
        const fn on_droplet(word: &'static str, action: &'static str) -> Traits {
            Traits {
                word,
                action: Some(action),
                reaches: None,
                may_turn_off: false,
                yields_to_power: true,
                needs_baseline: true,
                waits_for_others: true,
                is_destructive: false,
                is_repeatable: true,
                ends_with_its_action: false,
                shows_in_its_image: false,
                settle_factor: 1,
            }
        }
        /// The traits of a change to the Droplet's Backups. It affects neither power nor the disk, so it does not matter whether the
        /// Droplet was turned on before.
        const fn on_backups(word: &'static str, action: &'static str) -> Traits {
            Traits { yields_to_power: false, ends_with_its_action: true, ..on_droplet(word, action) }
        }
        /// The traits of a task that needs no Droplet, so that no look has to precede it.
        const fn without_droplet(word: &'static str, action: Option<&'static str>) -> Traits {
            Traits { action, yields_to_power: false, needs_baseline: false, ..on_droplet(word, "") }
        }
        match self {
            Self::ShutDown => {
                Traits { reaches: Some(PowerState::Off), may_turn_off: true, ..on_droplet("shut_down", "shutdown") }
            }
            // Cutting the power is the way out of a hung shutdown: it waits for nothing but DigitalOcean's own refusal.
            Self::PowerOff => Traits {
                reaches: Some(PowerState::Off),
                may_turn_off: true,
                waits_for_others: false,
                is_destructive: true,
                ..on_droplet("power_off", "power_off")
            },
            Self::Snapshot => on_droplet("snapshot", "snapshot"),
            // What the guest has not written to the disk is lost, and the restart may stop halfway, with the power cut.
            Self::Restart => {
                Traits { may_turn_off: true, is_destructive: true, ..on_droplet("restart", "power_cycle") }
            }
            // DigitalOcean may leave the Droplet off after it, whatever its state was before.
            Self::Restore => Traits {
                may_turn_off: true,
                is_destructive: true,
                is_repeatable: false,
                ..on_droplet("restore", "restore")
            },
            // Only its tag protects a create against being repeated, so it settles longer.
            Self::Create => Traits { settle_factor: 4, ..without_droplet("create", Some("create")) },
            Self::Delete => {
                Traits { is_destructive: true, shows_in_its_image: true, ..without_droplet("delete", None) }
            }
            Self::PowerOn => Traits {
                reaches: Some(PowerState::On),
                yields_to_power: false,
                waits_for_others: false,
                ..on_droplet("power_on", "power_on")
            },
            Self::EnableBackups => on_backups("enable_backups", "enable_backups"),
            Self::ChangeBackups => on_backups("change_backups", "change_backup_policy"),
            Self::DisableBackups => Traits { is_destructive: true, ..on_backups("disable_backups", "disable_backups") },
            Self::KeepBackup => Traits { shows_in_its_image: true, ..without_droplet("keep_backup", Some("convert")) },
        }
    }

    /// DigitalOcean's `type` of the Action that carries this task out; Snapshots are deleted without an Action.
    pub fn action_kind(self) -> Option<&'static str> {
        self.traits().action
    }

    /// One word for logs, metrics and history.
    pub fn word(self) -> &'static str {
        self.traits().word
    }

    /// Whether it cuts the power and may end with the Droplet off or on.
    pub(in crate::operation) fn leaves_power_open(self) -> bool {
        self.traits().may_turn_off && self.traits().reaches.is_none()
    }

    /// Whether its purpose is to turn the Droplet off.
    pub fn turns_off(self) -> bool {
        self.traits().reaches == Some(PowerState::Off)
    }

    /// The work of a task that needs nothing but the Droplet; `None` if the task needs more.
    pub(in crate::operation) fn on_droplet_alone(self) -> Option<Work> {
        match self {
            Self::ShutDown => Some(Work::ShutDown),
            Self::PowerOff => Some(Work::PowerOff),
            Self::Snapshot => Some(Work::Snapshot),
            Self::PowerOn => Some(Work::PowerOn),
            Self::Restart => Some(Work::Restart),
            Self::Restore
            | Self::Create
            | Self::Delete
            | Self::EnableBackups
            | Self::ChangeBackups
            | Self::DisableBackups
            | Self::KeepBackup => None,
        }
    }
}
