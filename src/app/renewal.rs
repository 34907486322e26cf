//! Renewing the lease, which a process must hold to be active.

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::{
    discord::incident::chain,
    http::Readiness,
    store::{self, Lease, Store, deadlines},
};

/// How the active time ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The process was stopped.
    Stopped,
    /// Another process is active now.
    LeaseLost,
    /// The database did not answer until the lease expired, or it answers only renewals.
    LeaseRanOut,
    /// DigitalOcean refuses this process's token, and another process may have a better one.
    TokenRefused,
}

/// When the pool's connections last showed that they reach the database. A lease is useless to a process that cannot commit: the connection
/// for renewals may work while all others have fallen silent.
struct Heard {
    returned: u64,
    at: Instant,
}

impl Heard {
    fn is_too_long_ago(&mut self, answers: bool, returned: u64) -> bool {
        if answers || returned != self.returned {
            *self = Self { returned, at: Instant::now() };
        }
        self.at.elapsed() > deadlines::SILENCE
    }
}

/// Renews the lease as long as that succeeds.
pub(super) async fn keep_lease(lease: &Lease, store: &Store, readiness: &Readiness) -> Ended {
    let mut renewal = interval(deadlines::RENEWAL_PAUSE);
    renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Heard { returned: store.returned(), at: Instant::now() };
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
        // No other process can use a SQLite file meanwhile: this one goes on, and answers people.
        let is_silent = store.is_shared() && heard.is_too_long_ago(answers, store.returned());
        if lease.remaining().is_zero() || is_silent {
            return Ended::LeaseRanOut;
        }
    }
}
