//! What shared looks have shown, and how best to answer the next look: from what is known, by a sweep over pages, or individually.
//!
//! Pure: [`super::watcher::Watcher`] performs it for the program, a simulation does so in its own time. Keeps what the latest
//! sweep showed, and on which pages items were.

mod sweep;

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

use jiff::{SignedDuration, Timestamp};

use super::budget::Priority;
pub use sweep::{Sweep, Swept};

/// How many pages of a history a sweep is assumed to need for items that it has not seen there: most began a moment ago, and a sweep reads
/// no more pages than there are looks. For other lists the assumption is one: that page serves everybody, and each search goes a little
/// further.
const PAGES_OF_HISTORY: usize = 2;
/// How many pages a sweep searches at most. Items not found there are looked at individually, and the next search continues from there.
const MOST_PAGES: u32 = 25;
/// How many pages are searched at once for each item that may be anywhere: some, such as GPU Droplets, are on none.
const PAGES_FOR_EACH: usize = 5;
/// The pause before continuing a search that has not seen the whole list.
const SEARCH_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// How many pages are read at the end of a list.
const PAGES_AT_THE_END: u32 = 2;
/// How often, at most, a search from the end goes further than that.
const DEEP_SEARCH_EVERY: SignedDuration = SignedDuration::from_mins(5);
/// More items than most accounts have; beyond that, pages are remembered only for items that are being looked for.
const MOST_LOCATED: usize = 50_000;
/// The minimum time between two sweeps for each of their pages, so that they use 6 % of the usual minute, however many operations look: the
/// more Droplets there are, the longer the pause.
const PAGE_PACE: SignedDuration = SignedDuration::from_secs(4);
/// The maximum of that time while Droplets that are off wait for the sweep, however scattered they are.
const LONGEST_PACE: SignedDuration = SignedDuration::from_secs(30);
/// The minimum time between two sweeps of a list of one page for which somebody waits.
const ONE_PAGE_PACE: SignedDuration = SignedDuration::from_millis(2_500);
/// The minimum time between two sweeps for each of the looks that can wait for them, up to some intervals: they wait for something that
/// takes minutes, and there are many of them.
const CROWD_PACE: SignedDuration = SignedDuration::from_millis(100);
const MOST_INTERVALS: i32 = 4;
/// How many intervals are between two sweeps for items that nobody needs soon.
const CALM_INTERVALS: i32 = 8;
/// The pause before a caller comes back that the running sweep cannot serve.
const SHORT_WHILE: SignedDuration = SignedDuration::from_secs(1);
/// Items for which nobody has asked for this long no longer count. It is the longest pause between looks while a Droplet is off.
const LATELY: SignedDuration = SignedDuration::from_secs(15);
/// How long it is remembered who asked for an item: longer than any sweep's reading is valid.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(2);
/// How long an item that no page has shown is not looked for in the list again: lists hide GPU Droplets, and old Actions are far back.
const UNLISTED: SignedDuration = SignedDuration::from_mins(1);
/// More items than can be running simultaneously; beyond that no new item is counted, since they are many anyway.
const MOST_ASKED: usize = 10_000;

/// What a reading must satisfy.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The priority of the request, if one is needed; a sweep has the highest priority of those that wait for it.
    pub priority: Priority,
    /// A reading from before this time is not acceptable: something may have changed since, and the caller must not mistake the state
    /// before its own request for the state after it.
    pub since: Timestamp,
    /// Set if the caller can be asked to come back: for the next sweep, or if the last reading is younger than this.
    pub patience: Option<SignedDuration>,
}

impl Look {
    /// This look by a caller that cannot wait for others.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { patience: None, ..self }
    }
}

/// A reading and the time before which it cannot have been made.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen<T> {
    /// What was read.
    pub value: T,
    /// When it was requested.
    pub at: Timestamp,
}

/// How best to answer a look.
#[derive(Debug)]
pub enum Plan<T> {
    /// With this known reading.
    Remember(Seen<T>),
    /// With the running sweep.
    Join,
    /// With a sweep that begins now.
    Begin,
    /// With a request of its own.
    Single,
    /// With a later sweep: come back at this time.
    Later(Timestamp),
}

