//! The unrequested notices about a schedule: its owner is lost, it has no recent Snapshot, it has been paused for long, or a Snapshot is
//! unreliable.

use jiff::{SignedDuration, Timestamp};

use super::Scheduler;
use crate::{
    schedule::{
        Due, Paused, Right, Schedule, State,
        notice::Notice,
        pruning::Candidate,
        slot::{Fate, Missed},
    },
    store::ScheduleSnapshot,
};

/// A right that lasts until a moment has ended just after it.
const JUST_AFTER: SignedDuration = SignedDuration::from_millis(1);

impl Scheduler {
    /// Asks whether the owner still has the right: before each run, and while they are lost each morning and before the schedule pauses.
    /// Returns when to ask next.
    pub(super) async fn ask_for_owner(
        &self,
        schedule: &mut Schedule,
        due: &mut Due,
        notices: &mut Vec<Notice>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if !schedule.is_active() {
            return None;
        }
        let must_remind = |schedule: &Schedule| schedule.next_owner_reminder().is_some_and(|at| at <= now);
        let was_silent = schedule.owner.ask_again_at().is_some_and(|at| at <= now);
        if due.begin.is_some() || was_silent || must_remind(schedule) || schedule.owner.right(now) == Right::None {
            let seen = self.members.owner(&self.policy, schedule.guild, schedule.owner.user).await;
            schedule.owner = schedule.owner.seen(seen, now);
        }
        match schedule.owner.right(now) {
            Right::Full => {
                schedule.watched.owner_told_at = None;
                schedule.owner.ask_again_at()
            }
            Right::TakeOnly => {
                if must_remind(schedule) {
                    notices.push(Notice::OwnerLost { since: schedule.owner.lost_since.unwrap_or(now) });
                    schedule.watched.owner_told_at = Some(now);
                }
                let pause = schedule.owner.paused_at().and_then(|at| at.checked_add(JUST_AFTER).ok());
                [schedule.next_owner_reminder(), pause, schedule.owner.ask_again_at()].into_iter().flatten().min()
            }
            Right::None => {
                schedule.state = State::Paused { until: None, why: Paused::OwnerLost };
                notices.push(Notice::Unowned);
                due.begin = None;
                due.wake = Some(now);
                None
            }
        }
    }
}

/// Tells people once a day that there is no recent Snapshot, since when, and which good one is the newest. Returns when to do so next.
pub(super) fn of_staleness(
    schedule: &mut Schedule,
    (since, newest): (Option<Timestamp>, Option<Timestamp>),
    notices: &mut Vec<Notice>,
    now: Timestamp,
) -> Option<Timestamp> {
    let is_told = match schedule.state {
        State::Active | State::Paused { why: Paused::OwnerLost, .. } => true,
        // A pause that a person wants has its own weekly notice.
        State::Paused { why: Paused::By(_) | Paused::DropletGone, .. } | State::Removed => false,
    };
    let since = since.filter(|_| is_told)?;
    if schedule.must_remind(since, now) {
        notices.push(Notice::Stale { since, newest });
        schedule.reminded_at = Some(now);
    }
    schedule.next_reminder(since)
}

/// Tells people once a week how old the newest Snapshot of a paused schedule is. Returns when to do so next. A schedule without an owner
/// has its own daily notice.
pub(super) fn of_pause(
    schedule: &mut Schedule,
    snapshots: &[ScheduleSnapshot],
    notices: &mut Vec<Notice>,
    now: Timestamp,
) -> Option<Timestamp> {
    match schedule.state {
        State::Paused { why: Paused::By(_) | Paused::DropletGone, .. } => {}
        State::Paused { why: Paused::OwnerLost, .. } | State::Active | State::Removed => {
            schedule.watched.pause_told_at = None;
            return None;
        }
    }
    let is_due = schedule.next_pause_reminder().is_some_and(|at| at <= now);
    if is_due {
        notices.push(Notice::Paused { newest: snapshots.first().and_then(|newest| newest.planned) });
    }
    if is_due || schedule.watched.pause_told_at.is_none() {
        schedule.watched.pause_told_at = Some(now);
    }
    schedule.next_pause_reminder()
}

/// Tells people about a newest Snapshot that is much smaller than the one before it: once until there is a good one, or a person accepts
/// it. Another small one after it belongs to the same notice.
pub(super) fn of_doubt(schedule: &mut Schedule, candidates: &[Candidate], notices: &mut Vec<Notice>) {
    let known = schedule.watched.doubted.filter(|known| !schedule.watched.relied_on.contains(known));
    let doubtful = schedule.doubtful(candidates);
    if let Some(operation) = doubtful.filter(|operation| known != Some(*operation)) {
        notices.push(Notice::Doubtful { operation, count: if known.is_some() { 2 } else { 1 } });
    }
    schedule.watched.doubted = doubtful;
}

/// Tells people about a Snapshot whose size DigitalOcean has not reported for a day: once until there is a good one.
pub(super) fn of_size(schedule: &mut Schedule, candidates: &[Candidate], notices: &mut Vec<Notice>, now: Timestamp) {
    let (known, found) = (schedule.watched.unsized_told, schedule.unsized_for_long(candidates, now));
    if let Some(operation) = found.filter(|operation| known != Some(*operation)) {
        notices.push(Notice::Unsized { operation, count: if known.is_some() { 2 } else { 1 } });
    }
    schedule.watched.unsized_told = found;
}

/// Has the schedule's message posted again on Mondays, and returns when that is next due.
pub(super) fn of_monday(schedule: &mut Schedule, now: Timestamp) -> Option<Timestamp> {
    if schedule.next_move().is_some_and(|at| at <= now) {
        schedule.watched.moved_at = Some(now);
    }
    schedule.next_move()
}

/// Tells people once that a time zone is no longer known: a new version of this program may know other ones.
pub(super) fn of_zone(schedule: &mut Schedule, notices: &mut Vec<Notice>) {
    let zone = (!schedule.rule.has_known_zone()).then(|| schedule.rule.zone.clone());
    if schedule.watched.zone_told == zone {
        return;
    }
    notices.extend(zone.clone().map(|zone| Notice::Zone { zone }));
    schedule.watched.zone_told = zone;
}

/// The notices about missed runs.
pub(super) fn of_missed(due: &Due) -> Vec<Notice> {
    let away = due.closed.iter().filter(|closed| closed.fate == Fate::Missed(Missed::Away));
    let away = away.map(|closed| Notice::Missed {
        first: closed.first,
        last: closed.last,
        count: closed.count,
        was_away: true,
        was_outage: false,
    });
    let is_busy = |fate| matches!(fate, Fate::Missed(Missed::Busy | Missed::Overtaken));
    let busy = due.given_up.filter(|(_, fate)| is_busy(*fate));
    let busy =
        busy.map(|(slot, _)| Notice::Missed { first: slot, last: slot, count: 1, was_away: false, was_outage: false });
    away.chain(busy).collect()
}
