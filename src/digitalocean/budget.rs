//! How many requests may leave, and whose go first.
//!
//! DigitalOcean allows 5,000 requests an hour and a burst of 5 % of it a minute
//! (<https://docs.digitalocean.com/reference/api/reference/#section/Introduction/Rate-Limit>). [`Budget`] is pure: the client
//! asks it before every request and tells it every answer; it reads no clock.
//!
//! Each request has a timer of its own at DigitalOcean, so this keeps the moment of each one: two sliding windows, exact. A
//! GCRA such as governor's lets a whole burst pass and refills it meanwhile, which is nearly twice the limit within one
//! minute, and it knows neither ranks nor what the answers' headers say.

mod downtimes;
mod priority;
mod window;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::http_types::HttpAnswer;
pub use downtimes::DowntimeRoom;
use downtimes::Foreign;
pub use priority::Priority;
use window::{Window, later};

/// Leave to send one request.
#[must_use = "leave was given and counted"]
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    /// How many requests had left when this one did, itself included.
    number: u64,
    priority: Priority,
}

impl Ticket {
    /// Whose leave it is.
    pub fn priority(&self) -> Priority {
        self.priority
    }
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
const HIGHEST_LIMIT: usize = 1_000_000;
/// A little more than the vendor's window, since a request is counted when it arrives there, not when it leaves here.
const MINUTE: SignedDuration = SignedDuration::from_secs(62);
const HOUR: SignedDuration = SignedDuration::from_secs(3_610);
/// How often one request may find out whether DigitalOcean's count has recovered.
const PROBE_EVERY: SignedDuration = SignedDuration::from_secs(1);
/// Nobody waits in line for a silence to end that lasts longer than this: who asked decides what to do meanwhile.
const LONGEST_IN_LINE: SignedDuration = SignedDuration::from_secs(30);
/// How often, in a silence longer than everybody's, one request for a Droplet that is off may find out whether it is over.
const PROBE_SILENCE_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Between two looks at a Droplet that is off where requests are scarce.
const SCARCE_PAUSE: SignedDuration = SignedDuration::from_secs(15);

/// The record of what left, and of what DigitalOcean said about it.
#[derive(Debug)]
pub struct Budget {
    hour_limit: usize,
    all: Window,
    polls: Window,
    offs: Window,
    blinds: Window,
    shutdowns: Window,
    numbered: u64,
    observed: Option<Observed>,
    foreign: Foreign,
    silence: Option<Silence>,
    latest: Timestamp,
}

/// DigitalOcean asked for no requests.
#[derive(Clone, Copy, Debug)]
struct Silence {
    /// Until when it is kept by all but those who may probe.
    until: Timestamp,
    /// Before this moment nobody probes.
    probe_at: Timestamp,
    /// How many requests had left when it was asked for: an answer to a later one shows whether it is over.
    number: u64,
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
            offs: Window::default(),
            blinds: Window::default(),
            shutdowns: Window::default(),
            numbered: 0,
            observed: None,
            foreign: Foreign::default(),
            silence: None,
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
                match priority {
                    Priority::Poll => self.polls.0.push_back(now),
                    Priority::Off => self.offs.0.push_back(now),
                    Priority::PowerOnBlind => self.blinds.0.push_back(now),
                    Priority::Shutdown | Priority::BeforeShutdown => self.shutdowns.0.push_back(now),
                    _ => {}
                }
                if let Some(silence) = &mut self.silence {
                    silence.probe_at = later(now, PROBE_SILENCE_EVERY);
                }
                if let Some(observed) = &mut self.observed {
                    observed.probe_at = observed.probe_at.max(later(now, PROBE_EVERY));
                }
                self.numbered += 1;
                Admission::Now(Ticket { number: self.numbered, priority })
            }
        }
    }

    /// When a request of this rank may leave, and what it waits for; none if at once.
    pub fn held_back(&mut self, priority: Priority, now: Timestamp) -> Option<HeldBack> {
        self.advance(now);
        match (self.silence_for(priority, now), self.free_at(priority, now).filter(|at| *at > now)) {
            (Some(until), _) => Some(HeldBack::Silence(until)),
            (None, Some(at)) => Some(HeldBack::Turn(at)),
            (None, None) => None,
        }
    }

    /// The end of a silence that is too long for a request of this rank to wait in line for; none if there is no such silence.
    pub fn long_silence(&mut self, priority: Priority, now: Timestamp) -> Option<Timestamp> {
        self.advance(now);
        self.silence_for(priority, now).filter(|until| *until > later(now, LONGEST_IN_LINE))
    }

    /// Takes in what the answer to an admitted request says about limits.
    pub fn observe(&mut self, ticket: &Ticket, answer: &HttpAnswer) {
        if let Some(limit) = answer.number("ratelimit-limit").and_then(|limit| usize::try_from(limit).ok()) {
            self.hour_limit = limit.clamp(1, HIGHEST_LIMIT);
        }
        match (answer.blocked_until(), answer.silence_until()) {
            (Some(probe_at), Some(until)) => {
                let earlier = self.silence.filter(|earlier| earlier.until > until);
                let until = earlier.map_or(until, |earlier| earlier.until);
                // Asked for again by the answer to a probe, the next probe keeps its time.
                let soon = probe_at.min(later(answer.received_at, PROBE_SILENCE_EVERY));
                let probe_at = self.silence.map_or(probe_at, |earlier| earlier.probe_at.max(soon));
                self.silence = Some(Silence { until, probe_at, number: self.numbered });
            }
            // It does what is asked again.
            _ if (200..300).contains(&answer.status) => {
                self.silence.take_if(|silence| silence.number < ticket.number);
            }
            _ => {}
        }
        // On a burst 429 `ratelimit-remaining` may read 0 though the hour has plenty left.
        let of_the_hour = answer.status != 429 || answer.header("retry-after").is_none();
        let newer = self.observed.as_ref().is_none_or(|observed| observed.number < ticket.number);
        let remaining = answer.number("ratelimit-remaining").and_then(|left| usize::try_from(left).ok());
        if let (Some(remaining), true) = (remaining, of_the_hour && newer) {
            let probe_at = later(answer.received_at, PROBE_EVERY);
            let later_ones = usize::try_from(self.numbered - ticket.number).unwrap_or(usize::MAX);
            let own = self.all.0.len().saturating_sub(later_ones);
            self.foreign.note(self.hour_limit.saturating_sub(remaining.saturating_add(own)), answer.received_at);
            self.observed = Some(Observed { remaining, number: ticket.number, probe_at });
        }
    }

    /// Until when DigitalOcean wants no request, also of those who have leave: none where this leave was given since it said so.
    pub fn silent_until(&mut self, ticket: &Ticket, now: Timestamp) -> Option<Timestamp> {
        self.advance(now);
        self.silence.filter(|silence| ticket.number <= silence.number).map(|silence| {
            if ticket.priority.may_probe() { silence.probe_at.min(silence.until) } else { silence.until }
        })
    }

    /// How young the last reading of a Droplet that is off may be for another look to be put off: not at all while half of the hour is
    /// left.
    pub fn look_pause(&mut self, now: Timestamp) -> SignedDuration {
        self.advance(now);
        if self.left_this_hour() * 2 >= self.hour_limit { SignedDuration::ZERO } else { SCARCE_PAUSE }
    }

    /// How many requests are left, in the hour or in the minute, whichever is less.
    pub fn left(&mut self, now: Timestamp) -> usize {
        self.advance(now);
        self.left_this_hour().min(self.minute_limit().saturating_sub(self.all.within(MINUTE, now)))
    }

    /// The least pause between two looks that cost `requests` each: none while polls have used less than a quarter of their half,
    /// then longer and longer. At half of it, it is as long as would use exactly their half forever; it grows on, since a crowd
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
        let shares = [
            self.all.free_at(MINUTE, priority.share_of_minute(minute), now),
            self.all.free_at(HOUR, priority.share_of_hour(hour), now),
        ];
        let own = match priority {
            Priority::Poll => {
                [self.polls.free_at(MINUTE, poll_share(minute), now), self.polls.free_at(HOUR, poll_share(hour), now)]
            }
            Priority::Off => [self.offs.free_at(MINUTE, off_share(minute), now), None],
            Priority::PowerOnBlind => [self.blinds.free_at(MINUTE, blind_share(minute), now), None],
            Priority::Shutdown => [self.shutdowns.free_at(MINUTE, shutdown_share(minute), now), None],
            Priority::BeforeShutdown => [self.shutdowns.free_at(MINUTE, look_share(minute), now), None],
            _ => [None, None],
        };
        let spent = self.remaining().is_some_and(|remaining| remaining <= hour - priority.share_of_hour(hour));
        let probe = self.observed.as_ref().filter(|_| spent).map(|observed| observed.probe_at);
        shares.into_iter().chain(own).chain([probe, self.silence_for(priority, now)]).flatten().max()
    }

    /// Until when a request of this rank keeps silent.
    fn silence_for(&self, priority: Priority, now: Timestamp) -> Option<Timestamp> {
        let silence = self.silence?;
        let until = if priority.may_probe() { silence.probe_at.min(silence.until) } else { silence.until };
        (until > now).then_some(until)
    }

    /// Forgets what has left both windows. A clock that was set back takes the record along, so that nobody waits for a
    /// moment that will come only after hours.
    fn advance(&mut self, now: Timestamp) {
        if now < self.latest {
            let back = self.latest.duration_since(now);
            let windows = [&mut self.all, &mut self.polls, &mut self.offs, &mut self.blinds, &mut self.shutdowns];
            let moments = windows.into_iter().flat_map(|window| window.0.iter_mut());
            let probe = self.observed.as_mut().map(|observed| &mut observed.probe_at);
            let silence = self.silence.as_mut().map(|silence| [&mut silence.until, &mut silence.probe_at]);
            moments.chain(probe).chain(silence.into_iter().flatten()).for_each(|at| *at = later(*at, -back));
        }
        self.latest = now;
        self.silence = self.silence.filter(|silence| silence.until > now);
        self.all.forget(HOUR, now);
        self.polls.forget(HOUR, now);
        self.offs.forget(MINUTE, now);
        self.blinds.forget(MINUTE, now);
        self.shutdowns.forget(MINUTE, now);
        // An hour later every request it counted has left the window at DigitalOcean too.
        self.observed.take_if(|observed| later(observed.probe_at, HOUR) <= now);
    }
}

/// Looks may use half of a window at most.
const fn poll_share(limit: usize) -> usize {
    if limit < 4 { 1 } else { limit / 2 }
}

/// What Droplets that are off wait for may use so much of a minute, so that looks keep no `power_on` waiting.
const fn off_share(limit: usize) -> usize {
    let share = limit * 6 / 10;
    if share == 0 { 1 } else { share }
}

/// Droplets that are turned on without a look may use so much of a minute.
const fn blind_share(limit: usize) -> usize {
    let share = limit / 5;
    if share == 0 { 1 } else { share }
}

/// Beginnings may use so much of a minute, so that what they begin does not end all at once.
const fn shutdown_share(limit: usize) -> usize {
    let share = limit / 5;
    if share < 2 { 2 } else { share }
}

/// The looks before a shutdown may use so much of what beginnings may. What they leave is for the shutdowns themselves: a look that
/// its shutdown cannot follow at once is too old when it can, and is taken again.
const fn look_share(limit: usize) -> usize {
    shutdown_share(limit) * 2 / 3
}

#[cfg(test)]
mod tests;
