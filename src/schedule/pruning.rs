//! Decides what is deleted automatically, and what holds a deletion back. A single objection is enough.
//!
//! Deletion has two phases: a Snapshot that no rule wants is announced, and deleted a day later if no rule wants it then.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{
    Right, Schedule,
    retention::{Member, PruneDecision, Quality, Reason, plan},
    run::Run,
};
use crate::operation::ids::{DropletId, OperationId};

/// How long people can read that a Snapshot will be deleted.
pub const NOTICE: SignedDuration = SignedDuration::from_hours(24);
/// If a Snapshot is not deleted within this time after its notice, it is announced again: the bot was not running to delete it, and perhaps
/// not to show the notice.
pub const LATE: SignedDuration = SignedDuration::from_hours(1);
/// More Snapshots than this are not deleted at once unless a person approves.
pub const MOST_AT_ONCE: usize = 3;

/// DigitalOcean may report the size of a Snapshot this much later than its planned time.
pub const SIZES_COME: SignedDuration = SignedDuration::from_hours(24);
/// Nothing is deleted for this long after a Snapshot was put back onto the Droplet.
pub const AFTER_A_RESTORE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A Snapshot of a schedule, with the facts that pruning needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The operation that took it.
    pub operation: OperationId,
    /// The Droplet that it was taken of.
    pub droplet: DropletId,
    /// Whether the schedule still takes Snapshots of that Droplet. If not, none of them is deleted.
    pub is_current: bool,
    /// When it was planned.
    pub planned: Option<Timestamp>,
    /// Its size in gigabytes; `None` or zero if unknown.
    pub size: Option<f64>,
    /// Whether it was taken with the Droplet off.
    pub is_consistent: bool,
    /// Whether a person wants it kept.
    pub is_kept: bool,
    /// When its deletion was announced, if it was.
    pub announced_at: Option<Timestamp>,
}

/// The circumstances of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// What its owner's right permits.
    pub right: Right,
    /// Whether it has no recent Snapshot.
    pub is_stale: bool,
    /// The Droplets onto which a Snapshot was recently put back.
    pub restored_lately: BTreeSet<DropletId>,
}

/// Why nothing is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It is paused or removed.
    Paused,
    /// Nobody with the right to it owns it.
    Unowned,
    /// It has no recent Snapshot.
    Stale,
    /// A Snapshot was put back onto the Droplet within the last week.
    RestoredLately,
    /// The newest Snapshot is much smaller than the one before it.
    Doubtful(OperationId),
    /// This many would be deleted at once.
    TooMany(usize),
    /// This many would be deleted because an edit reduced what is kept.
    Narrowed(usize),
}

impl Hold {
    /// Whether people are asked because of the number of deletions.
    pub fn is_a_question_of_number(self) -> bool {
        matches!(self, Self::TooMany(_) | Self::Narrowed(_))
    }
}

/// What to do about the Snapshots of a schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruning {
    /// The Snapshots whose deletion is announced now or stays announced.
    pub announced: Vec<OperationId>,
    /// Those of `announced` whose announcement is too old: their notice begins again now.
    pub again: Vec<OperationId>,
    /// Those of `announced` that may be deleted now.
    pub due: Vec<OperationId>,
    /// The Snapshots that are deleted only if a person approves, whatever else holds; sorted.
    pub asked: Vec<OperationId>,
    /// Why nothing is deleted, if something would be.
    pub hold: Option<Hold>,
    /// When something may be deleted next.
    pub wake: Option<Timestamp>,
}

impl Schedule {
    /// The Snapshots of one Droplet as members, each with its quality. A Snapshot is doubtful if it is less than half as large as the good
    /// one before it, unless a person accepted it. One of unknown size is not good, however its operation ended.
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

    /// When the newest good Snapshot of one Droplet was planned; for a group, when the newest run was planned that took a good one of every
    /// member.
    pub fn newest_good(&self, candidates: &[Candidate], run: Option<&Run>) -> Option<Timestamp> {
        if self.group.is_some() {
            let planned = run.filter(|run| run.is_success())?.plan.planned;
            return self.worth(candidates, planned).filter(|worst| worst.is_good()).map(|_| planned);
        }
        let groups = current_groups(candidates);
        let members = groups.iter().flat_map(|group| self.members(group));
        members.filter(|member| member.quality.is_good()).filter_map(|member| member.planned).max()
    }

