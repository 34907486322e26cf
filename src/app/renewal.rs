//! Renewing the lease, which a process must hold to be active.

use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::{
    discord::incident::chain,
    http::Readiness,
    store::{self, Lease, Store, deadlines},
};

/// How an active time ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was told to stop.
    Stopped,
    /// Somebody else is active now.
    LeaseLost,
    /// The database did not answer until the lease ran out.
    LeaseRanOut,
}

/// Renews the lease for as long as that goes well.
pub(super) async fn keep_lease(lease: &Lease, store: &Store, readiness: &Readiness) -> Ended {
    let mut renewal = interval(deadlines::RENEWAL_PAUSE);
    renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        renewal.tick().await;
        let answers = match lease.renew().await {
            Ok(()) => timeout(deadlines::RENEWAL, store.count_open()).await.is_ok_and(|count| count.is_ok()),
            Err(store::Error::LeaseLost) => return Ended::LeaseLost,
            Err(error) => {
                tracing::warn!(error = chain(&error), "could not renew the lease");
                false
            }
        };
        readiness.set_database(answers);
        if answers && store.write_failed() {
            drop(timeout(deadlines::RENEWAL, store.probe_write()).await); // The store keeps what it finds.
        }
        readiness.set_write_failed(store.write_failed());
        readiness.set_unheard_schedules(store.has_unheard_schedules());
        if lease.remaining().is_zero() {
            return Ended::LeaseRanOut;
        }
    }
}
