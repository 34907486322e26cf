//! Looks at what runs, shared: many operations ask, few requests leave.
//!
//! The worker asks for one Action or Droplet at a time. While few are asked for, each look is one GET; as soon as fewer pages
//! show all of them, one sweep over pages of 200 serves everybody, whatever their rank. Knows nothing of operations and keeps no
//! more than the latest sweep.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
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

/// How many pages a sweep is thought to need before one has shown it.
const PAGES_UNKNOWN: usize = 5;
/// The most pages of a sweep; what they do not show is looked at by itself.
const MOST_PAGES: u32 = 25;
/// Between two sweeps lies at least this for each page, so that they use 6 % of the usual minute, however many look: the more
/// Droplets there are, the longer the pause.
const PAGE_PACE: SignedDuration = SignedDuration::from_secs(4);
/// Who has not been asked for during so long is not counted any more: the longest pause between looks while a Droplet is off.
const LATELY: SignedDuration = SignedDuration::from_secs(15);
/// For so long it is remembered what was asked for: longer than any sweep's reading is good for.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(2);
/// What no page has shown is not looked for there again for so long: lists hide GPU Droplets, and old Actions are far behind.
const UNLISTED: SignedDuration = SignedDuration::from_mins(1);
/// More things than can run at once; beyond it nobody new is counted, since it is "many" anyway.
const MOST_ASKED: usize = 10_000;

/// What a reading must be good for.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The rank of the request, should one be needed; a sweep has the rank of the first of those that wait for it.
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
    asked: HashMap<Id, Asked>,
    swept: Option<Swept<Id, T>>,
    running: Option<Running<Id, T>>,
}

/// Something that is looked for.
#[derive(Clone, Copy)]
struct Asked {
    /// When last.
    at: Timestamp,
    /// When the newest reading of it that somebody was given was asked for: nobody is given an older one after it.
    shown: Timestamp,
    /// No sweep is expected to show it before this moment.
    unlisted_until: Timestamp,
}

impl<Id, T> Memory<Id, T> {
    /// What a sweep is for: what was asked for lately and can be expected in the list.
    fn wanted(&self, now: Timestamp) -> impl Iterator<Item = &Id> {
        let is_wanted = move |asked: &Asked| now.duration_since(asked.at) < LATELY && asked.unlisted_until <= now;
        self.asked.iter().filter(move |(_, asked)| is_wanted(asked)).map(|(id, _)| id)
    }

    /// Whether a sweep costs less than looking at each thing by itself: as far as is known, which is tried again now and then.
    fn sweep_pays(&self, now: Timestamp) -> bool {
        let wanted = self.wanted(now).count();
        match &self.swept {
            Some(swept) if now.duration_since(swept.begun) < UNLISTED => wanted > swept.pages,
            Some(swept) => wanted > swept.pages.min(PAGES_UNKNOWN),
            None => wanted > PAGES_UNKNOWN,
        }
    }
}

/// A sweep under way.
struct Running<Id, T> {
    begun: Timestamp,
    /// Weak, so that a sweep for which nobody waits any more ends.
    sweep: WeakShared<Sweep<Id, T>>,
    rank: Arc<Mutex<Priority>>,
}

type Sweep<Id, T> = BoxFuture<'static, Result<Swept<Id, T>, Error>>;

struct Swept<Id, T> {
    begun: Timestamp,
    /// How many pages were read.
    pages: usize,
    /// What was seen, and on which page.
    seen: Arc<HashMap<Id, (Seen<T>, u32)>>,
}

impl<Id, T> Clone for Swept<Id, T> {
    fn clone(&self) -> Self {
        Self { begun: self.begun, pages: self.pages, seen: Arc::clone(&self.seen) }
    }
}

impl<Id: Eq + Hash, T: Clone> Swept<Id, T> {
    fn reading(&self, id: &Id, since: Timestamp) -> Option<Seen<T>> {
        self.seen.get(id).map(|(seen, _)| seen).filter(|seen| seen.at >= since).cloned()
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
        let shared = match self.plan(client, id, look) {
            Plan::Remember(seen) => Some(seen),
            Plan::Sweep(sweep) => self.swept(sweep.await, id, look.since)?,
            Plan::Single => None,
        };
        let seen = match shared {
            Some(seen) => seen,
            None => self.single(client, id, look.priority).await?,
        };
        if let Some(asked) = self.memory().asked.get_mut(&id) {
            asked.shown = asked.shown.max(seen.at);
        }
        Ok(seen)
    }

    async fn single(&self, client: &Client, id: Id, priority: Priority) -> Result<Seen<T>, Error> {
        let ticket = client.admit(priority).await;
        let at = client.now();
        let value = client.run_admitted((self.one)(id).with_priority(priority), ticket).await?;
        Ok(Seen { value, at })
    }

    /// What a sweep showed of one thing. A list that cannot be had keeps nobody from looking at the thing itself, unless
    /// DigitalOcean is not to be had at all.
    fn swept(&self, swept: Result<Swept<Id, T>, Error>, id: Id, since: Timestamp) -> Result<Option<Seen<T>>, Error> {
        match swept {
            Ok(swept) => {
                let seen = swept.reading(&id, since);
                let mut memory = self.memory();
                if memory.swept.as_ref().is_none_or(|known| known.begun < swept.begun) {
                    memory.swept = Some(swept);
                }
                Ok(seen)
            }
            Err(error @ (Error::Unavailable { .. } | Error::Throttled { .. } | Error::Unauthorized { .. })) => {
                Err(error)
            }
            Err(_) => Ok(None),
        }
    }

