//! The run loop's decisions: which operation may take a place, what a request waits for, what follows once it may leave, and what a turn that
//! failed leads to.
//!
//! Pure, without a runtime, a clock or the store: [`turns`](super::run_loop) acts on them, and so does the simulation.

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

/// A turn waits for its leave this long without giving up its place.
const SHORT_WAIT: SignedDuration = SignedDuration::from_secs(2);
/// How much longer each open operation makes those wait that wait for a turn.
const CROWD_PAUSE_MILLIS: i64 = 20;
const LONGEST_CROWD_PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// Where DigitalOcean wants silence, whether it still does is asked at least this often.
const LONGEST_SILENT_NAP: SignedDuration = SignedDuration::from_mins(1);
/// Before the store is asked again after it failed.
pub(super) const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Before an operation is taken up again that panics whatever is done with it.
const PANIC_PAUSE: Duration = Duration::from_mins(1);
/// The store is asked for what is due at least this often, should the machine's clock be set.
const LONGEST_NAP: SignedDuration = SignedDuration::from_secs(30);
/// A round of looks costs no more than this, however many look: the watcher sweeps.
const MOST_REQUESTS_PER_ROUND: u32 = 10;

/// How many turns may be under way at once; each waits for an answer most of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// All of them.
    pub all: usize,
    /// Of these, kept free for operations that have a Droplet to turn on again.
    pub for_power: usize,
}

/// Free places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vacancy {
    /// Who may take them.
    pub whose: Whose,
    /// How many there are.
    pub places: usize,
}

impl Places {
    /// Those of the program.
    pub const USUAL: Self = Self { all: 64, for_power: 16 };

    /// What is free while so many turns are under way.
    pub fn free(self, under_way: usize) -> Vacancy {
        let room = self.all.saturating_sub(under_way);
        match room.saturating_sub(self.for_power) {
            0 => Vacancy { whose: Whose::PowerOwed, places: room },
            places => Vacancy { whose: Whose::All, places },
        }
    }

    /// Whether nothing more can begin before a turn ends.
    pub fn are_taken(self, under_way: usize) -> bool {
        under_way >= self.all
    }
}

/// When the store is asked again for what is due, unless something is said or ends before: at once where the last look may have missed
/// something, else when the next operation is due.
pub fn next_look(may_have_missed: bool, next_due: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let latest = now.saturating_add(LONGEST_NAP).unwrap_or(now);
    if may_have_missed { now } else { next_due.unwrap_or(latest).min(latest) }
}

/// The rules with the pause that the request budget allows, `floor`: polls use at most half of it, so with more operations it grows.
pub fn paced(rules: &Rules, floor: Duration) -> Rules {
    let floor = SignedDuration::try_from(floor).unwrap_or(SignedDuration::ZERO);
    Rules { poll_interval: rules.poll_interval.max(floor), ..rules.clone() }
}

/// How many requests a round of looks at so many open operations costs.
pub fn requests_per_round(open: usize) -> u32 {
    u32::try_from(open).unwrap_or(u32::MAX).clamp(1, MOST_REQUESTS_PER_ROUND)
}

/// How many downtimes there are, or are about to be because they have a place, besides that of one operation.
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

/// Until when an operation that stands in line for a downtime waits to be called: then it is too old. Until then it is not due.
pub fn called_until(operation: &Operation, now: Timestamp) -> Timestamp {
    operation.turn_lapses_at().unwrap_or(now).max(now + SHORT_WAIT)
}

/// What stands between a request and its leaving.
#[derive(Clone, Copy, Debug)]
pub struct Prospect {
    /// Its rank.
    pub rank: Priority,
    /// What the budget says.
    pub held_back: Option<HeldBack>,
    /// It opens a downtime whose turn has not come; unless it is called before, it may ask again at this moment.
    pub turn_at: Option<Timestamp>,
    /// How many operations are open.
    pub open: usize,
}

