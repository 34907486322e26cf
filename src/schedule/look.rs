//! One look at a schedule: what is due, what its owner's right permits, and which notices people get. Pure, like all decisions here.
//!
//! `app` reads the facts, asks Discord where [`Look::asks_for_owner`] says so, and stores the result in one transaction. The simulated year
//! of the tests does the same with a model of the store.

use jiff::{SignedDuration, Timestamp};

use super::{
    Accounts, Due, OwnerSeen, Paused, Record, Right, Schedule, State, Upcoming,
    notice::Notice,
    pruning::Candidate,
    slot::{Missed, SlotState},
};

/// A right that lasts until a moment has ended just after it.
const JUST_AFTER: SignedDuration = SignedDuration::from_millis(1);

/// A look that is being taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// The schedule as it will be stored.
    pub schedule: Schedule,
    /// What is due.
    pub due: Due,
    /// The notices that people get.
    pub notices: Vec<Notice>,
    /// When the schedule wants to be looked at again for what is known so far.
    pub wake: Option<Timestamp>,
    now: Timestamp,
}

impl Look {
    /// Decides what is due, and ends a pause whose time has come.
    pub fn begin(schedule: &Schedule, accounts: Accounts, now: Timestamp) -> Self {
        let mut schedule = schedule.clone();
        let due = schedule.decide(accounts, now);
        let notices = of_missed(&due);
        let wake = if due.resumes { Some(now) } else { due.wake };
        if let State::Paused { until: Some(until), .. } = schedule.state
            && due.resumes
        {
            schedule.resume(until);
        }
        Self { schedule, due, notices, wake, now }
    }

    /// Whether Discord must be asked now if the owner still has the right: before each run, and while they are lost each morning and before
    /// the schedule pauses.
    pub fn asks_for_owner(&self) -> bool {
        let (schedule, now) = (&self.schedule, self.now);
        let was_silent = schedule.owner.ask_again_at().is_some_and(|at| at <= now);
        let is_lost = must_tell_of_owner(schedule, now) || schedule.owner.right(now) == Right::None;
        schedule.is_active() && (self.due.begin.is_some() || was_silent || is_lost)
    }

    /// What follows from the owner's right. `seen` is Discord's answer, if it was asked.
    pub fn follow_owner(&mut self, seen: Option<OwnerSeen>) {
        let (schedule, now) = (&mut self.schedule, self.now);
        if !schedule.is_active() {
            return;
        }
        if let Some(seen) = seen {
            schedule.owner = schedule.owner.seen(seen, now);
        }
        match schedule.owner.right(now) {
            Right::Full => {
                schedule.watched.owner_told_at = None;
                self.wake = [self.wake, schedule.owner.ask_again_at()].into_iter().flatten().min();
            }
            Right::TakeOnly => {
                if must_tell_of_owner(schedule, now) {
                    self.notices.push(Notice::OwnerLost { since: schedule.owner.lost_since.unwrap_or(now) });
                    schedule.watched.owner_told_at = Some(now);
                }
                let pause = schedule.owner.paused_at().and_then(|at| at.checked_add(JUST_AFTER).ok());
                let moments = [self.wake, schedule.next_owner_reminder(), pause, schedule.owner.ask_again_at()];
                self.wake = moments.into_iter().flatten().min();
            }
            Right::None => {
                schedule.state = State::Paused { until: None, why: Paused::OwnerLost };
                self.notices.push(Notice::Unowned);
                self.due.begin = None;
                self.wake = Some(now);
            }
        }
    }

    /// Tells people what they should know about what the schedule has brought so far. Returns since when it is stale, if it is.
    pub fn remind(&mut self, record: Record<'_>) -> Option<Timestamp> {
        let (schedule, notices, now) = (&mut self.schedule, &mut self.notices, self.now);
        let stale = schedule.stale_since(record, now);
        let newest_of_any = record.snapshots.iter().filter_map(|candidate| candidate.planned).max();
        // For a group, the newest Snapshot of any member is better than none.
        let newest = schedule.newest_good(record.snapshots, record.run).or(newest_of_any);
        of_zone(schedule, notices);
        of_clocks(schedule, notices, now);
        of_doubt(schedule, record.snapshots, notices);
        of_size(schedule, record.snapshots, notices, now);
        let stale_at = of_staleness(schedule, (stale, newest), notices, now);
        let pause_at = of_pause(schedule, newest_of_any, notices, now);
        let moved_at = of_monday(schedule, now);
        self.wake = [self.wake, stale_at, pause_at, moved_at].into_iter().flatten().min();
        stale
    }
}

/// Whether people hear now that the owner is lost.
fn must_tell_of_owner(schedule: &Schedule, now: Timestamp) -> bool {
    schedule.next_owner_reminder().is_some_and(|at| at <= now)
}

/// Tells people once a day that there is no recent Snapshot, since when, and which good one is the newest. Returns when to do so next.
fn of_staleness(
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
fn of_pause(
    schedule: &mut Schedule,
    newest: Option<Timestamp>,
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
        notices.push(Notice::Paused { newest });
    }
    if is_due || schedule.watched.pause_told_at.is_none() {
        schedule.watched.pause_told_at = Some(now);
    }
    schedule.next_pause_reminder()
}

/// Tells people about a newest Snapshot that is much smaller than the one before it: once until there is a good one, or a person accepts
/// it. Another small one after it belongs to the same notice.
fn of_doubt(schedule: &mut Schedule, candidates: &[Candidate], notices: &mut Vec<Notice>) {
    let known = schedule.watched.doubted.filter(|known| !schedule.watched.relied_on.contains(known));
    let doubtful = schedule.doubtful(candidates);
    if let Some(operation) = doubtful.filter(|operation| known != Some(*operation)) {
        notices.push(Notice::Doubtful { operation, count: if known.is_some() { 2 } else { 1 } });
    }
    schedule.watched.doubted = doubtful;
}

/// Tells people about a Snapshot whose size DigitalOcean has not reported for a day: once until there is a good one.
fn of_size(schedule: &mut Schedule, candidates: &[Candidate], notices: &mut Vec<Notice>, now: Timestamp) {
    let (known, found) = (schedule.watched.unsized_told, schedule.unsized_for_long(candidates, now));
    if let Some(operation) = found.filter(|operation| known != Some(*operation)) {
        notices.push(Notice::Unsized { operation, count: if known.is_some() { 2 } else { 1 } });
    }
    schedule.watched.unsized_told = found;
}

/// Has the schedule's message posted again on Mondays, and returns when that is next due.
fn of_monday(schedule: &mut Schedule, now: Timestamp) -> Option<Timestamp> {
    if schedule.next_move().is_some_and(|at| at <= now) {
        schedule.watched.moved_at = Some(now);
    }
    schedule.next_move()
}

/// Tells people once that a time zone is no longer known: a new version of this program may know other ones.
fn of_zone(schedule: &mut Schedule, notices: &mut Vec<Notice>) {
    let zone = (!schedule.rule.has_known_zone()).then(|| schedule.rule.zone.clone());
    if schedule.watched.zone_told == zone {
        return;
    }
    notices.extend(zone.clone().map(|zone| Notice::Zone { zone }));
    schedule.watched.zone_told = zone;
}

/// Tells people once that the next run has another time although nobody changed the rule: the last process may have had other time zone
/// data.
fn of_clocks(schedule: &mut Schedule, notices: &mut Vec<Notice>, now: Timestamp) {
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
fn of_missed(due: &Due) -> Vec<Notice> {
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
