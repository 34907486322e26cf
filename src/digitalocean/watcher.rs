//! Shared looks at running Actions and their Droplets: many operations ask, but few requests are sent.
//!
//! The worker asks for one Action or Droplet at a time. While few are asked for, each look is one GET. As soon as fewer
//! pages show all of them, one sweep over pages of 200 serves all operations, whatever their priority
//! ([`super::readings`] decides). Knows nothing of operations.

use std::{hash::Hash, sync::Arc, time::Duration};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use jiff::{SignedDuration, Timestamp};
use parking_lot::{Mutex, MutexGuard};

pub use super::readings::{Look, Seen};
use super::{
    budget::Priority,
    call::{Call, OnePage},
    client::Client,
    error::Error,
    model::{Action, Droplet, Snapshot},
    queries,
    readings::{self, Readings, Swept},
};
use crate::operation::ids::{ActionId, DropletId, OperationId};

/// Shares looks at running Actions and their Droplets.
pub struct Watcher {
    client: Client,
    actions: SweepGroup<ActionId, Action>,
    droplets: SweepGroup<DropletId, Droplet>,
    snapshots: SweepGroup<Option<OperationId>, Snapshot>,
}

impl Watcher {
    /// A watcher for which a sweep's reading younger than `interval` (`POLL_INTERVAL`) counts as a look.
    pub fn new(client: Client, interval: Duration) -> Self {
        let interval = SignedDuration::try_from(interval).unwrap_or(SignedDuration::MAX);
        Self {
            client,
            actions: SweepGroup::new(queries::actions_page, |action| action.id, Readings::of_a_history(interval)),
            droplets: SweepGroup::new(queries::droplets_page, |droplet| droplet.id, Readings::new(interval)),
            snapshots: SweepGroup::new(queries::snapshots_page, Snapshot::operation, Readings::from_the_end(interval)),
        }
    }

    /// Looks at an Action.
    pub async fn action(&self, id: ActionId, look: Look) -> Result<SharedLook<Action>, Error> {
        self.actions.look(&self.client, queries::action, id, look).await
    }

    /// Looks at a Droplet.
    pub async fn droplet(&self, id: DropletId, look: Look) -> Result<SharedLook<Droplet>, Error> {
        self.droplets.look(&self.client, queries::droplet, id, look).await
    }

    /// Looks for an operation's Snapshot at the end of the list of all. `None` if no other operation looks for one, or if it is not
    /// there: its Droplet's own list then decides.
    pub async fn snapshot(&self, of: OperationId, look: Look) -> Result<Option<SharedLook<Snapshot>>, Error> {
        self.snapshots.share(&self.client, Some(of), look).await
    }
}

/// The result of a look.
#[derive(Clone, Debug, PartialEq)]
pub enum SharedLook<T> {
    /// A reading.
    Seen(Seen<T>),
    /// Nothing was requested: come back at this time.
    Later(Timestamp),
}

/// All items of one sort: how they are read, and what is known about them.
struct SweepGroup<Id, T> {
    page: fn(u32) -> Call<OnePage<T>>,
    id: fn(&T) -> Id,
    memory: Arc<Mutex<Memory<Id, T>>>,
}

struct Memory<Id, T> {
    readings: Readings<Id, T>,
    running: Option<Running<Id, T>>,
}

/// A running sweep.
struct Running<Id, T> {
    begun: Timestamp,
    /// Weak, so that a sweep ends once nobody waits for it.
    sweep: WeakShared<Sweep<Id, T>>,
    rank: Arc<Mutex<Priority>>,
}

type Sweep<Id, T> = BoxFuture<'static, Result<Swept<Id, T>, Error>>;

