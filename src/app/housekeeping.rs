//! What an active process does for its database beside its work: room is kept on the disk, and old history is pruned.
//!
//! `active` runs it. It takes small steps, since on SQLite everybody shares one connection.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    discord::incident::chain,
    store::{self, Store},
};

/// Between two looks whether the disk has room.
const LOOK: Duration = Duration::from_mins(1);
/// So many looks from one pruning to the next: an hour.
const LOOKS_PER_PRUNING: u64 = 60;
/// Between two steps of pruning, for others.
const BREATH: Duration = Duration::from_millis(100);

/// Looks after the database until `stop`.
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
                && let Err(error) = prune(&store, &clock, keep_history).await
            {
                tracing::warn!(error = chain(&error), "could not prune old history; the next try is in an hour");
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
        if pruned == 0 && store.prune_confirmations(now).await? == 0 {
            break;
        }
        sleep(BREATH).await;
    }
    store.prune_slots(clock.now().checked_sub(keep_history).unwrap_or(Timestamp::UNIX_EPOCH)).await?;
    if operations > 0 {
        tracing::info!(operations, "pruned operations that ended longer ago than KEEP_HISTORY");
    }
    Ok(())
}
