//! Whether this process has attended to its operations without interruption, and which of them it has yet to take up.
//!
//! A process may be stopped and continued, and a machine may sleep: afterwards nothing destructive that was requested before is sent
//! without asking again. Operations that a process finds at its start are taken up in the same way. Each is taken up in a turn of its own,
//! those that owe power first, so that an unreadable one delays no other.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use jiff::SignedDuration;
use parking_lot::{Mutex, MutexGuard};

use crate::{
    clock::Clock,
    digitalocean::{
        client::{Client, ServerClock},
        queries,
    },
    operation::{LONGEST_UNATTENDED, ids::OperationId},
    store::{Error, Store, Whose},
};

/// The pause between two checks whether every operation was taken up.
const PAUSE: Duration = Duration::from_millis(10);

/// How this process attends to its operations.
#[derive(Debug)]
pub struct Continuity {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    last: Marks,
    /// Set after a leap of the machine's clock, which may be a sleep or a change of the clock; DigitalOcean's next answer decides.
    unclear: Option<Leap>,
    /// How long nobody attended to the operations, once detected and until it is assigned to each of them.
    gap: Option<SignedDuration>,
    left: Left,
}

/// The readings of the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Marks {
    /// How long the process has run, by a clock that stops while the machine sleeps.
    uptime: Duration,
    /// How far the machine's clock is ahead of ours.
    machine: SignedDuration,
    /// DigitalOcean's clock, once there was an answer.
    theirs: Option<ServerClock>,
}

/// A leap of the machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leap {
    by: SignedDuration,
    /// How many answers DigitalOcean had given when the leap was seen.
    answers: u64,
}

/// Operations that this process has yet to take up.
#[derive(Debug, Default)]
struct Left {
    operations: HashMap<OperationId, Gap>,
    /// Operations that owe power, queued for a turn.
    owing: VecDeque<OperationId>,
    /// All other operations, queued for a turn.
    others: VecDeque<OperationId>,
}

#[derive(Clone, Copy, Debug)]
struct Gap {
    unattended_for: SignedDuration,
    owes_power: bool,
}

impl Continuity {
    /// The state of a process that is about to take up operations from another process, or from its own past.
    pub fn new(clock: &Clock, client: &Client) -> Self {
        let last = Marks::now(clock, client);
        Self { state: Mutex::new(State { last, unclear: None, gap: None, left: Left::default() }) }
    }

    /// Queues these operations to be taken up, after a time in which nobody attended to them.
    pub fn leave(
        &self,
        open: impl IntoIterator<Item = OperationId>,
        owing: &HashSet<OperationId>,
        unattended_for: SignedDuration,
    ) {
        let mut state = self.state();
        state.gap = None;
        for id in open {
            state.left.add(id, Gap { unattended_for, owes_power: owing.contains(&id) });
        }
    }

    /// Compares the clocks with their previous readings. Call this at every query for due operations, and before a command is sent.
    pub fn note(&self, clock: &Clock, client: &Client) {
        self.state().note(Marks::now(clock, client));
    }

    /// Like [`note`](Self::note), and queues all open operations to be taken up again if nobody attended to them for a while.
    pub async fn look(&self, store: &Store, clock: &Clock, client: &Client) -> Result<(), Error> {
        self.note(clock, client);
        if let Some(gap) = self.gap() {
            let owing = store.power_owed().await?.into_iter().map(|owed| owed.operation).collect();
            self.leave(store.open_operations().await?, &owing, gap);
        }
        Ok(())
    }

    /// Whether a command of this operation may be sent now. A destructive command waits until it is clear that this process has attended to
    /// the operation without interruption. To find out, this sends a request to DigitalOcean, since any answer contains its time.
    pub async fn lets_go(&self, id: OperationId, is_destructive: bool, (clock, client): (&Clock, &Client)) -> bool {
        self.note(clock, client);
        if is_destructive && self.is_unclear() {
            drop(client.run(queries::team()).await);
            self.note(clock, client);
            self.suppose_a_gap();
        }
        !self.holds_back(id)
    }

