//! One sweep over the pages of a list.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    hash::Hash,
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    DEEP_SEARCH_EVERY, MOST_LOCATED, MOST_PAGES, Order, PAGES_AT_THE_END, PAGES_FOR_EACH, Readings, SEARCH_PAUSE, Seen,
    UNLISTED, later,
};
use crate::digitalocean::call::OnePage;

/// What a sweep showed.
#[derive(Debug)]
pub struct Swept<Id, T> {
    pub(super) begun: Timestamp,
    /// How many pages showed a wanted item.
    pub(super) pages: usize,
    /// What was seen, and on which page.
    seen: Arc<HashMap<Id, (Seen<T>, u32)>>,
}

impl<Id, T> Clone for Swept<Id, T> {
    fn clone(&self) -> Self {
        Self { begun: self.begun, pages: self.pages, seen: Arc::clone(&self.seen) }
    }
}

impl<Id: Eq + Hash, T: Clone> Swept<Id, T> {
    /// The reading of one item, unless it is from before `since`.
    pub fn reading(&self, id: &Id, since: Timestamp) -> Option<Seen<T>> {
        self.seen.get(id).map(|(seen, _)| seen).filter(|seen| seen.at >= since).cloned()
    }
}

/// A running sweep. It reads the pages on which wanted items were last seen, then the pages next to them if an item has moved, then
/// searches the list from where the last search stopped. It ends once everything asked for was seen, including what was asked for
/// meanwhile, or once it has read as many pages as that is worth: a page that was found is useful until the end.
#[derive(Debug)]
pub struct Sweep<Id, T> {
    begun: Timestamp,
    /// Pages on which wanted items were last seen.
    ours: VecDeque<u32>,
    /// Pages next to those, to which items may have moved.
    next_to_ours: VecDeque<u32>,
    search: VecDeque<u32>,
    /// Where the next search continues.
    search_from: u32,
    most: usize,
    read: BTreeSet<u32>,
    last: u32,
    /// Whether it goes from the end of the list to its beginning.
    is_backward: bool,
    /// How many pages it may read from the end.
    depth: u32,
    seen: HashMap<Id, (Seen<T>, u32)>,
}

impl<Id: Copy + Eq + Hash, T: Clone> Sweep<Id, T> {
    /// A sweep that begins at `now`.
    pub fn begin(readings: &Readings<Id, T>, now: Timestamp) -> Self {
        let is_backward = readings.order == Order::End;
        let ours: BTreeSet<u32> =
            readings.wanted(now).filter_map(|id| readings.page_of.get(id).copied()).filter(|_| !is_backward).collect();
        let next_to_ours: BTreeSet<u32> = ours
            .iter()
            .flat_map(|page| [page.saturating_add(1), page.saturating_sub(1)])
            .filter(|page| *page > 0 && !ours.contains(page))
            .collect();
        let from = if readings.order == Order::Beginning { 1 } else { readings.search_from };
        let end = readings.last_page.unwrap_or(from.saturating_add(MOST_PAGES)).max(from);
        let around = (from..=end).chain(1..from).filter(|page| !ours.contains(page));
        let search: VecDeque<u32> = if is_backward {
            VecDeque::from([readings.last_page.unwrap_or(1)])
        } else {
            around.take(MOST_PAGES as usize).collect()
        };
        let is_deep = readings.searched_deep_at.is_none_or(|at| now >= later(at, DEEP_SEARCH_EVERY) || now < at);
        let wanted = readings.wanted(now).count();
        let most = if readings.order == Order::Anywhere {
            let unseen = readings.wanted(now).filter(|id| !readings.page_of.contains_key(id)).count();
            let search_pages = (PAGES_FOR_EACH * unseen).min(MOST_PAGES as usize);
            wanted.max(ours.len() + search_pages)
        } else {
            wanted
        };
        Self {
            begun: now,
            ours: ours.into_iter().collect(),
            next_to_ours: next_to_ours.into_iter().collect(),
            search,
            search_from: from,
            is_backward,
            depth: if is_deep { MOST_PAGES } else { PAGES_AT_THE_END },
            most,
            read: BTreeSet::new(),
            last: u32::MAX,
            seen: HashMap::new(),
        }
    }

