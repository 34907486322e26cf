//! The rate limits of one token: 5,000 requests an hour, each with a one-hour timer of its own, and a burst of 5 % of that a minute.
//!
//! `GET /v2/account/keys` has a separate limit of 10 in 60 seconds.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// How many requests a token may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests in an hour.
    pub hourly: usize,
    /// Requests in a minute.
    pub burst: usize,
    /// Requests to `/v2/account/keys` in a minute.
    pub keys: usize,
}

impl Limits {
    /// An hourly limit with the corresponding burst limit.
    pub fn hourly(hourly: usize) -> Self {
        Self { hourly, burst: hourly / 20, keys: 10 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::hourly(5_000)
    }
}

/// Which limit a request exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exceeded {
    /// The hourly limit; the real API sends no `retry-after` in this case.
    Hour,
    /// The limit of the minute, with the seconds to wait.
    Burst(u64),
}

/// The times at which one token was used.
#[derive(Clone, Debug, Default)]
pub(super) struct Usage {
    requests: VecDeque<Timestamp>,
    keys: VecDeque<Timestamp>,
}

/// The values of the three rate limit headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) limit: usize,
    pub(super) remaining: usize,
    pub(super) reset: i64,
}

impl Usage {
    /// Counts a request, or returns the limit that it exceeds. A refused request is not counted.
    pub(super) fn admit(&mut self, limits: Limits, keys: bool, now: Timestamp) -> Result<(), Exceeded> {
        forget(&mut self.requests, HOUR, now);
        forget(&mut self.keys, MINUTE, now);
        if self.requests.len() >= limits.hourly {
            return Err(Exceeded::Hour);
        }
        let minute = self.requests.partition_point(|at| now.duration_since(*at) >= MINUTE);
        if self.requests.len() - minute >= limits.burst {
            return Err(Exceeded::Burst(wait(self.requests.get(minute), now)));
        }
        if keys && self.keys.len() >= limits.keys {
            return Err(Exceeded::Burst(wait(self.keys.front(), now)));
        }
        self.requests.push_back(now);
        if keys {
            self.keys.push_back(now);
        }
        Ok(())
    }

    pub(super) fn read(&self, limits: Limits, now: Timestamp) -> Reading {
        let oldest = self.requests.front().copied().unwrap_or(now);
        Reading {
            limit: limits.hourly,
            remaining: limits.hourly.saturating_sub(self.requests.len()),
            reset: oldest.checked_add(HOUR).unwrap_or(oldest).as_second(),
        }
    }
}

fn forget(moments: &mut VecDeque<Timestamp>, window: SignedDuration, now: Timestamp) {
    while moments.front().is_some_and(|at| now.duration_since(*at) >= window) {
        moments.pop_front();
    }
}

/// How many whole seconds, rounded up, until `oldest` leaves the minute.
fn wait(oldest: Option<&Timestamp>, now: Timestamp) -> u64 {
    let age = oldest.map_or(SignedDuration::ZERO, |at| now.duration_since(*at));
    let millis = MINUTE.saturating_sub(age).as_millis();
    u64::try_from(millis).unwrap_or_default().div_ceil(1_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn each_request_leaves_the_hour_on_its_own_timer() {
        let limits = Limits { hourly: 2, burst: 9, keys: 9 };
        let mut usage = Usage::default();
        assert_eq!(usage.admit(limits, false, at(0)), Ok(()));
        assert_eq!(usage.admit(limits, false, at(100)), Ok(()));
        assert_eq!(usage.admit(limits, false, at(200)), Err(Exceeded::Hour));
        assert_eq!(usage.read(limits, at(200)), Reading { limit: 2, remaining: 0, reset: 3_600 });
        assert_eq!(usage.admit(limits, false, at(3_600)), Ok(()));
        assert_eq!(usage.admit(limits, false, at(3_650)), Err(Exceeded::Hour));
        assert_eq!(usage.admit(limits, false, at(3_700)), Ok(()));
    }

    #[test]
    fn a_burst_says_how_long_to_wait() {
        let limits = Limits { hourly: 100, burst: 2, keys: 9 };
        let mut usage = Usage::default();
        usage.admit(limits, false, at(0)).unwrap();
        usage.admit(limits, false, at(10)).unwrap();
        assert_eq!(usage.admit(limits, false, at(15)), Err(Exceeded::Burst(45)));
        assert_eq!(usage.admit(limits, false, at(60)), Ok(()));
        assert_eq!(usage.admit(limits, false, at(61)), Err(Exceeded::Burst(9)));
    }

    #[test]
    fn ssh_keys_have_a_limit_of_their_own() {
        let mut usage = Usage::default();
        for _ in 0..10 {
            usage.admit(Limits::default(), true, at(0)).unwrap();
        }
        assert_eq!(usage.admit(Limits::default(), true, at(1)), Err(Exceeded::Burst(59)));
        assert_eq!(usage.admit(Limits::default(), false, at(1)), Ok(()));
    }
}
