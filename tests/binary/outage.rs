//! A PostgreSQL that stops answering: the bot reports it, handles signals, and continues once the database is back.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use super::{
    process::{Signal, until_answered},
    standby::Cluster,
};

/// The connection to the database, which can be blocked. Data in transit then never arrives, and neither side is notified.
struct Road {
    address: String,
    blocked: Arc<AtomicBool>,
    cut: Arc<Notify>,
}

impl Road {
    async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (server, blocked, cut) = (server.to_owned(), Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let (is_blocked, cutting) = (Arc::clone(&blocked), Arc::clone(&cut));
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (server, is_blocked, cutting) = (server.clone(), Arc::clone(&is_blocked), Arc::clone(&cutting));
                tokio::spawn(async move {
                    if is_blocked.load(Ordering::SeqCst) {
                        // Accepted, and never answered.
                        return std::future::pending::<()>().await;
                    }
                    let mut far = TcpStream::connect(server).await.unwrap();
                    let cut = cutting.notified();
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        () = cut => std::future::pending::<()>().await,
                    }
                });
            }
        });
        Self { address, blocked, cut }
    }

    fn block(&self) {
        self.blocked.store(true, Ordering::SeqCst);
        self.cut.notify_waiters();
    }

    fn clear(&self) {
        self.blocked.store(false, Ordering::SeqCst);
    }
}

async fn behind_a_road() -> Option<(Cluster, Road)> {
    let mut cluster = Cluster::new().await?;
    let url = cluster.installation.environment["DATABASE_URL"].clone();
    let server = url::Url::parse(&url).unwrap();
    let (host, port) = (server.host_str().unwrap(), server.port().unwrap_or(5_432));
    let road = Road::to(&format!("{host}:{port}")).await;
    let url = url.replacen(&format!("{host}:{port}"), &road.address, 1);
    cluster.installation.environment.insert("DATABASE_URL", url);
    Some((cluster, road))
}

#[tokio::test]
async fn a_bot_whose_database_falls_silent_says_so_and_goes_on_once_it_is_back() {
    let Some((cluster, road)) = behind_a_road().await else { return };
    let (bot, address) = cluster.installation.ready("bot").await;
    road.block();
    until_answered(&address, "/readyz", 503, "database: not reachable").await;
    bot.logs("the database does not answer; standing by until it does").await;
    road.clear();
    until_answered(&address, "/readyz", 200, "ready").await;
    cluster.takes().await;
    cluster.installation.stop(bot).await;
    cluster.finish().await;
}

#[tokio::test]
async fn a_silent_database_does_not_keep_a_signal_from_being_heard() {
    let Some((cluster, road)) = behind_a_road().await else { return };
    let (bot, address) = cluster.installation.ready("bot").await;
    road.block();
    until_answered(&address, "/readyz", 503, "database: not reachable").await;
    bot.signal(Signal::Terminate);
    let ended = bot.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    cluster.finish().await;
}
