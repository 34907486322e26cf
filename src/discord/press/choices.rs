//! What buttons and menus begin, and in which order lists stand.

use std::fmt;

use crate::{access::Right, operation::ids::SnapshotId};

/// What the buttons under a panel, or under a Droplet, begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub enum Begun {
    /// *Take…*
    Take,
    /// *Restore…*
    Restore,
    /// *List*
    List,
}

impl Begun {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::Restore => "restore",
            Self::List => "list",
        }
    }

    pub(super) fn right(self) -> Right {
        match self {
            Self::Take => Right::Take,
            Self::Restore => Right::Restore,
            Self::List => Right::View,
        }
    }
}

/// A form over the review of a schedule, for what is asked of few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub enum ReviewForm {
    /// *Failures…*: what is done about stuck shutdowns, and who else hears how runs end.
    Failures,
    /// *Group…*: how the Droplets with a tag are taken.
    Group,
}

impl ReviewForm {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Failures => "failures",
            Self::Group => "group",
        }
    }
}

/// What something is chosen for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub enum Choosing {
    /// A Droplet of which a Snapshot is taken.
    DropletToTake,
    /// A Droplet onto which a Snapshot is put back.
    DropletToRestore,
    /// A Snapshot of the list, to see what can be done with it.
    Snapshot,
    /// An operation, to see its details.
    Operation,
}

impl Choosing {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::DropletToTake => "take",
            Self::DropletToRestore => "restore",
            Self::Snapshot => "snapshot",
            Self::Operation => "operation",
        }
    }

    pub(super) fn right(self) -> Right {
        match self {
            Self::DropletToTake => Right::Take,
            Self::DropletToRestore => Right::Restore,
            Self::Snapshot | Self::Operation => Right::View,
        }
    }
}

/// Which Snapshot a page is next to: others come and go between two presses, and pages shift by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// The page begins after this one.
    After(SnapshotId),
    /// It ends before this one.
    Before(SnapshotId),
}

impl Beside {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.split_at_checked(1)? {
            ("a", id) => Some(Self::After(id.parse().ok()?)),
            ("b", id) => Some(Self::Before(id.parse().ok()?)),
            _ => None,
        }
    }
}

impl fmt::Display for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(id) => write!(f, "a{id}"),
            Self::Before(id) => write!(f, "b{id}"),
        }
    }
}

/// In which order Snapshots are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumIter)]
pub enum Order {
    /// By Droplet, those of each newest first.
    #[default]
    Grouped,
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
    /// The largest first.
    Biggest,
}

impl Order {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Grouped => "grouped",
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::Biggest => "biggest",
        }
    }
}
