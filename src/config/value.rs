//! The kinds of values that variables contain: text in, a typed value or "what was found, what is expected" out.
//!
//! `config` calls these, one function per kind. They know no variable by name and use only the text that they are given;
//! `certificate` also reads the file that it names.

use std::{collections::BTreeSet, net::SocketAddr};

use jiff::SignedDuration;
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;
use url::{Host, Url};

use crate::{
    ping::{Address, BadAddress, Reach},
    telemetry::LogFormat,
};

/// Why a value cannot be used.
#[derive(Debug)]
pub(super) struct Mismatch {
    pub(super) found: String,
    pub(super) wanted: String,
}

pub(super) fn mismatch(found: impl Into<String>, wanted: impl Into<String>) -> Mismatch {
    Mismatch { found: found.into(), wanted: wanted.into() }
}

/// A value as it may be displayed: quoted, on one line. Long values are not displayed, because they might be tokens in the wrong variable.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 48;
    match text.chars().count() {
        0..=LONGEST => format!("{text:?}"),
        length => format!("{length} characters (not shown)"),
    }
}

/// A token for an HTTP header. Its value never appears in the mismatch.
pub(super) fn token(text: &str) -> Result<SecretString, Mismatch> {
    let length = text.chars().count();
    let oddity = if text.starts_with(['"', '\'']) {
        Some("it is in quotes")
    } else if text.starts_with("Bot ") || text.starts_with("Bearer ") {
        Some("it starts with the name of a scheme")
    } else if text.chars().any(char::is_whitespace) {
        Some("it has white space in it")
    } else if !text.chars().all(|character| character.is_ascii_graphic()) {
        Some("it has characters in it that no token has")
    } else {
        None
    };
    match oddity {
        None => Ok(text.into()),
        Some(oddity) => {
            Err(mismatch(format!("{length} characters (not shown): {oddity}"), "the token alone, as it was copied"))
        }
    }
}

/// One of Discord's ids. They fit 63 bits, and zero is not an id.
pub(super) fn snowflake(text: &str) -> Result<u64, Mismatch> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<i64>().ok().and_then(|id| u64::try_from(id).ok()) {
        Some(id) if id > 0 && digits => Ok(id),
        Some(_) | None => Err(mismatch(shown(text), "an id, which is a number of some 18 digits")),
    }
}

/// Several ids, separated by commas.
pub(super) fn snowflakes(text: &str) -> Result<BTreeSet<u64>, Mismatch> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let ids: BTreeSet<u64> = parts
        .map(|part| {
            snowflake(part)
                .map_err(|wrong| mismatch(wrong.found, "ids, numbers of some 18 digits, separated by commas"))
        })
        .collect::<Result<_, _>>()?;
    if ids.is_empty() { Err(mismatch(shown(text), "at least one id")) } else { Ok(ids) }
}

/// A duration such as `5s` or `100ms` within bounds.
pub(super) fn duration(text: &str, longest: SignedDuration) -> Result<SignedDuration, Mismatch> {
    let shortest = SignedDuration::from_millis(10);
    let wanted = || format!("a duration between {shortest:#} and {longest:#}, with its unit");
    match text.parse::<SignedDuration>() {
        Ok(duration) if (shortest..=longest).contains(&duration) => Ok(duration),
        Ok(_) | Err(_) => Err(mismatch(shown(text), wanted())),
    }
}

/// A number of days such as `365d`, or hours; at least a week, since an Undo is offered for a day and people look back a while.
pub(super) fn days(text: &str) -> Result<SignedDuration, Mismatch> {
    let (shortest, longest) = (7, 3_650);
    let hours = match text.strip_suffix('d') {
        Some(days) => days.trim_end().parse::<u32>().ok().map(|days| SignedDuration::from_hours(i64::from(days) * 24)),
        None => text.parse().ok(),
    };
    let range = SignedDuration::from_hours(shortest * 24)..=SignedDuration::from_hours(longest * 24);
    let wanted = || format!("a duration between {shortest}d and {longest}d, with its unit");
    hours.filter(|hours| range.contains(hours)).ok_or_else(|| mismatch(shown(text), wanted()))
}

/// An API's origin: https, or http on loopback; only scheme, host and port.
pub(super) fn origin(text: &str) -> Result<Url, Mismatch> {
    let wanted = "an origin: https, host and port, without path, query or credentials (http for loopback only)";
    let url = Url::parse(text).map_err(|why| mismatch(format!("text that is no URL ({why})"), wanted))?;
    // Check for credentials first: a value that contains some is never displayed.
    if !url.username().is_empty() || url.password().is_some() {
        return Err(mismatch("a URL with credentials (not shown)", wanted));
    }
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    if bare && safe && url.host().is_some() { Ok(url) } else { Err(mismatch(shown(text), wanted)) }
}

/// An address to call. Its path may be a key, so it is never displayed.
pub(super) fn address_to_call(text: &str, reach: Reach) -> Result<Address, Mismatch> {
    let wanted = match reach {
        Reach::Public => "an https URL without user and password; http only with ALLOW_PRIVATE_URLS=yes",
        Reach::Everywhere => "an https or http URL without user and password",
    };
    Address::read(text, reach).map_err(|bad| {
        let found = match bad {
            BadAddress::NoUrl => "text that is no such URL (not shown)",
            BadAddress::NotEncrypted => "a URL without TLS (not shown)",
            BadAddress::Credentials => "a URL with credentials (not shown)",
            BadAddress::TooLong => "more than 500 characters (not shown)",
        };
        mismatch(found, wanted)
    })
}

