//! What is deleted by itself, and what holds it back. Nothing is, unless everything speaks for it.
//!
//! In two phases: what no rule wants is announced, and deleted a day later if it is still not wanted then.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{
    Right, Schedule,
    retention::{Member, Quality, Reason, Verdict, plan},
    run::Run,
};
use crate::operation::ids::{DropletId, OperationId};

/// How long people can read that a Snapshot will be deleted before it is.
pub const NOTICE: SignedDuration = SignedDuration::from_hours(24);
/// What is not deleted within so long after its notice is announced once more: nobody was there to delete it, nor perhaps to show the notice.
pub const LATE: SignedDuration = SignedDuration::from_hours(1);
/// More than so many at once are not deleted unless somebody says so.
pub const MOST_AT_ONCE: usize = 3;

/// DigitalOcean may say the size of a Snapshot so much later than it was planned.
pub const SIZES_COME: SignedDuration = SignedDuration::from_hours(24);
/// Nothing is deleted for so long after a Snapshot was put back onto the Droplet.
pub const AFTER_A_RESTORE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A Snapshot of a schedule, as far as it matters here.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The operation that took it.
    pub operation: OperationId,
    /// Of which Droplet.
    pub droplet: DropletId,
    /// Whether the schedule still takes Snapshots of that Droplet. If not, none of them is deleted.
    pub is_current: bool,
    /// When it was planned.
    pub planned: Option<Timestamp>,
    /// In gigabytes; absent or zero where it is not known.
    pub size: Option<f64>,
    /// Whether it was taken with the Droplet off.
    pub is_consistent: bool,
    /// Whether somebody wants it kept.
    pub is_kept: bool,
    /// Since when it is announced to be deleted.
    pub announced_at: Option<Timestamp>,
}

/// What is the case around a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// What its owner's right is worth.
    pub right: Right,
    /// Whether it has no recent Snapshot.
    pub is_stale: bool,
    /// The Droplets onto which a Snapshot was put back lately.
    pub restored_lately: BTreeSet<DropletId>,
}

/// Why nothing is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It is paused or removed.
    Paused,
    /// Nobody with the right to it answers for it.
    Unowned,
    /// It has no recent Snapshot.
    Stale,
    /// A Snapshot was put back onto the Droplet within the last week.
    RestoredLately,
    /// The newest Snapshot is much smaller than the one before it.
    Doubtful(OperationId),
    /// So many would be deleted at once.
    TooMany(usize),
    /// So many would be deleted since somebody edited what is kept.
    Narrowed(usize),
}

impl Hold {
    /// Whether people are asked because of how many would be deleted.
    pub fn is_a_question_of_number(self) -> bool {
        matches!(self, Self::TooMany(_) | Self::Narrowed(_))
    }
}

/// What to do about the Snapshots of a schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruning {
    /// What is to be announced, or stays so.
    pub announced: Vec<OperationId>,
    /// Of these, what was announced too long ago: its notice begins again now.
    pub again: Vec<OperationId>,
    /// What may be deleted now; part of the former.
    pub due: Vec<OperationId>,
    /// What is deleted only if somebody says so, whatever else holds; sorted.
    pub asked: Vec<OperationId>,
    /// Why nothing is deleted, where something would be.
    pub hold: Option<Hold>,
    /// When something may be deleted next.
    pub wake: Option<Timestamp>,
}

impl Schedule {
    /// The members of one Droplet's group with what is known of each: doubtful is one that is less than half as large as the good one before
    /// it, unless somebody accepted it. One of unknown size is not good, however its operation ended.
    pub fn members(&self, group: &[&Candidate]) -> Vec<Member> {
        let mut by_age = group.to_vec();
        by_age.sort_by_key(|candidate| (candidate.planned, candidate.operation));
        let mut before: Option<f64> = None;
        let member = |candidate: &Candidate| {
            let size = candidate.size.filter(|size| size.is_finite() && *size > 0.0);
            let shrank = before.is_some_and(|before| size.is_some_and(|size| size * 2.0 < before));
            let is_doubtful = shrank && !self.watched.relied_on.contains(&candidate.operation);
            if !is_doubtful {
                before = size.or(before);
            }
            Member {
                operation: candidate.operation,
                planned: candidate.planned,
                quality: match (size, is_doubtful, candidate.is_consistent) {
                    (None, _, _) => Quality::Unsized,
                    (Some(_), true, _) => Quality::Doubtful,
                    (Some(_), false, true) => Quality::Consistent,
                    (Some(_), false, false) => Quality::Live,
                },
                pinned: candidate.is_kept,
            }
        };
        by_age.into_iter().map(member).collect()
    }

