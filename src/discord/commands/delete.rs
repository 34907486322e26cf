//! `/snapshot delete`: removes a Snapshot for good, after a question. The buttons under a restore's answer come here too.

use serenity::builder::CreateAutocompleteResponse;

use super::{Context, answer, snapshots};
use crate::{
    access::Right,
    discord::{
        confirm,
        incident::Fault,
        interaction_info::InteractionInfo,
        messages::refusal::Refusal,
        preflight,
        responder::{Answer, Stop},
        start,
        state::AppState,
    },
};

/// Delete a Snapshot for good; asks first
#[poise::command(slash_command)]
pub(super) async fn delete(
    context: Context<'_>,
    #[description = "The Snapshot; type a part of its name"]
    #[autocomplete = "all_snapshots"]
    snapshot: String,
) -> Result<(), Fault> {
    let state = context.framework.user_data;
    answer(context, |info| Box::pin(async move { question(state, &info, &snapshot).await })).await;
    Ok(())
}

/// Asks whether this Snapshot, by id or by name, shall be deleted.
pub(in crate::discord) async fn question(state: &AppState, info: &InteractionInfo, text: &str) -> Result<Answer, Stop> {
    let grant = state.policy.authorize(&info.who, Right::Restore).map_err(Refusal::Denied)?;
    start::check(state, info)?;
    let found = preflight::delete(state, &info.who, text).await?;
    confirm::ask_to_delete(state, &grant, &found).await.map(Answer::New)
}

async fn all_snapshots<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    snapshots(context, Right::Restore, partial).await
}
