//! A run of a group: its members are taken one after another. Decides which of them may begin now.
//!
//! A member is under way from the moment its operation is created until its Droplet was seen active again and has passed its check. At most
//! [`Group::at_once`] members are under way, so no more can be off because of the run, apart from those that did not come back. The run
//! stops at the first of these, or after as many as [`Group::stop_after`] says. A Snapshot that failed while its Droplet is on stops
//! nothing.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    IfHung, Power, Schedule,
    group::{Excluded, Group},
    slot::{Failed, SlotState},
};
use crate::operation::{
    announce::Tell,
    ids::{ChannelId, DropletId, GuildId, OperationId, RunId, ScheduleId, UserId},
    warning::Warn,
};

/// How long a Droplet may take to be seen active, and then to pass its check, before the run counts it as lost.
pub const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// A run of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What was fixed when it began.
    pub plan: Plan,
    /// The members in order: the one whose Snapshot is oldest comes first. Also holds the Droplets with the tag that are left out, with the
    /// reason.
    pub members: Vec<Member>,
    /// The person who stopped it.
    pub stopped_by: Option<UserId>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Increases with every change.
    pub version: i64,
}

/// What is fixed when a run begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The bot's id for the run.
    pub id: RunId,
    /// The schedule whose Snapshots it takes.
    pub schedule: Option<ScheduleId>,
    /// The planned time that it serves; `None` if a person began it.
    pub slot: Option<Timestamp>,
    /// When its Snapshots count as taken: the planned time, else when it was begun.
    pub planned: Timestamp,
    /// The latest moment at which a member may begin.
    pub until: Timestamp,
    /// Which Droplets are taken, and how.
    pub group: Group,
    /// Whether they are shut down.
    pub power: Power,
    /// What to do when a shutdown hangs.
    pub if_hung: IfHung,
    /// The person for whom it runs.
    pub owner: UserId,
    /// The guild.
    pub guild: GuildId,
    /// The channel for its messages.
    pub channel: ChannelId,
    /// How the owner hears about the end of a run that a person began. A failure always mentions them.
    #[serde(default)]
    pub tell: Tell,
    /// Who is warned before each Droplet goes down, if anybody.
    #[serde(default)]
    pub warn: Option<Warn>,
}

/// A Droplet with the tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The Droplet.
    pub droplet: DropletId,
    /// Its name when the run began.
    pub name: String,
    /// Its progress.
    pub phase: Phase,
    /// The operation that takes its Snapshot.
    pub operation: Option<OperationId>,
}

/// The progress of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its turn has not come.
    Waiting,
    /// Its operation runs, or may still turn the Droplet off.
    Taking,
    /// Its operation has ended; the Droplet must be seen active and pass its check.
    Returning {
        /// Whether there is a good Snapshot.
        is_good: bool,
        /// When the operation ended.
        since: Timestamp,
    },
    /// The Droplet is back as it was.
    Done {
        /// Whether there is a good Snapshot.
        is_good: bool,
        /// When that was seen.
        at: Timestamp,
    },
    /// The Droplet did not come back.
    Lost {
        /// Whether there is a good Snapshot.
        is_good: bool,
        /// What is missing.
        why: Lost,
    },
    /// It was not begun.
    Left,
    /// It has the tag but is not a member.
    Excluded(Excluded),
}

/// Why a Droplet counts as lost.
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
    /// Too many members did not come back.
    Lost,
    /// A person stopped the run.
    By(UserId),
    /// Its schedule is no longer active.
    Paused,
    /// It became too late.
    Late,
}

/// The circumstances of a run.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The Droplets on which any operation runs or may still take effect.
    pub busy: &'a BTreeSet<DropletId>,
    /// Whether its schedule, if it has one, is neither paused nor removed.
    pub is_wanted: bool,
}

/// What to do for a run now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Begin this member.
    Begin(DropletId),
    /// Begin nothing before this moment, or before a member progresses.
    Wait(Option<Timestamp>),
    /// The run has ended.
    End,
}

