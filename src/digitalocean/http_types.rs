//! One request and its answer as plain data, so that a socket or a simulated world can serve the same calls.
//!
//! Created and read by [`super::call::Call`], transferred by [`super::client::Client`] or by a simulation. Knows HTTP and DigitalOcean's
//! rate-limit headers, but nothing of Droplets.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The HTTP methods that we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads; may be repeated freely.
    Get,
    /// Starts something; never repeated blindly.
    Post,
    /// Removes something; never repeated blindly.
    Delete,
}

impl Method {
    /// The method as written in a request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// A request without its origin and token, which only the client knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// The HTTP method.
    pub method: Method,
    /// Path and query, beginning with `/v2/`.
    pub path_and_query: String,
    /// The JSON text to send, if any.
    pub body: Option<String>,
}

/// An answer as received, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// Names and values; names are case-insensitive.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// When it arrived by our clock: pauses that the server asks for count from here.
    pub received_at: Timestamp,
}

/// The longest silence that all requests keep. After that, requests for Droplets that are off probe whether it is over.
const LONGEST_FOR_ALL: SignedDuration = SignedDuration::from_mins(2);
/// The longest silence in any case, since every request leaves the hourly window within an hour: if a
/// server names a day, it is asked again earlier.
const LONGEST_SILENCE: SignedDuration = SignedDuration::from_hours(1);
/// The wait after a 429 that does not say how long to wait: one burst window.
const UNSAID_WAIT: SignedDuration = SignedDuration::from_mins(1);

/// The replacement for a secret.
const REDACTED: &str = "[token]";

impl HttpAnswer {
    /// The value of a header, if it is present and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether DigitalOcean itself answered, with any content. A status that says nothing about the outcome does not count, nor does a page
    /// of something in between. A 429 counts, whichever limit it is about.
    pub(super) fn is_digitaloceans(&self) -> bool {
        let is_object = || self.body.iter().find(|byte| !byte.is_ascii_whitespace()).is_none_or(|first| *first == b'{');
        match self.status {
            429 => true,
            200..=299 | 400..=407 | 409..=499 => is_object(),
            _ => false,
        }
    }

    /// Removes a secret that the other side repeats.
    pub(super) fn redact(&mut self, secret: &str) {
        let redacted =
            |text: &str| (!secret.is_empty() && text.contains(secret)).then(|| text.replace(secret, REDACTED));
        if let Ok(text) = std::str::from_utf8(&self.body)
            && let Some(text) = redacted(text)
        {
            self.body = text.into_bytes();
        }
        for (_, value) in &mut self.headers {
            if let Some(text) = redacted(value) {
                *value = text;
            }
        }
    }

