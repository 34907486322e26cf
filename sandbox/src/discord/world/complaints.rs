//! What the bot did wrong in the world, and the journal of its requests.

use std::collections::VecDeque;

use super::World;
use crate::discord::{
    event::Event,
    interaction::First,
    journal::{Complaint, Exchange},
    snowflake::Snowflake,
};

impl World {
    /// Every request so far, in order of arrival.
    pub fn journal(&self) -> &VecDeque<Exchange> {
        self.journal.exchanges()
    }

    /// What the bot did wrong so far, including Interactions that timed out.
    pub fn complaints(&mut self) -> Vec<Complaint> {
        self.expire_late();
        self.complaints.clone()
    }

    /// Records something that the bot did wrong.
    pub(in crate::discord) fn complain(&mut self, what: String, request: Option<usize>) {
        let complaint = Complaint { what, request };
        if !self.complaints.contains(&complaint) {
            self.complaints.push(complaint);
            self.tell(Event::Complained);
        }
    }

    /// Ends every Interaction whose time for a first response has expired.
    pub(in crate::discord) fn expire_late(&mut self) {
        let late: Vec<Snowflake> = self
            .interactions
            .values()
            .filter(|interaction| interaction.first == First::Awaited && self.is_late(interaction))
            .map(|interaction| interaction.id)
            .collect();
        for id in late {
            self.expire(id);
        }
    }

    /// Ends one Interaction that was not answered in time.
    pub(in crate::discord) fn expire(&mut self, id: Snowflake) {
        let Some(interaction) = self.interactions.get_mut(&id) else { return };
        if interaction.first != First::Awaited {
            return;
        }
        interaction.first = First::Died;
        let (excused, name) = (interaction.excused, interaction.name.clone());
        self.tell(Event::InteractionDied { interaction: id });
        if !excused {
            self.complain(format!("`{name}` was not acknowledged in time"), None);
        }
    }
}
