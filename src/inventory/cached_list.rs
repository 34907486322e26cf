//! One cached list, and when it is read again.
//!
//! Callers get the existing list immediately; one loop reads the next one on request. So reads are single-flight, continue when a caller
//! gives up, and stop when the list is unused. While a caller waits, the read has the priority of a person's request.

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

/// A list older than this is read again when a person types.
const FRESH: SignedDuration = SignedDuration::from_mins(1);
/// The minimum time between two reads because something seems to be missing.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// A list that has not been used for this long is not kept up to date.
const IN_USE: SignedDuration = SignedDuration::from_mins(10);
/// Items per page: an unrequested refresh waits one [`PAUSE`] for each page of the list.
const PAGE: usize = 200;

/// A list, the latest attempt to read it, and the request for the next.
pub(super) struct CachedList<T: Listed> {
    shown: watch::Sender<Shown<T>>,
    wishes: AtomicU64,
    wish: Notify,
    /// A list read for an earlier request than this one is known to be outdated.
    due: AtomicU64,
    waiting: AtomicUsize,
    used_at: Mutex<Option<Timestamp>>,
}

struct Shown<T: Listed> {
    index: Option<Arc<Index<T>>>,
    /// How many requests had been made when reading this list began.
    read_for: u64,
    /// When the latest attempt began. It may still be running.
    tried_at: Option<Timestamp>,
    failure: Option<Error>,
    /// How many requests had been made when the latest finished attempt began.
    served: u64,
}

/// Marks that a caller waits for the next list, until this is dropped.
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

    /// Reads the list with `read` on each request. Never returns.
    pub(super) async fn run<F>(&self, client: &Client, what: &str, read: impl Fn() -> F)
    where
        F: Future<Output = Result<Index<T>, Error>>,
    {
        loop {
            self.wish.notified().await;
            let served = self.wishes.load(Ordering::SeqCst);
            if served == self.shown.borrow().served {
                // The latest attempt served this request too.
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

    /// Waits for a list that was read after the given number, and returns it with its own number.
    pub(super) async fn after(&self, known: u64) -> Option<(u64, Arc<Index<T>>)> {
        let mut shown = self.shown.subscribe();
        let newer = shown.wait_for(|shown| shown.index.is_some() && shown.read_for > known).await.ok()?;
        Some((newer.read_for, Arc::clone(newer.index.as_ref()?)))
    }

    /// The current priority of reading the list.
    pub(super) fn rank(&self) -> Priority {
        if self.waiting.load(Ordering::SeqCst) > 0 { Priority::Person } else { Priority::Inventory }
    }

    /// The list as it is, however old. Waits only for the very first one, and no longer than `patience`.
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

    /// As [`list`](Self::list), but waits without a limit. For background reads, whose callers limit their own waiting.
    pub(super) async fn list_at_last(&self, client: &Client) -> Result<Arc<Index<T>>, Error> {
        loop {
            match self.list(client, timeouts::COMMAND).await {
                Ok(index) => return Ok(index),
                Err(Absent::Late) => {}
                Err(Absent::Failed(error)) => return Err(error),
            }
        }
    }

    /// The list. If it is known to be outdated, a newer one if that can be read quickly.
    pub(super) async fn current(&self, client: &Client) -> Result<Arc<Index<T>>, Absent> {
        let used_at = *self.used_at.lock();
        let is_in_use = used_at.is_some_and(|used| client.now().duration_since(used) < IN_USE);
        if self.index().is_some() && (self.is_outdated() || !is_in_use) {
            // The existing list will do.
            let _ = self.refresh(client, timeouts::NEWER).await;
        }
        self.list(client, timeouts::COMMAND).await
    }

    /// Reports that a text matched nothing, so the list may be outdated.
    pub(super) fn missed(&self, client: &Client) {
        if self.rested(PAUSE, client.now()) {
            self.wish();
        }
    }

    /// Marks the list as outdated. It is read again now if it was used recently, otherwise on the next request.
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

    /// What a submitted text means among the listed items that count.
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

    /// Reads a newer list to find an item that is not listed. Fails if that is not possible and the present list is known to be outdated,
    /// since then it is unknown whether the item exists.
    pub(super) async fn look_again(&self, client: &Client) -> Result<(), Unresolved> {
        let was_outdated = self.is_outdated();
        match self.refresh(client, timeouts::NEWER).await {
            Err(absent) if was_outdated => Err(absent.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The error for a text that matches nothing.
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

    /// Waits for the very first list: for the running attempt, or for a new one.
    async fn first(&self, client: &Client, patience: SignedDuration) -> Result<Arc<Index<T>>, Absent> {
        let wished = self.wishes.load(Ordering::SeqCst);
        let is_under_way = wished > self.shown.borrow().served;
        let wish = if !is_under_way && self.rested(PAUSE, client.now()) { self.wish() } else { wished };
        let _requester = Waiter::new(&self.waiting);
        let mut shown = self.shown.subscribe();
        let there = shown.wait_for(|shown| shown.index.is_some() || shown.served >= wish);
        // This could fail only if the list were dropped, but it is borrowed here.
        let shown = within(client, patience, there).await?.map_err(|_| Absent::Late)?;
        match (&shown.index, &shown.failure) {
            (Some(index), _) => Ok(Arc::clone(index)),
            (None, Some(failure)) => Err(Absent::Failed(failure.clone())),
            (None, None) => Err(Absent::Late),
        }
    }

    /// Waits for a new attempt, or for the running one if it has just begun.
    async fn refresh(&self, client: &Client, patience: SignedDuration) -> Result<(), Absent> {
        let rested = self.rested(PAUSE, client.now());
        let wish = if rested { self.wish() } else { self.wishes.load(Ordering::SeqCst) };
        let _requester = Waiter::new(&self.waiting);
        let mut shown = self.shown.subscribe();
        let shown = within(client, patience, shown.wait_for(|shown| shown.served >= wish)).await?;
        match &shown.map_err(|_| Absent::Late)?.failure {
            Some(failure) => Err(Absent::Failed(failure.clone())),
            None => Ok(()),
        }
    }
}
