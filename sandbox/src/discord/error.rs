//! Why a simulated Discord does not start.

use std::{io, net::SocketAddr};

/// Why a simulated Discord did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It may be reached from this machine only.
    #[error("the sandbox listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The address is taken, or not ours.
    #[error("listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// No certificate could be made.
    #[error("make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS could not be set up.
    #[error("set up TLS: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
}
