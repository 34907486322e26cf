//! `/snapshot list` lists the Snapshots, ten per page. The button of a page contains which page it shows, so it works after a restart.

use std::collections::HashMap;

use super::{Context, choices::OneOf, droplets, granted};
use crate::{
    access::Right,
    discord::{
        incident::Fault,
        interaction_info::InteractionInfo,
        lookup,
        messages::{
            help::Help,
            list::{self, Entry, Group, Head, Page},
            message::Message,
            refusal::Refusal,
        },
        press::{Beside, Order},
        responder::{Answer, Stop},
        state::AppState,
    },
    inventory::{DropletLocation, Snapshot},
    operation::{
        Operation,
        ids::{DropletId, ScheduleId},
        trigger::Trigger,
    },
};

/// How many Snapshots a page shows.
const PER_PAGE: usize = 10;

/// The command's help line, and the right that it needs.
pub(super) const HELP: Help = Help {
    name: "snapshot list",
    right: Right::View,
    to: "see Snapshots",
    does: "shows Snapshots with age, size and cost",
};

/// Snapshots with age, size and monthly cost
#[poise::command(slash_command)]
pub(super) async fn list(
    context: Context<'_>,
    #[description = "Only Snapshots of this Droplet"]
    #[autocomplete = "droplets"]
    droplet: Option<String>,
    #[description = "The order of the list"] sort: Option<OneOf<Order>>,
) -> Result<(), Fault> {
    let order = sort.map_or(Order::default(), |OneOf(order)| order);
    granted(context, HELP, |_, _| Box::pin(first(context, droplet, order))).await;
    Ok(())
}

async fn first(context: Context<'_>, droplet: Option<String>, order: Order) -> Result<Answer, Stop> {
    let state = context.framework.user_data;
    let of = match droplet {
        Some(text) => {
            let found = state.inventory.resolve_droplet(&text).await;
            Some(found.map_err(|unresolved| lookup::no_droplet(&text, unresolved))?.id)
        }
        None => None,
    };
    show(state, of, (1, None), order).await.map(Answer::New)
}

/// Handles the buttons that show another page.
pub(in crate::discord) async fn turn(
    state: &AppState,
    of: Option<DropletId>,
    place: (u32, Option<Beside>),
    order: Order,
) -> Result<Answer, Stop> {
    show(state, of, place, order).await.map(Answer::Instead)
}

/// Shows the page next to that Snapshot, else the page with this number, else the nearest page. Snapshots come and go between two presses.
pub(in crate::discord) async fn show(
    state: &AppState,
    of: Option<DropletId>,
    (number, beside): (u32, Option<Beside>),
    order: Order,
) -> Result<Message, Stop> {
    let listing = state.inventory.listing(of).await.map_err(|unresolved| lookup::no_droplet("", unresolved))?;
    let all = sorted(listing.snapshots().collect(), order);
    let before = skipped(&all, number, beside);
    let number = before.div_ceil(PER_PAGE) + 1;
    let pages = (number - 1) + all.len().saturating_sub(before).div_ceil(PER_PAGE).max(1);
    let shown: Vec<&Snapshot> = all.iter().skip(before).take(PER_PAGE).copied().collect();
    let origins = state.store.origins(shown.iter().map(|snapshot| snapshot.name.as_str())).await?;
    let (pins, kept) = (state.store.pins().await?, state.store.kept_backups().await?);
    let droplets = shown.iter().filter_map(|snapshot| snapshot.droplet).chain(of);
    let locations = state.inventory.locate(&listing, droplets).await;
    let where_is = |droplet: Option<DropletId>| {
        droplet.and_then(|id| locations.get(&id)).cloned().unwrap_or(DropletLocation::Unlisted)
    };
    let entries = shown.into_iter().map(|snapshot| Entry {
        snapshot,
        droplet: where_is(snapshot.droplet),
        taken_by: origins.get(&snapshot.name).map(|operation| operation.requester.user),
        schedule: origins.get(&snapshot.name).and_then(scheduled),
        kept_by: kept.get(&snapshot.id).copied(),
        is_pinned: pins.contains_key(&snapshot.id),
    });
    let groups = if order == Order::Grouped && of.is_none() {
        grouped(entries, &all, before)
    } else {
        vec![Group { head: None, entries: entries.collect() }]
    };
    let page = Page {
        of: of.map(|id| (id, where_is(Some(id)))),
        order,
        number,
        pages,
        count: all.len(),
        sizes: all.iter().filter_map(|snapshot| snapshot.size_gigabytes).collect(),
        groups,
        now: state.clock.now(),
    };
    Ok(list::page(&page, &state.wording))
}

