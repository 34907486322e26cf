//! What was said over REST, request by request, and what the bot did wrong.
//!
//! Written by the server, read by tests: the contract tests hold every exchange against Discord's own specification.

use serde_json::Value;

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
