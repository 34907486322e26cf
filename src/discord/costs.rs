//! Gathers what is known about costs and leftovers: the Snapshots, their Droplets, who took them, the pins, and the recorded days.
//!
//! The commands and the monthly report use it.

use std::collections::{HashMap, HashSet};

use jiff::{civil::Date, tz::TimeZone};

use super::{
    cost_sums::{by_cause, months, trend},
    incident::chain,
    leftovers::{self, Known},
    lookup,
    messages::{
        backups::price as plan_price,
        cost::{BackupsSum, By, Costs, Leftover, NO_SCHEDULE, NO_TAG, NOT_LISTED, Sum},
        message::File,
        picture,
        schedule::label as schedule_label,
    },
    responder::Stop,
    state::AppState,
};
use crate::{
    inventory::{Listing, Snapshot},
    operation::{ids::SnapshotId, kinds::Kind},
    store::DayTotal,
};

/// All Snapshots.
pub(super) async fn listing(state: &AppState) -> Result<Listing, Stop> {
    Ok(state.inventory.listing(None).await.map_err(|unresolved| lookup::no_droplet("", unresolved))?)
}

/// What Snapshots cost, by cause and over `count` months.
pub(super) async fn costs(state: &AppState, listing: &Listing, by: By, count: usize) -> Result<Costs, Stop> {
    let price = state.wording.price_per_gb;
    let droplet_of = |snapshot: &Snapshot| snapshot.droplet.and_then(|id| listing.droplet(id));
    let scheduled = if by == By::Schedule { scheduled(state).await? } else { HashMap::new() };
    let causes = |snapshot: &Snapshot| match (by, droplet_of(snapshot)) {
        (By::Schedule, _) => scheduled.get(&snapshot.id).cloned().unwrap_or_else(|| vec![NO_SCHEDULE.to_owned()]),
        (_, None) => vec![NOT_LISTED.to_owned()],
        (By::Droplet, Some(droplet)) => vec![droplet.name.clone()],
        (By::Tag, Some(droplet)) => match droplet.tags.as_deref() {
            None | Some([]) => vec![NO_TAG.to_owned()],
            Some(tags) => tags.to_vec(),
        },
    };
    let today = state.clock.now().to_zoned(TimeZone::UTC).date();
    let months = months(today, count);
    let since = months.first().and_then(|first| first.to_zoned(TimeZone::UTC).ok());
    let since = since.map_or_else(|| state.clock.now(), |first| first.timestamp());
    let mut days = state.store.weighed_since(since).await?;
    // The present list replaces today's record, if there is one.
    days.retain(|written| written.day != today);
    days.push(day_total(today, listing));
    Ok(Costs {
        total: Sum::of(listing.snapshots(), price),
        by,
        backups: backups(state, listing).await,
        causes: by_cause(listing.snapshots(), causes, price),
        trend: trend(&months, &days, price),
    })
}

/// The chart of how costs change, if it shows something and can be drawn. It is drawn on a blocking thread, not on the async runtime.
pub(super) async fn picture(costs: &Costs) -> Option<File> {
    if !picture::is_worth_drawing(&costs.trend) {
        return None;
    }
    let months = costs.trend.clone();
    match tokio::task::spawn_blocking(move || picture::trend(&months)).await {
        Ok(Ok(file)) => Some(file),
        Ok(Err(error)) => {
            tracing::warn!(error = chain(&error), "could not draw what Snapshots cost; it is said in text");
            None
        }
        Err(error) => {
            tracing::warn!(%error, "drawing what Snapshots cost panicked; it is said in text");
            None
        }
    }
}

/// The total size of all Snapshots today.
fn day_total(day: Date, listing: &Listing) -> DayTotal {
    let sizes =
        listing.snapshots().map(|snapshot| snapshot.size_gigabytes.filter(|size| size.is_finite() && *size > 0.0));
    let known: Vec<f64> = sizes.flatten().collect();
    let count = u64::try_from(known.len()).unwrap_or(u64::MAX);
    DayTotal { day, droplet: None, count, gigabytes: known.iter().sum() }
}

/// The schedules that keep each Snapshot.
async fn scheduled(state: &AppState) -> Result<HashMap<SnapshotId, Vec<String>>, Stop> {
    let mut found: HashMap<SnapshotId, Vec<String>> = HashMap::new();
    for (snapshot, schedule) in state.store.kept_by_schedules().await? {
        let stored = state.store.schedule(schedule).await?;
        let label = stored.map_or_else(|| schedule.to_string(), |stored| schedule_label(&stored.schedule));
        found.entry(snapshot).or_default().push(label);
    }
    Ok(found)
}

/// What DigitalOcean charges for its own Backups; `None` if no listed Droplet has any or they cannot be read.
async fn backups(state: &AppState, listing: &Listing) -> Option<BackupsSum> {
    if listing.droplets().all(|droplet| droplet.next_backup_window.is_none()) {
        return None;
    }
    let records = state.inventory.backup_records().await.ok()?;
    let mut sum = BackupsSum::default();
    for record in records.iter().filter(|record| record.enabled) {
        let Some(droplet) = listing.droplet(record.droplet) else { continue };
        sum.droplets += 1;
        match record.policy.as_ref().and_then(|policy| plan_price(&policy.plan, droplet)) {
            Some(dollars) => sum.dollars += dollars,
            None => sum.unknown += 1,
        }
    }
    Some(sum)
}

/// The Snapshots that may be left over.
pub(super) async fn leftovers<'l>(
    state: &AppState,
    listing: &'l Listing,
) -> Result<Vec<(&'l Snapshot, Leftover)>, Stop> {
    let origins = state.store.origins(listing.snapshots().map(|snapshot| snapshot.name.as_str())).await?;
    // Lists name the Droplets that exist; only the others need a request.
    let droplets: HashSet<_> = listing.snapshots().filter_map(|snapshot| snapshot.droplet).collect();
    let missing = droplets.into_iter().filter(|droplet| listing.droplet(*droplet).is_none());
    let locations: HashMap<_, _> = state.inventory.locate(listing, missing).await;
    let needed = needed(state).await?;
    let unpruned = state.store.unpruned_snapshots().await?;
    let known = Known {
        origins: &origins,
        locations: &locations,
        needed: &needed,
        unpruned: &unpruned,
        now: state.clock.now(),
    };
    let snapshots: Vec<_> = listing.snapshots().collect();
    Ok(leftovers::leftovers(snapshots.into_iter(), &known))
}

/// The Snapshots that are pinned, or that a running operation works with or has taken.
async fn needed(state: &AppState) -> Result<HashSet<SnapshotId>, Stop> {
    let pinned = state.store.pins().await?.into_keys();
    let running = state.store.running().await?;
    let used = running.iter().map(|stored| &stored.operation).flat_map(|operation| {
        let works_with = Kind::snapshot(&operation.kind).map(|snapshot| snapshot.id);
        works_with.into_iter().chain(operation.snapshot.as_ref().map(|taken| taken.id))
    });
    Ok(pinned.chain(used).collect())
}
