//! The log lines and metrics of each request.

use std::time::Duration;

use super::http_types::{HttpAnswer, HttpRequest, TransportError};

/// Logs a request and its outcome.
pub(super) fn log(request: &HttpRequest, answer: &Result<HttpAnswer, TransportError>, took: Duration) {
    let (method, path, ms) = (request.method.as_str(), &request.path_and_query, millis(took));
    let status = match answer {
        Ok(answer) => {
            let request_id = answer.header("x-request-id").unwrap_or_default();
            tracing::debug!(method, path, status = answer.status, request_id, ms, "DigitalOcean answered");
            answer.status.to_string()
        }
        Err(error) => {
            tracing::debug!(method, path, %error, ms, "DigitalOcean did not answer");
            "none".to_owned()
        }
    };
    if status == "429" {
        metrics::counter!("snapshot_bot_throttled_total", "service" => "digitalocean").increment(1);
    }
    metrics::counter!("snapshot_bot_requests_total", "service" => "digitalocean", "status" => status).increment(1);
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
