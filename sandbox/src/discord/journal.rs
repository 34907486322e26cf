//! What was sent over REST, request by request, and what the bot did wrong.
//!
//! Written by the server, read by tests: the contract tests check every exchange against Discord's own specification.

use serde_json::Value;

use crate::control::journal;

/// The bot's request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The method: GET, POST, …
    pub method: String,
    /// The path below `/api/v10`, without the query.
    pub path: String,
    /// The query, as sent.
    pub query: String,
    /// The body; null if there was none.
    pub body: Value,
}

/// Discord's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body; null if there was none.
    pub body: Value,
}

/// A request and its result.
pub type Exchange = journal::Exchange<Request, Answer>;

impl Exchange {
    /// The status that was sent to the bot.
    pub fn status(&self) -> Option<u16> {
        self.sent().map(|answer| answer.status)
    }
}

/// Something that a correct bot would not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// What it did, in words.
    pub what: String,
    /// The number of the request in the journal, if it was a request.
    pub request: Option<usize>,
}
