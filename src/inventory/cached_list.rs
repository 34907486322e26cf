//! One cached list and when it is read again.
//!
//! Anyone who asks gets the list that is there, at once; one loop reads the next one when that is wished for. So reading is
//! single-flight, goes on when an asker gives up, and stops when nobody asks. While somebody waits it has a person's rank.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::{
    SUGGESTIONS, Unresolved,
    index::{Index, Meaning},
    label,
    listed::Listed,
    timeouts::{self, Absent, within},
};
use crate::digitalocean::{budget::Priority, client::Client, error::Error};

/// An older list is read again when somebody types.
const FRESH: SignedDuration = SignedDuration::from_mins(1);
/// What seems to be missing is looked for at most this often.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// A list that nobody used for so long is not kept up to date.
const IN_USE: SignedDuration = SignedDuration::from_mins(10);
/// Items on one page: an unasked refresh waits one [`PAUSE`] for each page of the list.
const PAGE: usize = 200;

/// A list, the latest attempt to read it, and the wish for the next.
pub(super) struct CachedList<T: Listed> {
    shown: watch::Sender<Shown<T>>,
    wishes: AtomicU64,
    wish: Notify,
    /// What was read for an earlier wish than this is known to be behind.
    due: AtomicU64,
    waiting: AtomicUsize,
    used_at: Mutex<Option<Timestamp>>,
}

struct Shown<T: Listed> {
    index: Option<Arc<Index<T>>>,
    /// The wishes that had been made when the list was begun to be read.
    read_for: u64,
    /// When the latest attempt began, which may still be under way.
    tried_at: Option<Timestamp>,
    failure: Option<Error>,
    /// The wishes that had been made when the latest attempt began that has ended.
    served: u64,
}

/// Somebody waits for the next list, until this is dropped.
struct Waiter<'a>(&'a AtomicUsize);

