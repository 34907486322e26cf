//! Which Snapshots of a group a policy keeps, and why. It follows restic's `forget` (0.17 and later), with two more guarantees: the newest
//! good Snapshot and the newest that was taken with the Droplet off are never dropped.
//!
//! Rules are independent, and a Snapshot is kept if one of them wants it. A bucket is a civil day, ISO week, month or year in the
//! schedule's zone, and keeps its newest Snapshot. Only buckets with a Snapshot count. While a daily to yearly rule is not full, the oldest
//! Snapshot is kept too.

use std::cmp::Reverse;

use jiff::{Timestamp, Zoned, tz::TimeZone};

use super::policy::Policy;
use crate::operation::ids::OperationId;

/// A Snapshot of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The operation that took it.
    pub operation: OperationId,
    /// When its slot was planned, or when it was taken if a person requested it; `None` if that cannot be read.
    pub planned: Option<Timestamp>,
    /// Its quality.
    pub quality: Quality,
    /// Whether a person wants it kept whatever the rules say.
    pub pinned: bool,
}

/// How reliable a Snapshot is, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quality {
    /// Taken with the Droplet off.
    Consistent,
    /// Taken while the Droplet ran.
    Live,
    /// Its size is not known yet, so its quality is unknown. It fills no bucket.
    Unsized,
    /// Unreliable: much smaller than the one before it. It fills no bucket.
    Doubtful,
}

impl Quality {
    /// Whether a rule may count it.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Consistent | Self::Live)
    }
}

/// What happens to a Snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PruneDecision {
    /// It stays, for at least one reason.
    Keep(Vec<Reason>),
    /// No rule wants it.
    Drop,
}

/// Why a Snapshot stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The newest good one.
    Newest,
    /// The newest that was taken with the Droplet off.
    NewestConsistent,
    /// It is one of the newest that `last` keeps.
    Last,
    /// The newest of its day.
    Daily,
    /// The newest of its week.
    Weekly,
    /// The newest of its month.
    Monthly,
    /// The newest of its year.
    Yearly,
    /// The oldest, while a rule is not full.
    Oldest,
    /// A person wants it kept.
    Pinned,
    /// It is unreliable, and a person must look first.
    Doubtful,
    /// Its size is not known yet.
    Unsized,
    /// It is unknown when it was taken, or it was taken in the future.
    UnknownTime,
    /// The schedule no longer takes Snapshots of its Droplet.
    NotOfThisSchedule,
}

/// A rule while it is being filled.
struct Bucket {
    left: u16,
    reason: Reason,
    latest: Option<(i16, i16)>,
}

impl Bucket {
    /// The bucket of a moment. The `last` rule has a bucket for each Snapshot.
    fn of(&self, at: &Zoned, number: usize) -> (i16, i16) {
        match self.reason {
            Reason::Daily => (at.year(), at.day_of_year()),
            Reason::Weekly => {
                let week = at.date().iso_week_date();
                (week.year(), i16::from(week.week()))
            }
            Reason::Monthly => (at.year(), i16::from(at.month())),
            Reason::Yearly => (at.year(), 0),
            _ => (i16::MAX, i16::try_from(number).unwrap_or(i16::MAX)),
        }
    }
}

/// The decision on each of these Snapshots, in their order. Only members can be dropped; Snapshots outside the group are not seen here. An
/// empty policy keeps everything: none can be stored, so a row that holds one is damaged.
pub fn plan(members: &[Member], policy: Policy, zone: &TimeZone, now: Timestamp) -> Vec<PruneDecision> {
    let mut reasons: Vec<Vec<Reason>> = members.iter().map(|member| certain(member, policy, now)).collect();
    // Newest first; for equal times, the greater id first.
    let mut counted: Vec<(usize, Timestamp)> = members
        .iter()
        .enumerate()
        .filter(|(_, member)| member.quality.is_good())
        .filter_map(|(index, member)| Some((index, member.planned.filter(|planned| *planned <= now)?)))
        .collect();
    counted.sort_by_key(|(index, planned)| Reverse((*planned, members[*index].operation)));
    if let Some((newest, _)) = counted.first() {
        reasons[*newest].push(Reason::Newest);
    }
    if let Some((newest, _)) = counted.iter().find(|(index, _)| members[*index].quality == Quality::Consistent) {
        reasons[*newest].push(Reason::NewestConsistent);
    }
    // A pinned Snapshot counts toward no rule.
    counted.retain(|(index, _)| !members[*index].pinned);
    let bucket = |left, reason| Bucket { left, reason, latest: None };
    let mut buckets = [
        bucket(policy.last, Reason::Last),
        bucket(policy.daily, Reason::Daily),
        bucket(policy.weekly, Reason::Weekly),
        bucket(policy.monthly, Reason::Monthly),
        bucket(policy.yearly, Reason::Yearly),
    ];
    for (number, (index, planned)) in counted.iter().enumerate() {
        let at = planned.to_zoned(zone.clone());
        let is_oldest = number + 1 == counted.len();
        for bucket in buckets.iter_mut().filter(|bucket| bucket.left > 0) {
            let own = bucket.of(&at, number);
            let is_new = bucket.latest != Some(own);
            if is_new || is_oldest {
                reasons[*index].push(if is_new { bucket.reason } else { Reason::Oldest });
                bucket.latest = Some(own);
                bucket.left -= 1;
            }
        }
    }
    let decision = |mut reasons: Vec<Reason>| {
        reasons.dedup();
        if reasons.is_empty() { PruneDecision::Drop } else { PruneDecision::Keep(reasons) }
    };
    reasons.into_iter().map(decision).collect()
}

/// The reasons to keep a Snapshot that do not depend on the others.
fn certain(member: &Member, policy: Policy, now: Timestamp) -> Vec<Reason> {
    let is_unknown = member.planned.is_none_or(|planned| planned > now) || policy.is_empty();
    let why = [
        (member.pinned, Reason::Pinned),
        (member.quality == Quality::Doubtful, Reason::Doubtful),
        (member.quality == Quality::Unsized, Reason::Unsized),
        (is_unknown, Reason::UnknownTime),
    ];
    why.into_iter().filter_map(|(is_so, reason)| is_so.then_some(reason)).collect()
}
