//! What was said over REST, request by request, and what the bot did wrong.
//!
//! Written by the server, read by tests: the contract tests hold every exchange against Discord's own specification.

use std::collections::VecDeque;

use serde_json::Value;

use super::{event::Event, interaction::First, snowflake::Snowflake, world::World};
use crate::control::journal;

/// What the bot asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// GET, POST, …
    pub method: String,
    /// The path below `/api/v10`, without the query.
    pub path: String,
    /// The query, as sent.
    pub query: String,
    /// The body; null where there was none.
    pub body: Value,
}

/// What Discord answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body; null where there was none.
    pub body: Value,
}

/// A request and what became of it.
pub type Exchange = journal::Exchange<Request, Answer>;

impl Exchange {
    /// The status that was sent to the bot.
    pub fn status(&self) -> Option<u16> {
        self.sent().map(|answer| answer.status)
    }
}

/// Something that a correct bot does not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// What it did, in words.
    pub what: String,
    /// The request, by its number in the journal, where it was one.
    pub request: Option<usize>,
}

impl World {
    /// Every request so far, in order of arrival.
    pub fn journal(&self) -> &VecDeque<Exchange> {
        self.journal.exchanges()
    }

    /// What the bot did wrong so far, Interactions that ran out of time included.
    pub fn complaints(&mut self) -> Vec<Complaint> {
        self.bury_the_late();
        self.complaints.clone()
    }

    /// Notes what the bot did wrong.
    pub(super) fn complain(&mut self, what: String, request: Option<usize>) {
        let complaint = Complaint { what, request };
        if !self.complaints.contains(&complaint) {
            self.complaints.push(complaint);
            self.tell(Event::Complained);
        }
    }

    /// Ends every Interaction whose time for a first response is over.
    pub(super) fn bury_the_late(&mut self) {
        let late: Vec<Snowflake> = self
            .interactions
            .values()
            .filter(|interaction| interaction.first == First::Awaited && self.is_late(interaction))
            .map(|interaction| interaction.id)
            .collect();
        for id in late {
            self.bury(id);
        }
    }

    /// Ends one Interaction that nobody answered in time.
    pub(super) fn bury(&mut self, id: Snowflake) {
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
