//! The simulated Discord as a running service: two listeners on loopback, and the handle for tests and pages.
//!
//! REST uses TLS, the gateway plain `ws://`. All tasks belong to one tracker, which [`Discord::stop`] drains.

use std::net::SocketAddr;

use axum::{Router, extract::ws::WebSocketUpgrade, response::Response, routing::get};
use hyper::service::{Service, service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use parking_lot::MutexGuard;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{broadcast, watch},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    error::Error,
    event::Event,
    gateway::socket,
    serve::{self, Connections, Cut},
    settings::Settings,
    shared::Shared,
    simulated_user::SimulatedUser,
    snowflake::Snowflake,
    tls::Identity,
    world::World,
};
use crate::control::gate::Gate;

/// A running simulated Discord.
#[derive(Debug)]
pub struct Discord {
    shared: Shared,
    rest: SocketAddr,
    gateway: SocketAddr,
    gate: Gate,
    ca_pem: String,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Discord {
    /// Starts the service, which is listening when this returns.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        let (rest_listener, rest) = listen(settings.rest).await?;
        let (gateway_listener, gateway) = listen(settings.gateway).await?;
        let identity = Identity::new()?;
        let mut world = World::new(settings);
        world.sessions.url = format!("ws://{gateway}");
        let gate = world.gate.clone();
        let shared = Shared::new(world);
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let connections = Connections { shared: shared.clone(), stop: stop.clone(), tasks: tasks.clone() };
        tasks.spawn(accept(rest_listener, identity.acceptor, connections));
        let router = gateway_router(&shared, &stop, &tasks);
        let closing = stop.clone();
        tasks.spawn(async move {
            let closed = async move { closing.cancelled().await };
            // It ends when it is stopped; accepting connections never fails permanently.
            let _ = axum::serve(gateway_listener, router).with_graceful_shutdown(closed).await;
        });
        Ok(Self { shared, rest, gateway, gate, ca_pem: identity.ca_pem, stop, tasks })
    }

    /// The address on which REST listens.
    pub fn rest_addr(&self) -> SocketAddr {
        self.rest
    }

    /// The gateway's URL, as `GET /gateway` returns it.
    pub fn gateway_url(&self) -> String {
        format!("ws://{}", self.gateway)
    }

    /// The certificate authority that REST clients must trust, as PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The only token that is accepted.
    pub fn token(&self) -> String {
        self.world().settings.token.clone()
    }

    /// The world, locked, for changing and reading it. Do not hold the lock across an await.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    /// The gate that stops requests for crash tests.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// A handle with which a test acts and reads as this person in this Channel.
    pub fn as_user(&self, user: Snowflake, channel: Snowflake) -> SimulatedUser {
        SimulatedUser::new(self.shared.clone(), user, channel)
    }

    /// All events from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.world().events()
    }

    /// A counter that increases with every change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.world().changes()
    }

    /// Waits until `look` returns something; calls it again after every change.
    pub async fn until<T>(&self, look: impl FnMut(&mut World) -> Option<T>) -> T {
        self.shared.until(look).await
    }

    /// Ends every connection and waits until all tasks have ended.
    pub async fn stop(self) {
        self.gate.open();
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Discord {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    if !address.ip().is_loopback() {
        return Err(Error::NotLoopback(address));
    }
    let failed = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, connections: Connections) {
    loop {
        tokio::select! {
            () = connections.stop.cancelled() => return,
            // A connection that failed before it was accepted concerns only its client.
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                let (tls, own) = (tls.clone(), connections.clone());
                connections.tasks.spawn(async move {
                    tokio::select! {
                        () = own.stop.cancelled() => {}
                        () = connection(stream, tls, own.clone()) => {}
                    }
                });
            },
        }
    }
}

/// Serves one REST connection. A cut is an error of the service, after which hyper drops the connection without an answer.
async fn connection(stream: TcpStream, tls: TlsAcceptor, connections: Connections) {
    // Otherwise small answers would wait for the peer's acknowledgment.
    let _ = stream.set_nodelay(true);
    let Ok(stream) = tls.accept(stream).await else { return };
    let router = TowerToHyperService::new(serve::router(connections));
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let answering = router.call(request);
        async move {
            let Ok(response) = answering.await;
            if response.extensions().get::<Cut>().is_some() { Err(Cut) } else { Ok(response) }
        }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    // However it ends, the client has noticed.
    let _ = serving.await;
}

fn gateway_router(shared: &Shared, stop: &CancellationToken, tasks: &TaskTracker) -> Router {
    let (shared, stop, tasks) = (shared.clone(), stop.clone(), tasks.clone());
    let open = move |upgrade: WebSocketUpgrade| async move {
        let opening = shared.world().sessions.opening();
        tokio::select! {
            () = opening => {}
            () = stop.cancelled() => {}
        }
        let token = tasks.token();
        let response: Response = upgrade.on_upgrade(move |socket| async move {
            socket::serve(socket, shared, stop).await;
            drop(token);
        });
        response
    };
    Router::new().route("/", get(open))
}
