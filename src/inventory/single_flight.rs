//! A value that is read on request and kept for a while. It is needed less often than a list, so no loop keeps it up to date.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{
    background::Background,
    timeouts::{Absent, within},
};
use crate::digitalocean::{budget::Priority, call::Call, client::Client, error::Error};

/// The pause before a failed read is retried.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// A value that is read for the first caller; other callers wait for the same read.
pub(super) struct SingleFlight<T> {
    latest: Mutex<Option<Reading<T>>>,
}

/// A read that was started, and its result.
struct Reading<T> {
    begun: Timestamp,
    outcome: Told<T>,
}

type Told<T> = watch::Receiver<Option<Result<Arc<T>, Error>>>;

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self { latest: Mutex::new(None) }
    }
}

impl<T> Reading<T> {
    fn is_good(&self, keep: SignedDuration, now: Timestamp) -> bool {
        let age = now.duration_since(self.begun);
        let keep = if matches!(&*self.outcome.borrow(), Some(Err(_))) { PAUSE } else { keep };
        age < keep
    }
}

impl<T: Send + Sync + 'static> SingleFlight<T> {
    /// The value, at most `keep` old. Waits up to `patience`; after that the read continues.
    pub(super) async fn get(
        &self,
        (client, background): (&Client, &Background),
        keep: SignedDuration,
        patience: SignedDuration,
        call: impl FnOnce() -> Call<T>,
    ) -> Result<Arc<T>, Absent> {
        let mut outcome = self.reading((client, background), keep, call);
        let told = within(client, patience, outcome.wait_for(Option::is_some)).await?;
        // The read is aborted only when the inventory ends.
        let told = told.ok().and_then(|told| told.clone()).ok_or(Absent::Late)?;
        told.map_err(Absent::Failed)
    }

    fn reading(
        &self,
        (client, background): (&Client, &Background),
        keep: SignedDuration,
        call: impl FnOnce() -> Call<T>,
    ) -> Told<T> {
        let now = client.now();
        let mut latest = self.latest.lock();
        if let Some(reading) = latest.as_ref().filter(|reading| reading.is_good(keep, now)) {
            return reading.outcome.clone();
        }
        let (tell, outcome) = watch::channel(None);
        let (client, call) = (client.clone(), call().with_priority(Priority::Person));
        background.begin(async move {
            let read = client.run(call).await;
            tell.send_replace(Some(read.map(Arc::new)));
        });
        *latest = Some(Reading { begun: now, outcome: outcome.clone() });
        outcome
    }
}
