//! The running page: a listener on loopback, its routes, and a clean stop.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    Router, middleware,
    routing::{any, get, post},
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{act, asset, context::Context, file, guard, live, reach::Reach};

/// Why a page did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The page may be reached only from this machine.
    #[error(
        "the page listens on loopback only, not on {0}: `--listen {0}` lets it, and then everybody who reaches it can use it"
    )]
    NotLoopback(SocketAddr),
    /// Another program uses the port.
    #[error("port {} is in use: name another one by --addr, or 127.0.0.1:0 for any that is free", .0.port())]
    InUse(SocketAddr),
    /// The address cannot be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// A page that is being served.
#[derive(Debug)]
pub struct Page {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Page {
    /// Binds an address, which must be on loopback unless another one was requested. Nothing is answered yet.
    pub async fn listen(address: SocketAddr, reach: Reach) -> Result<TcpListener, Error> {
        if reach == Reach::Loopback && !address.ip().is_loopback() {
            return Err(Error::NotLoopback(address));
        }
        TcpListener::bind(address).await.map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => Error::InUse(address),
            _ => Error::Listen { address, source },
        })
    }

    /// Serves a context on this listener.
    pub fn start(listener: TcpListener, reach: Reach, context: Context) -> Result<Self, Error> {
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let address = listener.local_addr().map_err(|source| Error::Listen { address: unknown, source })?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let watching = live::Watching { stop: stop.clone(), tasks: tasks.clone() };
        let router = router(Arc::new(context), watching, guard::Guard::new(address, reach));
        let closing = stop.clone();
        tasks.spawn(async move {
            let closed = async move { closing.cancelled().await };
            // It ends when it is stopped; accepting never fails permanently.
            let _ = axum::serve(listener, router).with_graceful_shutdown(closed).await;
        });
        Ok(Self { address, stop, tasks })
    }

    /// The address to open in a browser.
    pub fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            // A browser cannot open the unspecified address.
            address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        format!("http://{address}/")
    }

    /// Closes every window's connection and waits until all tasks have ended.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

fn router(context: Arc<Context>, watching: live::Watching, guard: guard::Guard) -> Router {
    let interactions = Router::new()
        .route("/act/command", post(act::command))
        .route("/act/autocomplete", post(act::autocomplete))
        .route("/act/press", post(act::press))
        .route("/act/choose", post(act::choose))
        .route("/act/submit", post(act::submit))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&context), act::at_its_own_pace));
    Router::new()
        .route("/live", any(live::open).with_state((Arc::clone(&context), watching)))
        .route("/file/{message}/{file}", get(file::open))
        .route("/act/say", post(act::say))
        .route("/act/switch", post(act::switch))
        .route("/act/bot", post(act::bot))
        .route("/act/clock", post(act::clock))
        .merge(interactions)
        .merge(asset::routes())
        .layer(middleware::from_fn_with_state(guard, guard::stand))
        .with_state(context)
}
