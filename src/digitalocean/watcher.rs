//! Looks at what runs, shared: many operations ask, few requests leave.
//!
//! The worker asks for one Action or Droplet at a time. While few are asked for, each look is one GET; with many, one sweep
//! over pages of 200 serves them all. Knows nothing of operations and keeps no more than the latest sweep.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use jiff::{SignedDuration, Timestamp};

use super::{
    budget::Priority,
    call::{Call, OnePage},
    client::Client,
    error::Error,
    model::{Action, Droplet},
    reads,
};
use crate::operation::ids::{ActionId, DropletId};

/// Up to so many things are looked at one by one.
const FEW: usize = 30;
/// The most pages of a sweep; what they do not show is looked at by itself.
const MOST_PAGES: u32 = 5;
/// Who has not been asked for during so long is not counted any more: the longest pause between looks while a Droplet is off.
const LATELY: SignedDuration = SignedDuration::from_secs(15);
/// More things than can run at once; beyond it nobody new is counted, since it is "many" anyway.
const MOST_ASKED: usize = 10_000;

/// What a reading must be good for.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The rank of the request, should one be needed. What ranks before polls does not wait for a sweep.
    pub priority: Priority,
    /// A reading from before this moment will not do: something may have changed since, and the asker must not take the
    /// state from before its own request for the state after it.
    pub since: Timestamp,
}

/// A reading and the moment before which it cannot have been made.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen<T> {
    /// What was read.
    pub value: T,
    /// When it was asked for.
    pub at: Timestamp,
}

/// The shared eye on running Actions and their Droplets.
pub struct Watcher {
    client: Client,
    actions: Flock<ActionId, Action>,
    droplets: Flock<DropletId, Droplet>,
}

impl Watcher {
    /// A watcher for which a sweep's reading younger than `interval` (`POLL_INTERVAL`) counts as a look.
    pub fn new(client: Client, interval: Duration) -> Self {
        let interval = SignedDuration::try_from(interval).unwrap_or(SignedDuration::MAX);
        Self {
            client,
            actions: Flock::new(reads::action, reads::actions_page, |action| action.id, interval),
            droplets: Flock::new(reads::droplet, reads::droplets_page, |droplet| droplet.id, interval),
        }
    }

    /// Looks at an Action.
    pub async fn action(&self, id: ActionId, look: Look) -> Result<Seen<Action>, Error> {
        self.actions.look(&self.client, id, look).await
    }

    /// Looks at a Droplet.
    pub async fn droplet(&self, id: DropletId, look: Look) -> Result<Seen<Droplet>, Error> {
        self.droplets.look(&self.client, id, look).await
    }
}

/// All things of one sort: how they are read, who was asked for, what the latest sweep showed.
struct Flock<Id, T> {
    one: fn(Id) -> Call<T>,
    page: fn(u32) -> Call<OnePage<T>>,
    id: fn(&T) -> Id,
    interval: SignedDuration,
    memory: Arc<Mutex<Memory<Id, T>>>,
}

struct Memory<Id, T> {
    asked: HashMap<Id, Timestamp>,
    swept: Option<Swept<Id, T>>,
    /// Weak, so that a sweep for which nobody waits any more ends.
    running: Option<WeakShared<Sweep<Id, T>>>,
}

type Sweep<Id, T> = BoxFuture<'static, Result<Swept<Id, T>, Error>>;

struct Swept<Id, T> {
    begun: Timestamp,
    seen: Arc<HashMap<Id, Seen<T>>>,
}

impl<Id, T> Clone for Swept<Id, T> {
    fn clone(&self) -> Self {
        Self { begun: self.begun, seen: Arc::clone(&self.seen) }
    }
}

impl<Id, T> Flock<Id, T>
where
    Id: Copy + Eq + Hash + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    fn new(
        one: fn(Id) -> Call<T>,
        page: fn(u32) -> Call<OnePage<T>>,
        id: fn(&T) -> Id,
        interval: SignedDuration,
    ) -> Self {
        let memory = Memory { asked: HashMap::new(), swept: None, running: None };
        Self { one, page, id, interval, memory: Arc::new(Mutex::new(memory)) }
    }

    async fn look(&self, client: &Client, id: Id, look: Look) -> Result<Seen<T>, Error> {
        let sweep = match self.plan(client, id, look) {
            Plan::Remember(seen) => return Ok(seen),
            Plan::Sweep(sweep) => Some(sweep),
            Plan::Single => None,
        };
        if let Some(sweep) = sweep {
            let swept = sweep.await?;
            if let Some(seen) = swept.seen.get(&id).filter(|seen| seen.at >= look.since).cloned() {
                self.memory().swept = Some(swept);
                return Ok(seen);
            }
            self.memory().swept = Some(swept);
        }
        let ticket = client.admit(look.priority).await;
        let at = client.now();
        let value = client.run_admitted((self.one)(id).with_priority(look.priority), ticket).await?;
        Ok(Seen { value, at })
    }

    fn plan(&self, client: &Client, id: Id, look: Look) -> Plan<Id, T> {
        let now = client.now();
        let mut memory = self.memory();
        memory.asked.retain(|_, asked| now.duration_since(*asked) < LATELY);
        if memory.asked.len() < MOST_ASKED {
            memory.asked.insert(id, now);
        }
        let swept = memory.swept.as_ref().filter(|swept| now.duration_since(swept.begun) < self.interval);
        if let Some(seen) = swept.and_then(|swept| swept.seen.get(&id)).filter(|seen| seen.at >= look.since) {
            return Plan::Remember(seen.clone());
        }
        // A fresh sweep that does not show this one will not show it when repeated at once.
        if swept.is_some() || memory.asked.len() <= FEW || look.priority < Priority::Poll {
            return Plan::Single;
        }
        let running = memory.running.as_ref().and_then(WeakShared::upgrade);
        Plan::Sweep(running.unwrap_or_else(|| {
            let sweep = sweep(client.clone(), self.page, self.id, Arc::clone(&self.memory)).boxed().shared();
            memory.running = sweep.downgrade();
            sweep
        }))
    }

    fn memory(&self) -> MutexGuard<'_, Memory<Id, T>> {
        lock(&self.memory)
    }
}

enum Plan<Id, T> {
    Remember(Seen<T>),
    Sweep(Shared<Sweep<Id, T>>),
    Single,
}

/// Reads pages until all that is asked for was shown, also what was asked for meanwhile, or the list ends, or it has taken
/// enough.
async fn sweep<Id: Copy + Eq + Hash, T: 'static>(
    client: Client,
    page: fn(u32) -> Call<OnePage<T>>,
    id: fn(&T) -> Id,
    memory: Arc<Mutex<Memory<Id, T>>>,
) -> Result<Swept<Id, T>, Error> {
    let begun = client.now();
    let mut seen = HashMap::new();
    for number in 1..=MOST_PAGES {
        let ticket = client.admit(Priority::Poll).await;
        let at = client.now();
        let OnePage { items, is_last } = client.run_admitted(page(number), ticket).await?;
        seen.extend(items.into_iter().map(|value| (id(&value), Seen { value, at })));
        if is_last || lock(&memory).asked.keys().all(|asked| seen.contains_key(asked)) {
            break;
        }
    }
    Ok(Swept { begun, seen: Arc::new(seen) })
}

fn lock<Id, T>(memory: &Mutex<Memory<Id, T>>) -> MutexGuard<'_, Memory<Id, T>> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}
