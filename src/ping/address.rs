//! An address to call, as a person typed it. Its path may be a key, so the program never displays more than the host.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use url::{Host, Url};

use super::{Reach, Signal};

/// An address to call.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Url);

/// Why a text is not an address that may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadAddress {
    /// It is not a URL with a host.
    NoUrl,
    /// It does not use TLS.
    NotEncrypted,
    /// It contains a user name or a password.
    Credentials,
    /// It is too long to be stored.
    TooLong,
}

/// The maximum length.
const LONGEST: usize = 500;

impl Address {
    /// Parses what a person typed. An address without TLS is permitted only if private addresses may be called.
    pub fn read(typed: &str, reach: Reach) -> Result<Self, BadAddress> {
        if typed.len() > LONGEST {
            return Err(BadAddress::TooLong);
        }
        let url = Url::parse(typed.trim()).map_err(|_| BadAddress::NoUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadAddress::Credentials);
        }
        match (url.scheme(), reach) {
            _ if url.host_str().is_none_or(str::is_empty) => Err(BadAddress::NoUrl),
            ("https", _) | ("http", Reach::Everywhere) => Ok(Self(url)),
            ("http", Reach::Public) => Err(BadAddress::NotEncrypted),
            _ => Err(BadAddress::NoUrl),
        }
    }

    /// The host, which is the only part that may be displayed.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whether it is called over TLS.
    pub(super) fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The name and port to resolve.
    pub(super) fn name_and_port(&self) -> (String, u16) {
        let name = match self.0.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => self.host().to_owned(),
        };
        (name, self.0.port_or_known_default().unwrap_or(443))
    }

    /// The URL to call for a signal: `/start` or `/fail` below the address, or the address itself
    /// for a success, with the run's id as `rid`.
    pub(super) fn of(&self, signal: Signal, run: Option<&str>) -> Url {
        let mut url = self.0.clone();
        let below = match signal {
            Signal::Start => Some("start"),
            Signal::Fail => Some("fail"),
            Signal::Success => None,
        };
        if let (Some(below), Ok(mut path)) = (below, url.path_segments_mut()) {
            path.pop_if_empty().push(below);
        }
        if let Some(run) = run {
            url.query_pairs_mut().append_pair("rid", run);
        }
        url
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({}, …)", self.host())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.host())
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // Whether it leads to a permitted host is checked when it is called.
        Self::read(&text, Reach::Everywhere).map_err(|_| D::Error::custom("no address that can be called"))
    }
}
