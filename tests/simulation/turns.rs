//! Which operations get a turn: those that are due, those that are called to begin a downtime, and those with a place.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use snapshot_bot::{
    operation::{Operation, ids::OperationId},
    store::Whose,
    worker::schedule::{self, Vacancy},
};

use super::{Broken, Lawful, Simulation, sabotage::Sabotage};

/// When the operations are due that are not at rest, by the process's clock, and which ones are not done. Kept in order, since there may be
/// thousands.
#[derive(Default)]
pub(crate) struct Dues {
    by_id: BTreeMap<OperationId, Timestamp>,
    in_order: BTreeSet<(Timestamp, OperationId)>,
    open: BTreeSet<OperationId>,
    running: BTreeSet<OperationId>,
}

impl Dues {
    /// Records when a committed operation is due; `None` if it is at rest.
    pub(crate) fn set(&mut self, operation: &Operation, due_at: Option<Timestamp>) {
        let id = operation.id;
        if let Some(at) = self.by_id.remove(&id) {
            self.in_order.remove(&(at, id));
        }
        if let Some(at) = due_at {
            self.by_id.insert(id, at);
            self.in_order.insert((at, id));
        }
        if operation.is_open() {
            self.open.insert(id)
        } else {
            self.open.remove(&id)
        };
        if operation.is_running() {
            self.running.insert(id)
        } else {
            self.running.remove(&id)
        };
    }

    /// Nothing was committed, and there will be something to see at this moment. Until then the operation is skipped.
    pub(crate) fn postpone(&mut self, id: OperationId, until: Timestamp) {
        if let Some(at) = self.by_id.insert(id, until) {
            self.in_order.remove(&(at, id));
        }
        self.in_order.insert((until, id));
    }

    /// Whether more than this many are due.
    fn exceed(&self, count: usize, now: Timestamp) -> bool {
        self.in_order.iter().nth(count).is_some_and(|(at, _)| *at <= now)
    }

    /// How many operations have anything left to do.
    pub(crate) fn open(&self) -> usize {
        self.open.len()
    }

    /// How many operations have not ended.
    pub(crate) fn running(&self) -> usize {
        self.running.len()
    }
}

impl Simulation {
    /// The operations that are due and have a place, in the run loop's order: those that are called to begin a downtime first, then the
    /// store's.
    pub(crate) async fn ready(&mut self) -> Lawful<Vec<OperationId>> {
        let mut places = self.process.places;
        if self.sabotage == Some(Sabotage::Places) {
            places.for_power = 0;
        }
        let Vacancy { whose, places } = places.free(self.turns_under_way().count());
        if places == 0 || self.alive_from > self.now {
            return Ok(Vec::new());
        }
        let mut busy = self.busy();
        busy.extend(self.left_alone());
        let mut ready = if whose == Whose::All { self.called(&busy).await? } else { Vec::new() };
        ready.truncate(places);
        let places = places - ready.len();
        busy.extend(&ready);
        // Thousands of a fleet may be due: the store alone chooses.
        if self.measured.is_some() && self.dues.exceed(busy.len() + places, self.wall()) {
            ready.extend(self.store.due(self.wall(), whose, &busy, places).await?);
            return Ok(ready);
        }
        let owes_power = |id: &OperationId| self.owed.values().any(|other| other == id);
        let wanted: Vec<OperationId> = self
            .due_by_now()
            .into_iter()
            .filter(|id| !busy.contains(id) && (whose == Whose::All || owes_power(id)))
            .collect();
        if wanted.is_empty() || places == 0 {
            return Ok(ready);
        }
        // The store's answer is known, unless it has to choose.
        if wanted.len() <= places && !self.once_in(4) {
            ready.extend(wanted);
            return Ok(ready);
        }
        let mut chosen = self.store.due(self.wall(), whose, &busy, places).await?;
        let owing = |ids: &[OperationId]| ids.iter().filter(|id| self.owed.values().any(|it| it == *id)).count();
        let is_complete = chosen.len() == wanted.len().min(places) && chosen.iter().all(|id| wanted.contains(id));
        if !is_complete || owing(&chosen) < owing(&wanted).min(places) {
            return Err(Broken::Law(format!("{places} of {wanted:?} should be due, but {chosen:?} are")));
        }
        chosen.sort_unstable();
        ready.extend(chosen);
        Ok(ready)
    }

    /// The operations that are called to begin a downtime.
    async fn called(&mut self, busy: &HashSet<OperationId>) -> Lawful<Vec<OperationId>> {
        let wall = self.wall();
        if self.process.queue.may_call(wall) {
            let owed = self.store.power_owed().await?;
            let (queue, budget) = (&mut self.process.queue, &mut self.process.budget);
            queue.update(&owed, wall);
            let downtimes = schedule::other_downtimes(&owed, queue.placed(), None);
            queue.call(budget.room_for_downtimes(downtimes, wall), wall);
        }
        Ok(self.process.queue.called(busy).collect())
    }

    /// The operations that the living process can take up now: due since their last commit, or because of an instruction.
    pub(crate) fn due_by_now(&self) -> Vec<OperationId> {
        if self.alive_from > self.now {
            return Vec::new();
        }
        let in_time = self.dues.in_order.iter().take_while(|(at, _)| *at <= self.wall()).map(|(_, id)| *id);
        let spoken_to = self.unheard.keys().filter(|id| self.dues.by_id.contains_key(id)).copied();
        let busy = self.busy();
        let due: BTreeSet<OperationId> = in_time.chain(spoken_to).collect();
        due.into_iter().filter(|id| !busy.contains(id) && self.left_alone_until(*id).is_none()).collect()
    }

    /// When an operation may next be taken up, after now.
    pub(crate) fn next_turn_at(&self) -> Option<Timestamp> {
        let busy = self.busy();
        let mut later = self.dues.in_order.iter().skip_while(|(at, _)| *at <= self.wall());
        let next_due = later.find(|(_, id)| !busy.contains(id)).map(|(at, _)| *at);
        let next = next_due.into_iter().chain(self.process.queue.next_call_at());
        let next = next.map(|at| at.checked_sub(self.ahead).unwrap_or(at));
        let left_alone = self.left_alone().filter_map(|id| self.left_alone_until(id));
        let alive = Some(self.alive_from).filter(|_| !self.dues.by_id.is_empty());
        let moments = next.chain(left_alone).map(|at| at.max(self.alive_from));
        moments.chain(alive).filter(|at| *at > self.now).min()
    }

    /// The operations with a turn under way.
    pub(crate) fn busy(&self) -> HashSet<OperationId> {
        self.jobs.iter().map(|job| job.id).collect()
    }

    /// The operations that are left alone for a while.
    fn left_alone(&self) -> impl Iterator<Item = OperationId> {
        let left_alone = self.process.left_alone.keys().chain(self.process.put_off.keys()).copied();
        left_alone.filter(|id| self.left_alone_until(*id).is_some())
    }
}
