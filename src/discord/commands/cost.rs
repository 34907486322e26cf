//! `/snapshot cost` and `/snapshot orphans`: what Snapshots cost, what causes the cost, and what may be left over.

use super::{Context, choices::OneOf, granted};
use crate::{
    access::Right,
    discord::{
        costs,
        incident::Fault,
        messages::{
            cost::{self as words, By},
            help::Help,
        },
        responder::Answer,
    },
};

/// How many months are shown by default.
const MONTHS: usize = 3;

/// The help lines of these commands, and the right that each needs.
pub(super) const HELP: [Help; 2] = [
    Help {
        name: "snapshot cost",
        right: Right::View,
        to: "see what Snapshots cost",
        does: "shows what Snapshots cost and what causes it",
    },
    Help {
        name: "snapshot orphans",
        right: Right::View,
        to: "see Snapshots",
        does: "shows which Snapshots may be left over",
    },
];

/// What Snapshots cost, what causes it, and how that changes (estimate)
#[poise::command(slash_command)]
pub(super) async fn cost(
    context: Context<'_>,
    #[description = "What the costs are grouped by"] by: Option<OneOf<By>>,
    #[description = "How many months to compare; 3 if left out"]
    #[min = 1]
    #[max = 12]
    months: Option<u8>,
) -> Result<(), Fault> {
    let state = context.framework.user_data;
    let by = by.map_or(By::default(), |OneOf(by)| by);
    let months = months.map_or(MONTHS, usize::from).clamp(1, 12);
    granted(context, HELP[0], |info, _| {
        Box::pin(async move {
            let listing = costs::listing(state).await?;
            let found = costs::costs(state, &listing, by, months).await?;
            let picture = if info.may_attach() { costs::picture(&found).await } else { None };
            Ok(Answer::New(words::costs(&found, picture)))
        })
    })
    .await;
    Ok(())
}

/// Snapshots that may no longer be needed, and what to do about them
#[poise::command(slash_command)]
pub(super) async fn orphans(context: Context<'_>) -> Result<(), Fault> {
    let state = context.framework.user_data;
    granted(context, HELP[1], |_, _| {
        Box::pin(async move {
            let listing = costs::listing(state).await?;
            let found = costs::leftovers(state, &listing).await?;
            let beside = state.inventory.unattached().await;
            Ok(Answer::New(words::leftovers(&found, &beside, state.wording.price_per_gb)))
        })
    })
    .await;
    Ok(())
}
