//! Calls the ping addresses of schedules to report their runs. A failing call affects nothing else; people are notified after a day of
//! failures.
//!
//! `active` runs it, under the lease. The store contains the outstanding calls.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    discord::{incident::chain, messages::message::hex},
    ping::{Reach, Unreached},
    schedule::{Schedule, notice::Notice},
    store::{DuePing, Error, Store, deadlines::PASS},
};

/// The pause after the store failed.
const STORE_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The first pause after a failed call; it doubles each time.
const RETRY: SignedDuration = SignedDuration::from_secs(30);
/// Older events are not reported, because by now the monitor has noticed that the call is missing.
const WORTH_TELLING: SignedDuration = SignedDuration::from_hours(1);
/// How long calls must have failed before people are notified.
const TOLERATED: SignedDuration = SignedDuration::from_hours(24);
/// How many due calls are loaded at a time.
const BATCH: usize = 50;

/// The loop that calls the addresses of schedules.
pub(super) struct Pings {
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
    pub(super) reach: Reach,
}

impl Pings {
    /// Makes all due calls until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        stop.run_until_cancelled(self.tell_forever()).await;
    }

    async fn tell_forever(&self) {
        loop {
            let rung = self.store.changes().pings.notified();
            let wake = self.store.bounded_pass(PASS, Box::pin(self.tell_all())).await.unwrap_or_else(|error| {
                tracing::warn!(error = chain(&error), "could not tell how schedules go; it is tried again");
                Some(self.clock.now() + STORE_PAUSE)
            });
            tokio::select! {
                () = rung => {}
                () = self.clock.wake_at(wake) => {}
            }
        }
    }

    async fn tell_all(&self) -> Result<Option<Timestamp>, Error> {
        for ping in self.store.due_pings(self.clock.now(), BATCH).await? {
            self.tell(&ping).await?;
        }
        self.store.next_ping_due().await
    }

    async fn tell(&self, ping: &DuePing) -> Result<(), Error> {
        let schedule = &ping.stored.schedule;
        let Some(address) = &schedule.watched.ping_url else { return self.store.ping_is_over(ping).await };
        match self.reach.call(address, ping.signal, Some(&run_id(&ping.run))).await {
            Ok(()) => {
                if schedule.watched.pings_fail_since.is_some() {
                    let well = |schedule: &mut Schedule| {
                        schedule.watched.pings_fail_since = None;
                        schedule.watched.pings_told = false;
                    };
                    self.store.change_schedule(schedule.id, well).await?;
                }
                self.store.ping_is_over(ping).await
            }
            Err(error) => self.failed(ping, &error).await,
        }
    }

    async fn failed(&self, ping: &DuePing, error: &Unreached) -> Result<(), Error> {
        let (schedule, now) = (&ping.stored.schedule, self.clock.now());
        tracing::info!(schedule.id = %schedule.id, %error, signal = ?ping.signal, "could not tell how a schedule goes");
        let since = schedule.watched.pings_fail_since;
        if since.is_none() {
            self.store.change_schedule(schedule.id, |schedule| schedule.watched.pings_fail_since = Some(now)).await?;
        }
        let is_long = since.is_some_and(|since| now.duration_since(since) >= TOLERATED);
        if is_long && !schedule.watched.pings_told {
            let notice = Notice::Unheard { host: error.host().to_owned(), since: since.unwrap_or(now) };
            self.store.tell(schedule.id, &notice, |schedule| schedule.watched.pings_told = true).await?;
        }
        let pause = RETRY * (1 << ping.attempts.clamp(0, 5));
        if now.duration_since(ping.since) + pause > WORTH_TELLING {
            return self.store.ping_is_over(ping).await;
        }
        self.store.ping_failed(ping, now + pause).await
    }
}

/// The id of a run as a UUID (version 8), identical for all calls about it.
fn run_id(run: &str) -> String {
    let digest = Sha256::digest(format!("snapshot-bot run {run}"));
    let mut hex = hex(&digest);
    hex.replace_range(12..13, "8");
    hex.replace_range(16..17, "8");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_one_id_in_the_form_of_a_uuid() {
        let id = run_id("7f3kq2xa");
        assert_eq!(id, run_id("7f3kq2xa"));
        assert_ne!(id, run_id("7f3kq2xb"));
        assert_eq!(id.len(), 36);
        assert_eq!((&id[14..15], &id[19..20]), ("8", "8"), "{id}");
    }
}