    /// When the newest good Snapshot of one Droplet was planned. Of a group, when a run was that took a good one of every member.
    pub fn newest_good(&self, candidates: &[Candidate], run: Option<&Run>) -> Option<Timestamp> {
        if self.group.is_some() {
            let planned = run.filter(|run| run.is_success())?.plan.planned;
            return self.worth(candidates, planned).filter(|worst| worst.is_good()).map(|_| planned);
        }
        let groups = current_groups(candidates);
        let members = groups.iter().flat_map(|group| self.members(group));
        members.filter(|member| member.quality.is_good()).filter_map(|member| member.planned).max()
    }

    /// How far the Snapshots of a planned time can be relied on, by the worst of them; none if none is there.
    pub fn worth(&self, candidates: &[Candidate], planned: Timestamp) -> Option<Quality> {
        let of_that_time = |member: &Member| member.planned == Some(planned);
        let members = groups(candidates).into_iter().flat_map(|group| self.members(&group));
        members.filter(of_that_time).map(|member| member.quality).max()
    }

    /// The newest Snapshot of which DigitalOcean has not said the size for a day, if no good one of its Droplet followed.
    pub fn unsized_for_long(&self, candidates: &[Candidate], now: Timestamp) -> Option<OperationId> {
        let is_late = |member: &Member| member.planned.is_some_and(|at| now.duration_since(at) >= SIZES_COME);
        let of_group = |group: &Vec<&Candidate>| {
            let members = self.members(group).into_iter().rev().take_while(|member| !member.quality.is_good());
            members.filter(|member| member.quality == Quality::Unsized).find(is_late)
        };
        let found = current_groups(candidates).iter().filter_map(of_group).max_by_key(|it| (it.planned, it.operation));
        found.map(|newest| newest.operation)
    }

    /// From when on a restore of a Droplet keeps its Snapshots from being deleted: a week ago, or since somebody said that they may be.
    pub fn restores_count_since(&self, now: Timestamp) -> Timestamp {
        let week = now.checked_sub(AFTER_A_RESTORE).unwrap_or(Timestamp::UNIX_EPOCH);
        self.watched.prunes_after_restores_until.map_or(week, |until| until.max(week))
    }

    /// The newest Snapshot, if it is doubtful; of several Droplets, the latest of those.
    pub fn doubtful(&self, candidates: &[Candidate]) -> Option<OperationId> {
        let groups = current_groups(candidates);
        let doubtful = groups.iter().filter_map(|group| self.doubtful_of(group));
        doubtful.max_by_key(|newest| (newest.planned, newest.operation)).map(|newest| newest.operation)
    }

    /// Whether this is the newest Snapshot of its Droplet, and doubtful.
    pub fn is_doubtful(&self, candidates: &[Candidate], operation: OperationId) -> bool {
        let groups = current_groups(candidates);
        groups.iter().any(|group| self.doubtful_of(group).is_some_and(|newest| newest.operation == operation))
    }

    /// The newest Snapshot of one Droplet, if it is doubtful.
    fn doubtful_of(&self, group: &[&Candidate]) -> Option<Member> {
        let newest = self.members(group).into_iter().next_back();
        newest.filter(|newest| newest.quality == Quality::Doubtful)
    }

    /// What each Snapshot's fate is by the policy. Each Droplet's Snapshots are a group of their own.
    pub fn verdicts(&self, candidates: &[Candidate], now: Timestamp) -> Vec<(OperationId, Verdict)> {
        let groups = current_groups(candidates);
        let mut verdicts: Vec<(OperationId, Verdict)> =
            groups.iter().flat_map(|group| self.group_verdicts(group, now)).collect();
        let elsewhere = candidates.iter().filter(|candidate| !candidate.is_current);
        verdicts
            .extend(elsewhere.map(|candidate| (candidate.operation, Verdict::Keep(vec![Reason::NotOfThisSchedule]))));
        verdicts
    }

    fn group_verdicts(&self, group: &[&Candidate], now: Timestamp) -> Vec<(OperationId, Verdict)> {
        let members = self.members(group);
        let verdicts = plan(&members, self.keep, &self.rule.time_zone(), now);
        members.iter().map(|member| member.operation).zip(verdicts).collect()
    }

    /// What the policy does not want.
    fn dropped(&self, group: &[&Candidate], now: Timestamp) -> Vec<OperationId> {
        let verdicts = self.group_verdicts(group, now).into_iter();
        verdicts.filter_map(|(operation, verdict)| (verdict == Verdict::Drop).then_some(operation)).collect()
    }

    /// How many more Snapshots an edited policy does not want, of those that nobody has read about yet.
    pub fn narrowed_by(&self, edited: &Self, candidates: &[Candidate], now: Timestamp) -> usize {
        let newly = |group: &Vec<&Candidate>| {
            let before = if self.narrowed { Vec::new() } else { self.dropped(group, now) };
            let after = edited.dropped(group, now).into_iter();
            after.filter(|dropped| !before.contains(dropped) && !is_announced(group, *dropped)).count()
        };
        current_groups(candidates).iter().map(newly).sum()
    }

