//! A database of its own for each test, and requests to put into it.

use jiff::{SignedDuration, Timestamp};
use snapshot_bot::{
    clock::Clock,
    operation::{
        Asker, Request, Target, Usual,
        ids::{ChannelId, DropletId, GuildId, OperationId, UserId},
        plan::{Downtime, IfHung, Kind},
    },
    store::{Settings, Store},
};
use sqlx::{AnyPool, any::AnyPoolOptions};

/// The channel that hears of every outcome.
pub const NOTIFY: ChannelId = ChannelId(99);

/// A database that lives as long as its test.
pub struct Memory {
    pub url: String,
    pub clock: Clock,
    schema: Option<(String, String)>,
    _folder: Option<tempfile::TempDir>,
}

impl Memory {
    /// A file in a folder of its own.
    pub fn sqlite() -> Self {
        sqlx::any::install_default_drivers();
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/memory.db", folder.path().display());
        Self { url, clock: Clock::wall(), schema: None, _folder: Some(folder) }
    }

    /// A schema of its own, or none when no server was named.
    pub async fn postgresql() -> Option<Self> {
        let Ok(server) = std::env::var("TEST_DATABASE_URL") else {
            println!("skipped on PostgreSQL: TEST_DATABASE_URL is not set");
            return None;
        };
        sqlx::any::install_default_drivers();
        let schema = format!("test_{:016x}", fastrand::u64(..));
        let admin = AnyPool::connect(&server).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&admin).await.unwrap();
        admin.close().await;
        let separator = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{separator}options[search_path]={schema}");
        Some(Self { url, clock: Clock::wall(), schema: Some((server, schema)), _folder: None })
    }

    /// Whether this is PostgreSQL.
    pub fn is_postgresql(&self) -> bool {
        self.schema.is_some()
    }

    /// How a store is told of it.
    pub fn settings(&self) -> Settings {
        Settings { url: self.url.clone().into(), notify_channel: Some(NOTIFY) }
    }

    /// The store of the one process that looks after the account.
    pub async fn open(&self) -> Store {
        let store = Store::open(&self.settings(), self.clock.clone()).await.unwrap();
        store.try_lease("account", "this process").await.unwrap().unwrap();
        store
    }

    /// A way into the database beside the store.
    pub async fn back_door(&self) -> AnyPool {
        AnyPoolOptions::new().max_connections(1).connect(&self.url).await.unwrap()
    }

    /// Runs statements that no store would.
    pub async fn tamper(&self, sql: &str) {
        let pool = self.back_door().await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&pool).await.unwrap();
        pool.close().await;
    }

    /// Leaves nothing behind on a server.
    pub async fn forget(self) {
        if let Some((server, schema)) = self.schema {
            let admin = AnyPool::connect(&server).await.unwrap();
            sqlx::query(sqlx::AssertSqlSafe(format!("DROP SCHEMA {schema} CASCADE"))).execute(&admin).await.unwrap();
            admin.close().await;
        }
    }
}

/// A moment, in seconds.
pub fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000) + SignedDuration::from_secs(second)
}

/// An operation's id by a small number.
pub fn ids(number: u64) -> OperationId {
    OperationId::from_random(number)
}

/// A request to take a Snapshot of a Droplet with power off.
pub fn request(number: u64, droplet: u64) -> Request {
    Request {
        id: ids(number),
        kind: Kind::Take { power: Downtime::PowerOff, if_hung: IfHung::Ask },
        asker: Asker { user: UserId(1), guild: GuildId(2), channel: ChannelId(3) },
        asked_at: at(0),
        target: Target {
            droplet: Some(DropletId(droplet)),
            name: format!("web-{droplet}"),
            region: Some("nyc3".into()),
            disk_gb: Some(25),
        },
        snapshot_name: None,
        usual: Usual::default(),
    }
}