    /// The value of a header that is a whole number.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.header(name)?.trim().parse().ok()
    }

    /// Until when nobody may send a request because the server asked for a pause: as long as it says, up to two minutes.
    ///
    /// A 429 always asks for a pause: by `retry-after`, else by `ratelimit-reset`, else by its status alone.
    /// <https://docs.digitalocean.com/reference/api/reference/#section/Introduction/Rate-Limit>
    pub fn blocked_until(&self) -> Option<Timestamp> {
        self.asked_wait().map(|wait| self.after(wait.min(LONGEST_FOR_ALL)))
    }

    /// Until when only requests that cannot wait that long may be sent: as long as the server says, up to an hour.
    pub(super) fn silence_until(&self) -> Option<Timestamp> {
        self.asked_wait().map(|wait| self.after(wait.min(LONGEST_SILENCE)))
    }

    fn after(&self, wait: SignedDuration) -> Timestamp {
        self.received_at.saturating_add(wait.max(SignedDuration::ZERO)).unwrap_or(self.received_at)
    }

    fn asked_wait(&self) -> Option<SignedDuration> {
        match self.status {
            429 => Some(self.retry_after().or_else(|| self.until_reset()).unwrap_or(UNSAID_WAIT)),
            503 => self.retry_after(),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<SignedDuration> {
        if let Some(seconds) = self.number("retry-after") {
            return Some(SignedDuration::from_secs(seconds));
        }
        let moment = http_date(self.header("retry-after")?)?;
        Some(moment.duration_since(self.server_now()))
    }

    /// How long until the oldest request leaves the hourly window. Both times are the server's, so that a wrong clock here does no harm;
    /// one second is added, since both are whole seconds.
    fn until_reset(&self) -> Option<SignedDuration> {
        let reset = Timestamp::from_second(self.number("ratelimit-reset")?).ok()?;
        let wait = reset.duration_since(self.server_now()) + SignedDuration::from_secs(1);
        (wait > SignedDuration::ZERO).then_some(wait)
    }

    /// The server's clock, if the answer states it.
    pub(super) fn date(&self) -> Option<Timestamp> {
        self.header("date").and_then(http_date)
    }

    fn server_now(&self) -> Timestamp {
        self.date().unwrap_or(self.received_at)
    }
}

fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

/// No answer arrived, or none that could be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The request was held back: after permission was given, DigitalOcean asked for silence.
    #[error("no request may leave before {until:.0}")]
    HeldBack {
        /// The end of the silence.
        until: Timestamp,
    },
    /// There was no connection, so nothing was sent.
    #[error("no connection: {reason}")]
    Connect {
        /// The network's error.
        reason: String,
    },
    /// The deadline passed; the request may have been carried out.
    #[error("no answer within {} s", .deadline.as_secs_f32())]
    TimedOut {
        /// How long we waited.
        deadline: Duration,
    },
    /// The connection broke after the request may have left.
    #[error("the connection broke: {reason}")]
    Cut {
        /// The network's error.
        reason: String,
    },
    /// The answer was larger than any plausible one.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The maximum number of bytes read.
        limit: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)]) -> HttpAnswer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        HttpAnswer { status, headers, body: Vec::new(), received_at: Timestamp::from_second(1_000_000).unwrap() }
    }

    fn waits(status: u16, headers: &[(&str, &str)]) -> Option<i64> {
        answer(status, headers).blocked_until().map(|until| until.as_second() - 1_000_000)
    }

    #[test]
    fn retry_after_counts_from_the_arrival() {
        assert_eq!(waits(429, &[("Retry-After", "30"), ("ratelimit-reset", "1000900")]), Some(30));
        assert_eq!(waits(503, &[("retry-after", "7")]), Some(7));
    }

    #[test]
    fn retry_after_may_be_a_date_of_the_servers_clock() {
        let headers = [("date", "Sun, 22 Nov 2026 10:00:00 GMT"), ("retry-after", "Sun, 22 Nov 2026 10:00:45 GMT")];
        assert_eq!(waits(429, &headers), Some(45));
    }

    #[test]
    fn without_retry_after_the_reset_counts_by_the_servers_clock() {
        let date = Timestamp::from_second(2_000_000).unwrap();
        let date = jiff::fmt::rfc2822::to_string(&date.to_zoned(jiff::tz::TimeZone::UTC)).unwrap();
        assert_eq!(waits(429, &[("date", &date), ("ratelimit-reset", "2000060")]), Some(61));
    }

    #[test]
    fn a_throttling_that_says_nothing_is_waited_out_for_a_minute() {
        assert_eq!(waits(429, &[]), Some(60));
        assert_eq!(waits(429, &[("ratelimit-reset", "5")]), Some(60), "a reset in the past says nothing");
        assert_eq!(waits(429, &[("retry-after", "soon")]), Some(60));
    }

    #[test]
    fn long_waits_are_kept_for_two_minutes_by_all_and_for_an_hour_at_most() {
        let silence = |status, headers: &[(&str, &str)]| {
            let until = answer(status, headers).silence_until();
            until.map(|until| until.as_second() - 1_000_000)
        };
        for wait in [[("retry-after", "9223372036854775807")], [("retry-after", "86400")]] {
            assert_eq!((waits(429, &wait), silence(429, &wait)), (Some(120), Some(3_600)));
            assert_eq!((waits(503, &wait), silence(503, &wait)), (Some(120), Some(3_600)));
        }
        let reset = [("ratelimit-reset", "1001800")];
        assert_eq!((waits(429, &reset), silence(429, &reset)), (Some(120), Some(1_801)));
        let past = [("retry-after", "-5")];
        assert_eq!((waits(429, &past), silence(429, &past)), (Some(0), Some(0)));
        let short = [("retry-after", "90")];
        assert_eq!((waits(503, &short), silence(503, &short)), (Some(90), Some(90)));
    }

    #[test]
    fn other_answers_ask_for_no_wait() {
        assert_eq!(waits(500, &[("retry-after", "7")]), None);
        assert_eq!(waits(503, &[]), None);
        assert_eq!(waits(200, &[("ratelimit-reset", "1000900")]), None);
    }
}
