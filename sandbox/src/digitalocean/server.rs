//! The simulated API on a loopback port: plain HTTP, a journal, a gate, and a notification for every change.
//!
//! Tests, the demo and `snapshot-bot sandbox` start it. A task of the server completes each request even if its client has gone: a crash
//! does not recall a POST that has been sent.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::body::Body;
use hyper::{
    body::Incoming,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    fault::seen,
    http_types::{Answer, Delivery, Exchange, Request},
    world::World,
};
use crate::control::{
    gate::{Cut, Gate, Point},
    journal::{Ending, Journal},
};

/// The path at which the metadata service, which has an address of its own, returns a Droplet's id.
const METADATA: &str = "/metadata/v1/id";
/// The connection of a larger body is cut; the real API's requests are small.
const BODY_LIMIT: usize = 1 << 20;

/// A clock can be moved without notice, so everything that waits for the world checks at least this often.
const LONGEST_LOOK: Duration = Duration::from_millis(50);

/// The current time, provided by the caller: the sandbox reads no clock of its own.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

struct Shared {
    world: Mutex<World>,
    journal: Mutex<Journal<Request, Answer>>,
    gate: Gate,
    now: Now,
    changed: watch::Sender<u64>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// A running simulated DigitalOcean.
pub struct DigitalOcean {
    shared: Arc<Shared>,
    address: SocketAddr,
}

/// The error that breaks the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut")]
struct CutShort;

impl fmt::Debug for DigitalOcean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigitalOcean").field("address", &self.address).finish_non_exhaustive()
    }
}

impl DigitalOcean {
    /// Serves a world on a free port of 127.0.0.1.
    pub async fn start(world: World, now: Now) -> io::Result<Self> {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), world, now).await
    }

    /// Serves a world at an address, which must be a loopback address. Links in its answers lead to this server.
    pub async fn start_at(address: SocketAddr, mut world: World, now: Now) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the sandbox listens on loopback only"));
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        world.settings_mut().origin = format!("http://{address}");
        let shared = Arc::new(Shared {
            world: Mutex::new(world),
            journal: Mutex::default(),
            gate: Gate::default(),
            now,
            changed: watch::Sender::new(0),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        shared.tasks.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { shared, address })
    }

    /// The API's origin for clients, such as `http://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the world in its current state, and notifies everything that waits for a change.
    pub fn world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let result = self.shared.look(change);
        self.shared.note_change();
        result
    }

    /// Reads the world in its current state without counting that as a change.
    pub fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        self.shared.look(|world| look(world))
    }

    /// The gate that stops requests for crash tests.
    pub fn gate(&self) -> &Gate {
        &self.shared.gate
    }

    /// Every request so far with its result, oldest first.
    pub fn journal(&self) -> Vec<Exchange> {
        self.shared.journal.lock().exchanges().iter().cloned().collect()
    }

    /// Counts requests and operators' changes; to be passed to [`DigitalOcean::change`], or used
    /// alone if nothing happens without a request.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Waits until the world satisfies a condition, for whatever reason. Has no time limit.
    pub async fn until(&self, wish: impl Fn(&World) -> bool) {
        let mut changes = self.changes();
        changes.mark_unchanged();
        while !self.read(&wish) {
            self.change(&mut changes).await;
        }
    }

    /// Waits until something may have changed since the last call, because of a request, an operator, or time.
    pub async fn change(&self, seen: &mut watch::Receiver<u64>) {
        let due = self.read(pause);
        tokio::select! {
            _ = seen.changed() => {}
            () = pass(due) => {}
        }
    }

    /// Stops listening, breaks every connection, waits until all tasks have ended, and returns the final world.
    pub async fn stop(self) -> World {
        self.shared.gate.open();
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        self.shared.look(|world| world.clone())
    }
}

impl Drop for DigitalOcean {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

/// How long nothing will happen without a request; `None` means forever.
fn pause(world: &World) -> Option<Duration> {
    let until_due = world.next_due()?.duration_since(world.now());
    Some(Duration::try_from(until_due).unwrap_or_default().min(LONGEST_LOOK))
}

async fn pass(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}

impl Shared {
    fn look<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.world.lock();
        world.advance((self.now)());
        look(&mut world)
    }

