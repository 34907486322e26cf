//! Which operation may begin a downtime next.
//!
//! An operation is given a place once and keeps it to the end; having to ask again before each look, it would lose its place again and
//! again. Places are given in batches, so that operations that begin together are read together, and to each requester in turn, so that one
//! person's hundred takes delay nobody else. The queue calls operations rather than being polled: a waiting operation stores that once, and
//! costs nothing until it is called. The queue is pure: [`super::run_loop`] acts on it, and so does the simulation. It ends with the
//! process; a restart makes every operation due, so that all join it again.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::{
    digitalocean::budget::DowntimeRoom,
    operation::{
        Operation,
        ids::{DropletId, OperationId, RunId, ScheduleId, UserId},
        trigger::Trigger,
    },
    store::PowerOwed,
};

/// The pause between two batches.
const BATCH_PAUSE: SignedDuration = SignedDuration::from_secs(20);
/// How many batches there are in a minute.
const BATCHES_A_MINUTE: usize = 3;
const MINUTE: SignedDuration = SignedDuration::from_secs(60);
/// How long a place is reserved. An operation with a place normally owes power long before this, and is counted by that from then on;
/// otherwise its place becomes free again.
const PLACE_LASTS: SignedDuration = SignedDuration::from_mins(3);

/// The operations that wait to begin a downtime, and those that have been admitted.
#[derive(Debug, Default)]
pub struct DowntimeQueue {
    waiting: BTreeMap<OperationId, Waiting>,
    placed: BTreeMap<OperationId, Placed>,
    /// When the batch from which places are given began, and how many places it has left.
    batch: Option<(Timestamp, usize)>,
    /// When places were given in the last minute.
    given: VecDeque<Timestamp>,
    /// The subset of those that were given outside a batch.
    given_at_once: VecDeque<Timestamp>,
}

/// On whose behalf an operation runs: each requester gets places in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum OnBehalfOf {
    /// A command or a press.
    Person(UserId),
    /// A schedule's planned times, which do not delay its owner's commands.
    Schedule(ScheduleId),
    /// The run of a group.
    Run(RunId),
}

impl OnBehalfOf {
    fn of(operation: &Operation) -> Self {
        match operation.trigger {
            Some(Trigger::Slot { schedule, .. } | Trigger::Prune { schedule, .. }) => Self::Schedule(schedule),
            Some(Trigger::Member { run, .. }) => Self::Run(run),
            Some(Trigger::Interaction(_) | Trigger::Run { .. }) | None => Self::Person(operation.requester.user),
        }
    }
}

/// An operation that waits in the queue.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    requester: OnBehalfOf,
    /// When it was asked for, in minutes: a person asks for many Droplets within a moment.
    asked_at: i64,
    /// Droplets that are next to each other in DigitalOcean's lists are read with one page.
    droplet: Option<DropletId>,
    /// Whether a turn of it has begun since it last joined the queue.
    is_taken_up: bool,
}

impl Waiting {
    fn of(operation: &Operation) -> Self {
        Self {
            requester: OnBehalfOf::of(operation),
            asked_at: operation.asked_at.as_second() / 60,
            droplet: operation.target.droplet,
            is_taken_up: false,
        }
    }
}

/// An operation that has a place.
#[expect(clippy::struct_excessive_bools, reason = "each may be so without the others")]
#[derive(Clone, Copy, Debug)]
struct Placed {
    waiting: Waiting,
    since: Timestamp,
    /// Whether it did not have to wait for a batch.
    is_at_once: bool,
    /// Whether its Droplet was among those to which power is owed.
    has_begun: bool,
    /// Whether a turn of it has begun since it was given its place.
    is_taken_up: bool,
    /// Whether its row says when it is due; until then the row says that it waits for the call.
    is_settled: bool,
}

