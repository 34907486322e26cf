//! How many requests may be sent, and which take precedence.
//!
//! DigitalOcean allows 5,000 requests an hour and bursts of 5 % of that in a minute
//! (<https://docs.digitalocean.com/reference/api/reference/#section/Introduction/Rate-Limit>). [`Budget`] is pure: the client asks it
//! before every request and reports every answer to it; it reads no clock.
//!
//! DigitalOcean counts each request for an hour of its own, so this records the time of each one: two exact sliding windows. A GCRA such as
//! governor's allows a whole burst and refills it meanwhile, which is nearly twice the limit within one minute, and it knows neither
//! priorities nor the headers of the answers.

mod downtimes;
mod priority;
mod shares;
mod window;

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::http_types::HttpAnswer;
pub use downtimes::DowntimeRoom;
use downtimes::Foreign;
pub use priority::Priority;
use shares::{blind_share, look_share, off_share, poll_share, shutdown_share};
use window::{Window, later};

/// Permission to send one request.
#[must_use = "leave was given and counted"]
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    /// How many permissions had been given up to and including this one.
    number: u64,
    priority: Priority,
    /// Gone once the ticket is dropped.
    kept: Arc<()>,
}

/// A permission that is not used yet.
#[derive(Debug)]
struct Unused {
    ticket: Weak<()>,
    number: u64,
    priority: Priority,
    /// When it was given.
    at: Timestamp,
}

impl Ticket {
    /// The priority for which permission was given.
    pub fn priority(&self) -> Priority {
        self.priority
    }
}

/// The answer to "may I send?".
#[derive(Debug, PartialEq, Eq)]
pub enum Admission {
    /// Send; the request is already counted.
    Now(Ticket),
    /// Ask again at this moment.
    At(Timestamp),
}

/// Why a request may not be sent yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBack {
    /// DigitalOcean asked for no request before this moment.
    Silence(Timestamp),
    /// Other requests take precedence; there is room again at this moment.
    Turn(Timestamp),
}

/// What DigitalOcean allows until its headers say otherwise.
const USUAL_LIMIT: usize = 5_000;
/// Higher limits are not believed, so that the record stays small.
const HIGHEST_LIMIT: usize = 1_000_000;
/// A little more than the vendor's window, since a request is counted when it arrives there, not when it leaves here.
const MINUTE: SignedDuration = SignedDuration::from_secs(62);
const HOUR: SignedDuration = SignedDuration::from_secs(3_610);
/// A request does not wait in line for a silence longer than this to end: the caller decides what to do meanwhile.
const LONGEST_IN_LINE: SignedDuration = SignedDuration::from_secs(30);
/// How often, in a silence too long for everybody to keep, one request for a Droplet that is off may test whether it is over.
const PROBE_SILENCE_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// How often one request may test an unusually low limit that our own count has used up.
const PROBE_LIMIT_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// When a request that may not test whether more remains is worth asking for again, at the latest.
const ASK_AGAIN: SignedDuration = SignedDuration::from_mins(1);
/// How many requests a minute holds however low the limit is: a look, the command that follows it, and their two successors.
const LEAST_A_MINUTE: usize = 4;
/// A limit is disproved once this many requests more than twice the limit were answered within an hour.
const DISPROVED_BEYOND: usize = 20;

/// The pause between two looks at a Droplet that is off when few requests are left.
const SCARCE_PAUSE: SignedDuration = SignedDuration::from_secs(15);

/// The record of sent requests, and of what DigitalOcean said about them.
#[derive(Debug)]
pub struct Budget {
    hour_limit: usize,
    /// When a request may be sent although an unusually low limit is used up by our own count.
    probe_limit_at: Timestamp,
    all: Window,
    polls: Window,
    offs: Window,
    blinds: Window,
    shutdowns: Window,
    unused: Vec<Unused>,
    numbered: u64,
    observed: Option<Observed>,
    foreign: Foreign,
    silence: Option<Silence>,
    latest: Timestamp,
}

/// A period in which DigitalOcean asked for no requests.
#[derive(Clone, Copy, Debug)]
struct Silence {
    /// When it ends for all requests that may not probe.
    until: Timestamp,
    /// When the next request may probe whether it is over.
    probe_at: Timestamp,
    /// How many requests had been sent when it began: an answer to a later one shows whether it is over.
    number: u64,
}