impl<'a> Waiter<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::SeqCst);
        Self(waiting)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<T: Listed + Clone> CachedList<T> {
    /// An empty list, never read.
    pub(super) fn new() -> Self {
        let shown = Shown { index: None, read_for: 0, tried_at: None, failure: None, served: 0 };
        Self {
            shown: watch::Sender::new(shown),
            wishes: AtomicU64::new(0),
            wish: Notify::new(),
            due: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            used_at: Mutex::new(None),
        }
    }

    /// Reads the list by `read` whenever that is wished for.
    pub(super) async fn run<F>(&self, client: &Client, what: &str, read: impl Fn() -> F)
    where
        F: Future<Output = Result<Index<T>, Error>>,
    {
        loop {
            self.wish.notified().await;
            let served = self.wishes.load(Ordering::SeqCst);
            if served == self.shown.borrow().served {
                // The latest attempt served this wish too.
                continue;
            }
            let now = client.now();
            self.shown.send_modify(|shown| shown.tried_at = Some(now));
            let list = read().await;
            if let Err(error) = &list {
                tracing::warn!(%error, "could not list {what}");
            }
            self.shown.send_modify(|shown| {
                shown.served = served;
                match list {
                    Ok(index) => {
                        (shown.index, shown.read_for, shown.failure) = (Some(Arc::new(index)), served, None);
                    }
                    Err(error) => shown.failure = Some(error),
                }
            });
        }
    }

    /// The list once one is there that was read after this one, and which that is.
    pub(super) async fn after(&self, known: u64) -> Option<(u64, Arc<Index<T>>)> {
        let mut shown = self.shown.subscribe();
        let newer = shown.wait_for(|shown| shown.index.is_some() && shown.read_for > known).await.ok()?;
        Some((newer.read_for, Arc::clone(newer.index.as_ref()?)))
    }

    /// The rank of the reading at this moment.
    pub(super) fn rank(&self) -> Priority {
        if self.waiting.load(Ordering::SeqCst) > 0 { Priority::Person } else { Priority::Inventory }
    }

    /// The list as it is, however old; waits only for the very first one, and not longer than `patience`.
    pub(super) async fn list(&self, client: &Client, patience: SignedDuration) -> Result<Arc<Index<T>>, Absent> {
        let now = client.now();
        *self.used_at.lock() = Some(now);
        if let Some(index) = self.index() {
            let old = if self.is_outdated() { PAUSE } else { FRESH };
            if self.rested(old, now) {
                self.wish();
            }
            return Ok(index);
        }
        self.first(client, patience).await
    }

    /// The same, however long that takes: for readings, for which nobody waits longer than they want.
    pub(super) async fn list_at_last(&self, client: &Client) -> Result<Arc<Index<T>>, Error> {
        loop {
            match self.list(client, timeouts::COMMAND).await {
                Ok(index) => return Ok(index),
                Err(Absent::Late) => {}
                Err(Absent::Failed(error)) => return Err(error),
            }
        }
    }

    /// The list; where it is known to be behind, a newer one if that can be had in a moment.
    pub(super) async fn current(&self, client: &Client) -> Result<Arc<Index<T>>, Absent> {
        let used_at = *self.used_at.lock();
        let is_in_use = used_at.is_some_and(|used| client.now().duration_since(used) < IN_USE);
        if self.index().is_some() && (self.is_outdated() || !is_in_use) {
            // The list that is there will do.
            let _ = self.refresh(client, timeouts::NEWER).await;
        }
        self.list(client, timeouts::COMMAND).await
    }

    /// Says that a text matched nothing: perhaps the list is behind.
    pub(super) fn missed(&self, client: &Client) {
        if self.rested(PAUSE, client.now()) {
            self.wish();
        }
    }

    /// Says that the list is behind: it is read again now if somebody used it lately, else when somebody asks.
    pub(super) fn invalidate(&self, client: &Client) {
        self.due.store(self.wishes.load(Ordering::SeqCst) + 1, Ordering::SeqCst);
        let now = client.now();
        let used = *self.used_at.lock();
        let in_use = used.is_some_and(|used| now.duration_since(used) < IN_USE);
        let pages = self.index().map_or(1, |index| index.len() / PAGE + 1);
        let pause = PAUSE * i32::try_from(pages).unwrap_or(i32::MAX);
        if in_use && self.rested(pause, now) {
            self.wish();
        }
    }

    /// What a submitted text means among those that are listed and count.
    pub(super) async fn resolve(
        &self,
        client: &Client,
        text: &str,
        counts: impl Fn(&T) -> bool,
        called: impl Fn(&T) -> String,
    ) -> Result<Option<T>, Unresolved> {
        let list = self.list(client, timeouts::COMMAND).await?;
        match list.meaning(text, counts) {
            Meaning::One(item) => Ok(Some(item.clone())),
            Meaning::Several(items) => {
                let name = items.first().map_or(text, |item| item.name()).to_owned();
                Err(Unresolved::Ambiguous { name, labels: label::told_apart(items, called) })
            }
            Meaning::Nothing => Ok(None),
        }
    }

    /// Looks for what is not listed in a newer list. Fails where that cannot be had and the present one is known to be behind:
    /// then nobody knows.
    pub(super) async fn look_again(&self, client: &Client) -> Result<(), Unresolved> {
        let was_outdated = self.is_outdated();
        match self.refresh(client, timeouts::NEWER).await {
            Err(absent) if was_outdated => Err(absent.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The refusal of a text that means nothing.
    pub(super) fn nothing_like(&self, text: &str, counts: impl Fn(&T) -> bool) -> Unresolved {
        let nearest = self.index().map(|index| index.nearest(text, SUGGESTIONS, counts));
        Unresolved::NotFound { nearest: nearest.unwrap_or_default() }
    }

    fn index(&self) -> Option<Arc<Index<T>>> {
        self.shown.borrow().index.clone()
    }

    fn is_outdated(&self) -> bool {
        self.shown.borrow().read_for < self.due.load(Ordering::SeqCst)
    }

    /// Whether the latest attempt began at least `pause` ago.
    fn rested(&self, pause: SignedDuration, now: Timestamp) -> bool {
        self.shown.borrow().tried_at.is_none_or(|tried| now.duration_since(tried) >= pause)
    }

    fn wish(&self) -> u64 {
        let number = self.wishes.fetch_add(1, Ordering::SeqCst) + 1;
        self.wish.notify_one();
        number
    }

    /// Waits for the very first list: for the attempt that is under way, or for a new one.
    async fn first(&self, client: &Client, patience: SignedDuration) -> Result<Arc<Index<T>>, Absent> {
        let wished = self.wishes.load(Ordering::SeqCst);
        let is_under_way = wished > self.shown.borrow().served;
        let wish = if !is_under_way && self.rested(PAUSE, client.now()) { self.wish() } else { wished };
        let _asker = Waiter::new(&self.waiting);
        let mut shown = self.shown.subscribe();
        let there = shown.wait_for(|shown| shown.index.is_some() || shown.served >= wish);
        // It could fail only if the list were gone, and it is borrowed here.
        let shown = within(client, patience, there).await?.map_err(|_| Absent::Late)?;
        match (&shown.index, &shown.failure) {
            (Some(index), _) => Ok(Arc::clone(index)),
            (None, Some(failure)) => Err(Absent::Failed(failure.clone())),
            (None, None) => Err(Absent::Late),
        }
    }

    /// Waits for a new attempt, or where one has just begun, for that one.
    async fn refresh(&self, client: &Client, patience: SignedDuration) -> Result<(), Absent> {
        let rested = self.rested(PAUSE, client.now());
        let wish = if rested { self.wish() } else { self.wishes.load(Ordering::SeqCst) };
        let _asker = Waiter::new(&self.waiting);
        let mut shown = self.shown.subscribe();
        let shown = within(client, patience, shown.wait_for(|shown| shown.served >= wish)).await?;
        match &shown.map_err(|_| Absent::Late)?.failure {
            Some(failure) => Err(Absent::Failed(failure.clone())),
            None => Ok(()),
        }
    }
}