impl DowntimeQueue {
    /// Records that a turn of this operation begins. Returns whether it is in the queue, so that its row may be waiting for a call.
    pub fn take_up(&mut self, id: OperationId) -> bool {
        let waiting = self.waiting.get_mut(&id).map(|waiting| &mut waiting.is_taken_up);
        let placed = self.placed.get_mut(&id).map(|placed| &mut placed.is_taken_up);
        waiting.into_iter().chain(placed).map(|is_taken_up| *is_taken_up = true).next().is_some()
    }

    /// Records that a turn of this operation ended; `is_stored` says whether its row says how it continues. An operation that has not
    /// joined the queue again has then left it.
    pub fn turn_ended(&mut self, id: OperationId, is_stored: bool) {
        if let Some(waiting) = self.waiting.get_mut(&id) {
            if std::mem::take(&mut waiting.is_taken_up) && is_stored {
                self.waiting.remove(&id);
            }
        } else if let Some(placed) = self.placed.get_mut(&id) {
            placed.is_settled |= std::mem::take(&mut placed.is_taken_up) && is_stored;
        }
    }

    /// Whether an operation has a place.
    pub fn has_place(&self, id: OperationId) -> bool {
        self.placed.contains_key(&id)
    }

    /// Whether asking for a place may yield one now; otherwise the operation only needs to join the queue.
    pub fn may_place(&self, operation: &Operation, now: Timestamp) -> bool {
        self.batch_is_over(now) || self.batch.is_some_and(|(_, left)| left > 0) || self.is_new_here(operation)
    }

    /// Asks for a place while there is this much room, and returns whether the operation has one. If not, it waits in the queue until it is
    /// called.
    pub fn ask(&mut self, operation: &Operation, room: DowntimeRoom, now: Timestamp) -> bool {
        let id = operation.id;
        if self.has_place(id) {
            return true;
        }
        let left = self.left_of_batch(room, now);
        let others = self.waiting.len() - usize::from(self.waiting.contains_key(&id));
        let is_at_once =
            room.for_newcomers > 0 && self.given_at_once.len() < batch_of(room.a_minute) && self.is_new_here(operation);
        if is_at_once {
            self.given_at_once.push_back(now);
        } else if others < left {
            self.batch = self.batch.map(|(begun, left)| (begun, left - 1));
        } else {
            self.stand(operation);
            return false;
        }
        self.waiting.remove(&id);
        self.place(id, Waiting::of(operation), is_at_once, now);
        self.take_up(id);
        true
    }

    /// Whether an operation begins outside a batch, so that its look waits for no other.
    pub fn begins_alone(&self, id: OperationId) -> bool {
        self.placed.get(&id).is_some_and(|placed| placed.is_at_once && !placed.has_begun)
    }

    /// Adds an operation to the queue, in which it waits to be called.
    pub fn stand(&mut self, operation: &Operation) {
        self.waiting.insert(operation.id, Waiting::of(operation));
    }

    /// Whether an operation may be called now.
    pub fn may_call(&self, now: Timestamp) -> bool {
        let batch_has_some = self.batch.is_some_and(|(_, left)| left > 0);
        (batch_has_some || self.batch_is_over(now)) && self.somebody_waits()
    }

    /// Gives places to the operations whose turn it is: every requester's first operation comes before anybody's second.
    pub fn call(&mut self, room: DowntimeRoom, now: Timestamp) {
        let left = self.left_of_batch(room, now);
        if left == 0 {
            return;
        }
        let waiting = self.waiting.iter().filter(|(_, waiting)| !waiting.is_taken_up);
        let mut by_requester: Vec<(OnBehalfOf, i64, Option<DropletId>, OperationId)> =
            waiting.map(|(id, it)| (it.requester, it.asked_at, it.droplet, *id)).collect();
        by_requester.sort_unstable();
        let mut turns: HashMap<OnBehalfOf, usize> = HashMap::new();
        let mut in_turn = Vec::with_capacity(by_requester.len());
        for (requester, asked_at, droplet, id) in by_requester {
            let turn = turns.entry(requester).or_default();
            in_turn.push((*turn, asked_at, droplet, id));
            *turn += 1;
        }
        in_turn.sort_unstable();
        in_turn.truncate(left);
        self.batch = self.batch.map(|(begun, left)| (begun, left - in_turn.len()));
        for (.., id) in in_turn {
            if let Some(waiting) = self.waiting.remove(&id) {
                self.place(id, waiting, false, now);
            }
        }
    }

