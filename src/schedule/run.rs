//! A run of a group: its members, one after another, and who may begin now.
//!
//! A member counts as under way from the moment its operation is created until its Droplet was seen active again and has passed its check. No
//! more than [`Group::at_once`] are under way, so no more can be off because of the run. It stops as soon as one does not come back; a Snapshot
//! that failed while its Droplet is on stops nothing.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    IfHung, Power, Schedule,
    group::{Excluded, Group},
    slot::{Failed, Fate},
};
use crate::operation::{
    announce::Tell,
    ids::{ChannelId, DropletId, GuildId, OperationId, RunId, ScheduleId, UserId},
    warning::Warn,
};

/// How long a Droplet may take to be seen active, and then to pass its check, before it counts as not coming back.
pub const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// A run of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What was settled when it began.
    pub plan: Plan,
    /// Its members, in their order: the one whose Snapshot is oldest first. Also those with the tag that are none, with why.
    pub members: Vec<Member>,
    /// Who stopped it.
    pub stopped_by: Option<UserId>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Grows with every change.
    pub version: i64,
}

/// What is settled when a run begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Our id of the run.
    pub id: RunId,
    /// The schedule whose Snapshots it takes.
    pub schedule: Option<ScheduleId>,
    /// The planned time that it is for; absent where a person began it.
    pub slot: Option<Timestamp>,
    /// When its Snapshots count as taken: the planned time, else when it was begun.
    pub planned: Timestamp,
    /// The latest moment at which a member may begin.
    pub until: Timestamp,
    /// Which Droplets, and how they are taken.
    pub group: Group,
    /// Whether they are shut down.
    pub power: Power,
    /// What to do when a shutdown hangs.
    pub if_hung: IfHung,
    /// For whom.
    pub owner: UserId,
    /// The guild.
    pub guild: GuildId,
    /// The channel that hears of it.
    pub channel: ChannelId,
    /// How its owner hears of the end, if a person began it; a failure always mentions them.
    #[serde(default)]
    pub tell: Tell,
    /// Who is warned before each Droplet goes down, if anybody.
    #[serde(default)]
    pub warn: Option<Warn>,
}

/// A Droplet with the tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub droplet: DropletId,
    /// Its name when the run began.
    pub name: String,
    /// How far it is.
    pub phase: Phase,
    /// The operation that takes its Snapshot.
    pub operation: Option<OperationId>,
}

/// How far a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its turn has not come.
    Waiting,
    /// Its operation runs, or may still turn the Droplet off.
    Taking,
    /// Its operation is over; the Droplet must be seen active, and pass its check.
    Returning {
        /// Whether there is a good Snapshot.
        is_good: bool,
        /// Since when.
        since: Timestamp,
    },
    /// The Droplet is as it was.
    Done {
        /// Whether there is a good Snapshot.
        is_good: bool,
        /// When that was known.
        at: Timestamp,
    },
    /// The Droplet does not do its work again.
    Lost {
        /// Whether there is a good Snapshot.
        is_good: bool,
        /// What is missing.
        why: Lost,
    },
    /// It was not begun.
    Left,
    /// It has the tag, and is no member.
    Excluded(Excluded),
}

/// What is missing of a Droplet that does not do its work again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum Lost {
    /// It was not seen active.
    NotActive,
    /// It did not pass its check.
    Check,
}

/// Why no further member begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// A member did not come back.
    Lost,
    /// A person wanted it.
    By(UserId),
    /// Its schedule does not run any more.
    Paused,
    /// It was too late.
    Late,
}

/// What is known around a run.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Droplets on which an operation runs, also somebody else's, or may still take effect.
    pub busy: &'a BTreeSet<DropletId>,
    /// Whether its schedule, if it has one, is neither paused nor removed.
    pub is_wanted: bool,
}

/// What is to be done for a run now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This member's turn has come.
    Begin(DropletId),
    /// Nothing before this moment, or before a member gets on.
    Wait(Option<Timestamp>),
    /// It is over.
    End,
}

impl Plan {
    /// A run of a schedule: for a planned time, or because a person wants one now.
    pub fn of(schedule: &Schedule, group: &Group, id: RunId, slot: Option<Timestamp>, now: Timestamp) -> Self {
        let planned = slot.unwrap_or(now);
        Self {
            id,
            schedule: Some(schedule.id),
            slot,
            planned,
            until: schedule.window_end(planned),
            group: group.clone(),
            power: schedule.power,
            if_hung: schedule.if_hung,
            owner: schedule.owner.user,
            guild: schedule.guild,
            channel: schedule.channel,
            tell: Tell::default(),
            warn: schedule.warn,
        }
    }
}