/// What is known about all items of one sort, and which of them were asked for.
#[derive(Debug)]
pub struct Readings<Id, T> {
    interval: SignedDuration,
    order: Order,
    /// The last page, if known.
    last_page: Option<u32>,
    /// The page on which an item was last seen.
    page_of: HashMap<Id, u32>,
    /// Where the next search begins.
    search_from: u32,
    /// When a search from the end last went far.
    searched_deep_at: Option<Timestamp>,
    asked: HashMap<Id, Asked>,
    swept: Option<Swept<Id, T>>,
}

/// Where in a list the wanted items are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Anywhere; each stays on its page.
    Anywhere,
    /// At the beginning of a long history, as far as is known: Actions.
    Beginning,
    /// At the end, and nobody needs them soon: new Snapshots.
    End,
}

/// An item that somebody asked for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// When it was last asked for.
    at: Timestamp,
    /// Until when sweeps try to find it.
    wanted_until: Timestamp,
    /// When the newest reading returned to a caller was requested: no older reading is returned after it.
    shown: Timestamp,
    /// Until when no sweep is expected to show it.
    unlisted_until: Timestamp,
}

impl<Id: Copy + Eq + Hash, T: Clone> Readings<Id, T> {
    /// Readings without any knowledge yet. A sweep's reading younger than `interval` (`POLL_INTERVAL`) counts as a look.
    pub fn new(interval: SignedDuration) -> Self {
        Self {
            interval,
            order: Order::Anywhere,
            last_page: None,
            page_of: HashMap::new(),
            search_from: 1,
            searched_deep_at: None,
            asked: HashMap::new(),
            swept: None,
        }
    }

    /// Like [`new`](Self::new), for a history that grows at its beginning, such as Actions: each search begins there.
    pub fn of_a_history(interval: SignedDuration) -> Self {
        Self { order: Order::Beginning, ..Self::new(interval) }
    }

    /// Like [`new`](Self::new), for items at the end of their list, such as new Snapshots: sweeps begin there, and are less frequent.
    pub fn from_the_end(interval: SignedDuration) -> Self {
        Self { order: Order::End, ..Self::new(interval) }
    }

    /// How to answer a look. `sweeping_since` is when the running sweep began, if there is one.
    pub fn plan(&mut self, id: Id, look: Look, sweeping_since: Option<Timestamp>, now: Timestamp) -> Plan<T> {
        self.asked.retain(|_, asked| now.duration_since(asked.at) < REMEMBERED);
        let known = self.asked.get(&id).copied();
        let never = Asked { at: now, wanted_until: now, shown: Timestamp::MIN, unlisted_until: Timestamp::MIN };
        let asked = Asked { at: now, wanted_until: later(now, LATELY), ..known.unwrap_or(never) };
        if known.is_some() || self.asked.len() < MOST_ASKED {
            self.asked.insert(id, asked);
        }
        let plan = self.plan_for(id, look, asked, sweeping_since, now);
        if look.patience.is_some() {
            // A caller that comes back for the next sweep is one that the sweep must serve.
            let next = if let Plan::Later(at) = &plan { *at } else { later(now, self.pause(true, now)) };
            if let Some(asked) = self.asked.get_mut(&id) {
                asked.wanted_until = later(next, LATELY);
            }
        }
        plan
    }

    /// The minimum time between the beginnings of two sweeps: by what they cost and, for a crowd that waits for them, by its size.
    fn pause(&self, is_crowd: bool, now: Timestamp) -> SignedDuration {
        let pages = self.swept.as_ref().map_or(0, |swept| swept.pages.max(1));
        let by_pages = PAGE_PACE.min(self.interval) * i32::try_from(pages).unwrap_or(i32::MAX);
        if !is_crowd {
            return by_pages;
        }
        let crowd = i32::try_from(self.wanted(now).count()).unwrap_or(i32::MAX);
        let by_crowd = CROWD_PACE.checked_mul(crowd).unwrap_or(SignedDuration::MAX).min(self.interval * MOST_INTERVALS);
        if self.order == Order::End {
            return by_pages.max(self.interval * CALM_INTERVALS);
        }
        let by_pages = if pages == 1 { ONE_PAGE_PACE.min(self.interval) } else { by_pages.min(LONGEST_PACE) };
        by_pages.max(by_crowd)
    }

