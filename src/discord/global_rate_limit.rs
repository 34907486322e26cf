//! How long Discord wants to hear nothing at all from the bot: its global limit.
//!
//! serenity waits for it in the one request that ran into it, while all others go on; so the reporter asks here before it speaks.
//! Answers to interactions are outside of that limit.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;

/// Until when nothing is said. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct GlobalRateLimit(Arc<AtomicI64>);

impl GlobalRateLimit {
    /// Nothing until then.
    pub(super) fn keep_until(&self, until: Timestamp) {
        self.0.fetch_max(until.as_millisecond(), Ordering::Relaxed);
    }

    /// When it is over; none if it is.
    pub(super) fn over_at(&self, now: Timestamp) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.0.load(Ordering::Relaxed)).ok().filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_hush_counts_and_ends() {
        let (global_rate_limit, at) = (GlobalRateLimit::default(), |second| Timestamp::from_second(second).unwrap());
        assert_eq!(global_rate_limit.over_at(at(1)), None);
        global_rate_limit.clone().keep_until(at(9));
        global_rate_limit.keep_until(at(5));
        assert_eq!(global_rate_limit.over_at(at(8)), Some(at(9)));
        assert_eq!(global_rate_limit.over_at(at(9)), None);
    }
}
