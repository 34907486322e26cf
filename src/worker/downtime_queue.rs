//! Who may begin a downtime next.
//!
//! A place is taken once and kept to the end: asked for again before each look, it would be lost again and again. Places are given in
//! batches, so that what begins together is seen together, and in turn to everybody who asked, so that one person's hundred takes keep
//! nobody else waiting. Pure: [`super::run_loop`] acts on it, and so does the simulation. It dies with the process; whoever asks stands in it
//! again.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::operation::{
    Operation,
    ids::{DropletId, OperationId, UserId},
};

/// Between two batches.
const BATCH_PAUSE: SignedDuration = SignedDuration::from_secs(20);
/// So many batches make a minute.
const BATCHES_A_MINUTE: usize = 3;
const MINUTE: SignedDuration = SignedDuration::from_secs(60);
/// Anyone who has a place owes power long before this, and is counted by that from then on; else its place is free again.
const PLACE_LASTS: SignedDuration = SignedDuration::from_mins(3);
/// Who does not ask again for so long after its time stands in line no more.
const ABSENCE: SignedDuration = SignedDuration::from_secs(45);
/// Nobody is told to come back later than this: those before it may be gone sooner.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(5);

/// Those that wait to begin a downtime, and those that have just been let begin.
#[derive(Debug, Default)]
pub struct DowntimeQueue {
    waiting: BTreeMap<OperationId, Waiting>,
    /// Places that were given, and when.
    placed: BTreeMap<OperationId, Timestamp>,
    /// When the batch began that places are given from, and how many it has left.
    batch: Option<(Timestamp, usize)>,
    /// When places were given lately.
    given: VecDeque<Timestamp>,
}

/// One that waits.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    asker: UserId,
    /// In minutes: who asks for many Droplets does so within a moment.
    asked_at: i64,
    /// Droplets that stand next to each other in DigitalOcean's lists are seen on one page.
    droplet: Option<DropletId>,
    /// When it is expected to ask again.
    back_at: Timestamp,
}

impl DowntimeQueue {
    /// Asks for a place, where the budget lets `a_minute` downtimes begin within a minute: none where it has one, else when to ask again.
    pub fn ask(&mut self, operation: &Operation, a_minute: usize, now: Timestamp) -> Option<Timestamp> {
        let id = operation.id;
        self.forget(now);
        if self.placed.contains_key(&id) {
            return None;
        }
        self.stand(operation, now);
        let batch = a_minute.div_ceil(BATCHES_A_MINUTE).max(1);
        if self.batch.is_none_or(|(begun, _)| now >= later(begun, BATCH_PAUSE)) {
            let left = a_minute.saturating_sub(self.given.len()).min(batch);
            self.batch = Some((now, left));
        }
        let (begun, left) = self.batch.unwrap_or((now, 0));
        let before = self.before(id);
        if before < left {
            self.batch = Some((begun, left - 1));
            self.given.push_back(now);
            self.placed.insert(id, now);
            self.waiting.remove(&id);
            return None;
        }
        let batches = i32::try_from((before - left) / batch + 1).unwrap_or(i32::MAX);
        let pause = BATCH_PAUSE.checked_mul(batches).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
        Some(self.come_back(id, later(begun, pause)))
    }

    /// Stands in line without a chance: there is no room for one more downtime now. Gives back when to ask again.
    pub fn wait(&mut self, operation: &Operation, now: Timestamp) -> Timestamp {
        self.forget(now);
        self.stand(operation, now);
        self.come_back(operation.id, later(now, BATCH_PAUSE))
    }

    /// Those that have a place and may owe no power yet.
    pub fn placed(&self) -> impl Iterator<Item = OperationId> {
        self.placed.keys().copied()
    }

    fn stand(&mut self, operation: &Operation, now: Timestamp) {
        let waiting = Waiting {
            asker: operation.asker.user,
            asked_at: operation.asked_at.as_second() / 60,
            droplet: operation.target.droplet,
            back_at: now,
        };
        self.waiting.insert(operation.id, waiting);
    }

    fn come_back(&mut self, id: OperationId, at: Timestamp) -> Timestamp {
        if let Some(waiting) = self.waiting.get_mut(&id) {
            waiting.back_at = at;
        }
        at
    }

