//! What other services receive: each run of a schedule, and that the bot makes progress.

use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use snapshot_bot_sandbox::digitalocean::fault::{Fault, Pattern, Quirk};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{
    schedules::{RAN, night, press},
    stage::{Role, Stage},
};

/// A service on loopback that answers every request with success, and records the calls.
struct Service {
    address: String,
    called: Arc<Mutex<Vec<String>>>,
    answering: tokio::task::JoinHandle<()>,
}

impl Service {
    #[expect(clippy::disallowed_methods, reason = "a service of the test, which ends with it")]
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let called = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&called);
        let answering = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = [0; 2048];
                let count = stream.read(&mut bytes).await.unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
                heard.lock().unwrap().push(path);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
            }
        });
        Self { address, called, answering }
    }

    fn called(&self, part: &str) -> Vec<String> {
        self.called.lock().unwrap().iter().filter(|path| path.contains(part)).cloned().collect()
    }
}

#[tokio::test]
async fn each_run_is_told_with_one_id_and_an_address_that_falls_silent_fails_nothing() {
    let mut stage = Stage::dark_in_step().await;
    let service = Service::start().await;
    stage.environment.insert("ALLOW_PRIVATE_URLS", "yes".to_owned());
    stage.start().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    let add = format!(
        "/schedule add what:web-1 every:day at:03:00 keep:3 last ping-url:http://{}/a-secret-key",
        service.address
    );
    ruth.run(&add).await;
    press(&ruth, "Create").await;
    stage.calm().await;
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("it is taken", RAN, 1).await;
    stage.calm().await;
    stage.until("it was told", |_| service.called("key?rid=").len() == 1).await;
    let (started, ended) = (service.called("/a-secret-key/start?rid="), service.called("/a-secret-key?rid="));
    assert_eq!((started.len(), ended.len()), (1, 1), "{started:?} {ended:?}");
    let id = |path: &str| path.split_once("rid=").map(|(_, id)| id.to_owned());
    assert_eq!(id(&started[0]), id(&ended[0]));
    stage.shows(&ruth, "**Tells:** `127.0.0.1`").await;
    service.answering.abort();
    for number in 2..=4 {
        stage.pass_until(night(stage.clock.now()));
        stage.until_count("it is taken all the same", RAN, number).await;
        stage.calm().await;
    }
    stage.shows(&ruth, "I haven't reached").await;
    let told = "SELECT COUNT(*) AS n FROM schedule_messages WHERE what LIKE '%Unheard%'";
    assert_eq!(stage.query(told).await, 1, "once");
    assert_eq!(ruth.seat.pings(), 0);
    assert!(!stage.conversation().replace(&add, "").contains("a-secret-key"), "{}", stage.conversation());
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_run_of_a_group_is_told_once() {
    let mut stage = Stage::dark_in_step().await;
    stage.add_group(2);
    let service = Service::start().await;
    stage.environment.insert("ALLOW_PRIVATE_URLS", "yes".to_owned());
    stage.start().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    let url = format!("http://{}/key", service.address);
    ruth.run(&format!("/schedule add what:tag:prod every:day at:03:00 gap:0s keep:3 last ping-url:{url}")).await;
    press(&ruth, "Create").await;
    stage.calm().await;
    stage.pass_until(night(stage.clock.now()));
    stage.runs_end(1).await;
    stage.until("its end was told", |_| service.called("/key").len() == 2).await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::Err));
    stage.pass_until(night(stage.clock.now()));
    stage.runs_end(2).await;
    stage.until("its end was told", |_| service.called("/key").len() == 4).await;
    let called = [service.called("/key/start?rid="), service.called("/key?rid="), service.called("/key/fail?rid=")];
    assert_eq!(called.each_ref().map(Vec::len), [2, 1, 1], "{called:?}");
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_small_snapshot_is_told_as_a_failure() {
    let mut stage = Stage::dark_in_step().await;
    let service = Service::start().await;
    stage.environment.insert("ALLOW_PRIVATE_URLS", "yes".to_owned());
    stage.start().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    let url = format!("http://{}/key", service.address);
    ruth.run(&format!("/schedule add what:web-1 every:day at:03:00 keep:9 last ping-url:{url}")).await;
    press(&ruth, "Create").await;
    stage.calm().await;
    let web = stage.droplet("web-1");
    for number in 1..=3 {
        stage.pass_until(night(stage.clock.now()));
        stage.until_count("it is taken", RAN, number).await;
        stage.calm().await;
        stage.digitalocean.world(|world| world.set_used_gigabytes(web, 0.5));
    }
    stage.until("each was told", |_| service.called("/key").len() == 6).await;
    let (good, failed) = (service.called("/key?rid="), service.called("/key/fail?rid="));
    assert_eq!((good.len(), failed.len()), (1, 2), "{good:?} {failed:?}");
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_private_address_is_refused_before_anything_is_stored() {
    let stage = Stage::new().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    for (address, words) in [
        ("https://10.0.0.7/key", "private network"),
        ("https://[::1]/key", "private network"),
        ("http://example.com/key", "no TLS"),
        ("https://me:pass@example.com/key", "user name or a password"),
        ("hc-ping", "isn't an address"),
    ] {
        ruth.run(&format!("/schedule add what:web-1 every:day ping-url:{address}")).await;
        assert!(ruth.sees(words), "{address}\n{}", ruth.transcript());
    }
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM confirmations").await, 0);
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn the_heartbeat_is_called_once_a_minute_and_an_idle_bot_with_a_thousand_schedules_asks_for_nothing() {
    let mut stage = Stage::dark_in_step().await;
    let service = Service::start().await;
    stage.environment.insert("ALLOW_PRIVATE_URLS", "yes".to_owned());
    stage.environment.insert("HEARTBEAT_URL", format!("http://{}/beat", service.address));
    stage.start().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    ruth.run("/schedule add what:web-1 every:month on:1 at:03:00 keep:3 last").await;
    press(&ruth, "Create").await;
    stage.calm().await;
    stage.stop().await;
    stage.multiply_schedules(1000).await;
    let earlier = service.called("/beat").len();
    stage.start().await;
    stage.until_count("each was looked at", "SELECT COUNT(*) AS n FROM schedules WHERE due_at > 0", 1001).await;
    stage.until("the heart beats", |_| service.called("/beat").len() > earlier).await;
    let (beats, since) = (service.called("/beat").len(), stage.clock.now());
    let requests = || (stage.digitalocean.journal().len(), stage.discord.world().journal().len());
    let asked = requests();
    stage.clock.advance(SignedDuration::from_secs(61));
    stage.until("it beats again", |_| service.called("/beat").len() > beats).await;
    for _ in 0..20 {
        stage.clock.advance(SignedDuration::from_secs(1));
        tokio::task::yield_now().await;
    }
    // The bot's clock also advances on its own, and on a busy machine it has the time.
    let minutes = usize::try_from(stage.clock.now().duration_since(since).as_mins()).unwrap();
    assert!(service.called("/beat").len() <= beats + minutes, "at most once a minute: {:?}", service.called("/beat"));
    assert_eq!(requests(), asked, "nobody else is asked");
    ruth.transcript();
    stage.finish().await;
}
