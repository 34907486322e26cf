//! `/snapshot delete`: removes a Snapshot for good, after a question. The buttons under a restore's answer come here too.

use serenity::builder::CreateAutocompleteResponse;

use super::{Context, answer, snapshots};
use crate::{
    access::Right,
    discord::{
        asked::Asked,
        begin::{self, Wanted},
        confirm,
        face::Face,
        incident::Fault,
        messages::{
            confirm::{self as words, Deleting},
            refusal::Refusal,
        },
        preflight,
        responder::{Answer, Stop},
    },
    operation::{
        Target,
        plan::{Kind, SnapshotRef},
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
    let asked = Asked::from(context.interaction);
    answer(context, Box::pin(question(context.framework.user_data, &asked, &snapshot))).await;
    Ok(())
}

/// Asks whether this Snapshot, by id or by name, shall be deleted.
pub(in crate::discord) async fn question(face: &Face, asked: &Asked, text: &str) -> Result<Answer, Stop> {
    let grant = face.policy.authorize(&asked.who, Right::Restore).map_err(Refusal::Denied)?;
    begin::check(face, asked)?;
    let found = preflight::delete(face, text).await?;
    let snapshot = &found.snapshot;
    let deleting = Deleting {
        snapshot,
        taken_by: found.origin.as_ref().map(|operation| operation.asker.user),
        droplet: found.droplet.as_deref(),
        siblings: found.siblings,
        undo_until: found.undo_until,
    };
    // Nothing is done to the Droplet, so whatever else runs on it does not matter.
    let name = found.droplet.clone().unwrap_or_else(|| snapshot.name.clone());
    let target = Target { droplet: None, name, region: None, disk_gb: None };
    let kind = Kind::Delete { snapshot: SnapshotRef { id: snapshot.id, name: snapshot.name.clone() } };
    let wanted = Wanted { kind, target, snapshot_name: None };
    confirm::ask(face, &grant, &wanted, |buttons| words::delete(&deleting, &face.wording, buttons)).await
}

async fn all_snapshots<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    snapshots(context, Right::Restore, partial).await
}
