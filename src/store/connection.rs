//! One connection to a database, with its deadlines and without a pool.

use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::{AnyConnection, Connection, Executor};

use super::Error;

/// How long somebody who needs a connection waits for one.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// On PostgreSQL. A process that is frozen inside a transaction must keep neither its successor from the lease's row nor anybody else
/// waiting.
pub(super) const DEADLINES: &str = "SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '5s';";

/// Connects. It says at once why there is no connection, where a pool would only say that it waited in vain.
pub(super) async fn connect_alone(url: &str, preparation: &'static str) -> Result<AnyConnection, Error> {
    let connection = tokio::time::timeout(PATIENCE, <AnyConnection as Connection>::connect(url)).await;
    let mut connection = connection.map_err(|_| sqlx::Error::PoolTimedOut)??;
    prepare(&mut connection, preparation).await?;
    Ok(connection)
}

/// Says to a new connection what holds for all its statements.
pub(super) fn prepare<'c>(connection: &'c mut AnyConnection, sql: &'static str) -> BoxFuture<'c, sqlx::Result<()>> {
    Box::pin(async move { connection.execute(sql).await.map(drop) })
}
