//! A planned time and its state. Every planned time gets one.

use jiff::Timestamp;

use crate::operation::ids::OperationId;

/// A planned time of a schedule, or consecutive ones with the same state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The planned time; of several, the first.
    pub at: Timestamp,
    /// The last of several; equal to `at` for one.
    pub last: Timestamp,
    /// How many planned times this stands for.
    pub count: u32,
    /// The state.
    pub state: SlotState,
    /// The operation that took its Snapshot, or tried to.
    pub operation: Option<OperationId>,
}

/// What happens to a planned time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlotState {
    /// Its turn has not come.
    Waiting,
    /// Its operation runs.
    Running,
    /// A Snapshot was taken. Whether it is reliable depends on facts outside the slot.
    Ran,
    /// Another schedule's Snapshot serves for it.
    Shared,
    /// It brought no Snapshot.
    Failed(Failed),
    /// It was skipped on purpose.
    Skipped(Skipped),
    /// It could not begin inside its window.
    Missed(Missed),
}

/// Why a planned time brought no Snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum Failed {
    /// The Droplet did not shut down.
    Hung,
    /// A person cancelled it.
    Cancelled,
    /// A step of the operation failed; the operation records why.
    Operation,
    /// Not every Droplet of the group has a good Snapshot.
    NotAll,
    /// No Droplet has the tag.
    Nobody,
}

/// Why a planned time was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum Skipped {
    /// The schedule was paused.
    Paused,
    /// The schedule was edited.
    Edited,
}

/// Why a planned time could not begin in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum Missed {
    /// The bot was not running.
    Away,
    /// The Droplet was busy with something else.
    Busy,
    /// DigitalOcean did not answer.
    Outage,
    /// A newer planned time took its place.
    Overtaken,
}

impl SlotState {
    /// The two words in the database: what, and why.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Waiting => ("waiting", ""),
            Self::Running => ("running", ""),
            Self::Ran => ("ran", ""),
            Self::Shared => ("shared", ""),
            Self::Failed(Failed::Hung) => ("failed", "hung"),
            Self::Failed(Failed::Cancelled) => ("failed", "cancelled"),
            Self::Failed(Failed::Operation) => ("failed", "operation"),
            Self::Failed(Failed::NotAll) => ("failed", "not all"),
            Self::Failed(Failed::Nobody) => ("failed", "nobody"),
            Self::Skipped(Skipped::Paused) => ("skipped", "paused"),
            Self::Skipped(Skipped::Edited) => ("skipped", "edited"),
            Self::Missed(Missed::Away) => ("missed", "away"),
            Self::Missed(Missed::Busy) => ("missed", "busy"),
            Self::Missed(Missed::Outage) => ("missed", "outage"),
            Self::Missed(Missed::Overtaken) => ("missed", "overtaken"),
        }
    }

    /// The state that the database's words mean. An unknown word from a newer version counts as the plainest of its kind.
    pub fn of_words(what: &str, why: &str) -> Self {
        match (what, why) {
            ("waiting", _) => Self::Waiting,
            ("running", _) => Self::Running,
            ("ran", _) => Self::Ran,
            ("shared", _) => Self::Shared,
            ("failed", "hung") => Self::Failed(Failed::Hung),
            ("failed", "cancelled") => Self::Failed(Failed::Cancelled),
            ("failed", "not all") => Self::Failed(Failed::NotAll),
            ("failed", "nobody") => Self::Failed(Failed::Nobody),
            ("skipped", "edited") => Self::Skipped(Skipped::Edited),
            ("skipped", _) => Self::Skipped(Skipped::Paused),
            ("missed", "away") => Self::Missed(Missed::Away),
            ("missed", "outage") => Self::Missed(Missed::Outage),
            ("missed", "overtaken") => Self::Missed(Missed::Overtaken),
            ("missed", _) => Self::Missed(Missed::Busy),
            (_, _) => Self::Failed(Failed::Operation),
        }
    }

    /// Whether its state is still open.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }

    /// Whether a Snapshot serves for it.
    pub fn has_snapshot(self) -> bool {
        matches!(self, Self::Ran | Self::Shared)
    }
}
