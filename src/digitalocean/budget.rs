//! How many requests may leave, and whose go first.
//!
//! DigitalOcean allows 5,000 requests an hour and a burst of 5 % of it a minute
//! (<https://docs.digitalocean.com/reference/api/reference/#section/Introduction/Rate-Limit>). [`Budget`] is pure: the client
//! asks it before every request and tells it every answer; it reads no clock.
//!
//! Each request has a timer of its own at DigitalOcean, so this keeps the moment of each one: two sliding windows, exact. A
//! GCRA such as governor's lets a whole burst pass and refills it meanwhile, which is nearly twice the limit within one
//! minute, and it knows neither ranks nor what the answers' headers say.

use std::{collections::VecDeque, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::exchange::HttpAnswer;

/// Who goes first when not everybody can; the order of the variants is the order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Bringing power back, and looking whether it came.
    PowerOn,
    /// Looking for what an ambiguous request did.
    LookUp,
    /// The Snapshot of a Droplet that is off already.
    SnapshotOff,
    /// What a person waits for.
    Person,
    /// Beginning a new downtime.
    Shutdown,
    /// Looking at what runs.
    Poll,
    /// Filling the caches.
    Inventory,
}

impl Priority {
    /// The share of a window, in percent, that this rank leaves to those before it.
    const fn leaves(self) -> usize {
        match self {
            Self::PowerOn => 0,
            Self::LookUp => 2,
            Self::SnapshotOff => 4,
            Self::Person => 8,
            Self::Shutdown => 14,
            Self::Poll => 20,
            Self::Inventory => 40,
        }
    }

    /// How many of `limit` requests this rank may fill, never none at all.
    const fn share(self, limit: usize) -> usize {
        let share = limit - limit * self.leaves() / 100;
        if share == 0 { 1 } else { share }
    }
}

/// Leave to send one request.
#[must_use = "leave was given and counted"]
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    /// How many requests had left when this one did, itself included.
    number: u64,
}

/// The answer to "may I send?".
#[derive(Debug, PartialEq, Eq)]
pub enum Admission {
    /// Send; it is counted already.
    Now(Ticket),
    /// Ask again at this moment.
    At(Timestamp),
}

/// Why a request may not leave yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBack {
    /// DigitalOcean wants no request before this moment.
    Silence(Timestamp),
    /// Others come first; there is room again at this moment.
    Turn(Timestamp),
}

/// What DigitalOcean allows until its headers say otherwise.
const USUAL_LIMIT: usize = 5_000;
/// Limits beyond this are not believed, so that the record stays small.
const HIGHEST_LIMIT: usize = 100_000;
/// A little more than the vendor's window, since a request is counted when it arrives there, not when it leaves here.
const MINUTE: SignedDuration = SignedDuration::from_secs(62);
const HOUR: SignedDuration = SignedDuration::from_secs(3_610);
/// How often one request may find out whether DigitalOcean's count has recovered.
const PROBE_EVERY: SignedDuration = SignedDuration::from_secs(1);

/// The record of what left, and of what DigitalOcean said about it.
#[derive(Debug)]
pub struct Budget {
    hour_limit: usize,
    all: Window,
    polls: Window,
    numbered: u64,
    observed: Option<Observed>,
    paused_until: Option<Timestamp>,
    latest: Timestamp,
}

/// What the latest answer said of the hour; other programs may use the same token.
#[derive(Debug)]
struct Observed {
    remaining: usize,
    /// The number of the request that was answered: later ones are not in `remaining` yet.
    number: u64,
    /// When a request may go although nothing seems to remain.
    probe_at: Timestamp,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            hour_limit: USUAL_LIMIT,
            all: Window::default(),
            polls: Window::default(),
            numbered: 0,
            observed: None,
            paused_until: None,
            latest: Timestamp::MIN,
        }
    }
}

impl Budget {
    /// Asks to send one request of this rank, and counts it when it may.
    pub fn admit(&mut self, priority: Priority, now: Timestamp) -> Admission {
        self.advance(now);
        match self.free_at(priority, now) {
            Some(at) if at > now => Admission::At(at),
            _ => {
                self.all.0.push_back(now);
                if priority == Priority::Poll {
                    self.polls.0.push_back(now);
                }
                if let Some(observed) = &mut self.observed {
                    observed.probe_at = observed.probe_at.max(later(now, PROBE_EVERY));
                }
                self.numbered += 1;
                Admission::Now(Ticket { number: self.numbered })
            }
        }
    }

    /// When a request of this rank may leave, and what it waits for; none if at once.
    pub fn held_back(&mut self, priority: Priority, now: Timestamp) -> Option<HeldBack> {
        self.advance(now);
        match (self.paused_until, self.free_at(priority, now).filter(|at| *at > now)) {
            (Some(until), _) => Some(HeldBack::Silence(until)),
            (None, Some(at)) => Some(HeldBack::Turn(at)),
            (None, None) => None,
        }
    }

    /// Takes in what the answer to an admitted request says about limits.
    pub fn observe(&mut self, ticket: &Ticket, answer: &HttpAnswer) {
        if let Some(limit) = answer.number("ratelimit-limit").and_then(|limit| usize::try_from(limit).ok()) {
            self.hour_limit = limit.clamp(1, HIGHEST_LIMIT);
        }
        if let Some(until) = answer.blocked_until() {
            self.paused_until = self.paused_until.max(Some(until));
        }
        // On a burst 429 `ratelimit-remaining` may read 0 though the hour has plenty left.
        let of_the_hour = answer.status != 429 || answer.header("retry-after").is_none();
        let newer = self.observed.as_ref().is_none_or(|observed| observed.number < ticket.number);
        let remaining = answer.number("ratelimit-remaining").and_then(|left| usize::try_from(left).ok());
        if let (Some(remaining), true) = (remaining, of_the_hour && newer) {
            let probe_at = later(answer.received_at, PROBE_EVERY);
            self.observed = Some(Observed { remaining, number: ticket.number, probe_at });
        }
    }

