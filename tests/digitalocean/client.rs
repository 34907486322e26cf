//! The client over a real socket: what is sent, how often, and what is known afterwards.

use std::{
    io::Write,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use crate::vendor::{Arrived, Reply, Vendor, ok};
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::json;
use snapshot_bot::{
    clock::Clock,
    digitalocean::{
        budget::{Admission, Priority},
        client::{Client, Settings, Unusable},
        error::{Delivery, Error, Outage},
        http_types::TransportError,
        mutations, queries,
    },
    operation::ids::{DropletId, SnapshotId},
};

const TOKEN: &str = "dop_v1_secret0123456789";

fn client(url: &url::Url, clock: &Clock) -> Client {
    let mut settings = Settings::new(url.clone(), SecretString::from(TOKEN));
    settings.deadline = Duration::from_millis(500);
    settings.answer_limit = 10_000;
    let clock = clock.clone();
    Client::new(&settings, Arc::new(move || clock.now())).unwrap()
}

async fn scripted(script: impl FnMut(&Arrived) -> Reply + Send + 'static) -> (Vendor, Client) {
    let vendor = Vendor::start(script).await;
    let client = client(&vendor.url, &Clock::wall());
    (vendor, client)
}

fn droplet() -> Reply {
    ok(&json!({ "droplet": { "id": 7, "name": "web-1", "status": "off" } }))
}

fn fault(status: u16) -> Reply {
    let body = json!({ "id": "fault", "message": "whatever" });
    Reply::Answer(status, vec![("x-request-id", "req-1".to_owned())], body.to_string())
}

/// A page of Cloudflare or a proxy in DigitalOcean's place.
fn page(status: u16) -> Reply {
    Reply::Answer(status, Vec::new(), "<!DOCTYPE html><title>Just a moment</title>".to_owned())
}

#[tokio::test]
async fn a_page_in_digitaloceans_place_is_waited_out_like_an_outage() {
    let mut replies = vec![droplet(), page(200), page(403), page(404)];
    let (vendor, client) = scripted(move |_| replies.pop().unwrap()).await;
    assert_eq!(client.run(queries::droplet(DropletId(7))).await.unwrap().id, DropletId(7));
    assert_eq!(vendor.lines().len(), 4);
}

#[tokio::test]
async fn digitaloceans_clock_is_learnt_from_its_own_answers_alone() {
    let dated = |reply: Reply, date: &str| match reply {
        Reply::Answer(status, _, body) => Reply::Answer(status, vec![("date", date.to_owned())], body),
        other => other,
    };
    let ours = "2026-11-22T17:38:00Z".parse::<jiff::Timestamp>().unwrap();
    let mut replies =
        vec![dated(page(403), "Tue, 01 Dec 2026 00:00:00 GMT"), dated(droplet(), "Wed, 25 Nov 2026 17:38:00 GMT")];
    let vendor = Vendor::start(move |_| replies.pop().unwrap()).await;
    let client =
        Client::new(&Settings::new(vendor.url.clone(), SecretString::from(TOKEN)), Arc::new(move || ours)).unwrap();
    assert_eq!(client.server_now(), None);
    client.run(queries::droplet(DropletId(7))).await.unwrap();
    assert_eq!(client.server_now(), Some(ours + SignedDuration::from_hours(72)));
    let (ticket, shutdown) = (client.admit(Priority::PowerOn).await.unwrap(), mutations::shutdown(DropletId(7)));
    client.run_admitted(shutdown, ticket).await.unwrap_err();
    assert_eq!(client.server_now(), Some(ours + SignedDuration::from_hours(72)), "a page has no clock");
}

#[tokio::test]
async fn a_request_carries_token_name_and_body() {
    let action = json!({ "action": { "id": 1, "status": "in-progress", "type": "shutdown", "resource_id": 7 } });
    let (vendor, client) = scripted(move |_| ok(&action)).await;
    client.run(mutations::shutdown(DropletId(7))).await.unwrap();
    let [arrived] = &vendor.journal()[..] else { panic!("one request") };
    assert_eq!(arrived.line, "POST /v2/droplets/7/actions");
    assert_eq!(arrived.body, r#"{"type":"shutdown"}"#);
    let head = arrived.head.to_lowercase();
    assert!(head.contains(&format!("authorization: bearer {TOKEN}")), "{head}");
    assert!(head.contains("user-agent: snapshot-bot/0."), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
}

#[tokio::test]
async fn a_read_is_tried_again_until_it_is_answered() {
    let mut replies = vec![droplet(), Reply::Cut, ok(&json!({ "droplet": 5 })), fault(502)];
    let (vendor, client) = scripted(move |_| replies.pop().unwrap()).await;
    assert_eq!(client.run(queries::droplet(DropletId(7))).await.unwrap().id, DropletId(7));
    assert_eq!(vendor.lines().len(), 4);
}

#[tokio::test]
async fn a_read_that_is_never_answered_ends() {
    let (vendor, client) = scripted(|_| fault(503)).await;
    let error = client.run(queries::droplet(DropletId(7))).await.unwrap_err();
    assert_eq!(error.to_string(), "DigitalOcean is not available (503) (request req-1)");
    assert_eq!(vendor.lines().len(), 4);
}

#[tokio::test]
async fn in_an_outage_one_look_finds_out_for_all() {
    let (vendor, clock) = (Vendor::start(|_| fault(503)).await, Clock::wall());
    let client = client(&vendor.url, &clock);
    let look = || client.run(queries::droplet(DropletId(7)).with_priority(Priority::Off));
    for _ in 0..2 {
        look().await.unwrap_err();
        clock.advance(SignedDuration::from_secs(30));
    }
    let before = vendor.lines().len();
    for _ in 0..20 {
        look().await.unwrap_err();
    }
    assert_eq!(vendor.lines().len(), before + 1, "one probe, and no retries");
    let asked = client.run(queries::droplet(DropletId(7)).with_priority(Priority::Person));
    asked.await.unwrap_err();
    assert!(vendor.lines().len() > before + 1, "people are answered by what is so now");
}

#[tokio::test]
async fn what_cannot_help_is_not_tried_again() {
    for status in [401, 403, 404, 422] {
        let (vendor, client) = scripted(move |_| fault(status)).await;
        client.run(queries::droplet(DropletId(7))).await.unwrap_err();
        assert_eq!(vendor.lines().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn what_starts_or_removes_something_leaves_once_whatever_happens() {
    type Make = fn() -> Reply;
    let faults: [(Make, Delivery); 12] = [
        (|| fault(500), Delivery::Ambiguous),
        (|| fault(503), Delivery::Ambiguous),
        (|| fault(408), Delivery::Ambiguous),
        (|| fault(429), Delivery::Refused),
        (|| fault(422), Delivery::Refused),
        (|| page(200), Delivery::Ambiguous),
        (|| page(403), Delivery::Ambiguous),
        (|| page(404), Delivery::Ambiguous),
        (|| Reply::Answer(401, Vec::new(), String::new()), Delivery::Ambiguous),
        (|| Reply::Cut, Delivery::Ambiguous),
        (|| Reply::Half, Delivery::Ambiguous),
        (|| Reply::Hold, Delivery::Ambiguous),
    ];
    for (index, (fault, delivery)) in faults.into_iter().enumerate() {
        let (vendor, client) = scripted(move |_| fault()).await;
        let error = client.run(mutations::power_on(DropletId(7))).await.unwrap_err();
        assert_eq!((error.delivery(), vendor.lines().len()), (delivery, 1), "{index}: {error}");
    }
    let (vendor, client) = scripted(|_| Reply::Cut).await;
    client.run(mutations::delete_snapshot(SnapshotId(7))).await.unwrap_err();
    assert_eq!(vendor.lines(), ["DELETE /v2/snapshots/7"]);
}

#[tokio::test]
async fn a_silent_server_is_given_up_at_the_deadline() {
    let (_vendor, client) = scripted(|_| Reply::Hold).await;
    let error = client.run(mutations::power_on(DropletId(7))).await.unwrap_err();
    let Error::Unavailable { outage: Outage::Transport(error), .. } = error else { panic!("{error}") };
    assert_eq!(error, TransportError::TimedOut { deadline: Duration::from_millis(500) });
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = client(&format!("http://{closed}").parse().unwrap(), &Clock::wall());
    let error = client.run(mutations::power_on(DropletId(7))).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotSent);
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn an_endless_answer_is_not_taken_in() {
    let (_vendor, client) = scripted(|_| Reply::Answer(201, Vec::new(), "x".repeat(10_001))).await;
    let error = client.run(mutations::power_on(DropletId(7))).await.unwrap_err();
    assert_eq!(error.to_string(), "DigitalOcean is not available: the answer is larger than 10000 bytes");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Vendor::start(|_| droplet()).await;
    let target = elsewhere.url.to_string();
    let (_vendor, client) =
        scripted(move |_| Reply::Answer(307, vec![("location", target.clone())], String::new())).await;
    let error = client.run(mutations::power_on(DropletId(7))).await.unwrap_err();
    assert_eq!(error.delivery(), Delivery::Ambiguous);
    assert!(elsewhere.lines().is_empty());
}

#[tokio::test]
async fn after_a_throttling_everybody_waits_as_long_as_was_asked() {
    let vendor = Vendor::start(|_| Reply::Answer(429, vec![("retry-after", "120".to_owned())], String::new())).await;
    let clock = Clock::wall();
    let client = client(&vendor.url, &clock);
    let error = client.run(queries::droplet(DropletId(7))).await.unwrap_err();
    assert!(matches!(error, Error::Throttled { .. }), "{error}");
    assert_eq!(vendor.lines().len(), 1, "two minutes are not waited out for a read");
    clock.advance(jiff::SignedDuration::from_secs(115));
    assert!(matches!(client.try_admit(Priority::PowerOn), Admission::At(_)));
    clock.advance(jiff::SignedDuration::from_secs(5));
    assert!(matches!(client.try_admit(Priority::PowerOn), Admission::Now(_)));
}

#[tokio::test]
async fn leave_given_before_a_throttling_is_worth_nothing_after_it() {
    let (vendor, client) =
        scripted(|_| Reply::Answer(429, vec![("retry-after", "120".to_owned())], String::new())).await;
    let (first, second) =
        (client.admit(Priority::PowerOn).await.unwrap(), client.admit(Priority::PowerOn).await.unwrap());
    client.run_admitted(mutations::power_on(DropletId(7)), first).await.unwrap_err();
    let error = client.run_admitted(mutations::power_on(DropletId(8)), second).await.unwrap_err();
    assert!(matches!(error, Error::Throttled { .. }), "{error}");
    assert_eq!(vendor.lines(), ["POST /v2/droplets/7/actions"]);
}

#[test]
fn a_token_that_no_header_can_carry_is_refused_without_being_shown() {
    let settings = Settings::new("http://127.0.0.1:1".parse().unwrap(), SecretString::from("dop_v1_\nsecret"));
    let clock = Clock::wall();
    let error = Client::new(&settings, Arc::new(move || clock.now())).unwrap_err();
    assert!(matches!(error, Unusable::Token));
    assert!(!format!("{error} {error:?} {settings:?}").contains("dop_v1"), "{error:?}");
}

/// With at most one subscriber, tracing lets a thread without one silence a line for all threads.
static TWO_SUBSCRIBERS: LazyLock<[tracing::Dispatch; 2]> =
    LazyLock::new(|| [(); 2].map(|()| tracing::Dispatch::new(tracing_subscriber::registry())));

/// The log of a test.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_token_appears_in_no_log_and_no_error() {
    LazyLock::force(&TWO_SUBSCRIBERS);
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    let logging = tracing::subscriber::set_default(subscriber);
    let mut replies = vec![fault(401), Reply::Cut, fault(500)];
    let (_vendor, client) = scripted(move |_| replies.pop().unwrap()).await;
    let error = client.run(queries::droplet(DropletId(7))).await.unwrap_err();
    drop(logging);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("/v2/droplets/7") && log.contains("req-1"), "{log}");
    for text in [log, format!("{error} {error:?} {client:?}")] {
        assert!(!text.contains(TOKEN) && !text.contains("secret0123"), "{text}");
    }
}

#[tokio::test]
async fn a_token_that_the_other_side_repeats_is_not_kept() {
    let body = json!({ "id": TOKEN, "message": format!("no droplet for {TOKEN}"), "request_id": TOKEN });
    let repeats = move |_: &Arrived| Reply::Answer(422, vec![("x-request-id", TOKEN.to_owned())], body.to_string());
    let (_vendor, client) = scripted(repeats).await;
    let refused = client.run(mutations::shutdown(DropletId(7))).await.unwrap_err();
    let told = format!("{refused} {refused:?}");
    assert!(told.contains("no droplet for [token]"), "{told}");
    assert!(!told.contains(TOKEN), "{told}");
}

#[tokio::test]
async fn a_reading_for_nobody_goes_on_at_once_when_somebody_comes_to_wait_for_it() {
    let vendor = Vendor::start(|_| droplet()).await;
    // The clock stands still, so time frees no request.
    let now = Clock::wall().now();
    let settings = Settings::new(vendor.url.clone(), SecretString::from(TOKEN));
    let client = Client::new(&settings, Arc::new(move || now)).unwrap();
    while matches!(client.try_admit(Priority::Inventory), Admission::Now(_)) {}
    let rank = Mutex::new(Priority::Inventory);
    let reading = client.run_ranked(queries::droplet(DropletId(7)), || *rank.lock().unwrap());
    let (read, ()) = tokio::join!(reading, async {
        tokio::task::yield_now().await;
        assert!(vendor.lines().is_empty());
        *rank.lock().unwrap() = Priority::Person;
    });
    assert_eq!(read.unwrap().id, DropletId(7));
}