    /// How long nobody attended to the operations, if detected; the caller passes it on to [`leave`](Self::leave).
    fn gap(&self) -> Option<SignedDuration> {
        self.state().gap
    }

    /// Whether only DigitalOcean's next answer can tell if the machine slept. Until then nothing destructive is sent.
    pub fn is_unclear(&self) -> bool {
        self.state().unclear.is_some()
    }

    /// Treats an unclear leap as a sleep, because DigitalOcean's answer did not settle it.
    fn suppose_a_gap(&self) {
        let mut state = self.state();
        if let Some(leap) = state.unclear.take() {
            state.gap = Some(state.gap.map_or(leap.by, |earlier| earlier.max(leap.by)));
        }
    }

    /// Whether every queued operation was taken up.
    pub fn is_complete(&self) -> bool {
        let state = self.state();
        state.gap.is_none() && state.unclear.is_none() && state.left.operations.is_empty()
    }

    /// Waits until every queued operation was taken up, but no longer than `longest`.
    pub async fn completed_within(&self, longest: Duration) {
        let completed = async {
            while !self.state().left.operations.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        };
        // An operation that cannot be taken up must not keep others from being processed.
        let _ = tokio::time::timeout(longest, completed).await;
    }

    /// Whether this operation may send no command before it was taken up.
    pub fn holds_back(&self, id: OperationId) -> bool {
        let state = self.state();
        state.gap.is_some() || state.left.operations.contains_key(&id)
    }

    /// How long nobody attended to this operation, if it is yet to be taken up.
    pub fn unattended(&self, id: OperationId) -> Option<SignedDuration> {
        self.state().left.operations.get(&id).map(|gap| gap.unattended_for)
    }

    /// Records that an operation was taken up.
    pub fn take_up(&self, id: OperationId) {
        self.state().left.operations.remove(&id);
    }

    /// Removes the next operations to take up from the queue.
    pub fn next(&self, whose: Whose, places: usize) -> Vec<OperationId> {
        self.state().left.next(whose, places)
    }

