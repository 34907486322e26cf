//! The server's promises: a request that is held, cut, late or stopped behaves as a crash test needs it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use snapshot_bot_sandbox::{
    control::{gate::Point, journal::Ending},
    digitalocean::{
        droplet::{Blueprint, Status},
        fault::{Disturbance, Fault, Pattern},
        http_types::Method,
        server::DigitalOcean,
        settings::{Durations, Settings},
        world::{TOKEN, World},
    },
};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const START: Timestamp = Timestamp::constant(1_790_000_000, 0);

/// A clock that stands still until a test moves it.
#[derive(Clone, Debug, Default)]
struct Clock(Arc<AtomicI64>);

impl Clock {
    fn now(&self) -> Timestamp {
        START + SignedDuration::from_secs(self.0.load(Ordering::SeqCst))
    }

    fn advance(&self, by: SignedDuration) {
        self.0.fetch_add(by.as_secs(), Ordering::SeqCst);
    }
}

/// A served world with one running Droplet, a client, and the clock that both use.
struct Served {
    server: DigitalOcean,
    client: reqwest::Client,
    clock: Clock,
    droplet: u64,
}

impl Served {
    async fn set() -> Self {
        let clock = Clock::default();
        let settings = Settings { durations: Durations::all(HOUR), ..Settings::default() };
        let mut world = World::new(settings, clock.now());
        let droplet = world.add_droplet(&Blueprint::named("web-1"));
        let hand = clock.clone();
        let server = DigitalOcean::start(world, Arc::new(move || hand.now())).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        Self { server, client, clock, droplet }
    }

    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(format!("{}{path}", self.server.url())).bearer_auth(TOKEN)
    }

    fn shutdown(&self) -> reqwest::RequestBuilder {
        let url = format!("{}/v2/droplets/{}/actions", self.server.url(), self.droplet);
        self.client.post(url).bearer_auth(TOKEN).json(&json!({"type": "shutdown"}))
    }

    fn actions(&self) -> usize {
        self.server.read(|world| world.actions_of(self.droplet).len())
    }
}

#[tokio::test]
async fn the_server_answers_like_its_world_and_its_links_lead_back_to_it() {
    let served = Served::set().await;
    let answer = served.get("/v2/regions?per_page=3").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json; charset=utf-8");
    let body: Value = answer.json().await.unwrap();
    let next = body["links"]["pages"]["next"].as_str().unwrap();
    assert!(next.starts_with(&served.server.url()), "{next}");
    let refused = served.client.get(format!("{}/v2/account", served.server.url())).send().await.unwrap();
    assert_eq!(refused.status(), 401);
}

#[tokio::test]
async fn a_request_held_before_its_execution_is_executed_once_released_though_its_client_is_gone() {
    let served = Served::set().await;
    let waiting = served.server.gate().hold(Point::BeforeExecution, Pattern::action("shutdown"), 0);
    let held = {
        let mut sent = std::pin::pin!(served.shutdown().send());
        tokio::select! {
            answer = &mut sent => panic!("answered while held: {answer:?}"),
            held = waiting.caught() => held.unwrap(),
        }
    };
    // Send some requests, so that the server has seen the other connection end.
    for _ in 0..10 {
        served.get("/v2/account").send().await.unwrap();
    }
    assert_eq!((served.actions(), &served.server.journal()[held.number].answer), (0, &None));
    held.release();
    let executed = served.server.until(|world| world.actions_of(served.droplet).len() == 1);
    tokio::time::timeout(Duration::from_secs(5), executed).await.unwrap();
}

#[tokio::test]
async fn a_request_held_after_its_execution_is_executed_and_may_be_cut() {
    let served = Served::set().await;
    let waiting =
        served.server.gate().hold(Point::BeforeAnswer, Pattern::of(Method::Post, "/v2/droplets/*/actions"), 0);
    let cut = async {
        let held = waiting.caught().await.unwrap();
        assert_eq!(served.server.journal()[held.number].answer.as_ref().unwrap().status, 201);
        assert_eq!(served.actions(), 1);
        held.cut();
    };
    let (answer, ()) = tokio::join!(served.shutdown().send(), cut);
    assert!(answer.unwrap_err().is_request());
    let entry = served.server.journal().pop().unwrap();
    assert_eq!((entry.answer.is_some(), entry.ending, entry.tampered), (true, Ending::Cut, true));
}

