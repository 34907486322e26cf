//! The single entry point for requests: faults first, then token and limits, then the route.

use jiff::{SignedDuration, Timestamp};

use super::{
    corrupt,
    due::Due,
    fault::{self, Disturbance, Met, Quirk},
    http_types::{Answer, Delivery, Request},
    limits::{Exceeded, Reading, Usage},
    refusal::{Blame, Refusal},
    routes::{Call, Reply},
    scopes::Scopes,
    world::{Rejection, World},
};

/// The maximum number of answers to postponed requests to keep. Older ones that were not fetched are dropped.
const POSTPONED_ANSWERS: usize = 64;

impl World {
    /// Executes a request, or applies a fault to it.
    pub fn handle(&mut self, request: &Request, now: Timestamp) -> Answer {
        self.respond(request, now).0
    }

    /// Executes a request as [`handle`](Self::handle) does, and also returns whether a fault affected it.
    pub(super) fn respond(&mut self, request: &Request, now: Timestamp) -> (Answer, bool) {
        self.advance(now);
        let Met { disturbance, quirk } = fault::meet(&mut self.faults, request);
        let tampered = disturbance.is_some() || quirk.is_some();
        let answer = match disturbance {
            None => self.execute(request, quirk),
            Some(disturbance) => self.disturb(request, disturbance, quirk),
        };
        (answer, tampered)
    }

    fn disturb(&mut self, request: &Request, disturbance: Disturbance, quirk: Option<Quirk>) -> Answer {
        match disturbance {
            Disturbance::Refuse { status, id, message } => self.refuse_by_fault(status, &id, &message),
            Disturbance::Down => self.refuse_by_fault(503, "service_unavailable", "Service unavailable"),
            Disturbance::Throttle { retry_after } => {
                let reading = self.reading(request);
                self.refuse(&Refusal::too_many_requests(retry_after), Reading { remaining: 0, ..reading })
            }
            Disturbance::CutBefore => Answer::nothing(Delivery::Cut),
            Disturbance::CutAfter => Answer { delivery: Delivery::Cut, ..self.execute(request, quirk) },
            Disturbance::AnswerLate { after } => {
                Answer { delivery: Delivery::Late(after), ..self.execute(request, quirk) }
            }
            Disturbance::ExecuteLate { after } => self.postpone(request, quirk, after),
            Disturbance::Malform { how } => {
                let mut answer = self.execute(request, quirk);
                corrupt::malform(&mut answer, how);
                answer
            }
            Disturbance::Lie => {
                let mut answer = self.execute(request, quirk);
                corrupt::lie(&mut answer);
                answer
            }
        }
    }

    fn postpone(&mut self, request: &Request, quirk: Option<Quirk>, after: SignedDuration) -> Answer {
        let until = self.after(after);
        let ticket = self.plan(until, Due::Execute { request: Box::new(request.clone()), quirk });
        Answer::nothing(Delivery::Postponed { ticket, until })
    }

    /// The answer to a postponed request, once that has been executed.
    pub fn take_postponed(&mut self, ticket: u64, now: Timestamp) -> Option<Answer> {
        self.advance(now);
        let index = self.postponed.iter().position(|(other, _)| *other == ticket)?;
        self.postponed.remove(index).map(|(_, answer)| answer)
    }

    /// Stores the answer to a postponed request.
    pub(super) fn keep_postponed(&mut self, ticket: u64, answer: Answer) {
        if self.postponed.len() == POSTPONED_ANSWERS {
            self.postponed.pop_front();
        }
        self.postponed.push_back((ticket, answer));
    }

    /// Executes a request without considering faults.
    pub(super) fn execute(&mut self, request: &Request, quirk: Option<Quirk>) -> Answer {
        let scopes = match self.admit(request) {
            Ok(scopes) => scopes,
            Err(refusal) => {
                let reading = self.reading(request);
                // On a burst 429 the header reads 0, as the specification warns.
                let remaining = if refusal.status == 429 { 0 } else { reading.remaining };
                return self.refuse(&refusal, Reading { remaining, ..reading });
            }
        };
        let reading = self.reading(request);
        match self.route(Call { request, scopes, quirk }) {
            Ok(Reply { status, body }) => self.answer(status, body, reading, None),
            Err(refusal) => {
                if refusal.blame == Blame::Client {
                    self.reject(request, &refusal);
                }
                self.refuse(&refusal, reading)
            }
        }
    }

    /// Checks the token and counts the request.
    fn admit(&mut self, request: &Request) -> Result<Scopes, Refusal> {
        let (limits, now) = (self.settings.limits, self.now);
        let keys = request.segments().starts_with(&["v2", "account", "keys"]);
        let token = bearer(request).and_then(|text| self.tokens.iter_mut().find(|token| token.text == text));
        let token = token.ok_or_else(Refusal::unauthorized)?;
        match token.usage.admit(limits, keys, now) {
            Ok(()) => Ok(token.scopes.clone()),
            Err(Exceeded::Hour) => Err(Refusal::too_many_requests(None)),
            Err(Exceeded::Burst(wait)) => Err(Refusal::too_many_requests(Some(wait))),
        }
    }

    fn reading(&self, request: &Request) -> Reading {
        let limits = self.settings.limits;
        let token = bearer(request).and_then(|text| self.tokens.iter().find(|token| token.text == text));
        match token {
            Some(token) => token.usage.read(limits, self.now),
            None => Usage::default().read(limits, self.now),
        }
    }

    fn reject(&mut self, request: &Request, refusal: &Refusal) {
        self.rejections.push(Rejection {
            at: self.now,
            method: request.method,
            path: request.path.clone(),
            status: refusal.status,
            message: refusal.message.clone(),
        });
    }

    fn refuse(&mut self, refusal: &Refusal, reading: Reading) -> Answer {
        let body = refusal.body(&self.request_id(self.requests + 1));
        let body = String::from_utf8(body).unwrap_or_default();
        self.answer(refusal.status, Some(body), reading, refusal.retry_after)
    }

    fn refuse_by_fault(&mut self, status: u16, id: &str, message: &str) -> Answer {
        let request_id = self.request_id(self.requests + 1);
        let body = serde_json::json!({"id": id, "message": message, "request_id": request_id}).to_string();
        let limits = self.settings.limits;
        let reading = Usage::default().read(limits, self.now);
        self.answer(status, Some(body), reading, None)
    }

    fn answer(&mut self, status: u16, body: Option<String>, reading: Reading, retry_after: Option<u64>) -> Answer {
        self.requests += 1;
        let mut headers = vec![
            ("x-request-id", self.request_id(self.requests)),
            ("ratelimit-limit", reading.limit.to_string()),
            ("ratelimit-remaining", reading.remaining.to_string()),
            ("ratelimit-reset", reading.reset.to_string()),
        ];
        if body.is_some() {
            headers.push(("content-type", "application/json; charset=utf-8".to_owned()));
        }
        if let Some(seconds) = retry_after {
            headers.push(("retry-after", seconds.to_string()));
        }
        Answer { status, headers, body: body.unwrap_or_default().into_bytes(), delivery: Delivery::Prompt }
    }

    /// A UUID derived from the request's number, so that runs are reproducible.
    fn request_id(&self, number: u64) -> String {
        let seed = self.settings.first_id & 0xffff_ffff;
        format!("{seed:08x}-0000-4000-8000-{number:012x}")
    }
}

fn bearer(request: &Request) -> Option<&str> {
    request.authorization.as_deref()?.strip_prefix("Bearer ")
}
