//! The truth about the simulated world that no single look shows: who started each Action, and who turned a Droplet off.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use snapshot_bot::operation::ids::OperationId;
use snapshot_bot_sandbox::digitalocean::{
    action::{Action, ActionKind},
    droplet::Status,
    world::World,
};

/// Who turned a Droplet off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OffBy {
    /// A command of this operation. Nothing else can have done it.
    Us(OperationId),
    /// An Action of a stranger that began at this moment. No command of ours can have done it.
    Them(Timestamp),
    /// A stranger, or the cause cannot be determined.
    Others,
}

/// A Droplet that is off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Off {
    /// Since when.
    pub(crate) at: Timestamp,
    /// By whom.
    pub(crate) by: OffBy,
}

/// What is known about a Droplet's power.
#[derive(Clone, Copy, Debug)]
struct Known {
    status: Status,
    boots: u32,
    booted: Timestamp,
    off_by: OffBy,
    /// When its power last changed.
    changed: Timestamp,
}

/// The record of who did what.
pub(crate) struct Ledger {
    droplets: BTreeMap<u64, Known>,
    /// Actions that a request of ours began, and for which operation.
    ours: BTreeMap<u64, OperationId>,
    /// Requests that DigitalOcean carries out late.
    late: Vec<(u64, Timestamp, OperationId)>,
    /// Our Snapshots' Actions, with their Droplets, and whether those were on ever since.
    on_since_snapshot: BTreeMap<u64, (u64, bool)>,
    /// Snapshots that strangers deleted, and Droplets that they destroyed.
    pub(crate) taken_away: BTreeSet<u64>,
    last_action: u64,
    /// Actions with a lower number are from the past.
    first_action: u64,
    /// For how long a late request counts, as in the default rules.
    pub(crate) settle: SignedDuration,
}

/// Whether an Action can turn a Droplet off.
fn may_turn_off(kind: &ActionKind) -> bool {
    matches!(kind, ActionKind::Shutdown | ActionKind::PowerOff | ActionKind::Restore(_) | ActionKind::Rebuild(_))
}

impl Ledger {
    pub(crate) fn new(world: &World, settle: SignedDuration) -> Self {
        let last_action = world.actions().next_back().map_or(0, |action| action.id);
        let mut ledger = Self {
            droplets: BTreeMap::new(),
            ours: BTreeMap::new(),
            late: Vec::new(),
            on_since_snapshot: BTreeMap::new(),
            taken_away: BTreeSet::new(),
            last_action,
            first_action: last_action,
            settle,
        };
        ledger.watch(world);
        ledger
    }

    /// Attributes new Actions to a stranger, unless a request of ours has just begun them.
    pub(crate) fn attribute(&mut self, world: &World, to: Option<OperationId>) {
        for action in world.actions().rev().take_while(|action| action.id > self.last_action) {
            if let Some(operation) = to {
                self.ours.insert(action.id, operation);
            }
        }
        self.last_action = world.actions().next_back().map_or(self.last_action, |action| action.id);
    }

    /// Records that a request of ours will be carried out at this moment.
    pub(crate) fn expect(&mut self, ticket: u64, until: Timestamp, operation: OperationId) {
        self.late.push((ticket, until, operation));
    }

    /// Attributes what late requests have begun by now.
    pub(crate) fn attribute_late(&mut self, world: &mut World, now: Timestamp) {
        let (due, late) = std::mem::take(&mut self.late).into_iter().partition(|(_, until, _)| *until <= now);
        self.late = late;
        let due: Vec<_> = due;
        for (ticket, _, operation) in due {
            let body = world.take_postponed(ticket, now).map(|answer| answer.json()).unwrap_or_default();
            let begun = body.pointer("/action/id").or_else(|| body.pointer("/links/actions/0/id"));
            if let Some(id) = begun.and_then(Value::as_u64) {
                self.ours.insert(id, operation);
                self.last_action = self.last_action.max(id);
            }
        }
    }

