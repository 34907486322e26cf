//! Errors of DigitalOcean, grouped by what the caller can do next.
//!
//! Created by [`super::call::Call`] and the client; the worker relies on [`Error::retry`] and [`Error::delivery`] and never guesses.
//! Messages are fragments that can follow "could not …: "; the vendor's own words in them are untrusted and truncated.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    http_types::{HttpAnswer, TransportError},
    lenient::Fields,
    vendor_text::short_line,
};

/// Why a call returned no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The token is not accepted: somebody must set another one.
    Unauthorized {
        /// DigitalOcean's id of the request, for their support.
        request_id: Option<String>,
    },
    /// The request is not allowed: the token lacks a scope, or the account is locked or owes money. Somebody must change that.
    Forbidden {
        /// The scopes that this call needs, or only the missing one if DigitalOcean named it: a guess at the reason.
        scopes: Vec<&'static str>,
        /// DigitalOcean's words.
        message: String,
        /// DigitalOcean's id of the request.
        request_id: Option<String>,
    },
    /// The resource does not exist, or no longer, or not in this account.
    NotFound {
        /// DigitalOcean's id of the request.
        request_id: Option<String>,
    },
    /// Another Action runs on the Droplet: wait for it to end.
    Busy {
        /// DigitalOcean's words.
        message: String,
        /// DigitalOcean's id of the request.
        request_id: Option<String>,
    },
    /// Too many requests: no request may be sent before `until`.
    Throttled {
        /// The end of the wait.
        until: Timestamp,
        /// DigitalOcean's id of the request.
        request_id: Option<String>,
    },
    /// DigitalOcean understood the request and refused; it will refuse the same request again.
    Refused {
        /// The status code, 4xx.
        status: u16,
        /// DigitalOcean's words.
        message: String,
        /// DigitalOcean's id of the request.
        request_id: Option<String>,
    },
    /// There was no usable answer, but there may be one later.
    Unavailable {
        /// What happened instead.
        outage: Outage,
        /// The time before which DigitalOcean asked us not to retry.
        until: Option<Timestamp>,
        /// DigitalOcean's id of the request.
        request_id: Option<String>,
    },
    /// A success whose body does not match the API's description.
    Unreadable {
        /// The field, such as `droplets[3].status`.
        path: String,
        /// What is wrong with it.
        detail: String,
        /// DigitalOcean's id of the request.
        request_id: Option<String>,
    },
}

/// What happened instead of a usable answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outage {
    /// The network failed.
    Transport(TransportError),
    /// A status that says nothing about the outcome: 5xx, 408, a redirect; or any other with a body that is not
    /// DigitalOcean's, since something in between sent it.
    Status(u16),
    /// Nothing was sent: DigitalOcean has not answered for a while, and another request finds out whether it does again.
    Lasting,
}

/// Whether the server received the request, as far as can be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It was never sent, so it may be sent again.
    NotSent,
    /// It arrived and had no effect.
    Refused,
    /// It may have had an effect: look before sending it again.
    Ambiguous,
}

/// Whether and when the same call can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Not before this moment.
    At(Timestamp),
    /// After a pause that the caller chooses.
    Soon,
    /// Not until somebody changes something.
    Never,
}

impl Error {
    /// The error for an unsuccessful answer to a call that needs `scopes`.
    pub(super) fn of_answer(answer: &HttpAnswer, scopes: &[&'static str]) -> Self {
        let VendorError { message, request_id } = VendorError::read(answer);
        match (answer.status, message) {
            // A proxy that counts requests asks for a pause as well.
            (429, _) => Self::Throttled { until: answer.blocked_until().unwrap_or(answer.received_at), request_id },
            (401, Some(_)) => Self::Unauthorized { request_id },
            (403, Some(message)) => Self::Forbidden { scopes: missing_scopes(scopes, &message), message, request_id },
            (404 | 410, Some(_)) => Self::NotFound { request_id },
            (409 | 422 | 423, Some(message)) if names_a_pending_event(&message) => Self::Busy { message, request_id },
            (status @ (400..=407 | 409..=499), Some(message)) => Self::Refused { status, message, request_id },
            (status, _) => {
                Self::Unavailable { outage: Outage::Status(status), until: answer.blocked_until(), request_id }
            }
        }
    }

    /// The error for a success that could not be read.
    pub(super) fn unreadable(answer: &HttpAnswer, path: &str, detail: &str) -> Self {
        let request_id = answer.header("x-request-id").and_then(identifier);
        Self::Unreadable { path: short_line(path), detail: short_line(detail), request_id }
    }

    /// Whether failing to read a list says nothing about its individual items, so that they can still be read individually.
    pub fn spares_the_thing_itself(&self) -> bool {
        !matches!(self, Self::Unavailable { .. } | Self::Throttled { .. } | Self::Unauthorized { .. })
    }

    /// Whether the request may have had an effect, which does not matter for a read.
    pub fn delivery(&self) -> Delivery {
        match self {
            Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::NotFound { .. }
            | Self::Busy { .. }
            | Self::Throttled { .. }
            | Self::Refused { .. } => Delivery::Refused,
            Self::Unavailable {
                outage: Outage::Transport(TransportError::Connect { .. }) | Outage::Lasting, ..
            } => Delivery::NotSent,
            Self::Unavailable { .. } | Self::Unreadable { .. } => Delivery::Ambiguous,
        }
    }

    /// Whether and when trying again can help.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Throttled { until, .. } | Self::Unavailable { until: Some(until), .. } => Retry::At(*until),
            Self::Busy { .. } | Self::Unavailable { until: None, .. } | Self::Unreadable { .. } => Retry::Soon,
            Self::Unauthorized { .. } | Self::Forbidden { .. } | Self::NotFound { .. } | Self::Refused { .. } => {
                Retry::Never
            }
        }
    }

    /// DigitalOcean's id of the request, if it gave one.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Unauthorized { request_id }
            | Self::Forbidden { request_id, .. }
            | Self::NotFound { request_id }
            | Self::Busy { request_id, .. }
            | Self::Throttled { request_id, .. }
            | Self::Refused { request_id, .. }
            | Self::Unavailable { request_id, .. }
            | Self::Unreadable { request_id, .. } => request_id.as_deref(),
        }
    }
}

