//! A single connection to a database, with its deadlines and without a pool.

use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::{AnyConnection, Connection, Executor};

use super::Error;

/// How long to wait for a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// The deadlines on PostgreSQL. A process that is frozen inside a transaction must not keep its successor from the lease's row, nor block
/// others.
pub(super) const DEADLINES: &str = "SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '5s';";

/// Connects. Unlike a pool, it reports immediately why no connection is possible, instead of timing out.
pub(super) async fn connect_alone(url: &str, preparation: &'static str) -> Result<AnyConnection, Error> {
    let connection = tokio::time::timeout(PATIENCE, <AnyConnection as Connection>::connect(url)).await;
    let mut connection = connection.map_err(|_| sqlx::Error::PoolTimedOut)??;
    prepare(&mut connection, preparation).await?;
    Ok(connection)
}

/// Runs on each new connection the settings for all its statements.
pub(super) fn prepare<'c>(connection: &'c mut AnyConnection, sql: &'static str) -> BoxFuture<'c, sqlx::Result<()>> {
    Box::pin(async move { connection.execute(sql).await.map(drop) })
}