/// What the latest answer said about the hourly limit; other programs may use the same token.
#[derive(Debug)]
struct Observed {
    remaining: usize,
    /// The number of the answered request: `remaining` does not count later ones.
    number: u64,
    /// When that answer came, or a later request was let through to see whether more remains.
    at: Timestamp,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            hour_limit: USUAL_LIMIT,
            probe_limit_at: Timestamp::MIN,
            all: Window::default(),
            polls: Window::default(),
            offs: Window::default(),
            blinds: Window::default(),
            shutdowns: Window::default(),
            unused: Vec::new(),
            numbered: 0,
            observed: None,
            foreign: Foreign::default(),
            silence: None,
            latest: Timestamp::MIN,
        }
    }
}

impl Budget {
    /// Requests permission to send one request of this priority, and counts the request if it may be sent.
    pub fn admit(&mut self, priority: Priority, now: Timestamp) -> Admission {
        self.advance(now);
        match self.free_at(priority, now) {
            Some(at) if at > now => Admission::At(at),
            _ => {
                if self.doubtful_until(priority, now).is_some() {
                    self.probe_limit_at = later(now, PROBE_LIMIT_EVERY);
                }
                self.windows_of(priority).for_each(Window::admit);
                if let Some(silence) = &mut self.silence {
                    silence.probe_at = later(now, PROBE_SILENCE_EVERY);
                }
                if let Some(observed) = &mut self.observed {
                    observed.at = observed.at.max(now);
                }
                self.numbered += 1;
                let (number, kept) = (self.numbered, Arc::new(()));
                self.unused.push(Unused { ticket: Arc::downgrade(&kept), number, priority, at: now });
                Admission::Now(Ticket { number, priority, kept })
            }
        }
    }

    /// Call immediately before sending. `Err` says until when DigitalOcean wants no request, even from those with permission; a permission
    /// that was given after it said so is good.
    ///
    /// Until then the permission counts as if the request left now: a command may wait for a last look between the two.
    pub fn depart(&mut self, ticket: &Ticket, now: Timestamp) -> Result<(), Timestamp> {
        self.advance(now);
        if let Some(silence) = self.silence.filter(|silence| ticket.number <= silence.number) {
            return Err(if ticket.priority.may_probe() { silence.probe_at.min(silence.until) } else { silence.until });
        }
        if let Some(place) = self.unused.iter().position(|unused| unused.number == ticket.number) {
            self.unused.swap_remove(place);
            self.windows_of(ticket.priority).for_each(|window| window.depart(now));
        }
        Ok(())
    }

    /// The windows in which a request of this priority counts.
    fn windows_of(&mut self, priority: Priority) -> impl Iterator<Item = &mut Window> {
        let own = match priority {
            Priority::Poll => Some(&mut self.polls),
            Priority::Off => Some(&mut self.offs),
            Priority::PowerOnBlind => Some(&mut self.blinds),
            Priority::Shutdown | Priority::BeforeShutdown => Some(&mut self.shutdowns),
            _ => None,
        };
        std::iter::once(&mut self.all).chain(own)
    }

    /// What a request of this priority has to wait for, and until when; `None` if it may be sent now.
    pub fn held_back(&mut self, priority: Priority, now: Timestamp) -> Option<HeldBack> {
        self.advance(now);
        match (self.silence_for(priority, now), self.free_at(priority, now).filter(|at| *at > now)) {
            (Some(until), _) => Some(HeldBack::Silence(until)),
            (None, Some(at)) => Some(HeldBack::Turn(at)),
            (None, None) => None,
        }
    }

    /// The end of a silence that is too long for a request of this priority to wait in line for; `None` if there is no such silence.
    pub fn long_silence(&mut self, priority: Priority, now: Timestamp) -> Option<Timestamp> {
        self.advance(now);
        self.silence_for(priority, now).filter(|until| *until > later(now, LONGEST_IN_LINE))
    }

