//! The operators' HTTP server: `/healthz`, `/readyz` and `/metrics` over plain HTTP, if `HTTP_ADDR` is set.
//!
//! `app` runs it and keeps its `Readiness` up to date. It answers from memory, sends no requests, and knows no module except telemetry.
//! Anyone who can reach the address may connect, so connections are few and short: the sockets to DigitalOcean and the database take
//! precedence.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::telemetry::Metrics;

/// How long a running request may delay the shutdown.
const DRAIN: Duration = Duration::from_secs(1);
/// The pause before the next connection is accepted after one could not be, for example because no file descriptor was left.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Limits for connections.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// The maximum number of connections; on many systems a process may have 1,024 files open.
    connections: usize,
    /// How long a request's header may take to arrive.
    header: Duration,
    /// The total lifetime of a connection, which carries one request.
    lifetime: Duration,
}

const LIMITS: Limits = Limits { connections: 64, header: Duration::from_secs(5), lifetime: Duration::from_secs(10) };

/// Which process is active on the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is not known yet, or no longer.
    Unknown,
    /// Another process is active; this one takes over when that one ends.
    Standby,
    /// This process holds the account's lease.
    Active,
}

/// What is known about the DigitalOcean token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// No problem is known.
    Usable,
    /// DigitalOcean refuses it.
    Refused,
    /// Nothing shows that it belongs to the account of the operations.
    OtherAccount,
    /// It is not known yet whether it belongs to that account.
    Unproven,
}

/// Whether the bot can do its work now, and if not, what is missing. Clones share the state.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Parts>);

#[derive(Debug, Default)]
struct Parts {
    gateway: AtomicBool,
    database: AtomicBool,
    write_failed: AtomicBool,
    unheard_schedules: AtomicBool,
    /// A [`Turn`] as a number, so that no lock is needed.
    turn: AtomicU8,
    /// A [`Token`] as a number.
    token: AtomicU8,
}

impl Readiness {
    /// Sets whether Discord's gateway is connected.
    pub fn set_gateway(&self, connected: bool) {
        self.0.gateway.store(connected, Ordering::Relaxed);
    }

    /// Sets whether the database answered the last query.
    pub fn set_database(&self, answers: bool) {
        self.0.database.store(answers, Ordering::Relaxed);
    }

    /// Sets whether the last write to the database failed; it may still be readable.
    pub fn set_write_failed(&self, failed: bool) {
        self.0.write_failed.store(failed, Ordering::Relaxed);
    }

    /// Sets whether schedules have messages that no channel accepts.
    pub fn set_unheard_schedules(&self, are_some: bool) {
        self.0.unheard_schedules.store(are_some, Ordering::Relaxed);
    }

    /// Sets which process is active.
    pub fn set_turn(&self, turn: Turn) {
        self.0.turn.store(turn as u8, Ordering::Relaxed);
    }

    /// Sets what is known about the DigitalOcean token.
    pub fn set_token(&self, token: Token) {
        self.0.token.store(token as u8, Ordering::Relaxed);
    }

    fn token_trouble(&self) -> Option<&'static str> {
        match self.0.token.load(Ordering::Relaxed) {
            number if number == Token::Refused as u8 => Some("DigitalOcean: refuses the token"),
            number if number == Token::OtherAccount as u8 => Some("DigitalOcean: the token is of another account"),
            number if number == Token::Unproven as u8 => {
                Some("DigitalOcean: does not answer whether the token is of the same account")
            }
            _ => None,
        }
    }

    fn turn(&self) -> Turn {
        match self.0.turn.load(Ordering::Relaxed) {
            number if number == Turn::Active as u8 => Turn::Active,
            number if number == Turn::Standby as u8 => Turn::Standby,
            _ => Turn::Unknown,
        }
    }

    /// What keeps the bot from working now, in the order in which it is needed; empty if it is ready.
    ///
    /// A standby deliberately has no gateway, so that does not count as missing.
    pub fn missing(&self) -> Vec<&'static str> {
        let database = if !self.0.database.load(Ordering::Relaxed) {
            Some("database: not reachable")
        } else if self.0.write_failed.load(Ordering::Relaxed) {
            Some("database: cannot be written, or has little room left on its disk")
        } else {
            None
        };
        let turn = match self.turn() {
            Turn::Active => None,
            Turn::Standby => Some("lease: standing by, another process is active"),
            Turn::Unknown => Some("lease: not held"),
        };
        let unheard = self.0.unheard_schedules.load(Ordering::Relaxed);
        let gateway = !self.0.gateway.load(Ordering::Relaxed) && self.turn() != Turn::Standby;
        database
            .into_iter()
            .chain(turn)
            .chain(self.token_trouble())
            .chain(gateway.then_some("gateway: not connected"))
            .chain(unheard.then_some("schedules: no channel takes their messages"))
            .collect()
    }
}

