//! Rate limits: a window for each route and top-level resource, a global one, and the corresponding headers.
//!
//! Called by the server for every request before it is executed.
//! <https://discord.com/developers/docs/topics/rate-limits>

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::settings::RateLimits;

/// Every window, by bucket.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    windows: BTreeMap<String, Window>,
    global: Option<Window>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    ends: Timestamp,
    used: u32,
}

/// The contents of an answer's rate limit headers, and whether the request exceeded a limit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LimitState {
    pub(super) bucket: String,
    pub(super) limit: u32,
    pub(super) remaining: u32,
    pub(super) reset: Timestamp,
    pub(super) reset_after: f64,
    pub(super) refused: Option<Scope>,
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Route,
    Global,
}

impl Buckets {
    /// Counts a request; `None` if Discord does not limit it (interaction callbacks).
    pub(super) fn count(
        &mut self,
        method: &str,
        path: &[&str],
        limits: &RateLimits,
        now: Timestamp,
    ) -> Option<LimitState> {
        if path.first() == Some(&"interactions") {
            return None;
        }
        let (bucket, limit, seconds) = bucket(method, path, limits);
        let window = self.windows.entry(bucket.clone()).or_insert(Window { ends: now, used: 0 });
        window.renew(now, seconds);
        let mut refused = (limits.enforced && window.used >= limit).then_some(Scope::Route);
        if refused.is_none() {
            window.used += 1;
        }
        let (used, ends) = (window.used, window.ends);
        // The global limit does not apply to follow-ups to Interactions.
        if refused.is_none() && path.first() != Some(&"webhooks") {
            let global = self.global.get_or_insert(Window { ends: now, used: 0 });
            global.renew(now, 1);
            global.used += 1;
            if limits.enforced && global.used > limits.global_per_second {
                refused = Some(Scope::Global);
            }
        }
        let reset = if refused == Some(Scope::Global) { self.global.map_or(ends, |global| global.ends) } else { ends };
        let reset_after = reset.duration_since(now).as_secs_f64().max(0.0);
        Some(LimitState { bucket, limit, remaining: limit.saturating_sub(used), reset, reset_after, refused })
    }
}

impl Window {
    fn renew(&mut self, now: Timestamp, seconds: i64) {
        if now >= self.ends {
            *self = Self { ends: now + SignedDuration::from_secs(seconds), used: 0 };
        }
    }
}

impl LimitState {
    /// The headers that Discord sends along with every answer.
    pub(super) fn headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("x-ratelimit-limit", self.limit.to_string()),
            ("x-ratelimit-remaining", self.remaining.to_string()),
            ("x-ratelimit-reset", format!("{:.3}", seconds(self.reset))),
            ("x-ratelimit-reset-after", format!("{:.3}", self.reset_after)),
            ("x-ratelimit-bucket", self.bucket.clone()),
        ]
    }
}

/// The headers of a 429.
pub(super) fn throttle_headers(after: Duration, scope: Scope) -> Vec<(&'static str, String)> {
    // `retry-after` is in whole seconds, rounded up; the body has the exact time.
    let mut headers = vec![("retry-after", after.as_secs_f64().ceil().to_string())];
    match scope {
        Scope::Global => {
            headers.push(("x-ratelimit-global", "true".to_owned()));
            headers.push(("x-ratelimit-scope", "global".to_owned()));
        }
        Scope::Route => headers.push(("x-ratelimit-scope", "user".to_owned())),
    }
    headers
}

/// The body of a 429.
pub(super) fn throttle_body(after: Duration, scope: Scope) -> Value {
    let global = scope == Scope::Global;
    json!({"message": "You are being rate limited.", "code": 0, "retry_after": after.as_secs_f64(), "global": global})
}

/// The bucket of a route: its pattern with the top-level resource, how many requests fit, and in how many seconds.
fn bucket(method: &str, path: &[&str], limits: &RateLimits) -> (String, u32, i64) {
    let major = match path {
        ["channels" | "guilds", id, ..] => (*id).to_owned(),
        ["webhooks", id, token, ..] => format!("{id}-{token}"),
        _ => String::new(),
    };
    let shape: Vec<&str> = path.iter().map(|part| if part.parse::<u64>().is_ok() { "-" } else { part }).collect();
    let route = match path.first() {
        Some(&"webhooks") => "webhooks".to_owned(),
        _ => shape.join("."),
    };
    let bucket = format!("{}:{route}:{major}", method.to_lowercase());
    match (method, path) {
        ("POST" | "PATCH", ["channels", _, "messages", ..]) => (bucket, limits.messages_per_five_seconds, 5),
        _ => (bucket, limits.others_per_second, 1),
    }
}

fn seconds(at: Timestamp) -> f64 {
    at.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: [&str; 3] = ["channels", "1", "messages"];

    #[test]
    fn the_sixth_message_in_five_seconds_is_refused_until_the_window_ends() {
        let (mut buckets, limits, now) = (Buckets::default(), RateLimits::default(), Timestamp::UNIX_EPOCH);
        let mut count = |path: &[&str], now| buckets.count("POST", path, &limits, now).expect("a limited route");
        for left in (0..5).rev() {
            let limit_state = count(&POST, now);
            assert_eq!((limit_state.remaining, limit_state.refused), (left, None));
        }
        let refused = count(&POST, now);
        assert_eq!(refused.refused, Some(Scope::Route));
        assert!((refused.reset_after - 5.0).abs() < f64::EPSILON);
        assert_eq!(count(&["channels", "2", "messages"], now).refused, None, "another Channel has its own window");
        assert_eq!(count(&POST, now + SignedDuration::from_secs(5)).refused, None);
    }

    #[test]
    fn the_global_limit_counts_over_all_routes() {
        let (mut buckets, limits, now) = (Buckets::default(), RateLimits::default(), Timestamp::UNIX_EPOCH);
        let refusals: Vec<_> = (0..51)
            .map(|at| {
                let id = at.to_string();
                buckets.count("GET", &["channels", &id], &limits, now).expect("a limited route").refused
            })
            .collect();
        assert_eq!(refusals.iter().filter(|refused| **refused == Some(Scope::Global)).count(), 1);
        assert_eq!(buckets.count("POST", &["interactions", "1", "t", "callback"], &limits, now), None);
    }
}