    /// The operations that have a place and whose rows still wait for the call, except `busy` ones.
    pub fn called(&self, busy: &HashSet<OperationId>) -> impl Iterator<Item = OperationId> {
        let called = self.placed.iter().filter(|(id, placed)| !placed.is_settled && !busy.contains(id));
        called.map(|(id, _)| *id)
    }

    /// When an operation may be called next; `None` if none waits.
    pub fn next_call_at(&self) -> Option<Timestamp> {
        let next = match self.batch {
            Some((begun, 0)) => later(begun, BATCH_PAUSE),
            Some(_) | None => Timestamp::MIN,
        };
        self.somebody_waits().then_some(next)
    }

    /// The operations that have a place, whether they already owe power or not.
    pub fn placed(&self) -> impl Iterator<Item = OperationId> {
        self.placed.keys().copied()
    }

    /// Updates the places by what power is owed: operations whose downtime is over lose their place, and so do those that did not use it.
    /// Call this before asking for room.
    pub fn update(&mut self, owed: &[PowerOwed], now: Timestamp) {
        let down: HashSet<OperationId> =
            owed.iter().filter(|owed| !owed.is_watched).map(|owed| owed.operation).collect();
        // A clock that was set back must not keep operations waiting.
        let is_past = |at: Timestamp, by| now >= later(at, by) || now < at;
        let waiting = &mut self.waiting;
        self.placed.retain(|id, placed| {
            placed.has_begun |= down.contains(id);
            let is_kept = if placed.has_begun { down.contains(id) } else { !is_past(placed.since, PLACE_LASTS) };
            if !is_kept && !placed.has_begun && !placed.is_settled {
                waiting.insert(*id, placed.waiting);
            }
            is_kept
        });
        self.given.retain(|at| !is_past(*at, MINUTE));
        self.given_at_once.retain(|at| !is_past(*at, MINUTE));
    }

    fn place(&mut self, id: OperationId, waiting: Waiting, is_at_once: bool, now: Timestamp) {
        let placed =
            Placed { waiting, since: now, is_at_once, has_begun: false, is_taken_up: false, is_settled: false };
        self.placed.insert(id, placed);
        self.given.push_back(now);
    }

    fn somebody_waits(&self) -> bool {
        self.waiting.values().any(|waiting| !waiting.is_taken_up)
    }

    /// Whether an operation's requester is a person with no other operation here, waiting or admitted.
    fn is_new_here(&self, operation: &Operation) -> bool {
        let requester = OnBehalfOf::of(operation);
        let waiting = self.waiting.iter().map(|(id, waiting)| (id, waiting.requester));
        let placed = self.placed.iter().map(|(id, placed)| (id, placed.waiting.requester));
        let mut others = waiting.chain(placed).filter(|(id, _)| **id != operation.id);
        matches!(requester, OnBehalfOf::Person(_)) && !others.any(|(_, other)| other == requester)
    }

    fn batch_is_over(&self, now: Timestamp) -> bool {
        self.batch.is_none_or(|(begun, _)| now >= later(begun, BATCH_PAUSE) || now < begun)
    }

    /// How many places the batch has left; starts a new batch if the last one is over.
    fn left_of_batch(&mut self, room: DowntimeRoom, now: Timestamp) -> usize {
        let (begun, left) = match self.batch {
            Some(batch) if !self.batch_is_over(now) => batch,
            Some(_) | None => (now, room.a_minute.saturating_sub(self.given.len()).min(batch_of(room.a_minute))),
        };
        let left = left.min(room.more);
        self.batch = Some((begun, left));
        left
    }
}

