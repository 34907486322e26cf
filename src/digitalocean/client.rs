//! The client for DigitalOcean: performs [`Call`]s over HTTPS, within the [`Budget`], each request with a deadline.
//!
//! Used by the watcher, the inventory and the worker. Reads are repeated if that can help; requests that start or remove something are sent
//! once. Only this file knows the token, which is sent only in the `authorization` header.

use std::{fmt, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use parking_lot::{Mutex, RwLock};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Notify, time::Instant};
use url::{Host, Url};

use super::{
    attempts::{Attempts, Next},
    budget::{Admission, Budget, DowntimeRoom, HeldBack, Priority, Ticket},
    call::Call,
    error::{self, Error},
    http_types::{HttpAnswer, HttpRequest, Method, TransportError},
    outage::Outage,
    request_log,
};

/// The clock of this room, which may not import ours.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Where DigitalOcean is, and how long to wait for it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Scheme, host and port of the API.
    pub origin: Url,
    /// The token.
    pub token: SecretString,
    /// How long establishing a connection may take.
    pub connect_timeout: Duration,
    /// How long a whole request may take, connection and body included.
    pub deadline: Duration,
    /// The maximum number of bytes read of an answer.
    pub answer_limit: usize,
}

/// How long a request may take, connection and body included.
pub const DEADLINE: Duration = Duration::from_secs(10);

impl Settings {
    /// The usual limits: 3 s for a connection, 10 s for a request, 8 MiB for a page of 200 Droplets, which has some 1 MiB.
    pub fn new(origin: Url, token: SecretString) -> Self {
        Self { origin, token, connect_timeout: Duration::from_secs(3), deadline: DEADLINE, answer_limit: 8 << 20 }
    }
}

/// Why no client can be created from these settings.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The token contains characters that no header can carry.
    #[error("the DigitalOcean token contains characters that no token has")]
    Token,
    /// The HTTP stack could not be set up.
    #[error("HTTP could not be set up")]
    Http(#[source] reqwest::Error),
}

/// A client for one account; clones share connections and budget.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

/// DigitalOcean's clock, according to its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerClock {
    /// By how much it was ahead of our clock at the latest answer.
    pub ahead: SignedDuration,
    /// How many answers have contained a time.
    pub answers: u64,
}

struct Shared {
    http: reqwest::Client,
    /// The token, and the header that carries it.
    token: RwLock<(SecretString, HeaderValue)>,
    origin: String,
    deadline: Duration,
    answer_limit: usize,
    budget: Mutex<Budget>,
    outage: Mutex<Outage>,
    server_clock: Mutex<Option<ServerClock>>,
    unauthorized: Notify,
    now: Now,
}

/// A connection unused for this long is closed. It is slightly more than the longest pause between looks at a Droplet that is off.
const IDLE: Duration = Duration::from_secs(20);
/// How often a waiting request checks the clock and its priority at least, since both may change.
const LOOK_UP: Duration = Duration::from_secs(1);

impl Client {
    /// A client that calls `now` for the time.
    pub fn new(settings: &Settings, now: Now) -> Result<Self, Unusable> {
        let token = (settings.token.clone(), authorization(&settings.token)?);
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("snapshot-bot/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.deadline)
            // Reusing a connection that the server has closed meanwhile would make the outcome of a POST unknown unnecessarily.
            .pool_idle_timeout(IDLE)
            // A redirect could send a POST, or the token, somewhere else.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        if is_loopback(&settings.origin) {
            http = http.no_proxy();
        }
        Ok(Self {
            shared: Arc::new(Shared {
                http: http.build().map_err(Unusable::Http)?,
                token: RwLock::new(token),
                origin: settings.origin.origin().ascii_serialization(),
                deadline: settings.deadline,
                answer_limit: settings.answer_limit,
                budget: Mutex::default(),
                outage: Mutex::default(),
                server_clock: Mutex::default(),
                unauthorized: Notify::new(),
                now,
            }),
        })
    }

    /// The token used for requests.
    pub fn token(&self) -> SecretString {
        self.shared.token.read().0.clone()
    }

    /// Uses another token of the same account from now on: connections, budget and outage are kept.
    pub fn set_token(&self, token: SecretString) -> Result<(), Unusable> {
        let header = authorization(&token)?;
        *self.shared.token.write() = (token, header);
        Ok(())
    }

