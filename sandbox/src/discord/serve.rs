//! One REST exchange from arrival to answer: journal, gates, faults, rate limits, and only then the world.
//!
//! The server passes every request to this file; `rest` knows what requests mean.

use std::{collections::BTreeMap, fmt, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Uri, header},
    response::{IntoResponse, Response},
};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    api_error::ApiError,
    event::Event,
    fault::Disturbance,
    journal,
    rate_limit::{Scope, throttle_body, throttle_headers},
    rest::{
        Call,
        payload::{self, Payload},
    },
    shared::Shared,
    snowflake::Snowflake,
    world::World,
};
use crate::control::{gate::Point, journal::Ending, pattern::Seen};

/// The data that every exchange needs.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    pub(super) shared: Shared,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
}

/// Returned instead of an answer if the connection must be cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is to be cut")
    }
}

impl std::error::Error for Cut {}

/// The answer to send: status, headers and body.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Value,
    /// A page instead of JSON.
    page: Option<&'static str>,
}

impl Answer {
    fn new(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body, page: None }
    }
}

/// A request that is parsed once and kept while it is held, delayed and executed.
#[derive(Debug)]
struct Request {
    method: Method,
    uri: Uri,
    /// The decoded parts of the path: clients write `@original` either as `%40original` or unescaped.
    parts: Vec<String>,
    authorization: Option<String>,
    text: String,
    body: Result<Payload, ApiError>,
}

/// The router for all of REST.
pub(super) fn router(connections: Connections) -> Router {
    Router::new().fallback(serve).with_state(connections)
}

async fn serve(
    State(connections): State<Connections>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let request = Request {
        parts: parts(uri.path()),
        method,
        uri,
        authorization: text(header::AUTHORIZATION).map(str::to_owned),
        body: payload::read(text(header::CONTENT_TYPE).unwrap_or_default(), &bytes),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    };
    // The server completes a request even if its client has gone, so this runs in a task apart from the connection.
    let stop = connections.stop.clone();
    let carried_out = connections.tasks.spawn(async move {
        tokio::select! {
            () = stop.cancelled() => None,
            answer = carry_out(&connections.shared, &request) => answer,
        }
    });
    if let Ok(Some(answer)) = carried_out.await {
        return respond(answer);
    }
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Cut);
    response
}

/// Decoded part by part, so that an encoded slash separates nothing.
fn parts(path: &str) -> Vec<String> {
    let decoded = |part| percent_decode_str(part).decode_utf8_lossy().into_owned();
    path.split('/').filter(|part| !part.is_empty()).map(decoded).collect()
}

