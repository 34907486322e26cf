//! Calls people about Droplets that may be off and cannot be turned on, because the token must not be used.
//!
//! Requires the lease: a call is a report, and reports belong to the operations.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use tokio::time::{sleep, timeout};

use super::token::Unfit;
use crate::{
    clock::Clock,
    operation::{Operation, Rules},
    store::{self, PowerOwed, Store},
    worker::Worker,
};

/// The pause between two checks whether the calls were posted.
const PAUSE: Duration = Duration::from_millis(100);

/// Calls people about the power that one store owes.
pub(super) struct Calls {
    store: Arc<Store>,
    worker: Worker,
    rules: Rules,
    clock: Clock,
}

impl Calls {
    pub(super) fn new(store: &Arc<Store>, rules: Rules, clock: Clock) -> Self {
        Self { worker: Worker::new(Arc::clone(store)), store: Arc::clone(store), rules, clock }
    }

    /// Creates a call for every operation that owes power, unless it already has one.
    pub(super) async fn make(&self, why: Unfit) {
        for owed in self.store.power_owed().await.unwrap_or_default() {
            if self.is_made(&owed).await.unwrap_or(false) {
                continue;
            }
            let now = self.clock.now();
            let made = match why {
                Unfit::Refused => self.worker.on_token_revoked(owed.operation, &self.rules, now).await,
                Unfit::OtherAccount => self.worker.call_for_account(owed.operation, &self.rules, now).await,
                // A short outage is tolerated, as it would be if this process were active.
                Unfit::Unproven => self.worker.judge(owed.operation, &self.rules, now).await,
            };
            if let Err(error) = made {
                // A concurrent turn may have committed first; then this is tried again.
                tracing::debug!(operation.id = %owed.operation, %error, "could not call for help yet");
            }
        }
    }

    /// Resumes the operations that waited for the token, after it was accepted again or replaced.
    pub(super) async fn resume_owed(&self) -> Result<(), store::Error> {
        for owed in self.store.power_owed().await? {
            let now = self.clock.now();
            if let Err(error) = self.worker.on_restart(owed.operation, SignedDuration::ZERO, &self.rules, now).await {
                // An operation that cannot be written must not delay the others.
                tracing::warn!(operation.id = %owed.operation, %error, "goes on a little later");
            }
        }
        Ok(())
    }

    /// Creates the calls and waits until all of them are posted, but no longer than `patience`.
    pub(super) async fn say_all(&self, why: Unfit, patience: Duration) {
        let said = async {
            while !self.are_said().await {
                self.make(why).await;
                sleep(PAUSE).await;
            }
        };
        if timeout(patience, said).await.is_err() {
            tracing::error!("Droplets may be off, and people could not be told");
        }
    }

    /// Whether every call was created, and no report is left to post.
    pub(super) async fn are_said(&self) -> bool {
        self.look().await.unwrap_or(false)
    }

    async fn look(&self) -> Result<bool, store::Error> {
        for owed in self.store.power_owed().await? {
            if !self.is_made(&owed).await? {
                return Ok(false);
            }
        }
        Ok(self.store.due_reports(self.clock.now(), 1).await?.is_empty())
    }

    async fn is_made(&self, owed: &PowerOwed) -> Result<bool, store::Error> {
        let is_made = |operation: &Operation| operation.power.last_call().is_some() || operation.power.is_watched();
        let stored = self.store.operation(owed.operation).await?;
        Ok(stored.is_some_and(|stored| is_made(&stored.operation)))
    }
}