    /// When it began: none of its readings is older.
    pub fn begun(&self) -> Timestamp {
        self.begun
    }

    /// The page to read next; `None` if the sweep is over.
    pub fn next_page(&mut self, readings: &Readings<Id, T>) -> Option<u32> {
        let missing = || readings.wanted(self.begun).filter(|id| !self.seen.contains_key(id));
        if !self.read.is_empty() && (self.read.len() >= self.most || missing().next().is_none()) {
            return None;
        }
        let has_moved = missing().any(|id| readings.page_of.contains_key(id));
        let is_unread = |page: &u32| *page <= self.last && !self.read.contains(page);
        let next = |pages: &mut VecDeque<u32>| std::iter::from_fn(|| pages.pop_front()).find(is_unread);
        let near = next(&mut self.ours).or_else(|| if has_moved { next(&mut self.next_to_ours) } else { None });
        if near.is_some() {
            return near;
        }
        let found = next(&mut self.search);
        self.search_from = found.map_or(self.search_from, |page| page.saturating_add(1));
        found
    }

    /// Processes a page that was requested at the time `at`.
    pub fn absorb(&mut self, number: u32, page: OnePage<T>, at: Timestamp, id: fn(&T) -> Id) {
        let OnePage { items, is_last, last } = page;
        self.read.insert(number);
        let end = last.or(is_last.then_some(number));
        if self.is_backward {
            let end = end.unwrap_or(number + 1);
            if end != self.last {
                // The end is not where it was expected: search from there, without the pages already read.
                let from = end.saturating_sub(self.depth).saturating_add(1).max(1);
                self.search = (from..=end).rev().collect();
            }
            self.last = end;
        } else if let Some(end) = end {
            self.last = end.max(1);
        }
        self.seen.extend(items.into_iter().map(|value| (id(&value), (Seen { value, at }, number))));
    }

    /// Ends the sweep and adds what it showed to the readings.
    pub fn end(self, readings: &mut Readings<Id, T>, now: Timestamp) -> Swept<Id, T> {
        let is_past_the_end = self.search_from > self.last.min(readings.last_page.unwrap_or(u32::MAX));
        let is_searched_on = readings.order == Order::Anywhere && !is_past_the_end;
        let until = later(now, if is_searched_on { SEARCH_PAUSE } else { UNLISTED });
        let wanted: Vec<Id> = readings.wanted(self.begun).copied().collect();
        let pages: BTreeSet<u32> = wanted.iter().filter_map(|id| Some(self.seen.get(id)?.1)).collect();
        for (id, asked) in readings.asked.iter_mut().filter(|(id, _)| !self.seen.contains_key(id)) {
            asked.unlisted_until = asked.unlisted_until.max(until);
            readings.page_of.remove(id);
        }
        if self.is_backward {
            let reached_far = self.read.len() > PAGES_AT_THE_END as usize;
            readings.searched_deep_at = if reached_far { Some(self.begun) } else { readings.searched_deep_at };
        } else {
            // Old items of a history are never asked for again.
            let may_stay = readings.order == Order::Anywhere && readings.page_of.len() < MOST_LOCATED;
            let stays = |id: &Id| may_stay || readings.asked.contains_key(id);
            let located: Vec<(Id, u32)> =
                self.seen.iter().filter(|(id, _)| stays(id)).map(|(id, (_, page))| (*id, *page)).collect();
            readings.page_of.extend(located);
            if !may_stay {
                let asked = &readings.asked;
                readings.page_of.retain(|id, _| asked.contains_key(id));
            }
        }
        readings.last_page = Some(self.last).filter(|last| *last != u32::MAX).or(readings.last_page);
        readings.search_from = if is_past_the_end { 1 } else { self.search_from };
        let swept = Swept { begun: self.begun, pages: pages.len(), seen: Arc::new(self.seen) };
        if readings.swept.as_ref().is_none_or(|known| known.begun < swept.begun) {
            readings.swept = Some(swept.clone());
        }
        swept
    }
}