    /// How many stand before one: each person's first before anybody's second.
    fn before(&self, id: OperationId) -> usize {
        let mut line: Vec<(UserId, i64, Option<DropletId>, OperationId)> =
            self.waiting.iter().map(|(id, it)| (it.asker, it.asked_at, it.droplet, *id)).collect();
        line.sort_unstable();
        let (mut asker, mut turn) = (None, 0);
        let mut turns: Vec<(usize, i64, Option<DropletId>, OperationId)> = Vec::with_capacity(line.len());
        for (user, asked_at, droplet, id) in line {
            turn = if asker == Some(user) { turn + 1 } else { 0 };
            asker = Some(user);
            turns.push((turn, asked_at, droplet, id));
        }
        let own = turns.iter().find(|(.., other)| *other == id).copied();
        own.map_or(0, |own| turns.iter().filter(|other| **other < own).count())
    }

    fn forget(&mut self, now: Timestamp) {
        // A clock that was set back keeps nobody waiting.
        let is_past = |at: Timestamp, by| now >= later(at, by) || now < at;
        self.placed.retain(|_, at| !is_past(*at, PLACE_LASTS));
        self.given.retain(|at| !is_past(*at, MINUTE));
        self.waiting.retain(|_, waiting| now < later(waiting.back_at, ABSENCE));
        self.batch.take_if(|(begun, _)| now < *begun);
    }
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{
        NewOperation, Requester, Target, TypicalDurations,
        ids::{ChannelId, GuildId},
        kinds::{Downtime, IfHung, Kind, Take},
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn take(user: u64, droplet: u64) -> Operation {
        Operation::new(NewOperation {
            id: OperationId::from_random(user * 1_000 + droplet),
            kind: Kind::Take(Take { power: Downtime::PowerOff, if_hung: IfHung::Ask }),
            asker: Requester { user: UserId(user), guild: GuildId(2), channel: ChannelId(3) },
            asked_at: at(0),
            target: Target { droplet: Some(DropletId(droplet)), name: "web".to_owned(), region: None, disk_gb: None },
            snapshot_name: None,
            usual: TypicalDurations::default(),
        })
    }

    #[test]
    fn places_are_given_in_batches_and_kept() {
        let mut queue = DowntimeQueue::default();
        let takes: Vec<Operation> = (0..40).map(|droplet| take(1, droplet)).collect();
        let waits: Vec<_> = takes.iter().map(|take| queue.ask(take, 25, at(0))).collect();
        assert_eq!(waits.iter().filter(|wait| wait.is_none()).count(), 9);
        assert_eq!(waits[9], Some(at(20)), "the next batch");
        assert_eq!(waits[39], Some(at(80)), "the fourth batch after it");
        assert_eq!(queue.ask(&takes[0], 25, at(15)), None, "it has a place already");
        let given = |queue: &mut DowntimeQueue, second| {
            takes.iter().filter(|it| queue.ask(it, 25, at(second)).is_none()).count()
        };
        assert_eq!(given(&mut queue, 20), 18);
        assert_eq!(given(&mut queue, 40), 25, "25 a minute");
        assert_eq!(given(&mut queue, 60), 34);
    }

    #[test]
    fn one_persons_many_keep_another_person_waiting_for_one_alone() {
        let mut queue = DowntimeQueue::default();
        for droplet in 0..40 {
            queue.ask(&take(1, droplet), 25, at(0));
        }
        assert_eq!(queue.ask(&take(2, 99), 25, at(5)), Some(at(20)));
        assert_eq!(queue.ask(&take(2, 99), 25, at(20)), None);
    }

    #[test]
    fn who_is_gone_keeps_nobody_waiting() {
        let mut queue = DowntimeQueue::default();
        for droplet in 0..40 {
            queue.ask(&take(1, droplet), 25, at(0));
        }
        assert_eq!(queue.ask(&take(1, 39), 25, at(200)), None);
    }

    #[test]
    fn without_room_the_place_in_line_is_kept() {
        let mut queue = DowntimeQueue::default();
        assert_eq!(queue.wait(&take(1, 1), at(0)), at(20));
        assert_eq!(queue.placed().count(), 0);
    }
}
