//! The run loop's decisions: which operation may take a place, what a request waits for, what follows once it may be sent, and what a
//! failed turn leads to.
//!
//! Pure, without a runtime, a clock or the store: [`run_loop`](super::run_loop) acts on the decisions, and so does the simulation.

use std::{collections::HashSet, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::Claimed;
use crate::{
    digitalocean::budget::{HeldBack, Priority},
    operation::{
        Blocker, Operation, Rules,
        effect::{Command, Effect, Look},
        ids::OperationId,
    },
    store::{Error, PowerOwed, Whose},
};

/// How long a turn waits for permission to send without giving up its place.
const SHORT_WAIT: SignedDuration = SignedDuration::from_secs(2);
/// How much each open operation adds to the pause of those that wait for a turn.
const CROWD_PAUSE_MILLIS: i64 = 20;
const LONGEST_CROWD_PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// How often to check, at least, whether a silence that DigitalOcean asked for is over.
const LONGEST_SILENT_NAP: SignedDuration = SignedDuration::from_mins(1);
/// The pause before the store is queried again after a failure.
pub(super) const STORE_PAUSE: Duration = Duration::from_secs(1);
/// The pause before an operation is taken up again that panics whatever is done with it.
const PANIC_PAUSE: Duration = Duration::from_mins(1);
/// How often the store is queried for due operations, at least, in case the machine's clock is set.
const LONGEST_NAP: SignedDuration = SignedDuration::from_secs(30);
/// The most requests that a round of looks can cost, however many operations look: the watcher sweeps.
const MOST_REQUESTS_PER_ROUND: u32 = 10;

/// How many turns may run simultaneously; each spends most of its time waiting for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// The number of all places.
    pub all: usize,
    /// How many of these are reserved for operations that have a Droplet to turn back on.
    pub for_power: usize,
}

/// Free places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vacancy {
    /// The operations that may take them.
    pub whose: Whose,
    /// How many there are.
    pub places: usize,
}

impl Places {
    /// The numbers that the program uses.
    pub const USUAL: Self = Self { all: 64, for_power: 16 };

    /// The free places while this many turns are running.
    pub fn free(self, under_way: usize) -> Vacancy {
        let room = self.all.saturating_sub(under_way);
        match room.saturating_sub(self.for_power) {
            0 => Vacancy { whose: Whose::PowerOwed, places: room },
            places => Vacancy { whose: Whose::All, places },
        }
    }

    /// Whether no further turn can begin before one ends.
    pub fn are_taken(self, under_way: usize) -> bool {
        under_way >= self.all
    }
}

/// When to query the store again for due operations, unless an instruction or the end of a turn comes first: immediately if the last query may have
/// missed something, otherwise when the next operation is due.
pub fn next_look(may_have_missed: bool, next_due: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let latest = now.saturating_add(LONGEST_NAP).unwrap_or(now);
    if may_have_missed { now } else { next_due.unwrap_or(latest).min(latest) }
}

/// The rules with `floor`, the pause that the request budget allows, as the polling interval: polls use at most half of the budget, so the
/// pause grows with the number of operations. Requests are scarce if that pause is in force, or a round of looks at the `open` operations
/// costs as many requests as it ever does.
pub fn paced(rules: &Rules, floor: Duration, open: usize) -> Rules {
    let floor = SignedDuration::try_from(floor).unwrap_or(SignedDuration::ZERO);
    Rules {
        poll_interval: rules.poll_interval.max(floor),
        are_requests_scarce: floor > rules.poll_interval || requests_per_round(open) == MOST_REQUESTS_PER_ROUND,
        ..rules.clone()
    }
}

/// How many requests a round of looks at this many open operations costs.
pub fn requests_per_round(open: usize) -> u32 {
    u32::try_from(open).unwrap_or(u32::MAX).clamp(1, MOST_REQUESTS_PER_ROUND)
}

/// How many downtimes there are, or are about to begin because they have a place, not counting one operation.
pub fn other_downtimes(
    owed: &[PowerOwed],
    placed: impl Iterator<Item = OperationId>,
    of: Option<OperationId>,
) -> usize {
    // A Droplet that is on and only watched is no downtime.
    let down = owed.iter().filter(|owed| !owed.is_watched).map(|owed| owed.operation);
    let downtimes: HashSet<OperationId> = down.chain(placed).filter(|id| Some(*id) != of).collect();
    downtimes.len()
}

/// Until when an operation in the downtime queue waits to be called. After that it is too old, and before that it is not due.
pub fn called_until(operation: &Operation, now: Timestamp) -> Timestamp {
    operation.turn_lapses_at().unwrap_or(now).max(now + SHORT_WAIT)
}

