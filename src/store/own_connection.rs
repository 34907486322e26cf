//! A connection to PostgreSQL for one purpose alone, so that nobody who waits for the pool's connections can delay it.
//!
//! It is made when it is first needed, and again after whatever went wrong with it: an answer that did not come in time leaves
//! nothing behind that a later request would have to wait for.

use std::{fmt, time::Duration};

use parking_lot::Mutex as SyncMutex;
use secrecy::{ExposeSecret, SecretString};
use sqlx::AnyConnection;
use tokio::sync::{Mutex, MutexGuard};

use super::{Error, connection};

/// The connection, while nobody uses it.
pub(super) struct OwnConnection {
    url: SyncMutex<SecretString>,
    idle: Mutex<Option<AnyConnection>>,
}

/// The connection in use. Dropped without [`InUse::keep`], it is closed.
pub(super) struct InUse<'a> {
    pub(super) connection: AnyConnection,
    idle: MutexGuard<'a, Option<AnyConnection>>,
}

impl OwnConnection {
    pub(super) fn new(url: SecretString) -> Self {
        Self { url: SyncMutex::new(url), idle: Mutex::default() }
    }

    /// Waits for its turn, and connects if need be.
    pub(super) async fn get(&self) -> Result<InUse<'_>, Error> {
        let mut idle = self.idle.lock().await;
        let connection = match idle.take() {
            Some(connection) => connection,
            None => connection::connect_alone(self.url().expose_secret(), connection::DEADLINES).await?,
        };
        Ok(InUse { connection, idle })
    }

    /// From now on connections are made by this address.
    pub(super) fn set_url(&self, url: SecretString) {
        *self.url.lock() = url;
    }

    fn url(&self) -> SecretString {
        self.url.lock().clone()
    }

    /// A further connection whose statements may take as long as they take.
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
    /// Nothing went wrong with it: the next one uses it too.
    pub(super) fn keep(mut self) {
        *self.idle = Some(self.connection);
    }
}

/// Bounds what the database may take; beyond that it counts as not answering.
pub(super) async fn within<T>(deadline: Duration, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(deadline, asked).await.unwrap_or(Err(Error::Unavailable(sqlx::Error::PoolTimedOut)))
}
