//! Calls addresses that people configured, so that an external monitor notices when this program falls silent (healthchecks.io and the
//! like).
//!
//! An address may contain a key, so only its host is ever displayed. It is resolved and checked at each call: no one may make the bot call
//! into the network that it runs in, unless its operator allows that. `app` calls addresses; `discord` and `config` parse what was typed.

mod address;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

pub use address::{Address, BadAddress};

/// How long resolving an address may take, and how long calling it may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long people who typed an address wait for its name to be resolved.
const LOOK_UP: Duration = Duration::from_secs(2);

/// What a call reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Something has begun.
    Start,
    /// It succeeded; also a sign of life.
    Success,
    /// It failed.
    Fail,
}

/// Which addresses may be called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Those that the whole internet can reach.
    #[default]
    Public,
    /// Those of private networks and of this machine too, and there also without TLS.
    Everywhere,
}

/// Why a call failed. The message contains only the host.
#[derive(Debug, thiserror::Error)]
pub enum Unreached {
    /// The name could not be resolved.
    #[error("{0} could not be looked up")]
    Unknown(String),
    /// It resolves to an address that may not be called.
    #[error("{0} is in a private network, which ALLOW_PRIVATE_URLS must allow")]
    Private(String),
    /// It would be called without TLS.
    #[error("{0} would be called without TLS")]
    Plain(String),
    /// There was no answer, or none in time.
    #[error("{0} did not answer")]
    Silent(String),
    /// The answer was not a success.
    #[error("{host} answered {status}")]
    Refused {
        /// The host that answered.
        host: String,
        /// The status code.
        status: u16,
    },
}

impl Unreached {
    /// The host that it is about.
    pub fn host(&self) -> &str {
        match self {
            Self::Unknown(host)
            | Self::Private(host)
            | Self::Plain(host)
            | Self::Silent(host)
            | Self::Refused { host, .. } => host,
        }
    }
}

impl Reach {
    /// Whether an address may be called, as far as is known now. For people who have just typed it.
    pub async fn check(self, address: &Address) -> Result<(), Unreached> {
        self.resolve(address, LOOK_UP).await.map(drop)
    }

    /// Calls an address. `run` distinguishes the calls of one run from those of another.
    pub async fn call(self, address: &Address, signal: Signal, run: Option<&str>) -> Result<(), Unreached> {
        let host = || address.host().to_owned();
        let resolved = self.resolve(address, PATIENCE).await?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(PATIENCE)
            .timeout(PATIENCE)
            // Connect to exactly the addresses that were checked, whatever the name resolves to a moment later.
            .resolve_to_addrs(address.host(), &resolved)
            .user_agent("snapshot-bot")
            .build()
            .map_err(|_| Unreached::Silent(host()))?;
        let answer = client.get(address.of(signal, run)).send().await.map_err(|_| Unreached::Silent(host()))?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(Unreached::Refused { host: host(), status: status.as_u16() }) }
    }

    async fn resolve(self, address: &Address, patience: Duration) -> Result<Vec<SocketAddr>, Unreached> {
        let host = || address.host().to_owned();
        let (name, port) = address.name_and_port();
        let looked_up = tokio::time::timeout(patience, tokio::net::lookup_host((name, port))).await;
        let found: Vec<SocketAddr> = match looked_up {
            Ok(Ok(found)) => found.collect(),
            Ok(Err(_)) | Err(_) => Vec::new(),
        };
        if found.is_empty() {
            return Err(Unreached::Unknown(host()));
        }
        let all_private = found.iter().all(|address| is_private(address.ip()));
        if self == Self::Public && found.iter().any(|address| is_private(address.ip())) {
            return Err(Unreached::Private(host()));
        }
        if !address.is_encrypted() && !all_private {
            return Err(Unreached::Plain(host()));
        }
        Ok(found)
    }
}

/// Whether an address belongs to a private network, to this machine, or is unassigned.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, third, _] = address.octets();
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_documentation()
                || address.is_multicast()
                || first == 0
                || first >= 240
                || (first == 100 && (64..128).contains(&second))
                || (first == 192 && second == 0 && third == 0)
                || (first == 198 && (18..20).contains(&second))
        }
        IpAddr::V6(address) => {
            let parts = address.segments();
            let embedded = match parts {
                [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
                | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
                | [0x2002, high, low, ..] => Some((high, low)),
                _ => None,
            };
            let embedded = embedded.map(|(high, low)| {
                let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
                IpAddr::from([a, b, c, d])
            });
            address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || (parts[0] & 0xffc0) == 0xfec0
                || (parts[0] == 0x2001 && (parts[1] == 0xdb8 || parts[1] == 0))
                || (parts[0] == 0x64 && parts[1] == 0xff9b && parts[2] != 0)
                || embedded.is_some_and(is_private)
        }
    }
}

#[cfg(test)]
mod tests;
