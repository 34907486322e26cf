//! `/droplet show`: one Droplet in one message, with the actions that are possible.

use super::{Context, asking, droplets, granted, schedule};
use crate::{
    access::Right,
    discord::{
        incident::Fault,
        lookup,
        messages::{
            droplet::{self as words, Seen},
            help::Help,
            refusal::Refusal,
        },
        responder::{Answer, Stop},
    },
    inventory::Snapshot,
};

/// The command's help line, and the right that it needs.
pub(super) const HELP: Help = Help {
    name: "droplet show",
    right: Right::View,
    to: "see Droplets",
    does: "shows power, last Snapshot, schedule and cost",
};

/// One Droplet: power, last Snapshot, schedule, cost, and what you can do
#[poise::command(slash_command)]
pub(super) async fn show(
    context: Context<'_>,
    #[description = "The Droplet; type a part of its name"]
    #[autocomplete = "droplets"]
    droplet: String,
) -> Result<(), Fault> {
    granted(context, HELP, |_, _| Box::pin(tell(context, droplet))).await;
    Ok(())
}

async fn tell(context: Context<'_>, text: String) -> Result<Answer, Stop> {
    let (state, who) = (context.framework.user_data, asking(context));
    let found = state.inventory.resolve_droplet(&text).await;
    let listed = found.map_err(|unresolved| lookup::no_droplet(&text, unresolved))?;
    // The power state is worth a request, since the list may be a minute old.
    let now = state.inventory.droplet_now(listed.id).await;
    let droplet = now
        .map_err(|unresolved| lookup::no_droplet(&text, unresolved))?
        .ok_or(Refusal::DropletGone { droplet: Some(listed.name) })?;
    let of = Some(droplet.id);
    let listing = state.inventory.listing(of).await.map_err(|unresolved| lookup::no_droplet(&text, unresolved))?;
    let running = match state.store.running_on(droplet.id).await? {
        None => None,
        Some(operation) => {
            let progress = state.store.progress_message(operation).await?;
            Some(state.occupant(&who, operation, progress).await?)
        }
    };
    let right = state.policy.greatest(&who).unwrap_or(HELP.right);
    let snapshots: Vec<&Snapshot> = listing.snapshots().collect();
    let origins = state.store.origins(snapshots.iter().map(|snapshot| snapshot.name.as_str())).await?;
    let is_good =
        |snapshot: &&&Snapshot| origins.get(&snapshot.name).is_some_and(|taken| taken.taken_off == Some(true));
    let good = snapshots.iter().find(is_good).copied();
    let schedules = schedule::of_droplet(state, &who, &droplet).await?;
    let now = state.clock.now();
    let seen = Seen { droplet: &droplet, snapshots, good, schedules, now, running, right };
    Ok(Answer::New(words::droplet(&seen, &state.wording)))
}