impl Phase {
    /// Whether the Droplet may be off because of the run.
    pub fn is_under_way(self) -> bool {
        matches!(self, Self::Taking | Self::Returning { .. })
    }

    /// Whether there is a good Snapshot.
    pub fn is_good(self) -> bool {
        match self {
            Self::Returning { is_good, .. } | Self::Done { is_good, .. } | Self::Lost { is_good, .. } => is_good,
            Self::Waiting | Self::Taking | Self::Left | Self::Excluded(_) => false,
        }
    }
}

impl Run {
    /// Those that are members.
    pub fn taken(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| !matches!(member.phase, Phase::Excluded(_)))
    }

    /// How many of it may be at work at the same time from now on.
    pub fn places(&self) -> usize {
        let may_be = |member: &&Member| {
            member.phase.is_under_way() || (member.phase == Phase::Waiting && self.stopped_by.is_none())
        };
        let most = usize::try_from(self.plan.group.at_once).unwrap_or(usize::MAX);
        self.members.iter().filter(may_be).count().min(most)
    }

    /// How many have a good Snapshot.
    pub fn good(&self) -> usize {
        self.taken().filter(|member| member.phase.is_good()).count()
    }

    /// Whether every member has a good Snapshot, and there is one.
    pub fn is_success(&self) -> bool {
        let is_well = |member: &Member| matches!(member.phase, Phase::Done { is_good: true, .. });
        self.taken().next().is_some() && self.taken().all(is_well)
    }

    /// How its end is announced: as was chosen, if all went well or a person stopped it before anything went wrong.
    pub fn announced(&self) -> Tell {
        let is_wrong = |member: &Member| match member.phase {
            Phase::Lost { .. } | Phase::Done { is_good: false, .. } => true,
            Phase::Waiting
            | Phase::Taking
            | Phase::Returning { .. }
            | Phase::Done { is_good: true, .. }
            | Phase::Left
            | Phase::Excluded(_) => false,
        };
        let was_stopped = self.stopped_by.is_some() && !self.members.iter().any(is_wrong);
        if self.is_success() || was_stopped { self.plan.tell } else { Tell::Ping }
    }

    /// What its planned time ends as.
    pub fn fate(&self) -> Fate {
        match self.taken().next() {
            None => Fate::Failed(Failed::Nobody),
            Some(_) if self.is_success() => Fate::Ran,
            Some(_) => Fate::Failed(Failed::NotAll),
        }
    }

    /// Why no further member begins, if that is so.
    pub fn stopped(&self, is_wanted: bool, now: Timestamp) -> Option<Stopped> {
        if self.members.iter().any(|member| matches!(member.phase, Phase::Lost { .. })) {
            Some(Stopped::Lost)
        } else if let Some(person) = self.stopped_by {
            Some(Stopped::By(person))
        } else if !is_wanted {
            Some(Stopped::Paused)
        } else {
            (now >= self.plan.until).then_some(Stopped::Late)
        }
    }

    /// What is to be done now. The same question gives the same answer, also after a crash.
    pub fn next(&self, around: Around<'_>, now: Timestamp) -> Next {
        let is_waiting = |member: &&Member| member.phase == Phase::Waiting;
        let is_over = self.stopped(around.is_wanted, now).is_some() || !self.members.iter().any(|one| is_waiting(&one));
        let is_under_way = |member: &Member| member.phase.is_under_way();
        if is_over {
            return if self.members.iter().any(is_under_way) { Next::Wait(None) } else { Next::End };
        }
        // What somebody else has begun on a member counts too: it may be off.
        let may_be_off = |member: &&Member| is_under_way(member) || around.busy.contains(&member.droplet);
        let under_way = self.taken().filter(may_be_off).count();
        let has_room = u32::try_from(under_way).is_ok_and(|count| count < self.plan.group.at_once.max(1));
        let free = self.taken().filter(is_waiting).find(|member| !around.busy.contains(&member.droplet));
        match (free, self.pause_ends(now)) {
            (Some(_), Some(ends)) if has_room => Next::Wait(Some(ends.min(self.plan.until))),
            (Some(member), None) if has_room => Next::Begin(member.droplet),
            (_, _) => Next::Wait(Some(self.plan.until)),
        }
    }

    /// When the pause after the last member is over, if it is not. A clock that was set back is not waited for.
    fn pause_ends(&self, now: Timestamp) -> Option<Timestamp> {
        let done = self.members.iter().filter_map(|member| match member.phase {
            Phase::Done { at, .. } => Some(at),
            _ => None,
        });
        let ends = done.filter(|at| *at <= now).max()?.checked_add(self.plan.group.pause()).ok()?;
        (ends > now).then_some(ends)
    }
}