    /// Processes what the answer to an admitted request says about limits.
    pub fn observe(&mut self, ticket: &Ticket, answer: &HttpAnswer) {
        if let Some(limit) = answer.number("ratelimit-limit").and_then(|limit| usize::try_from(limit).ok()) {
            // A proxy may state a limit for another period under the same name. DigitalOcean answers nothing beyond its own.
            let is_disproved =
                (200..300).contains(&answer.status) && self.all.len() > limit.saturating_mul(2) + DISPROVED_BEYOND;
            self.hour_limit = if is_disproved { USUAL_LIMIT } else { limit.clamp(1, HIGHEST_LIMIT) };
        }
        match (answer.blocked_until(), answer.silence_until()) {
            (Some(probe_at), Some(until)) => {
                let earlier = self.silence.filter(|earlier| earlier.until > until);
                let until = earlier.map_or(until, |earlier| earlier.until);
                // If the answer to a probe asks for silence again, the time of the next probe is kept.
                let soon = probe_at.min(later(answer.received_at, PROBE_SILENCE_EVERY));
                let probe_at = self.silence.map_or(probe_at, |earlier| earlier.probe_at.max(soon));
                self.silence = Some(Silence { until, probe_at, number: self.numbered });
            }
            // A success shows that the silence is over.
            _ if (200..300).contains(&answer.status) => {
                self.silence.take_if(|silence| silence.number < ticket.number);
            }
            _ => {}
        }
        // On a burst 429, `ratelimit-remaining` may read 0 although plenty is left of the hourly limit.
        let of_the_hour = answer.status != 429 || answer.header("retry-after").is_none();
        let newer = self.observed.as_ref().is_none_or(|observed| observed.number < ticket.number);
        let remaining = answer.number("ratelimit-remaining").and_then(|left| usize::try_from(left).ok());
        if let (Some(remaining), true) = (remaining, of_the_hour && newer) {
            let later_ones = usize::try_from(self.numbered - ticket.number).unwrap_or(usize::MAX);
            let own = self.all.len().saturating_sub(later_ones);
            self.foreign.note(self.hour_limit.saturating_sub(remaining.saturating_add(own)), answer.received_at);
            self.observed = Some(Observed { remaining, number: ticket.number, at: answer.received_at });
        }
    }

    /// The minimum age of the last reading of a Droplet that is off before another look is sent:
    /// zero while half of the hourly limit is left.
    pub fn look_pause(&mut self, now: Timestamp) -> SignedDuration {
        self.advance(now);
        if self.left_this_hour() * 2 >= self.hour_limit { SignedDuration::ZERO } else { SCARCE_PAUSE }
    }

    /// How many requests are left in the hour or in the minute, whichever is fewer.
    pub fn left(&mut self, now: Timestamp) -> usize {
        self.advance(now);
        self.left_this_hour().min(self.minute_limit().saturating_sub(self.all.within(MINUTE, now)))
    }

    /// The minimum pause between two looks that cost `requests` each: zero while polls have used less than a quarter of their half, then
    /// increasing. At half of it, the pause is what would use exactly their half forever. It grows further, since a crowd that has just
    /// arrived has looks in flight that took no account of a pause.
    pub fn poll_floor(&mut self, requests: u32, now: Timestamp) -> Duration {
        self.advance(now);
        let windows = [(MINUTE, poll_share(self.minute_limit())), (HOUR, poll_share(self.hour_limit))];
        let pauses = windows.map(|(window, share)| {
            let used = self.polls.within(window, now);
            // The usage beyond the first quarter, in quarters of the share.
            let pressed = u32::try_from((used * 4).saturating_sub(share)).unwrap_or(u32::MAX);
            let share = u32::try_from(share).unwrap_or(u32::MAX);
            let steady = window.unsigned_abs().saturating_mul(requests) / share;
            steady.saturating_mul(pressed) / share
        });
        pauses.into_iter().max().unwrap_or_default()
    }

    fn minute_limit(&self) -> usize {
        (self.hour_limit / 20).max(LEAST_A_MINUTE)
    }

    fn left_this_hour(&self) -> usize {
        let by_our_count = self.hour_limit.saturating_sub(self.all.len());
        self.remaining().map_or(by_our_count, |remaining| remaining.min(by_our_count))
    }

    /// What DigitalOcean said remains, minus what has been sent since.
    fn remaining(&self) -> Option<usize> {
        let observed = self.observed.as_ref()?;
        let since = usize::try_from(self.numbered - observed.number).unwrap_or(usize::MAX);
        let unused = self.unused.iter().filter(|unused| unused.number <= observed.number).count();
        Some(observed.remaining.saturating_sub(since.saturating_add(unused)))
    }

