//! What shared looks have shown, and how the next look is best answered: by what is known, by a sweep over pages, or by itself.
//!
//! Pure: [`super::watcher::Watcher`] carries it out for the program, a simulation in its own time. Keeps what the latest sweep showed, and
//! on which pages things stood.

mod sweep;

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

use jiff::{SignedDuration, Timestamp};

use super::budget::Priority;
pub use sweep::{Sweep, Swept};

/// How many pages of a history are thought to be needed for what has not been seen in it. Of other lists it is one: it serves everybody, and
/// it is searched a little further each time.
const PAGES_OF_HISTORY: usize = 5;
/// The most pages that a sweep searches; what they do not show is looked at by itself, and the next search goes on behind them.
const MOST_PAGES: u32 = 25;
/// So many pages are searched at once for each thing that may stand anywhere: some, such as GPU Droplets, stand on none.
const PAGES_FOR_EACH: usize = 5;
/// Before a search goes on that has not seen the whole list.
const SEARCH_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// So many pages are read at the end of a list.
const PAGES_AT_THE_END: u32 = 2;
/// A search from the end to farther than that is made at most so often.
const DEEP_SEARCH_EVERY: SignedDuration = SignedDuration::from_mins(5);
/// More things than most accounts have; beyond it only what is looked for is remembered to stand on a page.
const MOST_LOCATED: usize = 50_000;
/// Between two sweeps lies at least this for each page, so that they use 6 % of the usual minute, however many look: the more
/// Droplets there are, the longer the pause.
const PAGE_PACE: SignedDuration = SignedDuration::from_secs(4);
/// But no more than this where Droplets that are off wait for it, however scattered they are.
const LONGEST_PACE: SignedDuration = SignedDuration::from_secs(30);
/// The same for a list of one page that somebody waits for.
const ONE_PAGE_PACE: SignedDuration = SignedDuration::from_millis(2_500);
/// So much more lies between two sweeps for each of those that can wait for them, but no more than some intervals: what they wait for
/// is a moment in minutes, and there are many of them.
const CROWD_PACE: SignedDuration = SignedDuration::from_millis(100);
const MOST_INTERVALS: i32 = 4;
/// So many intervals lie between two sweeps for what nobody is in a hurry to see.
const CALM_INTERVALS: i32 = 8;
/// Before somebody comes back whom the sweep under way cannot serve.
const SHORT_WHILE: SignedDuration = SignedDuration::from_secs(1);
/// What nobody has asked for during so long is not counted any more: the longest pause between looks while a Droplet is off.
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
    /// The caller can be told to come back: for the next sweep, or where the last reading is younger than this. None where it cannot.
    pub patience: Option<SignedDuration>,
}

impl Look {
    /// The same by somebody who cannot wait for others.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { patience: None, ..self }
    }
}

/// A reading and the moment before which it cannot have been made.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen<T> {
    /// What was read.
    pub value: T,
    /// When it was asked for.
    pub at: Timestamp,
}

/// How a look is answered best.
#[derive(Debug)]
pub enum Plan<T> {
    /// By what is known already.
    Remember(Seen<T>),
    /// By the sweep that is under way.
    Join,
    /// By a sweep that begins now.
    Begin,
    /// By itself.
    Single,
    /// It will be known by a sweep: come back at this moment.
    Later(Timestamp),
}

/// What is known of all things of one sort, and who was asked for.
#[derive(Debug)]
pub struct Readings<Id, T> {
    interval: SignedDuration,
    order: Order,
    /// The last page, as far as is known.
    last_page: Option<u32>,
    /// On which page a thing stood when it was seen last.
    page_of: HashMap<Id, u32>,
    /// Where the next search begins.
    search_from: u32,
    /// When a search from the end went far last.
    searched_deep_at: Option<Timestamp>,
    asked: HashMap<Id, Asked>,
    swept: Option<Swept<Id, T>>,
}

/// Where in a list things stand that are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Anywhere; each keeps its page.
    Anywhere,
    /// At the beginning of a long history, as far as is known: Actions.
    Beginning,
    /// At the end, and nobody is in a hurry to see them: new Snapshots.
    End,
}

/// Something that is looked for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// When last.
    at: Timestamp,
    /// Until when it counts among what a sweep is for.
    wanted_until: Timestamp,
    /// When the newest reading of it that somebody was given was asked for: nobody is given an older one after it.
    shown: Timestamp,
    /// No sweep is expected to show it before this moment.
    unlisted_until: Timestamp,
}

impl<Id: Copy + Eq + Hash, T: Clone> Readings<Id, T> {
    /// Nothing is known yet. A sweep's reading younger than `interval` (`POLL_INTERVAL`) counts as a look.
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

    /// The same for a history that grows at its beginning, such as Actions: each search begins there.
    pub fn of_a_history(interval: SignedDuration) -> Self {
        Self { order: Order::Beginning, ..Self::new(interval) }
    }

    /// The same for what stands at the end of its list, such as new Snapshots: sweeps begin there, and come less often.
    pub fn from_the_end(interval: SignedDuration) -> Self {
        Self { order: Order::End, ..Self::new(interval) }
    }

    /// How to answer a look, while a sweep is under way that began at `sweeping_since`, or none.
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
            // What comes back for the next sweep is part of what it is for.
            let next = if let Plan::Later(at) = &plan { *at } else { later(now, self.pause(true, now)) };
            if let Some(asked) = self.asked.get_mut(&id) {
                asked.wanted_until = later(next, LATELY);
            }
        }
        plan
    }

    /// The least time between the beginnings of two sweeps: by what they cost, and for a crowd that waits for them by how many there are.
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
        // A Droplet that is off is not kept waiting for the usual pause between looks.
        let good_for = if look.priority <= Priority::Off { pause } else { pause.max(self.interval) };
        let age = self.swept.as_ref().map(|swept| now.duration_since(swept.begun));
        let since = look.since.max(asked.shown);
        let remembered = self.swept.as_ref().filter(|_| age.is_some_and(|age| age < good_for));
        // A caller that can wait is not shown the same thing twice.
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

    /// A look by itself, unless the last reading is so young that who asks can wait for a while.
    fn single(look: Look, asked: Asked, now: Timestamp) -> Plan<T> {
        let next = look.patience.map(|patience| later(asked.shown, patience)).filter(|next| *next > now);
        next.map_or(Plan::Single, Plan::Later)
    }

    /// Somebody was given a reading of this moment.
    pub fn was_shown(&mut self, id: Id, at: Timestamp) {
        if let Some(asked) = self.asked.get_mut(&id) {
            asked.shown = asked.shown.max(at);
        }
    }

    /// What a sweep is for: what was asked for lately and can be expected in the list.
    fn wanted(&self, now: Timestamp) -> impl Iterator<Item = &Id> {
        let is_wanted = move |asked: &Asked| now < asked.wanted_until && asked.unlisted_until <= now;
        self.asked.iter().filter(move |(_, asked)| is_wanted(asked)).map(|(id, _)| id)
    }

    /// Whether a sweep costs less than looking at each thing by itself: the pages on which they stood, and as many as are thought to be
    /// needed for what has not been seen yet.
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
