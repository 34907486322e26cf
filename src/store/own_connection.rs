//! A connection to PostgreSQL for a single purpose, so that nothing that waits for the pool's connections can delay it.
//!
//! It is opened when first needed, and again after any failure: an answer that did not arrive in time leaves nothing behind for which a
//! later request would have to wait.

use std::{fmt, time::Duration};

use parking_lot::Mutex as SyncMutex;
use secrecy::{ExposeSecret, SecretString};
use sqlx::AnyConnection;
use tokio::sync::{Mutex, MutexGuard};

use super::{Error, connection};

/// The connection, while it is not in use.
pub(super) struct OwnConnection {
    url: SyncMutex<SecretString>,
    idle: Mutex<Option<AnyConnection>>,
}

/// The connection in use. If it is dropped without [`InUse::keep`], it is closed.
pub(super) struct InUse<'a> {
    pub(super) connection: AnyConnection,
    idle: MutexGuard<'a, Option<AnyConnection>>,
}

impl OwnConnection {
    pub(super) fn new(url: SecretString) -> Self {
        Self { url: SyncMutex::new(url), idle: Mutex::default() }
    }

    /// Waits for its turn, and connects if necessary.
    pub(super) async fn get(&self) -> Result<InUse<'_>, Error> {
        let mut idle = self.idle.lock().await;
        let connection = match idle.take() {
            Some(connection) => connection,
            None => connection::connect_alone(self.url().expose_secret(), connection::DEADLINES).await?,
        };
        Ok(InUse { connection, idle })
    }

    /// Uses this URL for connections from now on.
    pub(super) fn set_url(&self, url: SecretString) {
        *self.url.lock() = url;
    }

    fn url(&self) -> SecretString {
        self.url.lock().clone()
    }

    /// Opens another connection, whose statements have no deadline.
    pub(super) async fn without_deadlines(&self) -> Result<AnyConnection, Error> {
        connection::connect_alone(self.url().expose_secret(), "").await
    }
}

impl fmt::Debug for OwnConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnConnection").finish_non_exhaustive()
    }
}

impl InUse<'_> {
    /// Keeps the connection for the next use, since nothing went wrong.
    pub(super) fn keep(mut self) {
        *self.idle = Some(self.connection);
    }
}

/// Limits how long the database may take; after that it counts as unavailable.
pub(super) async fn within<T>(deadline: Duration, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(deadline, asked).await.unwrap_or(Err(Error::Unavailable(sqlx::Error::PoolTimedOut)))
}
