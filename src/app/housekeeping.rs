//! Maintenance by an active process: reserves disk space, prunes old history and records the sizes of Snapshots.
//!
//! `active` runs it. It takes small steps, since on SQLite everything shares one connection.

use std::{collections::HashSet, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::snapshot_records;
use crate::{
    clock::Clock,
    digitalocean::client::Client,
    discord::incident::chain,
    inventory::Inventory,
    store::{self, Store, Weighed, deadlines::PASS},
};

/// The pause between two checks of the reserved disk space.
const LOOK: Duration = Duration::from_mins(1);
/// How many of those checks are between two prunings: an hour's worth.
const LOOKS_PER_PRUNING: u64 = 60;
/// How long the daily sizes of Snapshots are kept: a year, and the month that is compared with it.
const DAYS_KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);
/// The pause between two pruning steps, which frees the connection for others.
const BREATH: Duration = Duration::from_millis(100);

/// Maintains the database until `stop`.
pub(super) async fn run(store: Arc<Store>, clock: Clock, keep_history: SignedDuration, stop: CancellationToken) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let work = async {
        for look in 0.. {
            looks.tick().await;
            if let Err(error) = store.keep_reserve().await {
                tracing::error!(error = chain(&error), "could not keep room on the disk for what is under way");
            }
            if look % LOOKS_PER_PRUNING == 0
                && let Err(error) = store.bounded_pass(PASS, prune(&store, &clock, keep_history)).await
            {
                tracing::warn!(error = chain(&error), "could not prune old history; the next try is in an hour");
            }
        }
    };
    stop.run_until_cancelled(work).await;
}

/// Records the size of each Snapshot once a day, and which Snapshots of schedules are gone, whenever the list was read for another purpose,
/// until `stop`.
pub(super) async fn weigh(
    (store, clock): (Arc<Store>, Clock),
    inventory: Arc<Inventory>,
    client: Client,
    stop: CancellationToken,
) {
    let work = async {
        let (mut reading, mut day, mut written) = (0, None, HashSet::new());
        while let Some((latest, snapshots)) = inventory.snapshots_after(reading).await {
            reading = latest;
            let now = clock.now();
            let today = now.to_zoned(TimeZone::UTC).date();
            if day.replace(today) != Some(today) {
                written.clear();
            }
            // Skip Snapshots that are so new that their size is not known yet: a later reading has it.
            let sized = snapshots.iter().filter_map(|snapshot| {
                let gigabytes = snapshot.size_gigabytes.filter(|size| size.is_finite() && *size > 0.0)?;
                Some(Weighed { snapshot: snapshot.id, droplet: snapshot.droplet, gigabytes })
            });
            let weighed: Vec<_> = sized.filter(|weighed| !written.contains(&weighed.snapshot)).collect();
            match store.bounded_pass(PASS, store.weigh(now, &weighed)).await {
                Ok(()) => written.extend(weighed.iter().map(|weighed| weighed.snapshot)),
                Err(error) => tracing::warn!(error = chain(&error), "could not write down what Snapshots weigh"),
            }
            let compared = Box::pin(snapshot_records::compare(&store, &client, &snapshots));
            if let Err(error) = store.bounded_pass(PASS, compared).await {
                tracing::warn!(error = chain(&error), "could not compare what schedules have with what is listed");
            }
        }
    };
    stop.run_until_cancelled(work).await;
}

async fn prune(store: &Store, clock: &Clock, keep_history: SignedDuration) -> Result<(), store::Error> {
    let mut operations = 0;
    loop {
        let now = clock.now();
        let before = now.checked_sub(keep_history).unwrap_or(Timestamp::UNIX_EPOCH);
        let pruned = store.prune_operations(before, now).await?;
        operations += pruned;
        let old_days = store.prune_days(now.checked_sub(DAYS_KEPT).unwrap_or(Timestamp::UNIX_EPOCH)).await?;
        if pruned == 0 && old_days == 0 && store.prune_confirmations(now).await? == 0 {
            break;
        }
        sleep(BREATH).await;
    }
    let before = clock.now().checked_sub(keep_history).unwrap_or(Timestamp::UNIX_EPOCH);
    store.prune_slots(before).await?;
    store.prune_runs(before).await?;
    if operations > 0 {
        tracing::info!(operations, "pruned operations that ended longer ago than KEEP_HISTORY");
    }
    Ok(())
}