/// Serves `listener` until `shutdown`; running requests may then take one more second.
pub async fn run(
    listener: TcpListener,
    readiness: Readiness,
    metrics: Metrics,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let app = Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(readyz).with_state(readiness))
        .route("/metrics", get(scrape).with_state(metrics));
    serve(listener, app, LIMITS, shutdown).await;
    Ok(())
}

async fn serve(listener: TcpListener, app: Router, limits: Limits, shutdown: CancellationToken) {
    let mut connections = Connections { limits, tasks: JoinSet::new(), oldest_first: VecDeque::new() };
    let mut is_refused = false;
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                is_refused = false;
                connections.add(stream, app.clone()).await;
            }
            Err(error) => {
                if !is_refused {
                    tracing::warn!(%error, "could not accept a connection at HTTP_ADDR; trying again");
                }
                is_refused = true;
                tokio::select! {
                    () = shutdown.cancelled() => break,
                    () = sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
    drop(listener);
    // Dropping the set aborts what has not ended in time.
    drop(timeout(DRAIN, async { while connections.tasks.join_next().await.is_some() {} }).await);
}

/// The open connections.
struct Connections {
    limits: Limits,
    tasks: JoinSet<()>,
    oldest_first: VecDeque<AbortHandle>,
}

impl Connections {
    /// Serves another connection. If there are too many, the oldest is closed: a client with a request is answered immediately and gone, so
    /// the oldest connections are those that send nothing.
    async fn add(&mut self, stream: TcpStream, app: Router) {
        while self.tasks.try_join_next().is_some() {}
        self.oldest_first.retain(|connection| !connection.is_finished());
        while self.tasks.len() >= self.limits.connections {
            if let Some(oldest) = self.oldest_first.pop_front() {
                oldest.abort();
            }
            self.tasks.join_next().await;
        }
        let Limits { header, lifetime, .. } = self.limits;
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(header)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
        // A client that breaks off the connection, or is too slow, needs no answer.
        let task = self.tasks.spawn(async move { drop(timeout(lifetime, connection).await) });
        self.oldest_first.push_back(task);
    }
}

async fn readyz(State(readiness): State<Readiness>) -> (StatusCode, String) {
    let missing = readiness.missing();
    if missing.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, missing.join("\n") + "\n")
    }
}

