//! How the power state is stored in an operation's row: flat, as the first versions wrote it, so that rows of every version can be read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Duty, History, Owed, Power, Release, Theirs,
    calls::{Calls, Stuck},
    visibility::{Unseen, Visibility},
};
use crate::operation::{
    reading::PowerState,
    step::{self, Step},
};

/// The fields of a row. The types that they are read into say what they mean.
#[expect(clippy::struct_excessive_bools, reason = "it is what the first versions wrote")]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) before: Option<PowerState>,
    pub(crate) owed: Option<Owed>,
    #[serde(deserialize_with = "step::power_on")]
    pub(crate) back: Step,
    pub(crate) seen_off: bool,
    /// Whether the Droplet is only watched.
    pub(crate) parked: bool,
    #[serde(default)]
    pub(super) got_on_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) recovering_since: Option<Timestamp>,
    pub(crate) stuck: Option<Stuck>,
    #[serde(default)]
    pub(super) calls: u32,
    #[serde(default)]
    pub(super) called_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) unseen: Option<Unseen>,
    #[serde(default)]
    pub(super) blind: Option<Timestamp>,
    #[serde(default)]
    pub(super) blind_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) on_intended_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) hurried: bool,
    #[serde(default)]
    pub(crate) theirs: Option<Theirs>,
    #[serde(default)]
    pub(crate) last_seen: Option<PowerState>,
    #[serde(default)]
    pub(super) looked_at: Option<Timestamp>,
    pub(super) failures: u32,
    pub(crate) released: Option<Release>,
    pub(crate) went_off: Option<Timestamp>,
    pub(crate) came_back: Option<Timestamp>,
    #[serde(default)]
    pub(crate) gone: bool,
    pub(crate) after: Option<PowerState>,
    pub(crate) repaired: Option<Timestamp>,
}

impl From<Row> for Power {
    fn from(row: Row) -> Self {
        // A damaged row is read in favour of the Droplet: what may be owed is owed.
        let duty = if let Some(owed) = row.owed {
            if row.parked { Duty::Watched(owed) } else { Duty::Owed(owed) }
        } else if row.gone {
            Duty::Gone
        } else if let Some(release) = row.released {
            Duty::Released(release)
        } else {
            row.theirs.map_or(Duty::Nothing, Duty::Theirs)
        };
        Self {
            before: row.before,
            duty,
            back: row.back,
            seen_off: row.seen_off,
            on_intended_at: row.on_intended_at,
            hurried: row.hurried,
            failures: row.failures,
            calls: Calls {
                got_on_at: row.got_on_at,
                recovering_since: row.recovering_since,
                stuck: row.stuck,
                count: row.calls,
                called_at: row.called_at,
            },
            visibility: Visibility {
                last_seen: row.last_seen,
                looked_at: row.looked_at,
                unseen: row.unseen,
                blind: row.blind,
                blind_at: row.blind_at,
            },
            history: History {
                went_off: row.went_off,
                came_back: row.came_back,
                after: row.after,
                repaired: row.repaired,
            },
        }
    }
}

impl From<Power> for Row {
    fn from(power: Power) -> Self {
        let Calls { got_on_at, recovering_since, stuck, count, called_at } = power.calls;
        let Visibility { last_seen, looked_at, unseen, blind, blind_at } = power.visibility;
        let History { went_off, came_back, after, repaired } = power.history;
        let mut row = Self {
            before: power.before,
            owed: None,
            back: power.back,
            seen_off: power.seen_off,
            parked: false,
            got_on_at,
            recovering_since,
            stuck,
            calls: count,
            called_at,
            unseen,
            blind,
            blind_at,
            on_intended_at: power.on_intended_at,
            hurried: power.hurried,
            theirs: None,
            last_seen,
            looked_at,
            failures: power.failures,
            released: None,
            went_off,
            came_back,
            gone: false,
            after,
            repaired,
        };
        match power.duty {
            Duty::Nothing => {}
            Duty::Owed(owed) => row.owed = Some(owed),
            Duty::Watched(owed) => (row.owed, row.parked) = (Some(owed), true),
            Duty::Theirs(theirs) => row.theirs = Some(theirs),
            Duty::Released(release) => row.released = Some(release),
            Duty::Gone => row.gone = true,
        }
        row
    }
}

#[cfg(test)]
impl Power {
    /// Lets a test edit the row.
    pub(crate) fn edit(&mut self, change: impl FnOnce(&mut Row)) {
        let mut row = Row::from(self.clone());
        change(&mut row);
        *self = row.into();
    }
}