impl Plan {
    /// A run of a schedule: for a planned time, or because a person requested one now.
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
    /// The members that are not excluded.
    pub fn taken(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| !matches!(member.phase, Phase::Excluded(_)))
    }

    /// How many members may be at work at once from now on.
    pub fn places(&self) -> usize {
        let may_be = |member: &&Member| {
            member.phase.is_under_way() || (member.phase == Phase::Waiting && self.stopped_by.is_none())
        };
        let most = usize::try_from(self.plan.group.at_once).unwrap_or(usize::MAX);
        self.members.iter().filter(may_be).count().min(most)
    }

    /// The members that did not come back.
    pub fn lost(&self) -> impl Iterator<Item = &Member> {
        self.taken().filter(|member| matches!(member.phase, Phase::Lost { .. }))
    }

    /// How many members have a good Snapshot.
    pub fn good(&self) -> usize {
        self.taken().filter(|member| member.phase.is_good()).count()
    }

    /// Whether there are members and every one has a good Snapshot.
    pub fn is_success(&self) -> bool {
        let is_well = |member: &Member| matches!(member.phase, Phase::Done { is_good: true, .. });
        self.taken().next().is_some() && self.taken().all(is_well)
    }

    /// How its end is announced: as chosen, if all went well or a person stopped it before anything went wrong.
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

    /// The state of its planned time.
    pub fn state(&self) -> SlotState {
        match self.taken().next() {
            None => SlotState::Failed(Failed::Nobody),
            Some(_) if self.is_success() => SlotState::Ran,
            Some(_) => SlotState::Failed(Failed::NotAll),
        }
    }

    /// Why no further member begins, if so.
    pub fn stopped(&self, is_wanted: bool, now: Timestamp) -> Option<Stopped> {
        if self.lost().count() >= usize::try_from(self.plan.group.stop_after.max(1)).unwrap_or(usize::MAX) {
            Some(Stopped::Lost)
        } else if let Some(person) = self.stopped_by {
            Some(Stopped::By(person))
        } else if !is_wanted {
            Some(Stopped::Paused)
        } else {
            (now >= self.plan.until).then_some(Stopped::Late)
        }
    }

    /// Decides what to do now. The same input gives the same answer, also after a crash.
    pub fn next(&self, around: Around<'_>, now: Timestamp) -> Next {
        let is_waiting = |member: &&Member| member.phase == Phase::Waiting;
        let is_over = self.stopped(around.is_wanted, now).is_some() || !self.members.iter().any(|one| is_waiting(&one));
        let is_under_way = |member: &Member| member.phase.is_under_way();
        if is_over {
            return if self.members.iter().any(is_under_way) { Next::Wait(None) } else { Next::End };
        }
        // Another operation on a member counts too, since it may have turned the Droplet off. The run goes on without those that are lost.
        let is_lost = |member: &Member| matches!(member.phase, Phase::Lost { .. });
        let is_busy = |member: &Member| !is_lost(member) && around.busy.contains(&member.droplet);
        let may_be_off = |member: &&Member| is_under_way(member) || is_busy(member);
        let under_way = self.taken().filter(may_be_off).count();
        let has_room = u32::try_from(under_way).is_ok_and(|count| count < self.plan.group.at_once.max(1));
        let free = self.taken().filter(is_waiting).find(|member| !around.busy.contains(&member.droplet));
        match (free, self.pause_ends(now)) {
            (Some(_), Some(ends)) if has_room => Next::Wait(Some(ends.min(self.plan.until))),
            (Some(member), None) if has_room => Next::Begin(member.droplet),
            (_, _) => Next::Wait(Some(self.plan.until)),
        }
    }

    /// When the pause after the last member ends; `None` if it has. A clock that was set back does not prolong it.
    fn pause_ends(&self, now: Timestamp) -> Option<Timestamp> {
        let done = self.members.iter().filter_map(|member| match member.phase {
            Phase::Done { at, .. } => Some(at),
            Phase::Waiting
            | Phase::Taking
            | Phase::Returning { .. }
            | Phase::Lost { .. }
            | Phase::Left
            | Phase::Excluded(_) => None,
        });
        let ends = done.filter(|at| *at <= now).max()?.checked_add(self.plan.group.pause()).ok()?;
        (ends > now).then_some(ends)
    }
}
