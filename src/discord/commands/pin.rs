//! `/snapshot pin` and `/snapshot unpin`. Before a pinned Snapshot is deleted, the person reads who wants it kept, and why.

use std::collections::HashMap;

use serenity::builder::{AutocompleteChoice, CreateAutocompleteResponse};

use super::{CHOICES, Context, asking, granted, snapshots};
use crate::{
    access::{Grant, Right},
    discord::{
        incident::Fault,
        interaction_info::InteractionInfo,
        lookup,
        messages::{
            choice,
            help::Help,
            pins as words,
            refusal::{BadName, Refusal},
            text::hides_something,
        },
        responder::Stop,
        state::AppState,
    },
    operation::{
        ids::{GuildId, SnapshotId},
        kinds::SnapshotRef,
    },
    store::Pin,
};

/// The help lines of these commands, and the right that each needs.
pub(super) const HELP: [Help; 2] = [
    Help {
        name: "snapshot pin",
        right: Right::Take,
        to: "pin Snapshots",
        does: "marks a Snapshot to keep, with a reason",
    },
    Help { name: "snapshot unpin", right: Right::Take, to: "unpin Snapshots", does: "takes a pin off" },
];

/// Mark a Snapshot as one to keep (anyone who deletes it is warned)
#[poise::command(slash_command)]
pub(super) async fn pin(
    context: Context<'_>,
    #[description = "The Snapshot; type a part of its name"]
    #[autocomplete = "snapshots"]
    snapshot: String,
    #[description = "Why it must stay"]
    #[max_length = 200]
    reason: Option<String>,
) -> Result<(), Fault> {
    let state = context.framework.user_data;
    granted(context, HELP[0], |_, grant| Box::pin(async move { add(state, &grant, &snapshot, reason).await })).await;
    Ok(())
}

/// Take the pin off a Snapshot
#[poise::command(slash_command)]
pub(super) async fn unpin(
    context: Context<'_>,
    #[description = "The pinned Snapshot"]
    #[autocomplete = "pinned_snapshots"]
    snapshot: String,
) -> Result<(), Fault> {
    let state = context.framework.user_data;
    granted(context, HELP[1], |info, grant| Box::pin(async move { remove(state, &info, &grant, &snapshot).await }))
        .await;
    Ok(())
}

/// Pins this Snapshot, given by id or by name.
pub(in crate::discord) async fn add(
    state: &AppState,
    grant: &Grant,
    text: &str,
    reason: Option<String>,
) -> Result<String, Stop> {
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    if reason.as_deref().is_some_and(hides_something) {
        return Err(Refusal::BadSnapshotName(BadName::Invisible).into());
    }
    let found = state.inventory.resolve_snapshot(text).await;
    let snapshot = found.map_err(|unresolved| lookup::no_snapshot(text, None, unresolved))?;
    let reference = SnapshotRef { id: snapshot.id, name: snapshot.name.clone() };
    let (by, guild, at) = (grant.user(), grant.guild(), state.clock.now());
    let wanted = Pin { snapshot: reference, by, guild, at, reason };
    let held = state.store.pin(&wanted).await?;
    let is_new = (held.by, held.at.as_millisecond()) == (wanted.by, wanted.at.as_millisecond());
    Ok(if is_new { words::pinned(&snapshot) } else { words::pinned_already(&held) })
}

/// Removes the pin from this Snapshot, given by id or by name.
pub(in crate::discord) async fn remove(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    text: &str,
) -> Result<String, Stop> {
    let pins = state.store.pins().await?;
    let Some(pin) = meant(&pins, text)? else { return Ok(words::not_pinned(text, pins.len())) };
    if pin.by != info.who.user {
        let authorized = state.policy.authorize(&info.who, Right::Restore);
        authorized.map_err(|denial| Refusal::PinnedByOther { by: pin.by, denial })?;
    }
    state.store.unpin(pin.snapshot.id, (grant.user(), grant.guild())).await?;
    Ok(words::unpinned(pin))
}

/// The pin with this id, given alone or at the end of a choice's label, or the only pin whose Snapshot has this name.
fn meant<'p>(pins: &'p HashMap<SnapshotId, Pin>, text: &str) -> Result<Option<&'p Pin>, Refusal> {
    if let Some(pin) = choice::key(text).parse().ok().and_then(|id| pins.get(&id)) {
        return Ok(Some(pin));
    }
    let mut named: Vec<&Pin> = pins.values().filter(|pin| pin.snapshot.name == text).collect();
    named.sort_by_key(|pin| pin.snapshot.id);
    match named.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        several => Err(Refusal::AmbiguousSnapshot {
            text: text.to_owned(),
            labels: several.iter().map(|pin| words::choice(pin)).collect(),
        }),
    }
}

/// The pinned Snapshots: those of the person's own guild first, and the latest before older ones.
async fn pinned_snapshots<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let (state, nothing) = (context.framework.user_data, CreateAutocompleteResponse::new());
    let who = asking(context);
    if let Some(refused) = super::refused(context) {
        return refused;
    }
    let mut pins: Vec<Pin> = state.store.pins().await.unwrap_or_default().into_values().collect();
    let is_elsewhere = |guild: GuildId| who.guild != Some(guild);
    pins.sort_by_key(|pin| (is_elsewhere(pin.guild), std::cmp::Reverse((pin.at, pin.snapshot.id))));
    let wanted = partial.trim().to_lowercase();
    let fitting = pins.iter().filter(|pin| words::choice(pin).to_lowercase().contains(&wanted)).take(CHOICES);
    let choices = fitting.map(|pin| AutocompleteChoice::new(words::choice(pin), pin.snapshot.id.to_string()));
    nothing.set_choices(choices.collect())
}
