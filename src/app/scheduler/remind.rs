//! The unrequested notices about a schedule: its owner is lost, it has no recent Snapshot, it has been paused for long, or a Snapshot is
//! unreliable.

use jiff::{SignedDuration, Timestamp};

use super::Scheduler;
use crate::{
    schedule::{
        Due, Paused, Right, Schedule, State, Upcoming,
        notice::Notice,
        pruning::Candidate,
        slot::{Missed, SlotState},
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

/// Tells people once that the next run has another time although nobody changed the rule: the last process may have had other time zone
/// data.
pub(super) fn of_clocks(schedule: &mut Schedule, notices: &mut Vec<Notice>, now: Timestamp) {
    let from = now.max(schedule.floor);
    let upcoming = schedule.rule.next_after(from).map(|at| Upcoming { rule: schedule.rule.clone(), at });
    let was = std::mem::replace(&mut schedule.watched.upcoming, upcoming);
    let (Some(was), Some(is)) = (was, &schedule.watched.upcoming) else { return };
    // This process's own clock may have been set back, and then an earlier run comes first. Whether the expected one is still due
    // depends on no clock.
    let before = was.at.checked_sub(JUST_AFTER).ok();
    let is_due = || before.and_then(|before| schedule.rule.next_after(before)) == Some(was.at);
    if schedule.is_active() && was.rule == is.rule && was.at > from && !is_due() {
        notices.push(Notice::Moved { was: was.at, is: is.at });
    }
}

/// The notices about missed runs.
pub(super) fn of_missed(due: &Due) -> Vec<Notice> {
    let away = due.closed.iter().filter(|closed| closed.state == SlotState::Missed(Missed::Away));
    let away = away.map(|closed| Notice::Missed {
        first: closed.first,
        last: closed.last,
        count: closed.count,
        was_away: true,
        was_outage: false,
    });
    let is_busy = |state| matches!(state, SlotState::Missed(Missed::Busy | Missed::Overtaken));
    let busy = due.given_up.filter(|(_, state)| is_busy(*state));
    let busy =
        busy.map(|(slot, _)| Notice::Missed { first: slot, last: slot, count: 1, was_away: false, was_outage: false });
    away.chain(busy).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::rule::Rule;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A schedule of every day at three in Berlin, as it was stored.
    fn nightly() -> Schedule {
        let rule = serde_json::json!({"every": "Day", "at": "03:00:00", "zone": "Europe/Berlin"});
        let schedule = serde_json::json!({
            "id": "k3m9ab", "droplet": 11, "droplet_name": "web-1", "rule": rule, "power": "Off", "if_hung": "Live",
            "keep": {"daily": 7}, "owner": {"user": 7, "good_at": "2026-11-26T12:00:00Z"}, "guild": 2, "channel": 3,
            "created_at": "2026-11-26T12:00:00Z", "floor": "2026-11-26T12:00:00Z", "state": "Active"
        });
        serde_json::from_value(schedule).unwrap()
    }

    /// The notices at noon about a schedule whose next run was expected at this time.
    fn told(schedule: &mut Schedule, expected: &str) -> Vec<Notice> {
        let rule = schedule.rule.clone();
        schedule.watched.upcoming = Some(Upcoming { rule, at: at(expected) });
        told_at(schedule, "2026-11-27T12:00:00Z")
    }

    fn told_at(schedule: &mut Schedule, now: &str) -> Vec<Notice> {
        let mut notices = Vec::new();
        of_clocks(schedule, &mut notices, at(now));
        notices
    }

    #[test]
    fn a_run_that_moved_by_other_clocks_is_told_once() {
        let (mut schedule, right) = (nightly(), "2026-11-28T02:00:00Z");
        assert_eq!(told_at(&mut schedule, "2026-11-27T12:00:00Z"), [], "an older row expected nothing");
        assert_eq!(told_at(&mut schedule, "2026-11-27T13:00:00Z"), []);
        let moved = Notice::Moved { was: at("2026-11-28T01:00:00Z"), is: at(right) };
        assert_eq!(told(&mut schedule, "2026-11-28T01:00:00Z"), [moved]);
        assert_eq!(told_at(&mut schedule, "2026-11-27T12:00:00Z"), [], "once");
    }

    #[test]
    fn neither_an_edit_nor_a_clock_that_is_set_moves_a_run() {
        let mut schedule = nightly();
        assert_eq!(told(&mut schedule, "2026-11-27T01:00:00Z"), [], "its time has passed");
        assert_eq!(told(&mut schedule, "2026-11-30T02:00:00Z"), [], "the clock was set back");
        let utc =
            Upcoming { rule: Rule { zone: "UTC".to_owned(), ..schedule.rule.clone() }, at: at("2026-11-28T03:00:00Z") };
        schedule.watched.upcoming = Some(utc);
        assert_eq!(told_at(&mut schedule, "2026-11-27T12:00:00Z"), [], "somebody edited it");
        schedule.state = State::Paused { until: None, why: Paused::OwnerLost };
        assert_eq!(told(&mut schedule, "2026-11-28T01:00:00Z"), [], "nobody waits for it");
    }
}