    /// Waits for permission and performs a call to its end.
    ///
    /// A read is repeated after growing, random pauses if the error allows that; a POST or DELETE is sent once.
    pub async fn run<T: 'static>(&self, call: Call<T>) -> Result<T, Error> {
        let priority = call.priority();
        self.run_ranked(call, || priority).await
    }

    /// Like [`Client::run`], with a priority that is queried before each request and while it waits: a read that
    /// served nobody may come to serve somebody.
    pub async fn run_ranked<T: 'static>(&self, call: Call<T>, rank: impl Fn() -> Priority) -> Result<T, Error> {
        self.carry_out(call, None, rank).await
    }

    /// Like [`Client::run`], with permission for the first request already obtained: the worker obtains it before it commits an intent, so
    /// that nothing comes between the commit and the request.
    pub async fn run_admitted<T: 'static>(&self, call: Call<T>, ticket: Ticket) -> Result<T, Error> {
        let priority = call.priority();
        self.carry_out(call, Some(ticket), || priority).await
    }

    async fn carry_out<T: 'static>(
        &self,
        call: Call<T>,
        mut ticket: Option<Ticket>,
        rank: impl Fn() -> Priority,
    ) -> Result<T, Error> {
        let mut attempts = Attempts::of(call, fastrand::u64(..));
        loop {
            if let Some(until) = self.holds_until(attempts.call().method(), rank()) {
                return Err(Error::Unavailable {
                    outage: error::Outage::Lasting,
                    until: Some(until),
                    request_id: None,
                });
            }
            let leave = match ticket.take() {
                Some(leave) => leave,
                None => self.admit_ranked(&rank).await?,
            };
            let answer = self.send(&attempts.request(), leave).await;
            self.note_outcome(attempts.call().method(), &answer);
            match attempts.hear(answer, self.now()) {
                Next::Done(result) => return result,
                Next::Page => {}
                Next::Again(pause) => tokio::time::sleep(pause).await,
            }
        }
    }

    /// Sends one request, once, and processes what its answer says about limits. Only for callers that read the
    /// answer themselves: all others run a [`Call`].
    pub async fn send(&self, request: &HttpRequest, ticket: Ticket) -> Result<HttpAnswer, TransportError> {
        if let Err(until) = self.budget(|budget, now| budget.depart(&ticket, now)) {
            return Err(TransportError::HeldBack { until });
        }
        let begun = Instant::now();
        let answer = self.transfer(request).await;
        request_log::log(request, &answer, begun.elapsed());
        let answer = answer?;
        if answer.status == 401 {
            self.shared.unauthorized.notify_one();
        }
        self.learn_server_clock(&answer);
        let left = self.budget(|budget, now| {
            budget.observe(&ticket, &answer);
            budget.left(now)
        });
        metrics::gauge!("snapshot_bot_budget_left").set(f64::from(u32::try_from(left).unwrap_or(u32::MAX)));
        Ok(answer)
    }

    /// Waits until a request is answered with 401; returns immediately if that has happened since the last call. A single 401 may
    /// be the fault of a proxy. For one listener.
    pub async fn unauthorized(&self) {
        self.shared.unauthorized.notified().await;
    }

    /// Waits until a request of this priority may be sent, which may take long when the budget is used up. It does not wait for the end of
    /// a long silence: [`Error::Throttled`] says when that is over.
    pub async fn admit(&self, priority: Priority) -> Result<Ticket, Error> {
        self.admit_ranked(&|| priority).await
    }

    /// Like [`Client::admit`], with a priority that is queried while it waits.
    pub(super) async fn admit_ranked(&self, rank: &impl Fn() -> Priority) -> Result<Ticket, Error> {
        loop {
            let priority = rank();
            match self.try_admit(priority) {
                Admission::Now(ticket) => return Ok(ticket),
                Admission::At(moment) => {
                    if let Some(until) = self.budget(|budget, now| budget.long_silence(priority, now)) {
                        return Err(TransportError::HeldBack { until }.into());
                    }
                    let wait = moment.duration_since(self.now()).unsigned_abs();
                    tokio::time::sleep(wait.min(LOOK_UP)).await;
                }
            }
        }
    }

    /// Permission for a request of this priority, or when to ask again. Unused permission stays counted.
    pub fn try_admit(&self, priority: Priority) -> Admission {
        self.budget(|budget, now| budget.admit(priority, now))
    }

    /// What a request of this priority has to wait for, and until when; `None` if it may be sent now. Nothing is counted.
    pub fn held_back(&self, priority: Priority) -> Option<HeldBack> {
        self.budget(|budget, now| budget.held_back(priority, now))
    }

    /// How many downtimes may begin in addition to this many; see [`Budget::room_for_downtimes`].
    pub fn room_for_downtimes(&self, downtimes: usize) -> DowntimeRoom {
        self.budget(|budget, now| budget.room_for_downtimes(downtimes, now))
    }

    /// The minimum pause between two looks at a Droplet that is off; see [`Budget::look_pause`].
    pub fn look_pause(&self) -> SignedDuration {
        self.budget(Budget::look_pause)
    }

    /// The minimum pause between looks that cost `requests` each; see [`Budget::poll_floor`].
    pub fn poll_floor(&self, requests: u32) -> Duration {
        self.budget(|budget, now| budget.poll_floor(requests, now))
    }

    /// The current time by DigitalOcean's clock, according to its latest answer; `None` before the first. Accurate to some seconds.
    pub fn server_now(&self) -> Option<Timestamp> {
        self.now().checked_add(self.server_clock()?.ahead).ok()
    }

    /// DigitalOcean's clock, according to its latest answer; `None` before the first.
    pub fn server_clock(&self) -> Option<ServerClock> {
        *self.shared.server_clock.lock()
    }

    /// Anything that answers in DigitalOcean's place, such as a proxy's page, says nothing about DigitalOcean's clock.
    fn learn_server_clock(&self, answer: &HttpAnswer) {
        if let Some(date) = answer.date().filter(|_| answer.is_digitaloceans()) {
            let ahead = date.duration_since(answer.received_at);
            let mut clock = self.shared.server_clock.lock();
            let answers = clock.map_or(0, |clock| clock.answers).saturating_add(1);
            *clock = Some(ServerClock { ahead, answers });
        }
    }

    /// The current time by the clock that this client was given.
    pub fn now(&self) -> Timestamp {
        (self.shared.now)()
    }

    fn budget<R>(&self, ask: impl FnOnce(&mut Budget, Timestamp) -> R) -> R {
        let mut budget = self.shared.budget.lock();
        let now = self.now();
        ask(&mut budget, now)
    }

    async fn transfer(&self, request: &HttpRequest) -> Result<HttpAnswer, TransportError> {
        let url = format!("{}{}", self.shared.origin, request.path_and_query);
        let mut http = match request.method {
            Method::Get => self.shared.http.get(url),
            Method::Post => self.shared.http.post(url),
            Method::Delete => self.shared.http.delete(url),
        };
        let (token, authorization) = self.shared.token.read().clone();
        http = http.header(AUTHORIZATION, authorization);
        if let Some(body) = &request.body {
            http = http.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let mut response = http.send().await.map_err(|error| self.transport_error(error))?;
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|error| self.transport_error(error))? {
            if body.len() + part.len() > self.shared.answer_limit {
                return Err(TransportError::TooLarge { limit: self.shared.answer_limit });
            }
            body.extend_from_slice(&part);
        }
        let headers = response.headers().iter();
        let headers = headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        let mut answer = HttpAnswer {
            status: response.status().as_u16(),
            headers: headers.collect(),
            body,
            received_at: self.now(),
        };
        // The contents of the answer may be displayed and stored.
        answer.redact(token.expose_secret());
        Ok(answer)
    }

    fn transport_error(&self, error: reqwest::Error) -> TransportError {
        // First check whether there was a connection: a time-out while connecting is both, and nothing was sent.
        let connecting = error.is_connect();
        let timed_out = error.is_timeout();
        let reason = root_cause(&error.without_url());
        match (connecting, timed_out) {
            (true, _) => TransportError::Connect { reason },
            (false, true) => TransportError::TimedOut { deadline: self.shared.deadline },
            (false, false) => TransportError::Cut { reason },
        }
    }

    /// Until when a read of this priority waits in an outage, because another one finds out whether it is over.
    fn holds_until(&self, method: Method, rank: Priority) -> Option<Timestamp> {
        if method != Method::Get || !rank.waits_in_an_outage() {
            return None;
        }
        self.outage(Outage::holds_until)
    }

    /// Only reads show whether DigitalOcean answers: a POST may be slow, or refused because of the state that it meets.
    fn note_outcome(&self, method: Method, answer: &Result<HttpAnswer, TransportError>) {
        match answer {
            Ok(answer) if answer.is_digitaloceans() => self.outage(|outage, _| outage.end()),
            Err(TransportError::HeldBack { .. }) => {}
            Ok(_) | Err(_) if method == Method::Get => self.outage(Outage::failed),
            Ok(_) | Err(_) => {}
        }
    }

    fn outage<R>(&self, ask: impl FnOnce(&mut Outage, Timestamp) -> R) -> R {
        let now = self.now();
        ask(&mut self.shared.outage.lock(), now)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("origin", &self.shared.origin).finish_non_exhaustive()
    }
}

/// The innermost cause, which is the informative one ("connection refused").
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    super::vendor_text::short_line(&cause.to_string())
}

fn authorization(token: &SecretString) -> Result<HeaderValue, Unusable> {
    let mut header =
        HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).map_err(|_| Unusable::Token)?;
    header.set_sensitive(true);
    Ok(header)
}

pub(super) fn is_loopback(origin: &Url) -> bool {
    match origin.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
