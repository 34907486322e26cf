//! Which addresses may be called, what is sent, and what is never displayed.

use std::net::{IpAddr, SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

fn address(text: &str) -> Address {
    Address::read(text, Reach::Everywhere).unwrap()
}

#[test]
fn an_address_shows_its_host_alone() {
    let it = address("https://hc.example.com/a-secret-key?more=1");
    for shown in [format!("{it}"), format!("{it:?}"), it.host().to_owned()] {
        assert!(shown.contains("hc.example.com") && !shown.contains("secret"), "{shown}");
    }
    let stored = serde_json::to_string(&it).unwrap();
    assert_eq!(serde_json::from_str::<Address>(&stored).unwrap(), it);
}

#[test]
fn what_is_no_address_is_refused() {
    for (typed, why) in [
        ("hc.example.com/key", BadAddress::NoUrl),
        ("", BadAddress::NoUrl),
        ("ftp://example.com/key", BadAddress::NoUrl),
        ("http://example.com/key", BadAddress::NotEncrypted),
        ("https://me:secret@example.com/key", BadAddress::Credentials),
        (&format!("https://example.com/{}", "k".repeat(500)), BadAddress::TooLong),
    ] {
        assert_eq!(Address::read(typed, Reach::Public).unwrap_err(), why, "{typed}");
    }
    assert!(Address::read("http://10.0.0.7/key", Reach::Everywhere).is_ok());
}

#[test]
fn start_and_fail_are_below_it_with_the_runs_id() {
    let it = address("https://hc.example.com/key/");
    assert_eq!(it.of(Signal::Start, Some("r1")).as_str(), "https://hc.example.com/key/start?rid=r1");
    assert_eq!(it.of(Signal::Fail, Some("r1")).as_str(), "https://hc.example.com/key/fail?rid=r1");
    assert_eq!(it.of(Signal::Success, None).as_str(), "https://hc.example.com/key/");
}

#[test]
fn private_addresses_are_known() {
    let private = [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "192.0.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "203.0.113.5",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fd12::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2002:a00:1::1",
        "2001:db8::1",
        "2001::1",
        "fec0::1",
    ];
    for text in private {
        assert!(is_private(text.parse::<IpAddr>().unwrap()), "{text}");
    }
    for text in
        ["1.1.1.1", "8.8.8.8", "100.63.0.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "2002:101:101::1"]
    {
        assert!(!is_private(text.parse::<IpAddr>().unwrap()), "{text}");
    }
}

/// A server that gives this answer to the first request, and a future of that request's first line.
async fn server(answer: &'static str) -> (SocketAddr, impl Future<Output = String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let asked = async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = [0; 1024];
        let count = stream.read(&mut bytes).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&bytes[..count]).lines().next().unwrap_or_default().to_owned()
    };
    (at, asked)
}

#[tokio::test]
async fn a_call_reaches_whom_it_may_reach() {
    let (at, asked) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let it = address(&format!("http://{at}/key"));
    let refused = Reach::Public.call(&it, Signal::Start, Some("r1")).await;
    assert!(matches!(refused, Err(Unreached::Private(_))), "{refused:?}");
    assert!(matches!(Reach::Public.check(&it).await, Err(Unreached::Private(_))));
    let (called, asked) = tokio::join!(Reach::Everywhere.call(&it, Signal::Start, Some("r1")), asked);
    assert!(called.is_ok(), "{called:?}");
    assert_eq!(asked, "GET /key/start?rid=r1 HTTP/1.1");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_no_answer_names_the_key() {
    let (at, asked) = server("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n").await;
    let it = address(&format!("http://{at}/secret-key"));
    let (called, _) = tokio::join!(Reach::Everywhere.call(&it, Signal::Success, None), asked);
    let error = called.unwrap_err();
    assert!(matches!(error, Unreached::Refused { status: 302, .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("secret"));
    let silent = Reach::Everywhere.call(&it, Signal::Success, None).await.unwrap_err();
    assert!(matches!(silent, Unreached::Silent(_)) && !format!("{silent:?}").contains("secret"), "{silent:?}");
    let unknown = Reach::Public.check(&address("https://nowhere.invalid/key")).await.unwrap_err();
    assert!(matches!(unknown, Unreached::Unknown(_)), "{unknown:?}");
}
