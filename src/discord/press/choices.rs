//! What buttons and menus begin, and in which order lists stand.

use crate::access::Right;

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

/// What something is chosen for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub enum Choosing {
    /// A Droplet of which a Snapshot is taken.
    DropletToTake,
    /// A Droplet onto which a Snapshot is put back.
    DropletToRestore,
    /// A Snapshot of the list, to see what can be done with it.
    Snapshot,
}

impl Choosing {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::DropletToTake => "take",
            Self::DropletToRestore => "restore",
            Self::Snapshot => "snapshot",
        }
    }

    pub(super) fn right(self) -> Right {
        match self {
            Self::DropletToTake => Right::Take,
            Self::DropletToRestore => Right::Restore,
            Self::Snapshot => Right::View,
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