    /// Until when DigitalOcean wants no request at all, whatever leave was given before.
    pub fn silent_until(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.advance(now);
        self.paused_until
    }

    /// Whether a new downtime may begin when `requests` more must fit into the hour: the rest of its operation and what those
    /// running already will still send.
    pub fn fits(&mut self, requests: u32, now: Timestamp) -> bool {
        self.advance(now);
        let kept_back = self.hour_limit - Priority::Shutdown.share(self.hour_limit);
        let requests = usize::try_from(requests).unwrap_or(usize::MAX);
        self.paused_until.is_none() && self.left_this_hour() >= requests.saturating_add(kept_back)
    }

    /// How many requests are left, in the hour or in the minute, whichever is less.
    pub fn left(&mut self, now: Timestamp) -> usize {
        self.advance(now);
        self.left_this_hour().min(self.minute_limit().saturating_sub(self.all.within(MINUTE, now)))
    }

    /// The least pause between two looks that cost `requests` each: none while polls have used less than a quarter of their half,
    /// then longer and longer. At half of it, it is as long as would use exactly their half for ever; it grows on, since a crowd
    /// that has just arrived has looks under way that knew of no pause.
    pub fn poll_floor(&mut self, requests: u32, now: Timestamp) -> Duration {
        self.advance(now);
        let windows = [(MINUTE, poll_share(self.minute_limit())), (HOUR, poll_share(self.hour_limit))];
        let pauses = windows.map(|(window, share)| {
            let used = self.polls.within(window, now);
            // In quarters of the share beyond the first.
            let pressed = u32::try_from((used * 4).saturating_sub(share)).unwrap_or(u32::MAX);
            let share = u32::try_from(share).unwrap_or(u32::MAX);
            let steady = window.unsigned_abs().saturating_mul(requests) / share;
            steady.saturating_mul(pressed) / share
        });
        pauses.into_iter().max().unwrap_or_default()
    }

    fn minute_limit(&self) -> usize {
        (self.hour_limit / 20).max(1)
    }

    fn left_this_hour(&self) -> usize {
        let by_our_count = self.hour_limit.saturating_sub(self.all.0.len());
        self.remaining().map_or(by_our_count, |remaining| remaining.min(by_our_count))
    }

    /// What DigitalOcean said remains, less what left since.
    fn remaining(&self) -> Option<usize> {
        let observed = self.observed.as_ref()?;
        let since = usize::try_from(self.numbered - observed.number).unwrap_or(usize::MAX);
        Some(observed.remaining.saturating_sub(since))
    }

    /// The first moment at which nothing that is known now stands in the way.
    fn free_at(&self, priority: Priority, now: Timestamp) -> Option<Timestamp> {
        let (minute, hour) = (self.minute_limit(), self.hour_limit);
        let shares =
            [self.all.free_at(MINUTE, priority.share(minute), now), self.all.free_at(HOUR, priority.share(hour), now)];
        let halves = match priority {
            Priority::Poll => {
                [self.polls.free_at(MINUTE, poll_share(minute), now), self.polls.free_at(HOUR, poll_share(hour), now)]
            }
            _ => [None, None],
        };
        let spent = self.remaining().is_some_and(|remaining| remaining <= hour - priority.share(hour));
        let probe = self.observed.as_ref().filter(|_| spent).map(|observed| observed.probe_at);
        shares.into_iter().chain(halves).chain([probe, self.paused_until]).flatten().max()
    }

    /// Forgets what has left both windows. A clock that was set back takes the record along, so that nobody waits for a
    /// moment that will come only after hours.
    fn advance(&mut self, now: Timestamp) {
        if now < self.latest {
            let back = self.latest.duration_since(now);
            let moments = self.all.0.iter_mut().chain(&mut self.polls.0).chain(&mut self.paused_until);
            let probe = self.observed.as_mut().map(|observed| &mut observed.probe_at);
            moments.chain(probe).for_each(|at| *at = later(*at, -back));
        }
        self.latest = now;
        self.paused_until = self.paused_until.filter(|until| *until > now);
        self.all.forget(HOUR, now);
        self.polls.forget(HOUR, now);
        // An hour later every request it counted has left the window at DigitalOcean too.
        self.observed.take_if(|observed| later(observed.probe_at, HOUR) <= now);
    }
}

/// Looks may use half of a window at most.
const fn poll_share(limit: usize) -> usize {
    if limit < 4 { 1 } else { limit / 2 }
}

fn later(moment: Timestamp, by: SignedDuration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(moment)
}

/// The moments at which requests left, oldest first.
#[derive(Debug, Default)]
struct Window(VecDeque<Timestamp>);

impl Window {
    fn forget(&mut self, length: SignedDuration, now: Timestamp) {
        while self.0.front().is_some_and(|sent| later(*sent, length) <= now) {
            self.0.pop_front();
        }
    }

    fn within(&self, length: SignedDuration, now: Timestamp) -> usize {
        self.0.len() - self.0.partition_point(|sent| later(*sent, length) <= now)
    }

    /// When fewer than `most` requests will be within the window: when the oldest of the newest `most` leaves it.
    fn free_at(&self, length: SignedDuration, most: usize, now: Timestamp) -> Option<Timestamp> {
        let sent = self.0.get(self.0.len().checked_sub(most)?)?;
        Some(later(*sent, length)).filter(|at| *at > now)
    }
}

#[cfg(test)]
mod tests;