    /// The quality of a planned time's Snapshots: that of the worst; `None` if there are none.
    pub fn worth(&self, candidates: &[Candidate], planned: Timestamp) -> Option<Quality> {
        let of_that_time = |member: &Member| member.planned == Some(planned);
        let members = groups(candidates).into_iter().flat_map(|group| self.members(&group));
        members.filter(of_that_time).map(|member| member.quality).max()
    }

    /// The newest Snapshot whose size DigitalOcean has not reported for a day, if no good one of its Droplet followed.
    pub fn unsized_for_long(&self, candidates: &[Candidate], now: Timestamp) -> Option<OperationId> {
        let is_late = |member: &Member| member.planned.is_some_and(|at| now.duration_since(at) >= SIZES_COME);
        let of_group = |group: &Vec<&Candidate>| {
            let members = self.members(group).into_iter().rev().take_while(|member| !member.quality.is_good());
            members.filter(|member| member.quality == Quality::Unsized).find(is_late)
        };
        let found = current_groups(candidates).iter().filter_map(of_group).max_by_key(|it| (it.planned, it.operation));
        found.map(|newest| newest.operation)
    }

    /// The moment from which restores of a Droplet hold back deletions: a week ago, or when a person last released them.
    pub fn restores_count_since(&self, now: Timestamp) -> Timestamp {
        let week = now.checked_sub(AFTER_A_RESTORE).unwrap_or(Timestamp::UNIX_EPOCH);
        self.watched.prunes_after_restores_until.map_or(week, |until| until.max(week))
    }

    /// The newest Snapshot, if it is doubtful; of several Droplets, the latest of these.
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

    /// The policy's decision on each Snapshot. Each Droplet's Snapshots are a group of their own.
    pub fn decisions(&self, candidates: &[Candidate], now: Timestamp) -> Vec<(OperationId, PruneDecision)> {
        let groups = current_groups(candidates);
        let mut decisions: Vec<(OperationId, PruneDecision)> =
            groups.iter().flat_map(|group| self.group_decisions(group, now)).collect();
        let elsewhere = candidates.iter().filter(|candidate| !candidate.is_current);
        decisions.extend(
            elsewhere.map(|candidate| (candidate.operation, PruneDecision::Keep(vec![Reason::NotOfThisSchedule]))),
        );
        decisions
    }

    fn group_decisions(&self, group: &[&Candidate], now: Timestamp) -> Vec<(OperationId, PruneDecision)> {
        let members = self.members(group);
        let decisions = plan(&members, self.keep, &self.rule.time_zone(), now);
        members.iter().map(|member| member.operation).zip(decisions).collect()
    }

    /// The Snapshots that the policy does not want.
    fn dropped(&self, group: &[&Candidate], now: Timestamp) -> Vec<OperationId> {
        let decisions = self.group_decisions(group, now).into_iter();
        decisions.filter_map(|(operation, decision)| (decision == PruneDecision::Drop).then_some(operation)).collect()
    }

    /// How many more Snapshots an edited policy would drop, among those that are not announced yet.
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
            // Earlier announcements stay while people are asked about more.
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
        // The bot was not running when the deletion was due, so perhaps nobody could read the announcement either.
        let is_late = |operation: OperationId| due_at(operation).is_some_and(|at| now.duration_since(at) > LATE);
        let (again, due): (Vec<OperationId>, Vec<OperationId>) =
            over.into_iter().partition(|operation| is_late(*operation));
        let wake = waiting.iter().filter_map(|operation| due_at(*operation)).min();
        Pruning { announced: dropped.clone(), again, due, asked, hold: None, wake }
    }

    /// The Snapshots that a person must approve before they are deleted. With frequent runs, many are announced at any time; only those
    /// that arrive at once may be a mistake.
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
            // The schedule may be stale because of that Snapshot, and a person can accept it.
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
    /// Combines the results for several Droplets of one schedule.
    fn and(mut self, other: Self) -> Self {
        self.announced.extend(other.announced);
        self.again.extend(other.again);
        self.due.extend(other.due);
        self.asked.extend(other.asked);
        self.hold = match (self.hold, other.hold) {
            (Some(Hold::TooMany(one)), Some(Hold::TooMany(two))) => Some(Hold::TooMany(one + two)),
            (Some(Hold::Narrowed(one)), Some(Hold::Narrowed(two))) => Some(Hold::Narrowed(one + two)),
            // A question to people is shown before a hold that ends on its own.
            (Some(one), Some(two)) if two.is_a_question_of_number() && !one.is_a_question_of_number() => Some(two),
            (one, two) => one.or(two),
        };
        self.wake = [self.wake, other.wake].into_iter().flatten().min();
        self
    }
}

/// The Snapshots of each Droplet that the schedule still takes Snapshots of.
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