impl From<TransportError> for Error {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::HeldBack { until } => Self::Throttled { until, request_id: None },
            error => Self::Unavailable { outage: Outage::Transport(error), until: None, request_id: None },
        }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized { .. } => f.write_str("DigitalOcean does not accept the token")?,
            Self::Forbidden { scopes, message, .. } => {
                write!(f, "DigitalOcean does not allow it: {message}")?;
                if !scopes.is_empty() {
                    write!(f, " (the token may lack a scope: {})", scopes.join(", "))?;
                }
            }
            Self::NotFound { .. } => f.write_str("DigitalOcean does not know it (any more)")?,
            Self::Busy { message, .. } => write!(f, "another Action is running: {message}")?,
            Self::Throttled { until, .. } => {
                write!(f, "too many requests, DigitalOcean wants none before {until:.0}")?;
            }
            Self::Refused { status, message, .. } => write!(f, "DigitalOcean refused ({status}): {message}")?,
            Self::Unavailable { outage: Outage::Status(status), .. } => {
                write!(f, "DigitalOcean is not available ({status})")?;
            }
            Self::Unavailable { outage: Outage::Lasting, .. } => {
                f.write_str("DigitalOcean has not answered for a while, so it was not asked")?;
            }
            Self::Unavailable { outage: Outage::Transport(error), .. } => {
                write!(f, "DigitalOcean is not available: {error}")?;
            }
            Self::Unreadable { path, detail, .. } => {
                write!(f, "DigitalOcean's answer is unreadable at `{path}`: {detail}")?;
            }
        }
        match self.request_id() {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

/// DigitalOcean's error body, as far as there is one.
struct VendorError {
    /// The reason given; absent if the body is not DigitalOcean's, such as a proxy's page.
    message: Option<String>,
    request_id: Option<String>,
}

impl VendorError {
    fn read(answer: &HttpAnswer) -> Self {
        let wire = Fields::of_body(&answer.body).ok().filter(|wire| wire.has("message") || wire.has("id"));
        let message = wire.as_ref().map(|wire| {
            let texts = ["message", "id"].map(|name| wire.raw(name).map(said).unwrap_or_default());
            texts.into_iter().find(|text| !text.is_empty()).unwrap_or_else(|| "no reason given".to_owned())
        });
        let request_id = answer.header("x-request-id").and_then(identifier);
        let in_body = || wire?.known("error.request_id").and_then(|id: String| identifier(&id));
        Self { message, request_id: request_id.or_else(in_body) }
    }
}

/// The text of a message. If it is an object or a list, all texts in it, in order.
fn said(message: &str) -> String {
    fn dig(value: &Value, texts: &mut Vec<String>) {
        match value {
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) => texts.push(value.to_string()),
            Value::String(text) => texts.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| dig(item, texts)),
            Value::Object(fields) => fields.values().for_each(|field| dig(field, texts)),
        }
    }
    let Ok(value) = serde_json::from_str(message) else { return short_line(message) };
    let mut texts = Vec::new();
    dig(&value, &mut texts);
    let texts: Vec<_> = texts.iter().map(|text| short_line(text)).filter(|text| !text.is_empty()).collect();
    short_line(&texts.join("; "))
}

/// Recognises the messages seen so far: "Droplet already has a pending event." and, by tag, "there
/// are currently blocking events processing…".
fn names_a_pending_event(message: &str) -> bool {
    let message = message.to_lowercase();
    ["pending event", "blocking event", "currently locked"].iter().any(|text| message.contains(text))
}

/// The missing scopes that the message names. Only scopes known to us are returned, so that no foreign
/// text gets in; all of them if it names none.
fn missing_scopes(scopes: &[&'static str], message: &str) -> Vec<&'static str> {
    let named: Vec<_> = scopes.iter().copied().filter(|scope| message.contains(scope)).collect();
    if named.is_empty() { scopes.to_vec() } else { named }
}

/// The text, if it looks like a request id.
fn identifier(text: &str) -> Option<String> {
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