    fn note_change(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// Completes one request; `None` if the connection breaks.
    async fn carry(&self, request: Request) -> Option<Answer> {
        let number = self.journal.lock().open(request.clone(), (self.now)());
        self.note_change();
        let answer = tokio::select! {
            answer = self.execute(number, &request) => answer,
            () = self.stop.cancelled() => None,
        };
        self.journal.lock().close(number, if answer.is_some() { Ending::Answered } else { Ending::Cut });
        self.note_change();
        answer
    }

    async fn execute(&self, number: usize, request: &Request) -> Option<Answer> {
        self.pass(Point::BeforeExecution, number, request).await.ok()?;
        let (mut answer, tampered) = self.world.lock().respond(request, (self.now)());
        if tampered {
            self.journal.lock().tamper(number);
        }
        if let Delivery::Postponed { ticket, until } = answer.delivery {
            answer = self.executed_later(ticket, until).await?;
        }
        self.journal.lock().answer(number, answer.clone());
        self.note_change();
        self.pass(Point::BeforeAnswer, number, request).await.ok()?;
        match answer.delivery {
            Delivery::Prompt => Some(answer),
            Delivery::Late(after) => {
                tokio::time::sleep(Duration::try_from(after).unwrap_or_default()).await;
                Some(answer)
            }
            Delivery::Cut | Delivery::Postponed { .. } => None,
        }
    }

    /// Waits for as long as a test holds this request.
    async fn pass(&self, point: Point, number: usize, request: &Request) -> Result<(), Cut> {
        let Some(stopped) = seen(request, |seen| self.gate.stop(point, number, seen)) else { return Ok(()) };
        self.journal.lock().tamper(number);
        stopped.decided().await
    }

    async fn executed_later(&self, ticket: u64, until: Timestamp) -> Option<Answer> {
        loop {
            let now = (self.now)();
            if now >= until {
                return self.world.lock().take_postponed(ticket, now);
            }
            let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
            tokio::time::sleep(left.min(LONGEST_LOOK)).await;
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stop.cancelled() => return,
        };
        if let Ok((stream, _)) = accepted {
            shared.tasks.spawn(serve(stream, Arc::clone(&shared)));
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| answer(request, Arc::clone(&shared)));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // Connections routinely end with an error, because a client leaves or a fault cuts them.
        _ended = connection => {}
        () = shared.stop.cancelled() => {}
    }
}

/// Reads a request and lets a task of its own execute it, so that it outlives its client.
async fn answer(request: hyper::Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Body>, CutShort> {
    let (head, body) = request.into_parts();
    let Ok(method) = head.method.as_str().parse() else {
        return Ok(method_not_allowed());
    };
    let body = axum::body::to_bytes(Body::new(body), BODY_LIMIT).await.map_err(|_| CutShort)?;
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    if path == METADATA {
        return Ok(metadata(shared.world.lock().settings_mut().clients_droplet));
    }
    let authorization = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let request =
        Request { authorization: authorization.map(str::to_owned), body: body.to_vec(), ..Request::new(method, path) };
    let owner = Arc::clone(&shared);
    let task = shared.tasks.spawn(async move { owner.carry(request).await });
    let answer = task.await.ok().flatten().ok_or(CutShort)?;
    Ok(respond(answer, (shared.now)()))
}

/// The metadata service's answer to programs on a Droplet. It is not part of the API, so the journal does not contain it.
fn metadata(droplet: Option<u64>) -> Response<Body> {
    let mut response = Response::new(Body::from(droplet.map(|id| id.to_string()).unwrap_or_default()));
    if droplet.is_none() {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

fn respond(answer: Answer, now: Timestamp) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body));
    // The date is taken from the world's clock, which tests may move.
    if let Ok(date) = HeaderValue::from_str(&now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
        response.headers_mut().insert(header::DATE, date);
    }
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn method_not_allowed() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}
