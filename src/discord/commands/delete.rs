//! `/snapshot delete` deletes a Snapshot permanently, after a question. The buttons under a restore's answer lead here too.

use super::{Context, announce, choices::OneOf, granted, snapshots};
use crate::{
    access::{Grant, Right},
    discord::{
        confirm::{self, Confirmed, Question},
        incident::Fault,
        interaction_info::InteractionInfo,
        messages::{
            confirm::{self as words, Deleting},
            help::Help,
            message::Message,
        },
        preflight::{self, Deletable},
        responder::{Answer, Stop},
        start::{self, NeedsRight, Requested},
        state::AppState,
    },
    operation::{
        Operation, Target,
        announce::{Announce, Tell},
        ids::OperationId,
        kinds::{Delete, Kind, SnapshotRef},
    },
    store::Consent,
};

/// The command's help line, and the right that it needs.
pub(super) const HELP: Help = Help {
    name: "snapshot delete",
    right: Right::Restore,
    to: "delete Snapshots",
    does: "deletes a Snapshot for good; asks first",
};

/// Delete a Snapshot for good (asks first)
#[poise::command(slash_command)]
pub(super) async fn delete(
    context: Context<'_>,
    #[description = "The Snapshot; type a part of its name"]
    #[autocomplete = "snapshots"]
    snapshot: String,
    #[description = "How I tell you that it's done"] tell: Option<OneOf<Tell>>,
) -> Result<(), Fault> {
    let announce = announce::told(tell);
    let state = context.framework.user_data;
    granted(context, HELP, |info, grant| {
        Box::pin(
            async move { announced(state, &info, &grant, (&snapshot, Asked { announce, ..Asked::default() })).await },
        )
    })
    .await;
    Ok(())
}

/// Asks whether to delete this Snapshot, named by id or by name.
pub(in crate::discord) async fn question(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    text: &str,
) -> Result<Answer, Stop> {
    announced(state, info, grant, (text, Asked::default())).await
}

/// The details of the question before a deletion.
#[derive(Clone, Copy, Default)]
struct Asked {
    /// The failed deletion that this one retries.
    retries: Option<OperationId>,
    announce: Announce,
}

async fn announced(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (text, asked): (&str, Asked),
) -> Result<Answer, Stop> {
    start::check(state, info)?;
    let found = preflight::delete(state, &info.who, text).await?;
    ask(state, grant, &found, asked).await.map(Answer::New)
}

async fn ask(
    state: &AppState,
    grant: &Grant,
    found: &Deletable,
    Asked { retries, announce }: Asked,
) -> Result<Message, Stop> {
    let snapshot = &found.snapshot;
    let deleting = Deleting {
        snapshot,
        taken_by: found.origin.as_ref().map(|operation| operation.requester.user),
        droplet: found.droplet.as_deref(),
        siblings: found.siblings,
        undo_until: found.undo_until,
        pin: found.pin.as_ref(),
    };
    // The deletion does not touch the Droplet, so other operations on it do not matter.
    let name = found.droplet.clone().unwrap_or_else(|| snapshot.name.clone());
    let target = Target { droplet: None, name, region: None, disk_gb: None };
    let kind = Kind::Delete(Delete { snapshot: SnapshotRef { id: snapshot.id, name: snapshot.name.clone() } });
    let requested = Requested { kind, target, snapshot_name: None };
    let question = Question { warned: found.warnings(), retries, announce, ..Question::new(requested) };
    confirm::ask(state, grant, &question, |buttons| words::delete(&deleting, &state.wording, buttons)).await
}

impl NeedsRight for Delete {
    const RIGHT: Right = HELP.right;
}

impl Confirmed for Delete {
    /// Asks again if the person was warned of less than is the case now.
    async fn look_again(
        &self,
        (state, info): (&AppState, &InteractionInfo),
        (grant, consent): (&Grant, &Consent),
        question: &Question,
    ) -> Result<Option<Message>, Stop> {
        let found = preflight::delete(state, &info.who, &self.snapshot.id.to_string()).await?;
        if question.warned.cover(found.warnings()) {
            return Ok(None);
        }
        state.store.close_confirmation(consent).await?.map_err(start::not_counted)?;
        let asked = Asked { retries: question.retries, announce: question.announce };
        ask(state, grant, &found, asked).await.map(Some)
    }

    async fn ask_again(
        &self,
        (state, info): (&AppState, &InteractionInfo),
        grant: &Grant,
        failed: &Operation,
    ) -> Result<Answer, Stop> {
        let asked = Asked { retries: Some(failed.id), announce: failed.announced_again() };
        announced(state, info, grant, (&self.snapshot.id.to_string(), asked)).await
    }
}