impl<Id, T> SweepGroup<Id, T>
where
    Id: Copy + Eq + Hash + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    fn new(page: fn(u32) -> Call<OnePage<T>>, id: fn(&T) -> Id, readings: Readings<Id, T>) -> Self {
        Self { page, id, memory: Arc::new(Mutex::new(Memory { readings, running: None })) }
    }

    async fn look(&self, client: &Client, one: fn(Id) -> Call<T>, id: Id, look: Look) -> Result<SharedLook<T>, Error> {
        if let Some(glance) = self.share(client, id, look).await? {
            return Ok(glance);
        }
        let ticket = client.admit(look.priority).await?;
        let at = client.now();
        let value = client.run_admitted(one(id).with_priority(look.priority), ticket).await?;
        self.memory().readings.was_shown(id, at);
        Ok(SharedLook::Seen(Seen { value, at }))
    }

    /// A shared reading; `None` if the item has to be read individually.
    async fn share(&self, client: &Client, id: Id, look: Look) -> Result<Option<SharedLook<T>>, Error> {
        let shared = match self.plan(client, id, look) {
            Plan::Later(moment) => return Ok(Some(SharedLook::Later(moment))),
            Plan::Remember(seen) => Some(seen),
            Plan::Sweep(sweep) => swept(sweep.await, &id, look.since)?,
            Plan::Single => None,
        };
        if let Some(seen) = &shared {
            self.memory().readings.was_shown(id, seen.at);
        }
        Ok(shared.map(SharedLook::Seen))
    }

    fn plan(&self, client: &Client, id: Id, look: Look) -> Plan<Id, T> {
        let now = client.now();
        let mut memory = self.memory();
        let running = memory.running.as_ref().and_then(|running| Some((running, running.sweep.upgrade()?)));
        let running = running.map(|(running, sweep)| (running.begun, Arc::clone(&running.rank), sweep));
        match memory.readings.plan(id, look, running.as_ref().map(|(begun, ..)| *begun), now) {
            readings::Plan::Remember(seen) => Plan::Remember(seen),
            readings::Plan::Single => Plan::Single,
            readings::Plan::Later(moment) => Plan::Later(moment),
            readings::Plan::Join => match running {
                Some((_, rank, sweep)) => {
                    let mut rank = lock(&rank);
                    *rank = (*rank).min(look.priority);
                    Plan::Sweep(sweep)
                }
                None => Plan::Single,
            },
            readings::Plan::Begin => {
                let rank = Arc::new(Mutex::new(look.priority));
                let pages = Pages { client: client.clone(), page: self.page, id: self.id, rank: Arc::clone(&rank) };
                let begun = readings::Sweep::begin(&memory.readings, now);
                let sweep = sweep(pages, begun, Arc::clone(&self.memory)).boxed().shared();
                memory.running = sweep.downgrade().map(|sweep| Running { begun: now, sweep, rank });
                Plan::Sweep(sweep)
            }
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory<Id, T>> {
        lock(&self.memory)
    }
}

enum Plan<Id, T> {
    Remember(Seen<T>),
    Sweep(Shared<Sweep<Id, T>>),
    Single,
    Later(Timestamp),
}

/// What a sweep showed of one item. If the list could not be read, the item can still be read individually,
/// unless DigitalOcean is not reachable at all.
fn swept<Id: Eq + Hash, T: Clone>(
    swept: Result<Swept<Id, T>, Error>,
    id: &Id,
    since: Timestamp,
) -> Result<Option<Seen<T>>, Error> {
    match swept {
        Ok(swept) => Ok(swept.reading(id, since)),
        Err(error) if error.spares_the_thing_itself() => Ok(None),
        Err(error) => Err(error),
    }
}

/// How the pages of a list are read.
struct Pages<Id, T> {
    client: Client,
    page: fn(u32) -> Call<OnePage<T>>,
    id: fn(&T) -> Id,
    rank: Arc<Mutex<Priority>>,
}

impl<Id, T: 'static> Pages<Id, T> {
    async fn read(&self, number: u32) -> Result<(OnePage<T>, Timestamp), Error> {
        let ticket = self.client.admit_ranked(&|| *lock(&self.rank)).await?;
        let at = self.client.now();
        let call = (self.page)(number).with_priority(ticket.priority());
        Ok((self.client.run_admitted(call, ticket).await?, at))
    }
}

async fn sweep<Id: Copy + Eq + Hash, T: Clone + 'static>(
    pages: Pages<Id, T>,
    mut sweep: readings::Sweep<Id, T>,
    memory: Arc<Mutex<Memory<Id, T>>>,
) -> Result<Swept<Id, T>, Error> {
    loop {
        let next = sweep.next_page(&lock(&memory).readings);
        let Some(number) = next else { break };
        let (page, at) = pages.read(number).await?;
        sweep.absorb(number, page, at, pages.id);
    }
    Ok(sweep.end(&mut lock(&memory).readings, pages.client.now()))
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock()
}
