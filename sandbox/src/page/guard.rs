//! Access control of the page: only this machine's own browser, and only pages that came from here, get in.
//!
//! Loopback alone is not enough: any site that a person visits could resolve its name to 127.0.0.1, or post a form there.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::reach::Reach;

/// The security headers of every answer: the browser loads nothing from elsewhere, and runs only the page's own files.
const HEADERS: [(header::HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The host names under which the page may be requested.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    hosts: Vec<String>,
    /// Whether any IP address is also permitted. A foreign site cannot resolve an IP address to another machine.
    any_address: bool,
}

impl Guard {
    pub(super) fn new(address: SocketAddr, reach: Reach) -> Self {
        let port = address.port();
        let mut hosts = vec![address.to_string(), format!("127.0.0.1:{port}"), format!("localhost:{port}")];
        if port == 80 {
            hosts.extend(["127.0.0.1".to_owned(), "localhost".to_owned()]);
        }
        Self { hosts, any_address: reach == Reach::Network }
    }

    fn knows(&self, host: &str) -> bool {
        self.hosts.iter().any(|known| known == host) || (self.any_address && is_address(host))
    }

    /// Why this request is refused; `None` if it is permitted.
    fn refuse(&self, method: &Method, headers: &HeaderMap) -> Option<&'static str> {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let Some(host) = text(header::HOST).filter(|host| self.knows(host)) else {
            return Some("this page answers to its own address alone");
        };
        // Browsers always send the origin of a POST and of a WebSocket.
        let acts = method != Method::GET || headers.contains_key(header::UPGRADE);
        let origin = text(header::ORIGIN);
        let own = origin.and_then(|origin| origin.strip_prefix("http://")) == Some(host);
        (!own && (acts || origin.is_some())).then_some("only the page itself may ask for this")
    }
}

/// Whether this is an IP address or `localhost`, with or without a port.
fn is_address(host: &str) -> bool {
    let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
    name == "localhost" || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

/// Admits or refuses a request, and adds the headers to its answer.
pub(super) async fn stand(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let mut response = match guard.refuse(request.method(), request.headers()) {
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_let_in(method: &Method, pairs: &[(header::HeaderName, &'static str)]) -> bool {
        let guard = Guard::new(SocketAddr::from(([127, 0, 0, 1], 8080)), Reach::Loopback);
        let headers = pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        guard.refuse(method, &headers).is_none()
    }

    const HOST: (header::HeaderName, &str) = (header::HOST, "127.0.0.1:8080");

    #[test]
    fn a_name_that_only_resolves_to_loopback_is_turned_away() {
        assert!(is_let_in(&Method::GET, &[HOST]));
        assert!(is_let_in(&Method::GET, &[(header::HOST, "localhost:8080")]));
        assert!(!is_let_in(&Method::GET, &[(header::HOST, "evil.example:8080")]));
        assert!(!is_let_in(&Method::GET, &[(header::HOST, "127.0.0.1:8081")]));
        assert!(!is_let_in(&Method::GET, &[]));
    }

    #[test]
    fn nobody_acts_from_another_site() {
        assert!(is_let_in(&Method::POST, &[HOST, (header::ORIGIN, "http://127.0.0.1:8080")]));
        assert!(!is_let_in(&Method::POST, &[HOST, (header::ORIGIN, "http://evil.example")]));
        assert!(!is_let_in(&Method::POST, &[HOST, (header::ORIGIN, "http://localhost:8080")]));
        assert!(!is_let_in(&Method::POST, &[HOST]));
        let socket = (header::UPGRADE, "websocket");
        assert!(!is_let_in(&Method::GET, &[HOST, socket.clone()]));
        assert!(!is_let_in(&Method::GET, &[HOST, socket.clone(), (header::ORIGIN, "null")]));
        assert!(is_let_in(&Method::GET, &[HOST, socket, (header::ORIGIN, "http://127.0.0.1:8080")]));
    }

    #[test]
    fn in_a_network_any_address_will_do_but_no_name() {
        let guard = Guard::new(SocketAddr::from(([0, 0, 0, 0], 8080)), Reach::Network);
        for host in ["192.0.2.7:9000", "192.0.2.7", "[2001:db8::1]:8080", "localhost:9000", "127.0.0.1:8080"] {
            assert!(guard.knows(host), "{host}");
        }
        for host in ["evil.example:8080", "evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example", ""] {
            assert!(!guard.knows(host), "{host}");
        }
    }
}