fn respond(answer: Answer) -> Response {
    let mut builder = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        builder = builder.header(name, value);
    }
    let body = match (answer.page, answer.body) {
        (Some(page), _) => {
            builder = builder.header(header::CONTENT_TYPE, "text/html");
            Body::from(page)
        }
        (None, Value::Null) => Body::empty(),
        (None, json) => {
            builder = builder.header(header::CONTENT_TYPE, "application/json");
            Body::from(json.to_string())
        }
    };
    builder.body(body).unwrap_or_else(|_| axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// Executes a request; `None` if the connection must be cut.
async fn carry_out(shared: &Shared, request: &Request) -> Option<Answer> {
    let path = request.path();
    let number = shared.world().note(request, &path);
    pass(shared, request, &path, number, Point::BeforeExecution).await?;
    let disturbance = {
        let mut world = shared.world();
        let interaction = world.interaction_of(&path);
        let disturbance = world.faults.meet(&request.seen(&path, interaction.as_deref())).pop();
        if disturbance.is_some() {
            world.tamper(number, &path);
        }
        disturbance
    };
    let mut answer = match disturbance {
        None => shared.world().execute(request, &path, number),
        Some(Disturbance::ExecuteLate(delay)) => {
            tokio::time::sleep(delay).await;
            shared.world().execute(request, &path, number)
        }
        Some(Disturbance::CutBefore) => return shared.world().cut(number),
        Some(Disturbance::CutAfter) => {
            let done = shared.world().execute(request, &path, number);
            shared.world().noted(number, &done);
            return shared.world().cut(number);
        }
        Some(Disturbance::Malform) => {
            let done = shared.world().execute(request, &path, number);
            Answer { page: Some("{\"id\": \"12"), ..done }
        }
        Some(Disturbance::Refuse { status, code, message }) => {
            Answer::new(status, ApiError::injected(status, code, &message).body())
        }
        Some(Disturbance::Down(status)) => Answer {
            page: Some("<html><body>upstream connect error</body></html>"),
            ..Answer::new(status, Value::Null)
        },
        Some(Disturbance::ThrottleRoute(after)) => throttled(after, Scope::Route),
        Some(Disturbance::ThrottleGlobal(after)) => throttled(after, Scope::Global),
    };
    shared.world().noted(number, &answer);
    pass(shared, request, &path, number, Point::BeforeAnswer).await?;
    answer.headers.push(("via", "1.1 google".to_owned()));
    let mut world = shared.world();
    world.journal.close(number, Ending::Answered);
    world.tell(Event::Answered { number });
    Some(answer)
}

/// Waits at a gate, if there is one for this request; `None` if the connection must be cut.
async fn pass(shared: &Shared, request: &Request, path: &[&str], number: usize, point: Point) -> Option<()> {
    let held = {
        let mut world = shared.world();
        let interaction = world.interaction_of(path);
        let held = world.gate.stop(point, number, &request.seen(path, interaction.as_deref()));
        if held.is_some() {
            world.tamper(number, path);
        }
        held
    };
    let Some(held) = held else { return Some(()) };
    if held.decided().await.is_err() {
        shared.world().cut(number);
        return None;
    }
    Some(())
}

fn throttled(after: Duration, scope: Scope) -> Answer {
    Answer { headers: throttle_headers(after, scope), ..Answer::new(429, throttle_body(after, scope)) }
}

impl Request {
    /// The parts of the path below `/api` or `/api/v10`.
    fn path(&self) -> Vec<&str> {
        let mut parts: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        if parts.first() == Some(&"api") {
            parts.remove(0);
            if matches!(parts.first(), Some(&("v10" | "v9"))) {
                parts.remove(0);
            }
        }
        parts
    }

    fn seen<'a>(&'a self, path: &'a [&'a str], interaction: Option<&'a str>) -> Seen<'a> {
        Seen { method: self.method.as_str(), path, body: &self.text, about: interaction }
    }

    fn query(&self) -> BTreeMap<String, String> {
        url::form_urlencoded::parse(self.uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
    }
}

impl World {
    fn note(&mut self, request: &Request, path: &[&str]) -> usize {
        let noted = journal::Request {
            method: request.method.to_string(),
            path: format!("/{}", path.join("/")),
            query: request.uri.query().unwrap_or_default().to_owned(),
            body: request.body.as_ref().map(|body| body.json.clone()).unwrap_or_default(),
        };
        let number = self.journal.open(noted, self.now());
        self.tell(Event::Requested { number });
        number
    }

    fn noted(&mut self, number: usize, answer: &Answer) {
        self.journal.answer(number, journal::Answer { status: answer.status, body: answer.body.clone() });
    }

    fn cut(&mut self, number: usize) -> Option<Answer> {
        self.journal.close(number, Ending::Cut);
        self.tell(Event::Answered { number });
        None
    }

    /// The Interaction that a path refers to, by its id or token.
    fn interaction_in(&self, path: &[&str]) -> Option<Snowflake> {
        match path {
            ["interactions", id, ..] => id.parse().ok(),
            ["webhooks", _, token, ..] => {
                self.interactions.values().find(|interaction| interaction.token == *token).map(|found| found.id)
            }
            _ => None,
        }
    }

    fn interaction_of(&self, path: &[&str]) -> Option<String> {
        self.interactions.get(&self.interaction_in(path)?).map(|interaction| interaction.name.clone())
    }

    /// Records that a fault or gate affected an exchange, and so its Interaction.
    fn tamper(&mut self, number: usize, path: &[&str]) {
        self.journal.tamper(number);
        let interaction = self.interaction_in(path).and_then(|id| self.interactions.get_mut(&id));
        if let Some(interaction) = interaction {
            interaction.excused = true;
        }
    }

    fn execute(&mut self, request: &Request, path: &[&str], number: usize) -> Answer {
        let now = self.now();
        let limits = self.settings.rate_limits.clone();
        let limit_state = self.buckets.count(request.method.as_str(), path, &limits, now);
        if let Some(limit_state) = &limit_state
            && let Some(scope) = limit_state.refused
        {
            let after = Duration::from_secs_f64(limit_state.reset_after);
            let mut answer = throttled(after, scope);
            answer.headers.extend(limit_state.headers());
            return answer;
        }
        let result = request.body.clone().and_then(|body| {
            let call = Call {
                method: request.method.as_str(),
                path,
                query: request.query(),
                body: &body.json,
                files: &body.files,
                authorization: request.authorization.as_deref(),
                number,
            };
            self.route(&call)
        });
        let mut answer = match result {
            Ok(reply) => Answer::new(reply.status, reply.body),
            Err(error) => self.refuse(&error, path, number),
        };
        answer.headers.extend(limit_state.into_iter().flat_map(|limit_state| limit_state.headers()));
        answer
    }

    fn refuse(&mut self, error: &ApiError, path: &[&str], number: usize) -> Answer {
        let excused = self.journal.get(number).is_some_and(|exchange| exchange.tampered)
            || self.interaction_in(path).and_then(|id| self.interactions.get(&id)).is_some_and(|found| found.excused);
        if !excused
            && is_fault_of_the_bot(error, path)
            && let Some(journal::Request { method, path, .. }) = self.journal.get(number).map(|noted| &noted.request)
        {
            let errors = error.errors.as_ref().map(|errors| format!(": {errors}")).unwrap_or_default();
            let what = format!("{method} {path}: {} {}{errors}", error.code, error.message);
            self.complain(what, Some(number));
        }
        let mut body = error.body();
        let mut headers = Vec::new();
        if error.status == 429 {
            // Discord's own limits on content state the wait like any other 429.
            let after = Duration::from_mins(1);
            body["retry_after"] = json!(after.as_secs_f64());
            body["global"] = false.into();
            headers = throttle_headers(after, Scope::Route);
        }
        Answer { headers, ..Answer::new(error.status, body) }
    }
}

/// Whether a correct bot would have avoided the error. What people did to Channels, Messages or permissions is not its fault.
fn is_fault_of_the_bot(error: &ApiError, path: &[&str]) -> bool {
    match error.code {
        50035 => error.errors.as_ref().is_none_or(|errors| errors["message_reference"].is_null()),
        10015 | 10062 | 10063 | 30034 | 40060 | 50006 | 50027 | 50109 => true,
        // Code 0 is for routes that do not exist, and for refused tokens.
        0 => error.status != 401 && !path.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_means_the_same_however_it_is_encoded() {
        assert_eq!(
            parts("/api/v10/webhooks/1/a%2Fb/messages/%40original"),
            ["api", "v10", "webhooks", "1", "a/b", "messages", "@original"]
        );
        assert_eq!(parts("//webhooks/1/t/messages/@original"), ["webhooks", "1", "t", "messages", "@original"]);
    }
}