    /// Records who turned what off since the last look. Returns the Droplets that went off because of us.
    pub(crate) fn watch(&mut self, world: &World) {
        let now = world.now();
        for droplet in world.droplets() {
            let fresh = Known { status: droplet.status, boots: 0, booted: now, off_by: OffBy::Others, changed: now };
            let mut known = *self.droplets.get(&droplet.id).unwrap_or(&fresh);
            if known.boots != droplet.boots {
                known.boots = droplet.boots;
                known.booted = now;
            }
            if droplet.status == Status::Off && known.status != Status::Off {
                known.off_by = self.blame(world, droplet.id, known.booted);
            }
            if known.status != droplet.status {
                known.changed = now;
            }
            known.status = droplet.status;
            self.droplets.insert(droplet.id, known);
            let is_on = droplet.status == Status::Active;
            let ours = droplet.pending.filter(|action| self.ours.contains_key(action));
            if let Some(action) = ours.and_then(|action| world.action(action))
                && matches!(action.kind, ActionKind::Snapshot(_))
            {
                self.on_since_snapshot.entry(action.id).or_insert((droplet.id, is_on));
            }
        }
        for (droplet, was_on) in self.on_since_snapshot.values_mut() {
            *was_on &= self.droplets.get(droplet).is_some_and(|known| known.status == Status::Active);
        }
    }

    /// Who began something since the last boot that may turn it off. If there are several, the cause cannot be determined.
    fn blame(&self, world: &World, droplet: u64, booted: Timestamp) -> OffBy {
        let mut suspects = world.actions().filter(|action| {
            let at_work = action.started_at >= booted || action.completed_at.is_none_or(|at| at >= booted);
            action.droplet == droplet && may_turn_off(&action.kind) && at_work
        });
        let whose = |action: &Action| self.ours.get(&action.id).copied();
        let Some(first) = suspects.next() else { return OffBy::Others };
        if let Some(ours) = whose(first) {
            return suspects.try_fold(ours, |_, action| whose(action)).map_or(OffBy::Others, OffBy::Us);
        }
        let theirs = suspects.try_fold(first, |_, action| whose(action).is_none().then_some(action));
        theirs.map_or(OffBy::Others, |latest| OffBy::Them(latest.started_at))
    }

    /// Since when a Droplet is off, and by whom; `None` if it is on.
    pub(crate) fn is_off(&self, world: &World, droplet: u64) -> Option<Off> {
        world.droplet(droplet)?;
        let known = self.droplets.get(&droplet).filter(|known| known.status == Status::Off)?;
        Some(Off { at: known.changed, by: known.off_by })
    }

    /// Whether a stranger began an Action that turns a Droplet off or replaces its disk, since the watch began.
    pub(crate) fn has_foreign_off(&self, world: &World, droplet: u64) -> bool {
        let mut later = world.actions().filter(|action| action.droplet == droplet && action.id > self.first_action);
        later.any(|action| may_turn_off(&action.kind) && !self.ours.contains_key(&action.id))
    }

    /// Whether the Droplet was on ever since our Snapshot of it began.
    pub(crate) fn was_on_throughout(&self, action: u64) -> bool {
        self.on_since_snapshot.get(&action).is_some_and(|(_, was_on)| *was_on)
    }

    /// Records that a stranger just turned it off.
    pub(crate) fn turned_off_by_others(&mut self, world: &World, droplet: u64) {
        self.watch(world);
        if let Some(known) = self.droplets.get_mut(&droplet) {
            known.off_by = OffBy::Others;
        }
    }

    /// Droplets that are off because of us, and by which operation.
    pub(crate) fn off_by_us(&self, world: &World) -> impl Iterator<Item = (u64, OperationId)> {
        self.droplets.iter().filter_map(move |(id, known)| match known.off_by {
            OffBy::Us(operation) if known.status == Status::Off && world.droplet(*id).is_some() => {
                Some((*id, operation))
            }
            OffBy::Us(_) | OffBy::Them(_) | OffBy::Others => None,
        })
    }

    /// The Actions of one operation.
    pub(crate) fn actions_of<'a>(
        &'a self,
        world: &'a World,
        operation: OperationId,
    ) -> impl Iterator<Item = &'a Action> {
        self.ours.iter().filter(move |(_, whose)| **whose == operation).filter_map(|(id, _)| world.action(*id))
    }

    /// Whether late requests are still to be carried out.
    pub(crate) fn expects_more(&self) -> bool {
        !self.late.is_empty()
    }
}
