//! Kinds of operation. A kind is nothing but its plan: the steps it goes through, over tasks that all kinds share.

use serde::{Deserialize, Serialize};

use super::{
    effect::NewDroplet,
    ids::SnapshotId,
    step::{Step, Task, Work},
};

/// What a person asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    /// A Snapshot of a Droplet.
    Take {
        /// Whether the Droplet may be turned off for it.
        power: Downtime,
        /// What to do when the shutdown hangs.
        if_hung: IfHung,
    },
    /// A Snapshot put back onto its Droplet.
    Restore {
        /// Which one.
        snapshot: SnapshotRef,
        /// Whether the present disk is kept as a Snapshot first.
        safety: Safety,
    },
    /// A new Droplet from a Snapshot.
    Launch {
        /// Where it came from.
        snapshot: SnapshotRef,
        /// What it shall be.
        droplet: NewDroplet,
    },
    /// A Snapshot deleted.
    Delete {
        /// Which one.
        snapshot: SnapshotRef,
    },
}

/// A Snapshot that somebody chose, with the name they saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRef {
    /// Its id.
    pub id: SnapshotId,
    /// Its name when it was chosen.
    pub name: String,
}

/// Whether a Droplet may be turned off for its Snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Downtime {
    /// Shut it down: a consistent disk.
    PowerOff,
    /// Leave it running: as after a power cut.
    None,
}

/// What to do when a shutdown hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IfHung {
    /// Ask in the channel.
    Ask,
    /// Cut the power.
    Force,
    /// Go on with the Droplet running.
    Live,
}

/// Whether a restore keeps the present disk first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Safety {
    /// Take a Snapshot of what will be overwritten.
    Snapshot,
    /// Overwrite at once.
    None,
}

impl Kind {
    /// The steps of this kind, in order. Power back and the answer are no steps: they follow whatever happened.
    pub fn plan(&self) -> Vec<Step> {
        self.works().into_iter().map(Step::new).collect()
    }

    fn works(&self) -> Vec<Work> {
        match self {
            Self::Take { power: Downtime::PowerOff, .. } => vec![Work::ShutDown, Work::Snapshot],
            Self::Take { power: Downtime::None, .. } => vec![Work::Snapshot],
            Self::Restore { safety: Safety::Snapshot, snapshot } => {
                vec![Work::ShutDown, Work::Snapshot, Work::Restore(snapshot.id)]
            }
            Self::Restore { safety: Safety::None, snapshot } => vec![Work::ShutDown, Work::Restore(snapshot.id)],
            Self::Launch { droplet, .. } => vec![Work::Create(droplet.clone())],
            Self::Delete { snapshot } => vec![Work::Delete(snapshot.id)],
        }
    }

    /// The work of a task in an operation of this kind; absent where this kind has nothing that the task could work with.
    pub(super) fn work(&self, task: Task) -> Option<Work> {
        task.on_droplet_alone().or_else(|| self.works().into_iter().find(|work| work.task() == task))
    }

    /// What to do when this operation's shutdown hangs.
    pub fn if_hung(&self) -> IfHung {
        match self {
            Self::Take { if_hung, .. } => *if_hung,
            Self::Restore { .. } | Self::Launch { .. } | Self::Delete { .. } => IfHung::Ask,
        }
    }

    /// The Snapshot that this works with; one that is yet to be taken is none.
    pub fn snapshot(&self) -> Option<&SnapshotRef> {
        match self {
            Self::Take { .. } => None,
            Self::Restore { snapshot, .. } | Self::Launch { snapshot, .. } | Self::Delete { snapshot } => {
                Some(snapshot)
            }
        }
    }

    /// Whether its Droplet may be turned off for it.
    pub fn may_turn_off(&self) -> bool {
        match self {
            Self::Take { power, .. } => *power == Downtime::PowerOff,
            Self::Restore { .. } => true,
            Self::Launch { .. } | Self::Delete { .. } => false,
        }
    }

    /// Whether that Snapshot is gone afterwards.
    pub fn deletes(&self) -> bool {
        matches!(self, Self::Delete { .. })
    }

    /// One word for logs, metrics and the database.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Take { .. } => "take",
            Self::Restore { .. } => "restore",
            Self::Launch { .. } => "launch",
            Self::Delete { .. } => "delete",
        }
    }
}