    fn plan_for(&self, id: Id, look: Look, asked: Asked, sweeping_since: Option<Timestamp>, now: Timestamp) -> Plan<T> {
        let may_wait = look.patience.is_some();
        if look.priority == Priority::PowerOn || now < asked.unlisted_until {
            return Self::single(look, asked, now);
        }
        let pause = self.pause(may_wait, now);
        // A Droplet that is off does not wait for the usual pause between looks.
        let good_for = if look.priority <= Priority::Off { pause } else { pause.max(self.interval) };
        let age = self.swept.as_ref().map(|swept| now.duration_since(swept.begun));
        let since = look.since.max(asked.shown);
        let remembered = self.swept.as_ref().filter(|_| age.is_some_and(|age| age < good_for));
        // A caller that can wait is not given the same reading twice.
        let is_new = |seen: &Seen<T>| !may_wait || seen.at > asked.shown;
        if let Some(seen) = remembered.and_then(|swept| swept.reading(&id, since)).filter(is_new) {
            return Plan::Remember(seen);
        }
        match sweeping_since {
            Some(begun) if begun >= look.since => Plan::Join,
            Some(begun) if may_wait && self.sweep_pays(now) => {
                Plan::Later(later(begun, pause).max(later(now, SHORT_WHILE)))
            }
            Some(_) => Self::single(look, asked, now),
            None if !self.sweep_pays(now) => Self::single(look, asked, now),
            None => match self.swept.as_ref().map(|swept| later(swept.begun, pause)).filter(|next| *next > now) {
                Some(next) if may_wait => Plan::Later(next),
                Some(_) => Plan::Single,
                None => Plan::Begin,
            },
        }
    }

    /// A request of its own, unless the last reading is so recent that the caller can wait for a while.
    fn single(look: Look, asked: Asked, now: Timestamp) -> Plan<T> {
        let next = look.patience.map(|patience| later(asked.shown, patience)).filter(|next| *next > now);
        next.map_or(Plan::Single, Plan::Later)
    }

    /// Records that a caller was given a reading of this time.
    pub fn was_shown(&mut self, id: Id, at: Timestamp) {
        if let Some(asked) = self.asked.get_mut(&id) {
            asked.shown = asked.shown.max(at);
        }
    }

    /// The items that a sweep is for: those that were asked for recently and can be expected in the list.
    fn wanted(&self, now: Timestamp) -> impl Iterator<Item = &Id> {
        let is_wanted = move |asked: &Asked| now < asked.wanted_until && asked.unlisted_until <= now;
        self.asked.iter().filter(move |(_, asked)| is_wanted(asked)).map(|(id, _)| id)
    }

    /// Whether a sweep costs less than a request for each item. A sweep costs the pages on which the items were, plus the
    /// pages that unseen items are assumed to need.
    fn sweep_pays(&self, now: Timestamp) -> bool {
        let (mut wanted, mut is_new) = (0, false);
        let mut pages: BTreeSet<u32> = BTreeSet::new();
        for id in self.wanted(now) {
            wanted += 1;
            match self.page_of.get(id) {
                Some(page) => drop(pages.insert(*page)),
                None => is_new = true,
            }
        }
        let unread = self.last_page.map_or(usize::MAX, |last| (last as usize).saturating_sub(pages.len()));
        let for_new = match self.order {
            _ if !is_new => 0,
            Order::Anywhere | Order::End => unread.min(1),
            Order::Beginning => unread.min(PAGES_OF_HISTORY),
        };
        wanted > pages.len() + for_new
    }
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(moment)
}

#[cfg(test)]
mod tests;