    /// The earliest time at which nothing known now prevents the request.
    fn free_at(&self, priority: Priority, now: Timestamp) -> Option<Timestamp> {
        let (minute, hour) = (self.minute_limit(), self.hour_limit);
        let shares =
            [self.all.free_at(MINUTE, priority.share_of_minute(minute), now), self.hour_free_at(priority, now)];
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
        let again = |observed: &Observed| match priority.probes_every() {
            Some(pause) => later(observed.at, pause),
            // Another request has to find out, such as the look before it. Until then this one only asks again.
            None => later(observed.at, ASK_AGAIN).max(later(now, ASK_AGAIN / 2)),
        };
        let probe = self.observed.as_ref().filter(|_| spent).map(again);
        shares.into_iter().chain(own).chain([probe, self.silence_for(priority, now)]).flatten().max()
    }

    /// When our own count leaves room in the hour. Nothing that a Droplet which is off or a person waits for keeps an unusually low limit
    /// for longer than a minute: one wrong header would otherwise leave a Droplet off for an hour. Turning it on follows its look at once,
    /// before that is too old.
    fn hour_free_at(&self, priority: Priority, now: Timestamp) -> Option<Timestamp> {
        let counted = self.all.free_at(HOUR, priority.share_of_hour(self.hour_limit), now);
        match self.doubtful_until(priority, now) {
            Some(_) if matches!(priority, Priority::PowerOn | Priority::PowerOnBlind) => None,
            Some(counted) => Some(self.probe_limit_at.min(counted)).filter(|at| *at > now),
            None => counted,
        }
    }

    /// Until when our own count uses up an unusually low limit that a request of this priority may test.
    fn doubtful_until(&self, priority: Priority, now: Timestamp) -> Option<Timestamp> {
        let may_test = self.hour_limit < USUAL_LIMIT && (priority.may_probe() || priority == Priority::Person);
        self.all.free_at(HOUR, priority.share_of_hour(self.hour_limit), now).filter(|_| may_test)
    }

    /// Until when a request of this priority keeps the silence.
    fn silence_for(&self, priority: Priority, now: Timestamp) -> Option<Timestamp> {
        let silence = self.silence?;
        let until = if priority.may_probe() { silence.probe_at.min(silence.until) } else { silence.until };
        (until > now).then_some(until)
    }

    /// Forgets requests that have left both windows. If the clock was set back, all recorded times are moved with it, so
    /// that no request waits hours for one of them.
    fn advance(&mut self, now: Timestamp) {
        if now < self.latest {
            let back = self.latest.duration_since(now);
            let windows = [&mut self.all, &mut self.polls, &mut self.offs, &mut self.blinds, &mut self.shutdowns];
            let moments = windows.into_iter().flat_map(Window::moments);
            let probe = self.observed.as_mut().map(|observed| &mut observed.at);
            let unused = self.unused.iter_mut().map(|unused| &mut unused.at);
            let silence = self.silence.as_mut().map(|silence| [&mut silence.until, &mut silence.probe_at]);
            moments
                .chain(unused)
                .chain(probe)
                .chain([&mut self.probe_limit_at])
                .chain(silence.into_iter().flatten())
                .for_each(|at| *at = later(*at, -back));
        }
        self.latest = now;
        self.silence = self.silence.filter(|silence| silence.until > now);
        // Dropped permission stays counted from when it was given.
        let dropped = self.unused.extract_if(.., |unused| unused.ticket.strong_count() == 0).collect::<Vec<_>>();
        for Unused { priority, at, .. } in dropped {
            self.windows_of(priority).for_each(|window| window.depart(at));
        }
        self.all.forget(HOUR, now);
        self.polls.forget(HOUR, now);
        self.offs.forget(MINUTE, now);
        self.blinds.forget(MINUTE, now);
        self.shutdowns.forget(MINUTE, now);
        // After an hour, every request that it counted has left DigitalOcean's window too.
        self.observed.take_if(|observed| later(observed.at, HOUR) <= now);
    }
}

#[cfg(test)]
mod tests;