    /// What is announced and deleted now.
    pub fn prune(&self, candidates: &[Candidate], around: &Circumstances, now: Timestamp) -> Pruning {
        let groups = current_groups(candidates);
        let mut pruning =
            groups.iter().map(|group| self.prune_group(group, around, now)).fold(Pruning::default(), Pruning::and);
        pruning.asked.sort_unstable();
        pruning
    }

    fn prune_group(&self, group: &[&Candidate], around: &Circumstances, now: Timestamp) -> Pruning {
        let dropped = self.dropped(group, now);
        if dropped.is_empty() {
            return Pruning::default();
        }
        let asked = self.asked(group, &dropped);
        if let Some(hold) = self.hold(group, &asked, around) {
            // What was announced before stays so while people are asked about more.
            let stays = |operation: &OperationId| hold.is_a_question_of_number() && is_announced(group, *operation);
            let announced = dropped.into_iter().filter(stays).collect();
            return Pruning { announced, asked, hold: Some(hold), ..Pruning::default() };
        }
        let due_at = |operation: OperationId| {
            let announced_at = group.iter().find(|candidate| candidate.operation == operation)?.announced_at?;
            announced_at.checked_add(NOTICE).ok()
        };
        let (over, waiting): (Vec<OperationId>, Vec<OperationId>) =
            dropped.iter().copied().partition(|operation| due_at(*operation).is_some_and(|at| at <= now));
        // Nobody was there when it was due, so perhaps nobody could read of it either.
        let is_late = |operation: OperationId| due_at(operation).is_some_and(|at| now.duration_since(at) > LATE);
        let (again, due): (Vec<OperationId>, Vec<OperationId>) =
            over.into_iter().partition(|operation| is_late(*operation));
        let wake = waiting.iter().filter_map(|operation| due_at(*operation)).min();
        Pruning { announced: dropped.clone(), again, due, asked, hold: None, wake }
    }

    /// What somebody must say yes to before it is deleted. Where runs are frequent, many are announced at any time; those that come at once
    /// are what may be a mistake.
    fn asked(&self, group: &[&Candidate], dropped: &[OperationId]) -> Vec<OperationId> {
        let is_new = |operation: &OperationId| !is_announced(group, *operation) && !self.approved.contains(operation);
        let new: Vec<OperationId> = dropped.iter().copied().filter(is_new).collect();
        if self.narrowed || new.len() > MOST_AT_ONCE { new } else { Vec::new() }
    }

    fn hold(&self, group: &[&Candidate], asked: &[OperationId], around: &Circumstances) -> Option<Hold> {
        let doubtful = self.doubtful_of(group);
        let was_restored = group.iter().any(|candidate| around.restored_lately.contains(&candidate.droplet));
        match () {
            () if !self.is_active() => Some(Hold::Paused),
            () if around.right != Right::Full => Some(Hold::Unowned),
            // It may be stale because of that one, and somebody can say that it is fine.
            () if doubtful.is_some() => doubtful.map(|newest| Hold::Doubtful(newest.operation)),
            () if around.is_stale => Some(Hold::Stale),
            () if was_restored => Some(Hold::RestoredLately),
            () if asked.is_empty() => None,
            () if self.narrowed => Some(Hold::Narrowed(asked.len())),
            () => Some(Hold::TooMany(asked.len())),
        }
    }
}

impl Pruning {
    /// Both: what several Droplets of one schedule need.
    fn and(mut self, other: Self) -> Self {
        self.announced.extend(other.announced);
        self.again.extend(other.again);
        self.due.extend(other.due);
        self.asked.extend(other.asked);
        self.hold = match (self.hold, other.hold) {
            (Some(Hold::TooMany(one)), Some(Hold::TooMany(two))) => Some(Hold::TooMany(one + two)),
            (Some(Hold::Narrowed(one)), Some(Hold::Narrowed(two))) => Some(Hold::Narrowed(one + two)),
            // What somebody must answer is shown before what ends by itself.
            (Some(one), Some(two)) if two.is_a_question_of_number() && !one.is_a_question_of_number() => Some(two),
            (one, two) => one.or(two),
        };
        self.wake = [self.wake, other.wake].into_iter().flatten().min();
        self
    }
}

/// The Snapshots of each Droplet of which the schedule still takes some.
fn current_groups(candidates: &[Candidate]) -> Vec<Vec<&Candidate>> {
    groups(candidates.iter().filter(|candidate| candidate.is_current))
}

/// The Snapshots of each Droplet.
fn groups<'c>(candidates: impl IntoIterator<Item = &'c Candidate>) -> Vec<Vec<&'c Candidate>> {
    let mut groups: BTreeMap<DropletId, Vec<&Candidate>> = BTreeMap::new();
    for candidate in candidates {
        groups.entry(candidate.droplet).or_default().push(candidate);
    }
    groups.into_values().collect()
}

fn is_announced(group: &[&Candidate], operation: OperationId) -> bool {
    group.iter().any(|candidate| candidate.operation == operation && candidate.announced_at.is_some())
}