    /// Records that an operation's turn is over, and queues it again if it was not taken up.
    pub fn return_to_line(&self, id: OperationId) {
        self.state().left.line_up(id);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl Marks {
    fn now(clock: &Clock, client: &Client) -> Self {
        Self { uptime: clock.uptime(), machine: clock.machine_ahead(), theirs: client.server_clock() }
    }
}

impl State {
    fn note(&mut self, now: Marks) {
        let last = std::mem::replace(&mut self.last, now);
        let silent = SignedDuration::try_from(now.uptime.saturating_sub(last.uptime)).unwrap_or(SignedDuration::MAX);
        let slept = match (last.theirs, now.theirs) {
            (Some(last), Some(now)) => now.ahead.saturating_sub(last.ahead).max(SignedDuration::ZERO),
            (None, _) | (_, None) => SignedDuration::ZERO,
        };
        let gap = silent.saturating_add(slept);
        if gap > LONGEST_UNATTENDED {
            tracing::warn!(
                minutes = gap.as_mins(),
                "this process stood still; what it was asked before is asked again"
            );
            self.gap = Some(self.gap.map_or(gap, |earlier| earlier.max(gap)));
        }
        let heard = now.theirs.map_or(0, |theirs| theirs.answers);
        let by = now.machine.saturating_sub(last.machine);
        if by > LONGEST_UNATTENDED {
            self.unclear = Some(Leap { by, answers: last.theirs.map_or(0, |theirs| theirs.answers) });
        }
        if self.unclear.is_some_and(|leap| heard > leap.answers) {
            self.unclear = None;
        }
    }
}

impl Left {
    fn add(&mut self, id: OperationId, gap: Gap) {
        let unattended_for = self
            .operations
            .get(&id)
            .map_or(gap.unattended_for, |earlier| earlier.unattended_for.max(gap.unattended_for));
        if self.operations.insert(id, Gap { unattended_for, ..gap }).is_none() {
            self.line_up(id);
        }
    }

    fn line_up(&mut self, id: OperationId) {
        match self.operations.get(&id) {
            Some(Gap { owes_power: true, .. }) => self.owing.push_back(id),
            Some(Gap { owes_power: false, .. }) => self.others.push_back(id),
            None => {}
        }
    }

    fn next(&mut self, whose: Whose, places: usize) -> Vec<OperationId> {
        let mut next = Vec::new();
        while next.len() < places {
            let id = match whose {
                Whose::PowerOwed => self.owing.pop_front(),
                Whose::All => self.owing.pop_front().or_else(|| self.others.pop_front()),
            };
            match id {
                Some(id) if self.operations.contains_key(&id) => next.push(id),
                Some(_) => {}
                None => break,
            }
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Marks = Marks {
        uptime: Duration::from_secs(100),
        machine: SignedDuration::ZERO,
        theirs: Some(ServerClock { ahead: SignedDuration::from_secs(1), answers: 7 }),
    };

    fn state() -> State {
        State { last: START, unclear: None, gap: None, left: Left::default() }
    }

    /// The clock readings after this many minutes of process time and of machine sleep, and this many further answers.
    fn later(alive: u64, asleep: i64, answers: u64) -> Marks {
        let asleep = SignedDuration::from_mins(asleep);
        let ahead = if answers == 0 { SignedDuration::ZERO } else { asleep } + SignedDuration::from_secs(1);
        Marks {
            uptime: START.uptime + Duration::from_mins(alive),
            machine: asleep,
            theirs: Some(ServerClock { ahead, answers: 7 + answers }),
        }
    }

    #[test]
    fn a_process_that_stood_still_is_noticed() {
        let mut state = state();
        state.note(later(15, 0, 0));
        assert_eq!((state.gap, state.unclear), (None, None));
        state.note(later(31, 0, 0));
        assert_eq!((state.gap, state.unclear), (Some(SignedDuration::from_mins(16)), None));
    }

    #[test]
    fn a_machine_that_slept_is_unclear_until_digitalocean_answers() {
        let mut state = state();
        state.note(later(0, 60, 0));
        assert_eq!((state.gap, state.unclear.map(|leap| leap.answers)), (None, Some(7)));
        state.note(later(0, 60, 0));
        assert_eq!((state.gap, state.unclear.map(|leap| leap.answers)), (None, Some(7)));
        state.note(later(0, 60, 1));
        assert_eq!((state.gap, state.unclear), (Some(SignedDuration::from_hours(1)), None));
    }

    #[test]
    fn a_clock_that_was_set_is_no_sleep() {
        let mut state = state();
        state.note(later(0, 60, 0));
        let set = Marks { theirs: Some(ServerClock { answers: 8, ..START.theirs.unwrap() }), ..later(0, 60, 0) };
        state.note(set);
        assert_eq!((state.gap, state.unclear), (None, None));
    }

    #[test]
    fn a_sleep_that_digitalocean_tells_of_first_is_noticed() {
        let mut state = state();
        state.note(Marks { machine: SignedDuration::ZERO, ..later(0, 60, 1) });
        assert_eq!((state.gap, state.unclear), (Some(SignedDuration::from_hours(1)), None));
    }

    #[test]
    fn those_that_owe_power_come_first_and_return_until_they_are_taken_up() {
        let [first, second, third] = [1, 2, 3].map(OperationId::from_random);
        let mut left = Left::default();
        for (id, owes_power) in [(first, false), (second, true), (third, false)] {
            left.add(id, Gap { unattended_for: SignedDuration::ZERO, owes_power });
        }
        assert_eq!(left.next(Whose::PowerOwed, 5), [second]);
        assert_eq!(left.next(Whose::All, 1), [first]);
        left.line_up(second);
        left.operations.remove(&third);
        assert_eq!(left.next(Whose::All, 5), [second]);
        left.operations.remove(&second);
        left.line_up(second);
        assert_eq!(left.next(Whose::All, 5), Vec::<OperationId>::new());
    }
}
