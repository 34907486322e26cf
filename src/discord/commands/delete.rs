//! `/snapshot delete`: removes a Snapshot for good, after a question. The buttons under a restore's answer come here too.

use serenity::builder::CreateAutocompleteResponse;

use super::{Context, answer, snapshots};
use crate::{
    access::Right,
    discord::{
        asked::Asked,
        begin, confirm,
        face::Face,
        incident::Fault,
        messages::refusal::Refusal,
        preflight,
        responder::{Answer, Stop},
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
    let face = context.framework.user_data;
    answer(context, |asked| Box::pin(async move { question(face, &asked, &snapshot).await })).await;
    Ok(())
}

/// Asks whether this Snapshot, by id or by name, shall be deleted.
pub(in crate::discord) async fn question(face: &Face, asked: &Asked, text: &str) -> Result<Answer, Stop> {
    let grant = face.policy.authorize(&asked.who, Right::Restore).map_err(Refusal::Denied)?;
    begin::check(face, asked)?;
    let found = preflight::delete(face, &asked.who, text).await?;
    confirm::ask_to_delete(face, &grant, &found).await.map(Answer::New)
}

async fn all_snapshots<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    snapshots(context, Right::Restore, partial).await
}
