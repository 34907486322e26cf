//! A separate database for each test, and requests to store in it.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use snapshot_bot::{
    clock::Clock,
    operation::{
        Instructed, Instruction, NewOperation, Operation, Outcome, Requester, Target, TypicalDurations,
        ids::{ChannelId, DropletId, GuildId, OperationId, UserId},
        kinds::{Downtime, IfHung, Kind, Take},
        power::Owed,
        reading::PowerState,
        step::State,
    },
    store::{Loaded, Settings, Store},
};
use sqlx::{AnyPool, any::AnyPoolOptions};

use crate::{required, rows::with_power, schema::Schema};

/// The channel that receives every outcome.
pub(crate) const NOTIFY: ChannelId = ChannelId(99);

/// A database that lives as long as its test.
pub(crate) struct Memory {
    pub(crate) url: String,
    pub(crate) clock: Clock,
    schema: Option<Schema>,
    _folder: Option<tempfile::TempDir>,
}

impl Memory {
    /// A file in its own folder.
    pub(crate) fn sqlite() -> Self {
        sqlx::any::install_default_drivers();
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/memory.db", folder.path().display());
        Self { url, clock: Clock::wall(), schema: None, _folder: Some(folder) }
    }

    /// Its own schema; `None` if no server is configured.
    pub(crate) async fn postgresql() -> Option<Self> {
        let server = required::variable("TEST_DATABASE_URL", "a PostgreSQL server")?;
        let schema = Schema::create(server).await;
        Some(Self { url: schema.url(), clock: Clock::wall(), schema: Some(schema), _folder: None })
    }

    /// Whether this is PostgreSQL.
    pub(crate) fn is_postgresql(&self) -> bool {
        self.schema.is_some()
    }

    /// The settings for a store on this database.
    pub(crate) fn settings(&self) -> Settings {
        Settings { url: self.url.clone().into(), notify_channel: Some(NOTIFY) }
    }

    /// The store of the one process that handles the operations.
    pub(crate) async fn open(&self) -> Store {
        let store = Store::open(&self.settings(), self.clock.clone()).await.unwrap();
        store.try_lease("this process").await.unwrap().unwrap();
        store
    }

    /// A connection to the database that bypasses the store.
    pub(crate) async fn back_door(&self) -> AnyPool {
        AnyPoolOptions::new().max_connections(1).connect(&self.url).await.unwrap()
    }

    /// The database before any store has opened it.
    pub(crate) async fn new_database(&self) -> AnyPool {
        let url = if self.is_postgresql() { self.url.clone() } else { format!("{}?mode=rwc", self.url) };
        AnyPoolOptions::new().max_connections(1).connect(&url).await.unwrap()
    }

    /// Runs statements that no store would.
    pub(crate) async fn tamper(&self, sql: &str) {
        let pool = self.back_door().await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&pool).await.unwrap();
        pool.close().await;
    }

    /// Leaves nothing behind on a server.
    pub(crate) async fn forget(self) {
        if let Some(schema) = self.schema {
            schema.drop().await;
        }
    }
}

/// A moment, in seconds.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(400_000) + SignedDuration::from_secs(second)
}

/// An operation's id, derived from a small number.
pub(crate) fn ids(number: u64) -> OperationId {
    OperationId::from_random(number)
}

/// A request to take a Snapshot of a Droplet with power off.
pub(crate) fn request(number: u64, droplet: u64) -> NewOperation {
    NewOperation {
        id: ids(number),
        kind: Kind::Take(Take { power: Downtime::PowerOff, if_hung: IfHung::Ask }),
        requester: Requester { user: UserId(1), guild: GuildId(2), channel: ChannelId(3) },
        asked_at: at(0),
        target: Target {
            droplet: Some(DropletId(droplet)),
            name: format!("web-{droplet}"),
            region: Some("nyc3".into()),
            disk_gb: Some(25),
        },
        snapshot_name: None,
        typical: TypicalDurations::default(),
    }
}

/// No operation is held by a turn.
pub(crate) fn nothing_skipped() -> HashSet<OperationId> {
    HashSet::new()
}

/// Loads an existing operation.
pub(crate) async fn load(store: &Store, id: OperationId) -> Loaded {
    store.load(id).await.unwrap().unwrap()
}

/// An operation that owes power, as after the intent of a shutdown.
pub(crate) fn owing(operation: &Operation, since: Timestamp) -> Operation {
    with_power(operation, |power| {
        power["before"] = json!(PowerState::On);
        power["owed"] = json!(Owed { since, late_until: None, earlier_until: None });
    })
}

/// An ended operation, with every step done.
pub(crate) fn ended(mut operation: Operation, outcome: Outcome, when: Timestamp) -> Operation {
    for step in &mut operation.steps {
        step.began = Some(operation.asked_at);
        step.state = State::Done { at: when };
    }
    operation.outcome = Some(outcome);
    operation.ended = Some(when);
    operation
}

/// A person's instruction.
pub(crate) fn instructed(instruction: Instruction) -> Instructed {
    Instructed { instruction, by: UserId(7), at: at(1) }
}