async fn scrape(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.render())
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::*;

    struct Door {
        address: std::net::SocketAddr,
        readiness: Readiness,
        shutdown: CancellationToken,
        serving: JoinSet<io::Result<()>>,
    }

    impl Door {
        async fn open() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (readiness, shutdown) = (Readiness::default(), CancellationToken::new());
            let mut serving = JoinSet::new();
            serving.spawn(run(listener, readiness.clone(), Metrics::install(), shutdown.clone()));
            Self { address, readiness, shutdown, serving }
        }

        async fn ask(&self, method: &str, path: &str) -> String {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        }

        async fn body(&self, path: &str) -> (u16, String) {
            let answer = self.ask("GET", path).await;
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
        }
    }

    #[tokio::test]
    async fn health_is_told_whatever_else_is_missing() {
        let intake = Door::open().await;
        assert_eq!(intake.body("/healthz").await, (200, "alive\n".to_owned()));
    }

    #[tokio::test]
    async fn readiness_names_what_is_missing_until_everything_is_there() {
        let intake = Door::open().await;
        let all = "database: not reachable\nlease: not held\ngateway: not connected\n";
        assert_eq!(intake.body("/readyz").await, (503, all.to_owned()));
        intake.readiness.set_database(true);
        intake.readiness.set_turn(Turn::Active);
        assert_eq!(intake.body("/readyz").await, (503, "gateway: not connected\n".to_owned()));
        intake.readiness.set_gateway(true);
        assert_eq!(intake.body("/readyz").await, (200, "ready\n".to_owned()));
        intake.readiness.set_unheard_schedules(true);
        let told = "schedules: no channel takes their messages\n";
        assert_eq!(intake.body("/readyz").await, (503, told.to_owned()));
        intake.readiness.set_unheard_schedules(false);
        intake.readiness.set_token(Token::Refused);
        assert_eq!(intake.body("/readyz").await, (503, "DigitalOcean: refuses the token\n".to_owned()));
        intake.readiness.set_token(Token::Usable);
        intake.readiness.set_turn(Turn::Unknown);
        assert_eq!(intake.body("/readyz").await, (503, "lease: not held\n".to_owned()));
    }

    #[tokio::test]
    async fn a_standby_says_that_it_stands_by_and_nothing_else() {
        let intake = Door::open().await;
        intake.readiness.set_database(true);
        intake.readiness.set_turn(Turn::Standby);
        let told = "lease: standing by, another process is active\n";
        assert_eq!(intake.body("/readyz").await, (503, told.to_owned()));
    }

    #[tokio::test]
    async fn a_failed_write_makes_it_not_ready_until_one_succeeds() {
        let intake = Door::open().await;
        intake.readiness.set_database(true);
        intake.readiness.set_turn(Turn::Active);
        intake.readiness.set_gateway(true);
        intake.readiness.set_write_failed(true);
        let told = "database: cannot be written, or has little room left on its disk\n";
        assert_eq!(intake.body("/readyz").await, (503, told.to_owned()));
        intake.readiness.set_write_failed(false);
        assert_eq!(intake.body("/readyz").await, (200, "ready\n".to_owned()));
    }

    /// Opens a connection whose request is never completed.
    async fn half_open(address: std::net::SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost:").await.unwrap();
        stream
    }

    /// Waits until the other side has closed the connection.
    async fn closed(mut stream: TcpStream) {
        // The other side may give a reason before it closes; a reset counts as closed too.
        drop(stream.read_to_end(&mut Vec::new()).await);
    }

    #[tokio::test]
    async fn half_open_connections_give_way_to_whoever_has_a_request() {
        let intake = Door::open().await;
        let mut half_opens = Vec::new();
        for _ in 0..4 * LIMITS.connections {
            half_opens.push(half_open(intake.address).await);
        }
        assert_eq!(intake.body("/healthz").await, (200, "alive\n".to_owned()));
        for given_up in half_opens.drain(..=3 * LIMITS.connections) {
            closed(given_up).await;
        }
        assert!(half_opens.iter().all(|kept| kept.try_read(&mut [0]).is_err()), "the others may still go on");
    }

    #[tokio::test]
    async fn nobody_is_waited_for_who_does_not_finish_a_request_or_take_its_answer() {
        let moment = Duration::from_millis(50);
        for limits in [Limits { header: moment, ..LIMITS }, Limits { lifetime: moment, ..LIMITS }] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let (shutdown, mut serving) = (CancellationToken::new(), JoinSet::new());
            serving.spawn(serve(listener, Router::new(), limits, shutdown.clone()));
            closed(half_open(address).await).await;
            shutdown.cancel();
            serving.join_next().await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn metrics_are_served_as_prometheus_reads_them() {
        let intake = Door::open().await;
        metrics::gauge!("snapshot_bot_power_owed").set(2.0);
        let answer = intake.ask("GET", "/metrics").await;
        assert!(answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
        assert!(answer.contains("\nsnapshot_bot_power_owed 2\n"), "{answer}");
    }

    #[tokio::test]
    async fn only_reading_is_possible_and_only_these_three() {
        let intake = Door::open().await;
        for path in ["/healthz", "/readyz", "/metrics"] {
            let head = intake.ask("HEAD", path).await;
            assert!(head.ends_with("\r\n\r\n") && !head.contains(" 405 "), "{head}");
            for method in ["POST", "PUT", "DELETE", "PATCH"] {
                assert!(intake.ask(method, path).await.contains(" 405 "), "{method} {path}");
            }
        }
        assert_eq!(intake.body("/").await.0, 404);
    }

    #[tokio::test]
    async fn shutting_down_ends_it_although_a_client_says_nothing() {
        let mut intake = Door::open().await;
        let silent = TcpStream::connect(intake.address).await.unwrap();
        intake.body("/healthz").await;
        intake.shutdown.cancel();
        assert!(intake.serving.join_next().await.unwrap().unwrap().is_ok());
        assert!(TcpStream::connect(intake.address).await.is_err());
        drop(silent);
    }
}