impl Prospect {
    /// What the request has to wait for, if that takes long, and when to ask again. Anyone who waits gives its place to others, hears what
    /// people say meanwhile, and shows that it waits.
    pub fn wait(self, now: Timestamp) -> Option<(Blocker, Timestamp)> {
        if let Some(HeldBack::Silence(until)) = self.held_back {
            // It may be over sooner than was asked for.
            return Some((Blocker::Throttled, until.min(now + LONGEST_SILENT_NAP)));
        }
        if let Some(turn_at) = self.turn_at {
            return Some((Blocker::Turn, turn_at));
        }
        let Some(HeldBack::Turn(at)) = self.held_back.filter(|_| self.rank != Priority::PowerOn) else { return None };
        // The more wait, the longer until it can be one's turn, and the less is worth asking for it; but not while a Droplet
        // is off, or may be.
        let pause = match self.rank {
            Priority::PowerOnBlind | Priority::Off | Priority::LookUp => SignedDuration::ZERO,
            _ => {
                let crowd = i64::try_from(self.open).unwrap_or(i64::MAX);
                SignedDuration::from_millis(CROWD_PAUSE_MILLIS.saturating_mul(crowd)).min(LONGEST_CROWD_PAUSE)
            }
        };
        (at > now + SHORT_WAIT).then_some((Blocker::Turn, at.max(now + pause)))
    }
}

/// What to do with an operation that was taken up again because its command may leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnceAdmitted {
    /// Write the intent down and send.
    Send,
    /// After a long wait the last look at the Droplet is old: look once more, under the leave that was waited for, so that the command
    /// leaves on the present state.
    LookFirst(Look),
    /// It wants something else by now.
    LetGo,
}

impl OnceAdmitted {
    /// By what the operation wants now, where `command` was wanted; `has_looked` is whether a fresh look was taken already.
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
    /// How far the operation is was stored.
    Stored,
    /// Somebody else goes on with the operation.
    TakenOver,
    /// The store failed, before or after it wrote.
    NotStored,
    /// It panicked. That ends the forward part of the operation in whose turn it happened, and nothing else: it is to be halted.
    Panicked,
    /// It panicked, and so did halting it.
    CannotBeHalted,
    /// Nothing was asked and nothing stored: what it waits for can be seen after so long.
    PutOff(Duration),
}

impl Ending {
    /// How a turn ends that found nothing to write down.
    pub(super) const NOTHING_STORED: Self = Self::PutOff(Duration::ZERO);

    /// How a turn ended that came to its end.
    pub fn of(outcome: &Result<Self, Error>) -> Self {
        match outcome {
            Ok(ending) => *ending,
            Err(error) => Self::of_failure(error),
        }
    }

    /// The same, and the log says what went wrong.
    pub fn logged(outcome: &Result<Self, Error>) -> Self {
        match outcome {
            Ok(_) => {}
            Err(Error::LeaseLost) => tracing::info!("somebody else goes on with the operation"),
            Err(error) => tracing::warn!(%error, "could not store how far the operation is; it is taken up again"),
        }
        Self::of(outcome)
    }

    /// How a turn ended that could not store how far the operation is.
    pub fn of_failure(error: &Error) -> Self {
        match error {
            Error::LeaseLost => Self::TakenOver,
            _ => Self::NotStored,
        }
    }

    /// For how long the turn keeps its place then: a store that fails is spared by all.
    pub fn keeps_place_for(self) -> Option<Duration> {
        match self {
            Self::NotStored => Some(STORE_PAUSE),
            Self::Stored | Self::TakenOver | Self::Panicked | Self::CannotBeHalted | Self::PutOff(_) => None,
        }
    }

    /// For how long the operation is left alone then. It takes nobody's place meanwhile.
    pub fn leaves_alone_for(self) -> Option<Duration> {
        match self {
            Self::CannotBeHalted => Some(PANIC_PAUSE),
            Self::PutOff(pause) => Some(pause),
            // A row that nobody can write is not tried without end.
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
