//! What buttons and menus begin, and how lists are sorted.

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

/// A form over the review of a schedule, for settings that few people need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub enum ReviewForm {
    /// *Failures…*: what to do about stuck shutdowns, and who else hears how runs end.
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

/// The purpose of a menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub enum Choosing {
    /// Choose a Droplet to take a Snapshot of.
    DropletToTake,
    /// Choose a Droplet to put a Snapshot back onto.
    DropletToRestore,
    /// Choose a Snapshot of the list, to see what can be done with it.
    Snapshot,
    /// Choose an operation, to see its details.
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

/// The Snapshot that a page is next to. Snapshots come and go between two presses, which shifts the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// The page begins after this one.
    After(SnapshotId),
    /// The page ends before this one.
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

/// The order of listed Snapshots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumIter)]
pub enum Order {
    /// By Droplet, newest first within each.
    #[default]
    Grouped,
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
    /// Largest first.
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