/// What may delay a request.
#[derive(Clone, Copy, Debug)]
pub struct Prospect {
    /// Its priority.
    pub rank: Priority,
    /// What the budget says.
    pub held_back: Option<HeldBack>,
    /// Set if it opens a downtime whose turn has not come; unless it is called earlier, it may ask again at this moment.
    pub turn_at: Option<Timestamp>,
    /// How many operations are open.
    pub open: usize,
}

impl Prospect {
    /// What the request has to wait for, if the wait is long, and when to ask again. An operation that waits gives up its place, hears what
    /// people say meanwhile, and shows that it waits.
    pub fn wait(self, now: Timestamp) -> Option<(Blocker, Timestamp)> {
        if let Some(HeldBack::Silence(until)) = self.held_back {
            // The silence may end sooner than was asked for.
            return Some((Blocker::Throttled, until.min(now + LONGEST_SILENT_NAP)));
        }
        if let Some(turn_at) = self.turn_at {
            return Some((Blocker::Turn, turn_at));
        }
        let Some(HeldBack::Turn(at)) = self.held_back.filter(|_| self.rank != Priority::PowerOn) else { return None };
        // The more operations wait, the longer it takes until it can be their turn, and the less asking for it is worth; but not while a
        // Droplet is off, or may be.
        let pause = match self.rank {
            Priority::PowerOn | Priority::PowerOnBlind | Priority::Off | Priority::LookUp => SignedDuration::ZERO,
            Priority::Person
            | Priority::Shutdown
            | Priority::BeforeShutdown
            | Priority::Poll
            | Priority::Watch
            | Priority::Inventory => {
                let crowd = i64::try_from(self.open).unwrap_or(i64::MAX);
                SignedDuration::from_millis(CROWD_PAUSE_MILLIS.saturating_mul(crowd)).min(LONGEST_CROWD_PAUSE)
            }
        };
        (at > now + SHORT_WAIT).then_some((Blocker::Turn, at.max(now + pause)))
    }
}

/// What to do with an operation that was claimed again because its command may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnceAdmitted {
    /// Commit the intent and send.
    Send,
    /// After a long wait the last look at the Droplet is old: look once more, with the permission already obtained, so that the command
    /// acts on the current state.
    LookFirst(Look),
    /// Drop the command: the operation wants something else by now.
    LetGo,
}

impl OnceAdmitted {
    /// Decides by what the operation wants now, given that it wanted `command`; `has_looked` is whether a fresh look was already taken.
    pub fn of(claimed: &Claimed, command: &Command, has_looked: bool) -> Self {
        match claimed.effect() {
            Effect::Send(wanted) if wanted == command => Self::Send,
            Effect::Look(look @ Look::Droplet(_)) if !has_looked => Self::LookFirst(look.clone()),
            Effect::Look(_) | Effect::Send(_) | Effect::Sleep(_) | Effect::Rest => Self::LetGo,
        }
    }
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The operation's new state was stored.
    Stored,
    /// Another process has taken over the operation.
    TakenOver,
    /// The store failed, before or after it wrote.
    NotStored,
    /// It panicked. That ends only the forward part of the operation in whose turn it happened: it has to be halted.
    Panicked,
    /// It panicked, and so did halting it.
    CannotBeHalted,
    /// Nothing was sent and nothing stored: what it waits for can be read after this long.
    PutOff(Duration),
}

impl Ending {
    /// The ending of a turn that had nothing to store.
    pub(super) const NOTHING_STORED: Self = Self::PutOff(Duration::ZERO);

    /// The ending of a turn that did not panic.
    pub fn of(outcome: &Result<Self, Error>) -> Self {
        match outcome {
            Ok(ending) => *ending,
            Err(error) => Self::of_failure(error),
        }
    }

    /// Like [`of`](Self::of), and logs what went wrong.
    pub fn logged(outcome: &Result<Self, Error>) -> Self {
        match outcome {
            Ok(_) => {}
            Err(Error::LeaseLost) => tracing::info!("somebody else goes on with the operation"),
            Err(error) => tracing::warn!(%error, "could not store how far the operation is; it is taken up again"),
        }
        Self::of(outcome)
    }

    /// The ending of a turn that could not store the operation's new state.
    pub fn of_failure(error: &Error) -> Self {
        match error {
            Error::LeaseLost => Self::TakenOver,
            _ => Self::NotStored,
        }
    }

    /// How long the turn then keeps its place: while the store fails, all turns spare it.
    pub fn keeps_place_for(self) -> Option<Duration> {
        match self {
            Self::NotStored => Some(STORE_PAUSE),
            Self::Stored | Self::TakenOver | Self::Panicked | Self::CannotBeHalted | Self::PutOff(_) => None,
        }
    }

