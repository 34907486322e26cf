//! Why a simulated Discord does not start.

use std::{io, net::SocketAddr};

/// Why a simulated Discord did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address can be reached from other machines.
    #[error("the sandbox listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The address is taken, or does not belong to this machine.
    #[error("listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The certificate could not be created.
    #[error("make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS could not be set up.
    #[error("set up TLS: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
}