#[tokio::test]
async fn a_request_cut_before_its_execution_never_happened() {
    let served = Served::set().await;
    let waiting = served.server.gate().hold(Point::BeforeExecution, Pattern::any(), 1);
    assert_eq!(served.get("/v2/account").send().await.unwrap().status(), 200);
    let cut = async { waiting.caught().await.unwrap().cut() };
    let (answer, ()) = tokio::join!(served.shutdown().send(), cut);
    assert!(answer.is_err());
    assert_eq!(served.actions(), 0);
    let statuses: Vec<_> =
        served.server.journal().iter().map(|entry| (entry.answer.is_some(), entry.status())).collect();
    assert_eq!(statuses, [(true, Some(200)), (false, None)]);
}

#[tokio::test]
async fn faults_cut_connections_without_a_byte() {
    let served = Served::set().await;
    for (disturbance, executed) in [(Disturbance::CutBefore, 0), (Disturbance::CutAfter, 1)] {
        served.server.world(|world| world.add_fault(Fault::once(Pattern::any(), disturbance)));
        assert!(served.shutdown().send().await.unwrap_err().is_request());
        assert_eq!(served.actions(), executed);
    }
}

#[tokio::test]
async fn a_late_answer_outlasts_a_client_but_its_request_was_executed() {
    let served = Served::set().await;
    let late = Disturbance::AnswerLate { after: HOUR };
    served.server.world(|world| world.add_fault(Fault::once(Pattern::any(), late)));
    let error = served.shutdown().timeout(Duration::from_millis(200)).send().await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(served.actions(), 1);
}

#[tokio::test]
async fn a_postponed_request_is_executed_when_its_time_comes_and_then_answered() {
    let served = Served::set().await;
    let later = Disturbance::ExecuteLate { after: HOUR };
    served.server.world(|world| world.add_fault(Fault::once(Pattern::any(), later)));
    let mut changes = served.server.changes();
    let pass_time = async {
        while served.server.journal().is_empty() {
            changes.changed().await.unwrap();
        }
        assert_eq!(served.actions(), 0);
        served.clock.advance(HOUR);
    };
    let (answer, ()) = tokio::join!(served.shutdown().send(), pass_time);
    assert_eq!(answer.unwrap().status(), 201);
    assert_eq!(served.actions(), 1);
}

#[tokio::test]
async fn whoever_waits_for_the_world_sees_what_time_brings() {
    let served = Served::set().await;
    served.shutdown().send().await.unwrap();
    let off =
        served.server.until(|world| world.droplet(served.droplet).is_some_and(|droplet| droplet.status == Status::Off));
    let pass_time = async { served.clock.advance(HOUR + HOUR) };
    tokio::join!(off, pass_time);
}

#[tokio::test]
async fn stopping_breaks_what_is_held_and_gives_the_world_back() {
    let served = Served::set().await;
    let waiting = served.server.gate().hold(Point::BeforeExecution, Pattern::any(), 0);
    let request = served.shutdown();
    let Served { server, droplet, .. } = served;
    let stop = async {
        let held = waiting.caught().await.unwrap();
        let world = server.stop().await;
        held.release();
        world
    };
    let (answer, world) = tokio::join!(request.send(), stop);
    assert!(answer.is_err());
    assert!(world.actions_of(droplet).is_empty());
}

#[tokio::test]
async fn the_server_never_leaves_loopback() {
    let world = World::new(Settings::default(), Timestamp::UNIX_EPOCH);
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let refused = DigitalOcean::start_at(everywhere, world, Arc::new(|| Timestamp::UNIX_EPOCH)).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
}