    /// How long the operation is then left alone. Meanwhile it takes up no place.
    pub fn leaves_alone_for(self) -> Option<Duration> {
        match self {
            Self::CannotBeHalted => Some(PANIC_PAUSE),
            Self::PutOff(pause) => Some(pause),
            // A row that nobody can write must not be retried in a busy loop.
            Self::TakenOver => Some(STORE_PAUSE),
            Self::Stored | Self::NotStored | Self::Panicked => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::ids::DropletId;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn in_seconds(seconds: i64) -> Timestamp {
        now() + SignedDuration::from_secs(seconds)
    }

    fn prospect(rank: Priority, held_back: Option<HeldBack>) -> Prospect {
        Prospect { rank, held_back, turn_at: None, open: 1_000 }
    }

    #[test]
    fn the_last_places_are_for_those_that_owe_power() {
        let places = Places { all: 4, for_power: 2 };
        let free = |under_way| (places.free(under_way).whose, places.free(under_way).places);
        assert_eq!(free(0), (Whose::All, 2));
        assert_eq!(free(1), (Whose::All, 1));
        assert_eq!(free(2), (Whose::PowerOwed, 2));
        assert_eq!(free(4), (Whose::PowerOwed, 0));
        assert!(places.are_taken(4) && !places.are_taken(3));
    }

    #[test]
    fn the_store_is_asked_again_when_something_is_due_and_every_half_minute() {
        assert_eq!(next_look(true, Some(in_seconds(9)), now()), now());
        assert_eq!(next_look(false, Some(in_seconds(9)), now()), in_seconds(9));
        assert_eq!(next_look(false, Some(in_seconds(900)), now()), in_seconds(30));
        assert_eq!(next_look(false, None, now()), in_seconds(30));
    }

    #[test]
    fn silence_is_kept_by_every_rank_and_asked_about_each_minute() {
        let silence = Some(HeldBack::Silence(in_seconds(3_600)));
        for rank in [Priority::PowerOn, Priority::Off, Priority::Poll] {
            assert_eq!(prospect(rank, silence).wait(now()), Some((Blocker::Throttled, in_seconds(60))));
        }
    }

    #[test]
    fn a_power_on_keeps_its_place_and_waits_there() {
        let later = Some(HeldBack::Turn(in_seconds(30)));
        assert_eq!(prospect(Priority::PowerOn, later).wait(now()), None);
        assert_eq!(prospect(Priority::Off, later).wait(now()), Some((Blocker::Turn, in_seconds(30))));
    }

    #[test]
    fn a_short_wait_is_waited_out_and_a_crowd_waits_longer() {
        let soon = Some(HeldBack::Turn(in_seconds(2)));
        assert_eq!(prospect(Priority::Poll, soon).wait(now()), None);
        let later = Some(HeldBack::Turn(in_seconds(5)));
        assert_eq!(prospect(Priority::Poll, later).wait(now()), Some((Blocker::Turn, in_seconds(20))));
        assert_eq!(prospect(Priority::LookUp, later).wait(now()), Some((Blocker::Turn, in_seconds(5))));
    }

    #[test]
    fn a_downtime_waits_for_its_turn() {
        let wait = Prospect { turn_at: Some(in_seconds(40)), ..prospect(Priority::Shutdown, None) }.wait(now());
        assert_eq!(wait, Some((Blocker::Turn, in_seconds(40))));
    }

    #[test]
    fn downtimes_are_those_owed_and_those_about_to_begin() {
        let id = OperationId::from_random;
        let owed = |number, is_watched| PowerOwed {
            droplet: DropletId(number),
            operation: id(number),
            since: now(),
            is_watched,
        };
        let owed = [owed(1, false), owed(2, true), owed(3, false)];
        let placed = [id(3), id(4), id(5)];
        // 1 and 3 are down, 4 may be soon, and 5 is the one that asks.
        assert_eq!(other_downtimes(&owed, placed.into_iter(), Some(id(5))), 3);
        assert_eq!(other_downtimes(&[], std::iter::once(id(4)), Some(id(4))), 0);
    }

    #[test]
    fn a_store_that_fails_is_spared_by_all_and_a_row_that_panics_keeps_nobody_waiting() {
        let pauses = |ending: Ending| (ending.keeps_place_for(), ending.leaves_alone_for());
        for ending in [Ending::of(&Ok(Ending::Stored)), Ending::Panicked] {
            assert_eq!(pauses(ending), (None, None), "{ending:?}");
        }
        assert_eq!(pauses(Ending::of(&Err(Error::LeaseLost))), (None, Some(STORE_PAUSE)));
        assert_eq!(pauses(Ending::of(&Err(Error::Full))), (Some(STORE_PAUSE), None));
        assert_eq!(pauses(Ending::CannotBeHalted), (None, Some(PANIC_PAUSE)));
        assert_eq!(pauses(Ending::PutOff(Duration::from_secs(7))), (None, Some(Duration::from_secs(7))));
    }
}
