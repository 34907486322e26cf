//! A schema of a test's own on a PostgreSQL server.

use sqlx::AnyPool;

/// A schema. It stays on the server until it is dropped by name.
pub(crate) struct Schema {
    server: String,
    name: String,
}

impl Schema {
    /// Creates it on this server.
    pub(crate) async fn create(server: String) -> Self {
        let schema = Self { server, name: format!("test_{:016x}", fastrand::u64(..)) };
        schema.run(format!("CREATE SCHEMA {}", schema.name)).await;
        schema
    }

    /// The URL with which a bot uses it.
    pub(crate) fn url(&self) -> String {
        let separator = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{separator}options[search_path]={}", self.server, self.name)
    }

    /// Leaves nothing behind on the server.
    pub(crate) async fn drop(self) {
        self.run(format!("DROP SCHEMA {} CASCADE", self.name)).await;
    }

    async fn run(&self, statement: String) {
        sqlx::any::install_default_drivers();
        let server = AnyPool::connect(&self.server).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&server).await.unwrap();
        server.close().await;
    }
}
