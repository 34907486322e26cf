//! The state of a schedule, gathered from the store, for its message and for people who ask.

use jiff::Timestamp;

use super::{group_reporter, messages::schedule::ScheduleFacts};
use crate::{
    schedule::{
        Record, Schedule,
        pruning::{Candidate, Circumstances},
    },
    store::{self, ScheduleSnapshot, Store},
};

/// How many of the latest planned times are read.
const LATEST: usize = 12;

/// The present state of a schedule.
pub(super) async fn of(store: &Store, schedule: &Schedule, now: Timestamp) -> Result<ScheduleFacts, store::Error> {
    let slots = store.latest_slots(schedule.id, LATEST).await?;
    let snapshots = store.schedule_snapshots(schedule.id).await?;
    let candidates: Vec<Candidate> = snapshots.iter().map(ScheduleSnapshot::candidate).collect();
    let sources = schedule.sources(&store.restores(schedule.id).await?, &candidates, now);
    let candidates = store::wanted(&snapshots, &sources);
    let run = store.latest_run(schedule.id).await?;
    let failed = match &run {
        Some(run) => group_reporter::explained(store, run).await?,
        None => Vec::new(),
    };
    let record = Record { slots: &slots, snapshots: &candidates, run: run.as_ref() };
    let stale_since = schedule.stale_since(record, now);
    let since = schedule.restores_count_since(now);
    let around = Circumstances {
        right: schedule.owner.right(now),
        is_stale: stale_since.is_some(),
        restored_lately: store.restored_droplets(schedule.id, since).await?,
    };
    let hold = schedule.prune(&candidates, &around, now).hold;
    let next = schedule.rule.next_after(now.max(schedule.floor));
    Ok(ScheduleFacts { schedule: schedule.clone(), slots, snapshots, stale_since, hold, next, run, failed })
}
