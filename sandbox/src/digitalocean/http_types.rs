//! One request and its answer as plain data: the world's input and output, however the bytes are transferred.
//!
//! The server converts them from and to HTTP; a simulation converts what its client under test encodes.

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::control::journal;

/// An HTTP method that the API knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The method as written in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error for a method that the API does not know.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the API knows GET, POST, PUT, PATCH and DELETE only")]
pub struct UnknownMethod;

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "GET" => Ok(Self::Get),
            "POST" => Ok(Self::Post),
            "PUT" => Ok(Self::Put),
            "PATCH" => Ok(Self::Patch),
            "DELETE" => Ok(Self::Delete),
            _ => Err(UnknownMethod),
        }
    }
}

/// A client's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, beginning with `/v2` and without the query.
    pub path: String,
    /// The query's pairs, decoded.
    pub query: Vec<(String, String)>,
    /// The `authorization` header, unparsed.
    pub authorization: Option<String>,
    /// The body, unparsed.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without token and body; the path may contain a query.
    pub fn new(method: Method, path_and_query: &str) -> Self {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Self { method, path: decode(path), query, authorization: None, body: Vec::new() }
    }

    /// Adds this token to the request.
    #[must_use]
    pub fn bearer(mut self, token: &str) -> Self {
        self.authorization = Some(format!("Bearer {token}"));
        self
    }

    /// Adds this body to the request.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self
    }

    /// The first value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The path's segments.
    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|segment| !segment.is_empty()).collect()
    }
}

/// Clients escape characters unnecessarily, such as the colon of a tag. An escaped slash stays escaped, since it separates nothing.
fn decode(path: &str) -> String {
    let literal = path.replace("%2F", "%252F").replace("%2f", "%252F").replace('+', "%2B");
    let literal = literal.replace('=', "%3D").replace('&', "%26");
    let decoded = url::form_urlencoded::parse(literal.as_bytes()).map(|(key, _)| key.into_owned()).next();
    decoded.unwrap_or_default()
}

/// A request and its result.
pub type Exchange = journal::Exchange<Request, Answer>;

impl Exchange {
    /// The status that was sent to the client.
    pub fn status(&self) -> Option<u16> {
        self.sent().map(|answer| answer.status)
    }
}

/// How an answer reaches the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The client gets it immediately.
    Prompt,
    /// After this long, although the request was already executed.
    Late(SignedDuration),
    /// Not at all: the connection breaks. Only the world knows whether the request was executed.
    Cut,
    /// The request is executed at `until`, even if the client has gone; after that its answer can be fetched with the ticket.
    Postponed {
        /// The argument for `World::take_postponed`.
        ticket: u64,
        /// When it is executed.
        until: Timestamp,
    },
}

/// The API's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status; 0 if there is none because the connection breaks or the request is postponed.
    pub status: u16,
    /// The headers, with lower-case names.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for 204.
    pub body: Vec<u8>,
    /// How it reaches the client.
    pub delivery: Delivery,
}

impl Answer {
    /// A delivery without an answer.
    pub(super) fn nothing(delivery: Delivery) -> Self {
        Self { status: 0, headers: Vec::new(), body: Vec::new(), delivery }
    }

    /// The body as JSON; null if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }
}
