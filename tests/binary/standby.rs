//! Two processes on one PostgreSQL: one is active, the other stands by, and no one is asked twice.

use std::sync::{Arc, Mutex};

use snapshot_bot_sandbox::discord::journal::Answer;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::Notify,
};

use super::{
    installation::{Installation, free_address},
    process::{PATIENCE, Process, Signal, ask, until_answered},
    required,
    schema::Schema,
    waiting::within,
};

const STANDBY: &str = "lease: standing by, another process is active";

/// An installation whose database is a schema of its own on PostgreSQL; `None` if no server is configured.
pub(crate) struct Cluster {
    pub(crate) installation: Installation,
    schema: Schema,
}

impl Cluster {
    pub(crate) async fn new() -> Option<Self> {
        let server = required::variable("TEST_DATABASE_URL", "a PostgreSQL server")?;
        let mut installation = Installation::new().await;
        let schema = Schema::create(server).await;
        installation.environment.insert("DATABASE_URL", schema.url());
        Some(Self { installation, schema })
    }

    /// Changes the bot's database as no bot would.
    pub(crate) async fn tamper(&self, sql: &'static str) {
        let pool = sqlx::AnyPool::connect(&self.installation.environment["DATABASE_URL"]).await.unwrap();
        sqlx::query(sql).execute(&pool).await.unwrap();
        pool.close().await;
    }

    /// Who holds the lease according to the database; empty once it was released.
    async fn holder(&self) -> String {
        let pool = sqlx::AnyPool::connect(&self.installation.environment["DATABASE_URL"]).await.unwrap();
        let holder = sqlx::query_scalar("SELECT holder FROM lease").fetch_one(&pool).await.unwrap();
        pool.close().await;
        holder
    }

    /// An active process, and one that stands by, with their HTTP ports.
    async fn pair(&self) -> [(Process, String); 2] {
        let active = self.installation.ready("active").await;
        let address = free_address();
        let standby = self.installation.start_with("standby", &[("HTTP_ADDR", address.clone())]);
        until_answered(&address, "/readyz", 503, STANDBY).await;
        [active, (standby, address)]
    }

    pub(crate) async fn takes(&self) {
        self.installation.ada.run("/snapshot take droplet:web-1").await.unwrap();
        self.installation.reads("is ready").await;
        assert_eq!(self.installation.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
        assert_eq!(self.installation.ada.pings(), 1, "{}", self.installation.ada.transcript());
        let world = self.installation.discord.world();
        let is_refused = |answer: &Answer| answer.body["code"] == 40060;
        let refused: Vec<_> =
            world.journal().iter().filter(|one| one.answer.as_ref().is_some_and(is_refused)).collect();
        assert!(refused.is_empty(), "an Interaction was answered twice: {refused:#?}");
    }

    pub(crate) async fn finish(self) {
        self.schema.drop().await;
    }
}

#[tokio::test]
async fn a_clean_stop_gives_the_lease_back() {
    let Some(cluster) = Cluster::new().await else { return };
    let [(active, _), (standby, address)] = cluster.pair().await;
    // No other process can take the lease that the first one releases, so the row can be read at leisure.
    standby.signal(Signal::Stop);
    cluster.installation.stop(active).await;
    assert_eq!(cluster.holder().await, "", "a standby would have to wait until the lease has run out");
    standby.signal(Signal::Continue);
    until_answered(&address, "/readyz", 200, "ready").await;
    cluster.takes().await;
    cluster.installation.stop(standby).await;
    cluster.finish().await;
}

#[tokio::test]
async fn a_standby_goes_on_where_the_active_one_was_killed() {
    let Some(cluster) = Cluster::new().await else { return };
    let [(active, _), (standby, address)] = cluster.pair().await;
    let installation = &cluster.installation;
    let held = installation.take_held_at("snapshot").await;
    active.signal(Signal::Kill);
    active.end().await;
    held.release();
    until_answered(&address, "/readyz", 200, "ready").await;
    installation.reads("is ready").await;
    assert_eq!(installation.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert_eq!(installation.ada.pings(), 1, "{}", installation.ada.transcript());
    assert!(installation.web_is_on());
    installation.stop(standby).await;
    cluster.finish().await;
}

#[tokio::test]
async fn one_that_was_frozen_and_thawed_stands_by_and_does_no_harm() {
    let Some(cluster) = Cluster::new().await else { return };
    let [(frozen, old_door), (standby, address)] = cluster.pair().await;
    frozen.signal(Signal::Stop);
    until_answered(&address, "/readyz", 200, "ready").await;
    frozen.signal(Signal::Continue);
    until_answered(&old_door, "/readyz", 503, STANDBY).await;
    cluster.takes().await;
    assert_eq!(ask(&address, "/readyz").await, Some((200, "ready\n".to_owned())));
    cluster.installation.stop(standby).await;
    until_answered(&old_door, "/readyz", 200, "ready").await;
    cluster.installation.stop(frozen).await;
    cluster.finish().await;
}

/// A service on loopback that receives heartbeats and records who sent them.
struct Listener {
    address: String,
    heard: Arc<Mutex<Vec<String>>>,
    rung: Arc<Notify>,
}

impl Listener {
    #[expect(clippy::disallowed_methods, reason = "a service of the test, which ends with it")]
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (heard, rung) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Notify::new()));
        let (hearing, ringing) = (Arc::clone(&heard), Arc::clone(&rung));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = [0; 2048];
                let count = stream.read(&mut bytes).await.unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                hearing.lock().unwrap().push(text.split(' ').nth(1).unwrap_or_default().to_owned());
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
                ringing.notify_one();
            }
        });
        Self { address, heard, rung }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    async fn hears(&self, path: &str) {
        let hearing = async {
            while !self.heard().iter().any(|heard| heard == path) {
                self.rung.notified().await;
            }
        };
        within(PATIENCE, hearing, async || format!("{path} is heard; heard only {:?}", self.heard())).await;
    }
}

#[tokio::test]
async fn the_heartbeat_is_of_the_process_that_holds_the_lease_alone() {
    let Some(mut cluster) = Cluster::new().await else { return };
    cluster.installation.environment.insert("ALLOW_PRIVATE_URLS", "yes".to_owned());
    let (listener, installation) = (Listener::start().await, &cluster.installation);
    let start = |name: &'static str, address: &str| {
        let beat = format!("http://{}/{name}", listener.address);
        installation.start_with(name, &[("HTTP_ADDR", address.to_owned()), ("HEARTBEAT_URL", beat)])
    };
    let [first, second] = [free_address(), free_address()];
    let active = start("active", &first);
    until_answered(&first, "/readyz", 200, "ready").await;
    listener.hears("/active").await;
    let standby = start("standby", &second);
    until_answered(&second, "/readyz", 503, STANDBY).await;
    active.signal(Signal::Kill);
    active.end().await;
    assert!(!listener.heard().contains(&"/standby".to_owned()), "the one that stands by is silent");
    until_answered(&second, "/readyz", 200, "ready").await;
    listener.hears("/standby").await;
    installation.stop(standby).await;
    cluster.finish().await;
}
