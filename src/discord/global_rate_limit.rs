//! Discord's global rate limit: how long the bot must send nothing at all.
//!
//! serenity waits for it only in the request that hit it, while all others go on, so the reporter checks here before it sends. Answers to
//! interactions are exempt from that limit.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;

/// The end of the limit. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct GlobalRateLimit(Arc<AtomicI64>);

impl GlobalRateLimit {
    /// Sets the end of the limit.
    pub(super) fn keep_until(&self, until: Timestamp) {
        self.0.fetch_max(until.as_millisecond(), Ordering::Relaxed);
    }

    /// The end of the limit; `None` if it is over.
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