/// The size of a batch if this many operations may begin within a minute.
fn batch_of(a_minute: usize) -> usize {
    a_minute.div_ceil(BATCHES_A_MINUTE).max(1)
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{
        NewOperation, Requester, Target, TypicalDurations,
        ids::{ChannelId, GuildId, InteractionId},
        kinds::{Downtime, IfHung, Kind, Take},
    };

    const ROOM: DowntimeRoom = DowntimeRoom { a_minute: 25, more: 200, for_newcomers: 210 };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn take(user: u64, droplet: u64) -> Operation {
        Operation::new(NewOperation {
            id: OperationId::from_random(user * 1_000 + droplet),
            kind: Kind::Take(Take { power: Downtime::PowerOff, if_hung: IfHung::Ask }),
            requester: Requester { user: UserId(user), guild: GuildId(2), channel: ChannelId(3) },
            asked_at: at(0),
            target: Target { droplet: Some(DropletId(droplet)), name: "web".to_owned(), region: None, disk_gb: None },
            snapshot_name: None,
            typical: TypicalDurations::default(),
        })
    }

    fn of_a_schedule(droplet: u64) -> Operation {
        let trigger = Trigger::Slot { schedule: ScheduleId::from_random(5), at: at(0), until: at(3_600) };
        let mut operation = take(1, droplet);
        operation.trigger = Some(trigger);
        operation
    }

    /// Lets a turn of each operation ask for a place and end. Returns how many have a place.
    fn turn(queue: &mut DowntimeQueue, takes: &[Operation], second: i64) -> usize {
        let asks = |take: &&Operation| {
            queue.take_up(take.id);
            let has_place = queue.ask(take, ROOM, at(second));
            queue.turn_ended(take.id, true);
            has_place
        };
        takes.iter().filter(asks).count()
    }

    /// The operations called at this moment.
    fn called(queue: &mut DowntimeQueue, room: DowntimeRoom, second: i64) -> Vec<OperationId> {
        queue.update(&[], at(second));
        if queue.may_call(at(second)) {
            queue.call(room, at(second));
        }
        queue.called(&HashSet::new()).collect()
    }

    #[test]
    fn places_are_given_in_batches_and_kept() {
        let mut queue = DowntimeQueue::default();
        let takes: Vec<Operation> = (0..60).map(|droplet| take(1, droplet)).collect();
        assert_eq!(turn(&mut queue, &takes, 0), 10, "a newcomer and a batch");
        assert_eq!(queue.next_call_at(), Some(at(20)));
        let mut in_all = |second| {
            called(&mut queue, ROOM, second);
            takes.iter().filter(|take| queue.has_place(take.id)).count()
        };
        assert_eq!([1, 19, 20, 39].map(&mut in_all), [10, 10, 19, 19]);
        assert_eq!(in_all(40), 25, "25 a minute");
        assert_eq!(in_all(60), 34);
    }

    #[test]
    fn who_waits_has_no_turn_before_it_is_called() {
        let mut queue = DowntimeQueue::default();
        let takes: Vec<Operation> = (0..11).map(|droplet| take(1, droplet)).collect();
        turn(&mut queue, &takes, 0);
        assert_eq!(called(&mut queue, ROOM, 10), []);
        let last = takes[10].id;
        assert_eq!(called(&mut queue, ROOM, 20), [last]);
        // Its look is postponed: it is called until its row says how it continues.
        queue.take_up(last);
        queue.turn_ended(last, false);
        assert_eq!(called(&mut queue, ROOM, 25), [last]);
        queue.take_up(last);
        queue.turn_ended(last, true);
        assert_eq!(called(&mut queue, ROOM, 26), []);
        assert!(queue.has_place(last));
    }

    #[test]
    fn a_call_during_the_turn_that_asked_is_not_lost() {
        let mut queue = DowntimeQueue::default();
        let takes: Vec<Operation> = (0..10).map(|droplet| take(1, droplet)).collect();
        turn(&mut queue, &takes, 0);
        let late = take(1, 50);
        queue.take_up(late.id);
        assert!(!queue.ask(&late, ROOM, at(19)));
        assert_eq!(called(&mut queue, ROOM, 20), [late.id]);
        // Only now is it stored that the operation waits.
        queue.turn_ended(late.id, true);
        assert_eq!(called(&mut queue, ROOM, 21), [late.id]);
    }

    #[test]
    fn anyone_whose_turn_ends_otherwise_leaves_the_line() {
        let mut queue = DowntimeQueue::default();
        let takes: Vec<Operation> = (0..11).map(|droplet| take(1, droplet)).collect();
        turn(&mut queue, &takes, 0);
        // Somebody cancels it.
        queue.take_up(takes[10].id);
        queue.turn_ended(takes[10].id, true);
        assert_eq!(queue.next_call_at(), None);
    }

    #[test]
    fn without_room_nobody_is_called() {
        let mut queue = DowntimeQueue::default();
        let none = DowntimeRoom { more: 0, for_newcomers: 0, ..ROOM };
        assert!(!queue.ask(&take(1, 1), none, at(0)));
        assert_eq!(called(&mut queue, none, 20), []);
        assert_eq!(queue.next_call_at(), Some(at(40)), "asked once a batch");
        assert_eq!(called(&mut queue, ROOM, 40), [take(1, 1).id]);
    }

    #[test]
    fn one_persons_many_do_not_keep_another_person_waiting_at_all() {
        let mut queue = DowntimeQueue::default();
        let many: Vec<Operation> = (0..40).map(|droplet| take(1, droplet)).collect();
        turn(&mut queue, &many, 0);
        assert!(queue.may_place(&take(2, 99), at(5)));
        assert_eq!(turn(&mut queue, &[take(2, 99)], 5), 1);
        assert!(queue.begins_alone(take(2, 99).id) && !queue.begins_alone(many[5].id));
        // Their second take waits in the queue, and is called first.
        assert_eq!(turn(&mut queue, &[take(2, 98)], 6), 0);
        assert!(called(&mut queue, ROOM, 20).contains(&take(2, 98).id));
    }

    #[test]
    fn a_crowd_of_persons_is_let_in_by_batches_too() {
        let mut queue = DowntimeQueue::default();
        let crowd: Vec<Operation> = (1..=100).map(|user| take(user, user)).collect();
        assert_eq!(turn(&mut queue, &crowd, 0), 18, "a batch, and as many at once");
    }

    #[test]
    fn an_owners_own_take_does_not_stand_behind_the_owners_schedules() {
        let mut queue = DowntimeQueue::default();
        let scheduled: Vec<Operation> = (0..40).map(of_a_schedule).collect();
        turn(&mut queue, &scheduled, 0);
        assert_eq!(turn(&mut queue, &[take(1, 99), take(1, 98)], 5), 1);
        assert!(called(&mut queue, ROOM, 20).contains(&take(1, 98).id));
        let pressed = Trigger::Run { schedule: ScheduleId::from_random(5), interaction: InteractionId(1) };
        let mut run = take(1, 1);
        run.trigger = Some(pressed);
        assert_eq!(OnBehalfOf::of(&run), OnBehalfOf::Person(UserId(1)));
    }

    #[test]
    fn a_place_that_nobody_took_up_is_given_again() {
        let mut queue = DowntimeQueue::default();
        turn(&mut queue, &(0..11).map(|droplet| take(1, droplet)).collect::<Vec<_>>(), 0);
        let last = take(1, 10).id;
        assert_eq!(called(&mut queue, ROOM, 20), [last]);
        queue.update(&[], at(200));
        assert!(!queue.has_place(last) && queue.may_call(at(200)));
        assert_eq!(called(&mut queue, ROOM, 200), [last]);
    }

    #[test]
    fn whose_downtime_is_over_has_no_place_any_more() {
        let mut queue = DowntimeQueue::default();
        let take = take(1, 1);
        turn(&mut queue, std::slice::from_ref(&take), 0);
        let owed = PowerOwed { droplet: DropletId(1), operation: take.id, since: at(1), is_watched: false };
        queue.update(&[owed], at(1_000));
        assert!(queue.has_place(take.id), "however long it takes");
        queue.update(&[], at(1_010));
        assert!(!queue.has_place(take.id));
    }
}
