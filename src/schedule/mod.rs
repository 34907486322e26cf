//! Scheduled Snapshots: when they are due, what happens to each planned time, and which Snapshots are kept. Pure: no I/O, no clock, no
//! async.
//!
//! `discord` parses what people type into a [`Rule`] and a [`Policy`]. `app` asks [`decide`](Schedule::decide) what to do now, and
//! [`plan`](retention::plan) which Snapshots no rule wants any more. The store records the results.

mod calendar;
mod decide;
mod forecast;
pub mod group;
pub mod hung_shutdowns;
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

/// The maximum number of schedules that one person may own.
pub const MOST_OWNED: usize = 25;
/// How long after its planned time a run may begin.
pub const WINDOW: SignedDuration = SignedDuration::from_hours(4);

/// A schedule and its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The bot's id for it.
    pub id: ScheduleId,
    /// The Droplet that it takes Snapshots of; [`group::NO_DROPLET`] for a group.
    pub droplet: DropletId,
    /// The Droplet's name when it was last seen; for a group, `tag:` and its tag.
    pub droplet_name: String,
    /// When it fires.
    pub rule: Rule,
    /// Whether the Droplet is shut down for the Snapshot.
    pub power: Power,
    /// What to do when the shutdown hangs.
    pub if_hung: IfHung,
    /// How many Snapshots are kept.
    pub keep: Policy,
    /// The person who is responsible for it.
    pub owner: Owner,
    /// The guild in which it was added.
    pub guild: GuildId,
    /// The channel for its messages.
    pub channel: ChannelId,
    /// When it was added.
    pub created_at: Timestamp,
    /// Planned times up to this moment do not count.
    pub floor: Timestamp,
    /// Whether it is active.
    pub state: State,
    /// When people were last reminded that it has no recent Snapshot.
    #[serde(default)]
    pub reminded_at: Option<Timestamp>,
    /// Snapshots that a person approved for deletion although they are many.
    #[serde(default)]
    pub approved: Vec<OperationId>,
    /// An edit reduced what is kept, so nothing more is deleted until a person approves it.
    #[serde(default)]
    pub narrowed: bool,
    /// The group, if it takes Snapshots of all Droplets with a tag instead of one Droplet.
    #[serde(default)]
    pub group: Option<Group>,
    /// Who is warned before a Droplet goes down, if anybody.
    #[serde(default)]
    pub warn: Option<Warn>,
    /// What the bot watches about it, and which notices people got.
    #[serde(default)]
    pub watched: Watched,
}

/// Whether a Droplet is shut down for its Snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Power {
    /// It is shut down first, so the disk is consistent.
    Off,
    /// It keeps running, so the disk is as after a power cut.
    Live,
}

/// What a schedule does when a shutdown hangs. It never asks, because perhaps nobody is present.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::EnumIter)]
pub enum IfHung {
    /// Take the Snapshot with the Droplet running.
    #[default]
    Live,
    /// Take none this time; the run counts as failed.
    Skip,
    /// Cut the power.
    Force,
}

/// Whether a schedule is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It takes Snapshots.
    Active,
    /// It takes no Snapshots for now.
    Paused {
        /// When it resumes on its own; `None` if a person must resume it.
        until: Option<Timestamp>,
        /// The reason.
        why: Paused,
    },
    /// It was removed; its Snapshots stay.
    Removed,
}

/// Why a schedule is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Paused {
    /// A person paused it.
    By(UserId),
    /// For too long, nobody with the right to it has owned it.
    OwnerLost,
    /// Its Droplet no longer exists.
    DropletGone,
}

impl Schedule {
    /// The moment from which it is too late to begin a run. A run waits at most until the one after the next.
    pub fn window_end(&self, slot: Timestamp) -> Timestamp {
        slot.saturating_add(WINDOW).unwrap_or(Timestamp::MAX)
    }

    /// Whether it is active.
    pub fn is_active(&self) -> bool {
        self.state == State::Active
    }

    /// Resumes the schedule now. Planned times before this moment do not count.
    pub fn resume(&mut self, now: Timestamp) {
        self.state = State::Active;
        self.floor = self.floor.max(now);
    }
}

#[cfg(test)]
mod tests;