/// How many Snapshots come before the page: the one next to that Snapshot, else the one with this number, else the nearest.
fn skipped(all: &[&Snapshot], number: u32, beside: Option<Beside>) -> usize {
    let place = |id| all.iter().position(|snapshot| snapshot.id == id);
    let start = match beside {
        Some(Beside::After(id)) => place(id).map(|at| at + 1).filter(|start| *start < all.len()),
        Some(Beside::Before(id)) => place(id).map(|at| at.saturating_sub(PER_PAGE)),
        None => None,
    };
    start.unwrap_or_else(|| {
        let pages = all.len().div_ceil(PER_PAGE).max(1);
        (usize::try_from(number).unwrap_or(pages).clamp(1, pages) - 1) * PER_PAGE
    })
}

/// The entries of a page under the heads of their Droplets. `before` of all Snapshots are on earlier pages.
fn grouped<'a>(entries: impl Iterator<Item = Entry<'a>>, all: &[&Snapshot], before: usize) -> Vec<Group<'a>> {
    let mut groups: Vec<(Option<DropletId>, Group<'a>)> = Vec::new();
    for entry in entries {
        let id = entry.snapshot.droplet;
        if let Some((_, group)) = groups.last_mut().filter(|(droplet, _)| *droplet == id) {
            group.entries.push(entry);
            continue;
        }
        let own = || all.iter().filter(|other| other.droplet == id);
        let head = Head {
            id,
            droplet: entry.droplet.clone(),
            count: own().count(),
            sizes: own().filter_map(|snapshot| snapshot.size_gigabytes).collect(),
            is_continued: all.iter().take(before).any(|other| other.droplet == id),
        };
        groups.push((id, Group { head: Some(head), entries: vec![entry] }));
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// All Snapshots in this order. The input is sorted newest first. The grouped order begins with the Droplet that has the newest Snapshot.
fn sorted(mut all: Vec<&Snapshot>, order: Order) -> Vec<&Snapshot> {
    match order {
        Order::Newest => {}
        Order::Oldest => all.reverse(),
        Order::Biggest => {
            let size =
                |snapshot: &Snapshot| snapshot.size_gigabytes.filter(|size| size.is_finite()).unwrap_or_default();
            all.sort_by(|one, other| size(other).total_cmp(&size(one)));
        }
        Order::Grouped => {
            let mut places: HashMap<Option<DropletId>, usize> = HashMap::new();
            for snapshot in &all {
                let next = places.len();
                places.entry(snapshot.droplet).or_insert(next);
            }
            all.sort_by_key(|snapshot| places.get(&snapshot.droplet).copied());
        }
    }
    all
}

/// Shows a Snapshot that was chosen from the list, and what the person may do with it.
pub(in crate::discord) async fn one(state: &AppState, info: &InteractionInfo, text: &str) -> Result<Message, Stop> {
    let found = state.inventory.resolve_snapshot(text).await;
    let snapshot = found.map_err(|unresolved| lookup::no_snapshot(text, None, unresolved))?;
    // The list may lag behind the bot's own deletions.
    if state.store.deletion_of(snapshot.id).await?.is_some() {
        return Err(Refusal::SnapshotGone { id: snapshot.id }.into());
    }
    let listing = state.inventory.listing(None).await.map_err(|unresolved| lookup::no_droplet("", unresolved))?;
    let mut locations = state.inventory.locate(&listing, snapshot.droplet).await;
    let droplet = snapshot.droplet.and_then(|id| locations.remove(&id)).unwrap_or(DropletLocation::Unlisted);
    let origins = state.store.origins([snapshot.name.as_str()]).await?;
    let taken_by = origins.get(&snapshot.name).map(|operation| operation.requester.user);
    let right = state.policy.greatest(&info.who).unwrap_or(HELP.right);
    let schedule = origins.get(&snapshot.name).and_then(scheduled);
    let is_pinned = state.store.pins().await?.contains_key(&snapshot.id);
    let kept_by = state.store.kept_backups().await?.remove(&snapshot.id);
    let entry = Entry { snapshot: &snapshot, droplet, taken_by, schedule, kept_by, is_pinned };
    Ok(list::one(&entry, &state.wording, right))
}

/// The schedule that an operation belongs to.
fn scheduled(operation: &Operation) -> Option<ScheduleId> {
    operation.trigger.and_then(Trigger::schedule)
}