/// Whether a URL's host is this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A database URL. It may contain a password, so only the scheme of an invalid one is displayed.
pub(super) fn database(text: &str) -> Result<SecretString, Mismatch> {
    let wanted = "sqlite:// with a file, or postgres:// with host and database";
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    match scheme {
        "sqlite" => {
            let file = text.trim_start_matches("sqlite:").trim_start_matches("//");
            if file.is_empty() || file.starts_with('?') {
                Err(mismatch("a SQLite URL without a file", wanted))
            } else if file.starts_with(":memory:") || file.contains("mode=memory") {
                Err(mismatch(
                    "a SQLite database in memory",
                    "a database that outlives the bot, since it keeps the power promise",
                ))
            } else {
                Ok(text.into())
            }
        }
        // A password that contains one of these ends the host part early: the rest of it would be looked up as a host.
        "postgres" | "postgresql" if has_bare_separator(text) => Err(mismatch(
            "a PostgreSQL URL (not shown) with / ? or # before an @, as where a password holds one of them",
            "user and password percent-encoded: @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25",
        )),
        "postgres" | "postgresql" => match Url::parse(text) {
            Ok(url) if text.contains("://") && (url.has_host() || url.query().is_some()) => Ok(text.into()),
            Ok(_) => Err(mismatch("a PostgreSQL URL without a host (not shown)", wanted)),
            Err(why) => Err(mismatch(format!("a PostgreSQL URL that cannot be read ({why}, not shown)"), wanted)),
        },
        _ => Err(mismatch(format!("{} characters (not shown) that start with neither", text.chars().count()), wanted)),
    }
}

/// Whether a character that ends a URL's host occurs before an `@`, which precedes the host.
fn has_bare_separator(text: &str) -> bool {
    let behind_scheme = text.split_once("://").map_or(text, |(_, behind)| behind);
    behind_scheme.split_once(['/', '?', '#']).is_some_and(|(_, behind)| behind.contains('@'))
}

/// An address to listen on or connect to: IP and port, where `localhost` means `127.0.0.1`.
pub(super) fn address(text: &str) -> Result<SocketAddr, Mismatch> {
    let numeric = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    numeric.parse().map_err(|_| mismatch(shown(text), "an IP address and a port"))
}

/// An address that never leaves this machine.
pub(super) fn loopback(text: &str) -> Result<SocketAddr, Mismatch> {
    let wanted = "a loopback address and a port";
    match address(text) {
        Ok(address) if address.ip().is_loopback() && address.port() != 0 => Ok(address),
        Ok(_) | Err(_) => Err(mismatch(shown(text), wanted)),
    }
}

/// A tag, according to DigitalOcean's rule: letters, digits, colons, dashes and underscores, at most 255.
pub(super) fn tag(text: &str) -> Result<String, Mismatch> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":-_".contains(&byte);
    if text.len() <= 255 && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(mismatch(shown(text), "a tag: at most 255 letters, digits, colons, dashes and underscores"))
    }
}

/// An amount of dollars.
pub(super) fn dollars(text: &str) -> Result<f64, Mismatch> {
    match text.parse::<f64>() {
        Ok(amount) if (0.0..=100.0).contains(&amount) => Ok(amount),
        Ok(_) | Err(_) => Err(mismatch(shown(text), "dollars between 0 and 100, without the sign")),
    }
}

/// The text of a file that contains a root certificate.
pub(super) fn certificate(path: &str) -> Result<String, Mismatch> {
    let wanted = "a PEM file with a root certificate";
    let text = std::fs::read_to_string(path).map_err(|why| mismatch(format!("{path:?}: {why}"), wanted))?;
    let certificates = reqwest::Certificate::from_pem_bundle(text.as_bytes()).unwrap_or_default();
    if certificates.is_empty() {
        return Err(mismatch(format!("{path:?}: no certificate in it"), wanted));
    }
    // Only building a client that trusts the certificates checks their contents.
    let trusting =
        certificates.into_iter().fold(reqwest::Client::builder(), reqwest::ClientBuilder::add_root_certificate);
    match trusting.build() {
        Ok(_) => Ok(text),
        Err(_) => Err(mismatch(format!("{path:?}: a certificate that cannot be read"), wanted)),
    }
}

/// One of two words, as the value that it stands for.
pub(super) fn word<T: Copy>(text: &str, words: [(&'static str, T); 2]) -> Result<T, Mismatch> {
    let found = words.iter().find(|(word, _)| text.eq_ignore_ascii_case(word));
    let [(first, _), (second, _)] = words;
    found.map(|(_, value)| *value).ok_or_else(|| mismatch(shown(text), format!("{first} or {second}")))
}

/// A positive number.
pub(super) fn count(text: &str) -> Result<usize, Mismatch> {
    match text.parse::<usize>() {
        Ok(count) if (1..=100_000).contains(&count) => Ok(count),
        Ok(_) | Err(_) => Err(mismatch(shown(text), "a number between 1 and 100000")),
    }
}

/// The format of log lines.
pub(super) fn log_format(text: &str) -> Result<LogFormat, Mismatch> {
    match text.to_ascii_lowercase().as_str() {
        "pretty" => Ok(LogFormat::Pretty),
        "json" => Ok(LogFormat::Json),
        _ => Err(mismatch(shown(text), "pretty or json")),
    }
}

/// A filter for log lines.
pub(super) fn log_filter(text: &str) -> Result<String, Mismatch> {
    let wanted = "a level (error, warn, info, debug, trace, off), or module=level, separated by commas";
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(why) => Err(mismatch(format!("{}: {why}", shown(text)), wanted)),
    }
}
