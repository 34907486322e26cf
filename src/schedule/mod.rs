//! Snapshots that happen by themselves: when they are due, what becomes of each planned time, and what is kept. Pure: no I/O, no clock, no
//! async.
//!
//! `discord` reads what people type into a [`Rule`] and a [`Policy`]; `app` asks [`decide`](Schedule::decide) what to do
//! now, and [`plan`](retention::plan) what no rule wants any more; the store keeps what they say.

mod calendar;
mod decide;
mod forecast;
pub mod group;
pub mod hangs;
pub mod notice;
mod owner;
pub mod policy;
pub mod pruning;
pub mod question;
pub mod restored;
pub mod retention;
pub mod rule;
pub mod rule_edit;
pub mod run;
pub mod slot;
mod stale;
mod watched;
pub mod weekday;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use decide::{Accounts, Due};
pub use forecast::Forecast;
use group::Group;
pub use owner::{Owner, OwnerSeen, Right};
use policy::Policy;
use rule::Rule;
pub use stale::Record;
pub use watched::{Answered, Upcoming, Watched};

use crate::operation::{
    ids::{ChannelId, DropletId, GuildId, OperationId, ScheduleId, UserId},
    warning::Warn,
};

/// Nobody owns more schedules.
pub const MOST_OWNED: usize = 25;
/// How long after its planned time a run may begin.
pub const WINDOW: SignedDuration = SignedDuration::from_hours(4);

/// A schedule, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Our id of it.
    pub id: ScheduleId,
    /// The Droplet of which it takes Snapshots; [`group::NO_DROPLET`] where it is for a group.
    pub droplet: DropletId,
    /// That Droplet's name when it was last seen; of a group, `tag:` and its tag.
    pub droplet_name: String,
    /// When.
    pub rule: Rule,
    /// Whether the Droplet is shut down for it.
    pub power: Power,
    /// What to do when the shutdown hangs.
    pub if_hung: IfHung,
    /// What is kept.
    pub keep: Policy,
    /// Who answers for it.
    pub owner: Owner,
    /// The guild in which it was added.
    pub guild: GuildId,
    /// The channel in which it speaks.
    pub channel: ChannelId,
    /// When it was added.
    pub created_at: Timestamp,
    /// Planned times up to this moment are nobody's.
    pub floor: Timestamp,
    /// Whether it runs.
    pub state: State,
    /// When people were last reminded that it has no recent Snapshot.
    #[serde(default)]
    pub reminded_at: Option<Timestamp>,
    /// Snapshots of which somebody said that they may be deleted though they are many.
    #[serde(default)]
    pub approved: Vec<OperationId>,
    /// Somebody edited what is kept, so that less is; nothing more is deleted until a person says so.
    #[serde(default)]
    pub narrowed: bool,
    /// It takes Snapshots of every Droplet with a tag, not of one.
    #[serde(default)]
    pub group: Option<Group>,
    /// Who is warned before a Droplet goes down, if anybody.
    #[serde(default)]
    pub warn: Option<Warn>,
    /// What is watched over it, and what people were told.
    #[serde(default)]
    pub watched: Watched,
}

/// Whether a Droplet is shut down for its Snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Power {
    /// Shut down first: a consistent disk.
    Off,
    /// Left running: as after a power cut.
    Live,
}

/// What a schedule does when a shutdown hangs. It never asks: nobody may be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::EnumIter)]
pub enum IfHung {
    /// Take the Snapshot with the Droplet running.
    #[default]
    Live,
    /// Take none this time, which counts as failed.
    Skip,
    /// Cut the power.
    Force,
}

/// Whether a schedule runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It does.
    Active,
    /// It does not for now.
    Paused {
        /// When it goes on by itself; absent where a person must say so.
        until: Option<Timestamp>,
        /// Why.
        why: Paused,
    },
    /// It is gone; its Snapshots stay.
    Removed,
}

/// Why a schedule is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Paused {
    /// A person wanted it.
    By(UserId),
    /// Nobody with the right to it has answered for it for too long.
    OwnerLost,
    /// Its Droplet does not exist any more.
    DropletGone,
}

impl Schedule {
    /// From when on it is too late to begin a run. A run never waits for longer than until the one after the next.
    pub fn window_end(&self, slot: Timestamp) -> Timestamp {
        slot.saturating_add(WINDOW).unwrap_or(Timestamp::MAX)
    }

    /// Whether it runs now.
    pub fn is_active(&self) -> bool {
        self.state == State::Active
    }

    /// Goes on from this moment: planned times before it are nobody's.
    pub fn resume(&mut self, now: Timestamp) {
        self.state = State::Active;
        self.floor = self.floor.max(now);
    }
}

#[cfg(test)]
mod tests;
