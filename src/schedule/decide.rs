//! Decides what a schedule does now: which planned times have ended, which one waits for its turn, and when to look again.
//!
//! However long nothing looked, one run catches up: that of the newest planned time, if its window is open. Earlier ones were missed. A run
//! waits for the one before it, and for a busy Droplet, until its window ends or a newer planned time takes its place.

use jiff::Timestamp;

use super::{
    Schedule, State,
    slot::{Missed, Skipped, SlotState},
};

/// The facts about a schedule's planned times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accounts {
    /// The last planned time that has a row; `None` before the first.
    pub last: Option<Timestamp>,
    /// The planned time that waits for its turn.
    pub waiting: Option<Timestamp>,
    /// Whether a run is under way.
    pub is_running: bool,
}

/// Consecutive planned times with the same state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The first.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
    /// The number of planned times.
    pub count: u32,
    /// The state of all of them.
    pub state: SlotState,
}

/// What to do for a schedule now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// A planned time that waited in vain, and its state.
    pub given_up: Option<(Timestamp, SlotState)>,
    /// Planned times for which nothing is done.
    pub closed: Vec<Closed>,
    /// The planned time that waits for its turn from now on.
    pub opened: Option<Timestamp>,
    /// The planned time that may begin now.
    pub begin: Option<Timestamp>,
    /// Whether a pause has ended.
    pub resumes: bool,
    /// When to look again if nothing happens before.
    pub wake: Option<Timestamp>,
}

impl Schedule {
    /// Decides what to do now. The same input gives the same answer, also after a crash, since everything that it depends on is stored.
    pub fn decide(&self, accounts: Accounts, now: Timestamp) -> Due {
        let from = accounts.last.map_or(self.floor, |last| last.max(self.floor));
        match self.state {
            State::Active => self.decide_active(accounts, from, now),
            State::Paused { until, .. } => {
                let end = until.filter(|until| *until <= now);
                let left_out = self.rule.runs_between(from, end.unwrap_or(now));
                Due {
                    given_up: accounts.waiting.map(|at| (at, SlotState::Skipped(Skipped::Paused))),
                    closed: closed(&left_out, SlotState::Skipped(Skipped::Paused)).into_iter().collect(),
                    resumes: end.is_some(),
                    // A pause without an end ends when a person resumes the schedule. The planned times that it skipped are counted then.
                    wake: until.map(|until| until.max(now)),
                    ..Due::default()
                }
            }
            State::Removed => {
                Due { given_up: accounts.waiting.map(|at| (at, SlotState::Skipped(Skipped::Paused))), ..Due::default() }
            }
        }
    }

    fn decide_active(&self, accounts: Accounts, from: Timestamp, now: Timestamp) -> Due {
        let due = self.rule.runs_between(from, now);
        let next = self.rule.next_after(from.max(now));
        let (missed, opened) = match due.split_last() {
            Some((newest, missed)) if now < self.window_end(*newest) => (missed, Some(*newest)),
            Some(_) | None => (due.as_slice(), None),
        };
        let mut closed = Vec::from_iter(closed(missed, SlotState::Missed(Missed::Away)));
        let is_late = |at: Timestamp| now >= self.window_end(at);
        let given_up = accounts.waiting.and_then(|at| {
            if opened.is_some() {
                Some((at, SlotState::Missed(Missed::Overtaken)))
            } else {
                is_late(at).then_some((at, SlotState::Missed(Missed::Busy)))
            }
        });
        let waiting = opened.or(accounts.waiting.filter(|_| given_up.is_none()));
        closed.retain(|closed| closed.count > 0);
        Due {
            given_up,
            closed,
            opened,
            // The clock may have been set back since it was opened.
            begin: waiting.filter(|at| *at <= now && !accounts.is_running),
            resumes: false,
            wake: [next, waiting.map(|at| if at > now { at } else { self.window_end(at) })].into_iter().flatten().min(),
        }
    }
}

fn closed(runs: &[Timestamp], state: SlotState) -> Option<Closed> {
    let (first, last) = (*runs.first()?, *runs.last()?);
    Some(Closed { first, last, count: u32::try_from(runs.len()).unwrap_or(u32::MAX), state })
}
