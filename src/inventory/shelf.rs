//! One cached list and when it is read again.
//!
//! Whoever asks gets the list that is there, at once; one loop reads the next one when that is wished for. So reading is
//! single-flight, goes on when an asker gives up, and stops when nobody asks.

use std::{
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};

use super::index::{Index, Listed, Meaning};
use super::{SUGGESTIONS, Unresolved};
use crate::digitalocean::{client::Client, error::Error};

/// An older list is read again when somebody types.
const FRESH: SignedDuration = SignedDuration::from_mins(1);
/// What seems to be missing is looked for at most this often.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// A list that nobody used for so long is not kept up to date.
const IN_USE: SignedDuration = SignedDuration::from_mins(10);
/// Items on one page: an unasked refresh waits one [`PAUSE`] for each page of the list.
const PAGE: usize = 200;

/// A list, the latest attempt to read it, and the wish for the next.
pub(super) struct Shelf<T: Listed> {
    shown: watch::Sender<Shown<T>>,
    wishes: AtomicU64,
    wish: Notify,
    outdated: AtomicBool,
    used_at: Mutex<Option<Timestamp>>,
}

struct Shown<T: Listed> {
    index: Option<Arc<Index<T>>>,
    /// When the latest attempt began, which may still be under way.
    tried_at: Option<Timestamp>,
    failure: Option<Error>,
    /// The wishes that had been made when the latest attempt began.
    served: u64,
}

impl<T: Listed + Clone> Shelf<T> {
    /// An empty shelf.
    pub(super) fn new() -> Self {
        let shown = Shown { index: None, tried_at: None, failure: None, served: 0 };
        Self {
            shown: watch::Sender::new(shown),
            wishes: AtomicU64::new(0),
            wish: Notify::new(),
            outdated: AtomicBool::new(false),
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
            self.outdated.store(false, Ordering::SeqCst);
            let now = client.now();
            self.shown.send_modify(|shown| shown.tried_at = Some(now));
            let list = read().await;
            if let Err(error) = &list {
                tracing::warn!(%error, "could not list {what}");
            }
            self.shown.send_modify(|shown| {
                shown.served = served;
                match list {
                    Ok(index) => (shown.index, shown.failure) = (Some(Arc::new(index)), None),
                    Err(error) => shown.failure = Some(error),
                }
            });
        }
    }

    /// The list as it is, however old; waits only for the very first one.
    pub(super) async fn list(&self, client: &Client) -> Result<Arc<Index<T>>, Error> {
        let now = client.now();
        *self.used_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        if let Some(index) = self.index() {
            let old = if self.outdated.load(Ordering::SeqCst) { PAUSE } else { FRESH };
            if self.rested(old, now) {
                self.wish();
            }
            return Ok(index);
        }
        self.refresh(now).await;
        let shown = self.shown.borrow();
        match (&shown.index, &shown.failure) {
            (Some(index), _) => Ok(Arc::clone(index)),
            (None, Some(error)) => Err(error.clone()),
            (None, None) => Ok(Arc::new(Index::new(Vec::new(), |_, _| std::cmp::Ordering::Equal))),
        }
    }

    /// The list without what is known to be behind in it: waits where it is being read, or has to be.
    pub(super) async fn current(&self, client: &Client) -> Result<Arc<Index<T>>, Error> {
        if self.outdated.load(Ordering::SeqCst) && self.rested(PAUSE, client.now()) {
            self.wish();
        }
        let wished = self.wishes.load(Ordering::SeqCst);
        let mut shown = self.shown.subscribe();
        // It could fail only if the shelf were gone, and it is borrowed here.
        let _ = shown.wait_for(|shown| shown.served >= wished).await;
        self.list(client).await
    }

    /// Says that a text matched nothing: perhaps the list is behind.
    pub(super) fn missed(&self, client: &Client) {
        if self.rested(PAUSE, client.now()) {
            self.wish();
        }
    }

    /// Says that the list is behind: it is read again now if somebody used it lately, else when somebody asks.
    pub(super) fn invalidate(&self, client: &Client) {
        self.outdated.store(true, Ordering::SeqCst);
        let now = client.now();
        let used = *self.used_at.lock().unwrap_or_else(PoisonError::into_inner);
        let in_use = used.is_some_and(|used| now.duration_since(used) < IN_USE);
        let pages = self.index().map_or(1, |index| index.len() / PAGE + 1);
        let pause = PAUSE * i32::try_from(pages).unwrap_or(i32::MAX);
        if in_use && self.rested(pause, now) {
            self.wish();
        }
    }

    /// What a submitted text means among those that count. A text that means nothing is looked for in a new list.
    pub(super) async fn resolve(
        &self,
        client: &Client,
        text: &str,
        counts: impl Fn(&T) -> bool,
        label: impl Fn(&T) -> String,
    ) -> Result<Option<T>, Unresolved> {
        let mut list = self.list(client).await.map_err(Unresolved::Unavailable)?;
        if matches!(list.meaning(text, &counts), Meaning::Nothing) {
            self.refresh(client.now()).await;
            list = self.list(client).await.map_err(Unresolved::Unavailable)?;
        }
        match list.meaning(text, counts) {
            Meaning::One(item) => Ok(Some(item.clone())),
            Meaning::Several(items) => {
                let name = items.first().map_or(text, |item| item.name()).to_owned();
                Err(Unresolved::Ambiguous { name, labels: items.into_iter().map(label).collect() })
            }
            Meaning::Nothing => Ok(None),
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

    /// Whether the latest attempt began at least `pause` ago.
    fn rested(&self, pause: SignedDuration, now: Timestamp) -> bool {
        self.shown.borrow().tried_at.is_none_or(|tried| now.duration_since(tried) >= pause)
    }

    fn wish(&self) -> u64 {
        let number = self.wishes.fetch_add(1, Ordering::SeqCst) + 1;
        self.wish.notify_one();
        number
    }

    /// Waits for a new attempt, or where one has just begun, for that one.
    async fn refresh(&self, now: Timestamp) {
        let wish = if self.rested(PAUSE, now) { self.wish() } else { self.wishes.load(Ordering::SeqCst) };
        let mut shown = self.shown.subscribe();
        // It could fail only if the shelf were gone, and it is borrowed here.
        let _ = shown.wait_for(|shown| shown.served >= wish).await;
    }
}
