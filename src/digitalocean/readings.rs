//! What shared looks have shown, and how the next look is best answered: by what is known, by a sweep over pages, or by itself.
//!
//! Pure: [`super::watcher::Watcher`] carries it out for the program, a simulation in its own time. Keeps no more than the latest sweep.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    hash::Hash,
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::{budget::Priority, call::OnePage};

/// How many pages a sweep is thought to need before one has shown it.
const PAGES_UNKNOWN: usize = 5;
/// The most pages of a sweep; what they do not show is looked at by itself.
const MOST_PAGES: u32 = 25;
/// Between two sweeps lies at least this for each page, so that they use 6 % of the usual minute, however many look: the more
/// Droplets there are, the longer the pause.
const PAGE_PACE: SignedDuration = SignedDuration::from_secs(4);
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
    /// Who asks can be told to come back: for the next sweep, or where the last reading is younger than this. None where it cannot.
    pub patience: Option<SignedDuration>,
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
    /// By what will be known at this moment: who asks is to come back then.
    Later(Timestamp),
}

/// What is known of all things of one sort, and who was asked for.
#[derive(Debug)]
pub struct Readings<Id, T> {
    interval: SignedDuration,
    /// What is looked for stands at the end of the list, and nobody is in a hurry to see it.
    is_at_the_end: bool,
    /// The last page, as far as is known.
    last_page: Option<u32>,
    asked: HashMap<Id, Asked>,
    swept: Option<Swept<Id, T>>,
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

/// What a sweep showed.
#[derive(Debug)]
pub struct Swept<Id, T> {
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
    /// What it showed of one thing, unless that is from before `since`.
    pub fn reading(&self, id: &Id, since: Timestamp) -> Option<Seen<T>> {
        self.seen.get(id).map(|(seen, _)| seen).filter(|seen| seen.at >= since).cloned()
    }
}

impl<Id: Copy + Eq + Hash, T: Clone> Readings<Id, T> {
    /// Nothing is known yet. A sweep's reading younger than `interval` (`POLL_INTERVAL`) counts as a look.
    pub fn new(interval: SignedDuration) -> Self {
        Self { interval, is_at_the_end: false, last_page: None, asked: HashMap::new(), swept: None }
    }

    /// The same for what stands at the end of its list, such as new Snapshots: sweeps begin there, and come less often.
    pub fn from_the_end(interval: SignedDuration) -> Self {
        Self { is_at_the_end: true, ..Self::new(interval) }
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
            // Who comes back for the next sweep is one of those that it is for.
            let next = if let Plan::Later(at) = &plan { *at } else { later(now, self.pause(true, now)) };
            if let Some(asked) = self.asked.get_mut(&id) {
                asked.wanted_until = later(next, LATELY);
            }
        }
        plan
    }

    /// The least time between the beginnings of two sweeps: by what they cost, and for a crowd that waits for them by how many there are.
    fn pause(&self, is_crowd: bool, now: Timestamp) -> SignedDuration {
        let pages = self.swept.as_ref().map_or(0, |swept| swept.pages);
        let by_pages = PAGE_PACE.min(self.interval) * i32::try_from(pages).unwrap_or(i32::MAX);
        if !is_crowd {
            return by_pages;
        }
        let crowd = i32::try_from(self.wanted(now).count()).unwrap_or(i32::MAX);
        let by_crowd = CROWD_PACE.checked_mul(crowd).unwrap_or(SignedDuration::MAX).min(self.interval * MOST_INTERVALS);
        if self.is_at_the_end {
            return by_pages.max(self.interval * CALM_INTERVALS);
        }
        let by_pages = if pages == 1 { ONE_PAGE_PACE.min(self.interval) } else { by_pages };
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
        // Who can wait is not shown the same thing twice.
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

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(moment)
}

/// A sweep under way: reads pages until all that is asked for was shown, also what was asked for meanwhile, or the list ends, or as
/// many pages were read as there are things to be shown. Those pages come first that showed something of ours the last time.
#[derive(Debug)]
pub struct Sweep<Id, T> {
    begun: Timestamp,
    to_read: VecDeque<u32>,
    most: usize,
    read: usize,
    last: u32,
    /// It goes from the end of the list to its beginning.
    is_backward: bool,
    seen: HashMap<Id, (Seen<T>, u32)>,
}

impl<Id: Copy + Eq + Hash, T: Clone> Sweep<Id, T> {
    /// One that begins at this moment.
    pub fn begin(readings: &Readings<Id, T>, now: Timestamp) -> Self {
        let page_of = |id| Some(readings.swept.as_ref()?.seen.get(id)?.1);
        let ours: BTreeSet<u32> = readings.wanted(now).filter_map(page_of).collect();
        let others = (1..=MOST_PAGES).filter(|page| !ours.contains(page));
        let to_read = if readings.is_at_the_end {
            VecDeque::from([readings.last_page.unwrap_or(1)])
        } else {
            ours.iter().copied().chain(others).collect()
        };
        Self {
            begun: now,
            to_read,
            is_backward: readings.is_at_the_end,
            most: readings.wanted(now).count(),
            read: 0,
            last: u32::MAX,
            seen: HashMap::new(),
        }
    }

    /// When it began: nothing that it shows is older.
    pub fn begun(&self) -> Timestamp {
        self.begun
    }

    /// The page to read next; none if it is over.
    pub fn next_page(&mut self, readings: &Readings<Id, T>) -> Option<u32> {
        let all_shown = || readings.wanted(self.begun).all(|id| self.seen.contains_key(id));
        if self.read > 0 && (self.read >= self.most || all_shown()) {
            return None;
        }
        let last = self.last;
        std::iter::from_fn(|| self.to_read.pop_front()).find(|number| *number <= last)
    }

    /// Takes in a page that was asked for at the moment `at`.
    pub fn absorb(&mut self, number: u32, page: OnePage<T>, at: Timestamp, id: fn(&T) -> Id) {
        let OnePage { items, is_last, last } = page;
        self.read += 1;
        if self.is_backward {
            let end = last.unwrap_or(if is_last { number } else { number + 1 });
            if end != self.last {
                // The end is where nobody expected it: from there on, without what was read.
                let from = end.saturating_sub(MOST_PAGES).max(1);
                self.to_read = (from..=end).rev().filter(|page| *page != number).collect();
            }
            self.last = end;
        } else if is_last {
            self.last = number;
        }
        self.seen.extend(items.into_iter().map(|value| (id(&value), (Seen { value, at }, number))));
    }

    /// It is over: what it showed is known from here on.
    pub fn end(self, readings: &mut Readings<Id, T>, now: Timestamp) -> Swept<Id, T> {
        let until = now.saturating_add(UNLISTED).unwrap_or(now);
        for (_, asked) in readings.asked.iter_mut().filter(|(id, _)| !self.seen.contains_key(id)) {
            asked.unlisted_until = asked.unlisted_until.max(until);
        }
        if self.is_backward {
            readings.last_page = Some(self.last).filter(|last| *last != u32::MAX).or(readings.last_page);
        }
        let swept = Swept { begun: self.begun, pages: self.read, seen: Arc::new(self.seen) };
        if readings.swept.as_ref().is_none_or(|known| known.begun < swept.begun) {
            readings.swept = Some(swept.clone());
        }
        swept
    }
}