    fn plan(&self, client: &Client, id: Id, look: Look) -> Plan<Id, T> {
        let now = client.now();
        let mut memory = self.memory();
        memory.asked.retain(|_, asked| now.duration_since(asked.at) < REMEMBERED);
        let known = memory.asked.get(&id).copied();
        let asked = Asked {
            at: now,
            ..known.unwrap_or(Asked { at: now, shown: Timestamp::MIN, unlisted_until: Timestamp::MIN })
        };
        if known.is_some() || memory.asked.len() < MOST_ASKED {
            memory.asked.insert(id, asked);
        }
        if look.priority == Priority::PowerOn || now < asked.unlisted_until {
            return Plan::Single;
        }
        let pages = memory.swept.as_ref().map_or(0, |swept| swept.pages);
        let pause = PAGE_PACE.min(self.interval) * i32::try_from(pages).unwrap_or(i32::MAX);
        // A Droplet that is off is not kept waiting for the usual pause between looks.
        let good_for = if look.priority <= Priority::Off { pause } else { pause.max(self.interval) };
        let age = memory.swept.as_ref().map(|swept| now.duration_since(swept.begun));
        let since = look.since.max(asked.shown);
        let remembered = memory.swept.as_ref().filter(|_| age.is_some_and(|age| age < good_for));
        if let Some(seen) = remembered.and_then(|swept| swept.reading(&id, since)) {
            return Plan::Remember(seen);
        }
        let running = memory.running.as_ref().and_then(|running| Some((running, running.sweep.upgrade()?)));
        if let Some((running, sweep)) = running {
            if running.begun < look.since {
                return Plan::Single;
            }
            let mut rank = lock(&running.rank);
            *rank = (*rank).min(look.priority);
            return Plan::Sweep(sweep);
        }
        if age.is_some_and(|age| age < pause) || !memory.sweep_pays(now) {
            return Plan::Single;
        }
        let rank = Arc::new(Mutex::new(look.priority));
        let pages = Pages { client: client.clone(), page: self.page, id: self.id, rank: Arc::clone(&rank) };
        let sweep = sweep(pages, now, Arc::clone(&self.memory)).boxed().shared();
        memory.running = sweep.downgrade().map(|sweep| Running { begun: now, sweep, rank });
        Plan::Sweep(sweep)
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

/// How the pages of a list are read.
struct Pages<Id, T> {
    client: Client,
    page: fn(u32) -> Call<OnePage<T>>,
    id: fn(&T) -> Id,
    rank: Arc<Mutex<Priority>>,
}

impl<Id, T: 'static> Pages<Id, T> {
    async fn read(&self, number: u32) -> Result<(OnePage<T>, Timestamp), Error> {
        let ticket = self.client.admit_ranked(&|| *lock(&self.rank)).await;
        let at = self.client.now();
        let call = (self.page)(number).with_priority(ticket.priority());
        Ok((self.client.run_admitted(call, ticket).await?, at))
    }
}

/// Reads pages until all that is asked for was shown, also what was asked for meanwhile, or the list ends, or as many pages were
/// read as there are things to be shown. Those pages come first that showed something of ours the last time.
async fn sweep<Id: Copy + Eq + Hash, T: 'static>(
    pages: Pages<Id, T>,
    begun: Timestamp,
    memory: Arc<Mutex<Memory<Id, T>>>,
) -> Result<Swept<Id, T>, Error> {
    let mut seen = HashMap::new();
    let (mut to_read, most) = order(&lock(&memory), begun);
    let (mut read, mut last) = (0, u32::MAX);
    while let Some(number) = to_read.pop_front() {
        if number > last {
            continue;
        }
        let (OnePage { items, is_last }, at) = pages.read(number).await?;
        read += 1;
        if is_last {
            last = number;
        }
        seen.extend(items.into_iter().map(|value| ((pages.id)(&value), (Seen { value, at }, number))));
        let all_shown = lock(&memory).wanted(begun).all(|id| seen.contains_key(id));
        if all_shown || read >= most {
            break;
        }
    }
    let until = later(pages.client.now(), UNLISTED);
    let mut memory = lock(&memory);
    for (_, asked) in memory.asked.iter_mut().filter(|(id, _)| !seen.contains_key(id)) {
        asked.unlisted_until = asked.unlisted_until.max(until);
    }
    Ok(Swept { begun, pages: read, seen: Arc::new(seen) })
}

/// The pages in the order in which they are read, and how many of them at most.
fn order<Id: Eq + Hash, T>(memory: &Memory<Id, T>, now: Timestamp) -> (VecDeque<u32>, usize) {
    let page_of = |id| Some(memory.swept.as_ref()?.seen.get(id)?.1);
    let ours: BTreeSet<u32> = memory.wanted(now).filter_map(page_of).collect();
    let others = (1..=MOST_PAGES).filter(|page| !ours.contains(page));
    (ours.iter().copied().chain(others).collect(), memory.wanted(now).count())
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(moment)
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
