//! Interactions that the gateway delivers a second time, as it may after a resume: they were heard, so they are not answered again.
//!
//! For kindness only: what they would do is done once because the store knows their ids, whichever process hears them.

use std::collections::VecDeque;

use parking_lot::Mutex;
use serenity::model::id::InteractionId;

/// More than a gateway replays of a quarter of an hour, after which an interaction is over.
const REMEMBERED: usize = 1000;

/// The interactions that were heard lately.
#[derive(Debug, Default)]
pub(super) struct RecentInteractions(Mutex<VecDeque<InteractionId>>);

impl RecentInteractions {
    /// Whether this one was heard before; from now on it was.
    pub(super) fn is_repeat(&self, interaction: InteractionId) -> bool {
        let mut heard = self.0.lock();
        if heard.contains(&interaction) {
            return true;
        }
        if heard.len() >= REMEMBERED {
            heard.pop_front();
        }
        heard.push_back(interaction);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_time_is_a_repeat_also_after_many_others() {
        let recent_interactions = RecentInteractions::default();
        assert!(!recent_interactions.is_repeat(InteractionId::new(1)));
        for other in 2..u64::try_from(REMEMBERED).unwrap() {
            assert!(!recent_interactions.is_repeat(InteractionId::new(other)));
        }
        assert!(recent_interactions.is_repeat(InteractionId::new(1)));
    }
}
