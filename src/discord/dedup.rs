//! Recognizes interactions that the gateway delivers a second time, as it may after a resume, so that they are not answered twice.
//!
//! This is only a courtesy. The store knows the ids of interactions, so their effects happen once in any case, whichever process receives
//! them.

use std::collections::VecDeque;

use parking_lot::Mutex;
use serenity::model::id::InteractionId;

/// More interactions than a gateway replays for fifteen minutes, after which an interaction expires.
const REMEMBERED: usize = 1000;

/// The interactions that were received recently.
#[derive(Debug, Default)]
pub(super) struct RecentInteractions(Mutex<VecDeque<InteractionId>>);

impl RecentInteractions {
    /// Whether this interaction was received before. Records it.
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
