//! Questions before something is lost: asked of one person, open for two minutes, answered once, also after a restart.
//!
//! What is confirmed stands in the store and not in the button, so a forged press confirms nothing. Everything that was checked
//! before the question is checked again before it is done, and what nobody was warned of is asked anew.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    interaction_info::InteractionInfo,
    messages::{
        confirm::{self as words, Buttons, Deleting},
        message::Message,
        refusal::Refusal,
        reply,
    },
    preflight::{self, Deletable, Warnings},
    responder::{Answer, Stop},
    start::{self, Requested},
    state::AppState,
};
use crate::{
    access::{Grant, Right},
    operation::{
        Target,
        kinds::{Delete, Kind, Restore, SnapshotRef},
    },
    store::{Confirmation, ConfirmationId, Consent},
};

/// How long a question stays open.
const OPEN: SignedDuration = SignedDuration::from_mins(2);

/// What a question is about, and what the person was warned of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Question {
    #[serde(flatten)]
    pub(super) requested: Requested,
    #[serde(default)]
    pub(super) warned: Warnings,
}

/// Writes the question down and asks it.
pub(super) async fn ask(
    state: &AppState,
    grant: &Grant,
    question: &Question,
    words: impl FnOnce(Buttons) -> Message,
) -> Result<Message, Stop> {
    let expires_at: Timestamp = state.clock.now() + OPEN;
    let what = serde_json::to_string(question)?;
    let confirmation = Confirmation { asker: grant.user(), guild: grant.guild(), what, expires_at };
    let id = state.store.create_confirmation(&confirmation).await?;
    Ok(words(Buttons { id, expires_at }))
}

/// Asks whether this Snapshot shall be deleted.
pub(super) async fn ask_to_delete(state: &AppState, grant: &Grant, found: &Deletable) -> Result<Message, Stop> {
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
    let kind = Kind::Delete(Delete { snapshot: SnapshotRef { id: snapshot.id, name: snapshot.name.clone() } });
    let question = Question { requested: Requested { kind, target, snapshot_name: None }, warned: found.warnings() };
    ask(state, grant, &question, |buttons| words::delete(&deleting, &state.wording, buttons)).await
}

/// *Yes* was pressed. Until something has begun, the question stays as it is and can be answered again.
pub(super) async fn confirmed(state: &AppState, info: &InteractionInfo, id: ConfirmationId) -> Result<Answer, Stop> {
    let grant = state.policy.authorize(&info.who, Right::Restore).map_err(Refusal::Denied)?;
    start::check(state, info)?;
    let consent = consent(state, info, &grant, id);
    let outcome = match state.store.confirmation(&consent).await? {
        Ok(what) => carry_out(state, info, (&grant, &consent), serde_json::from_str(&what)?).await,
        Err(refused) => Err(start::not_counted(refused).into()),
    };
    match outcome {
        Ok(said) => Ok(Answer::Instead(said)),
        Err(Stop::Refused(refusal)) if is_final(&refusal) => Ok(closed(&refusal)),
        Err(stop) => Err(stop),
    }
}

/// *Never mind* was pressed.
pub(super) async fn declined(state: &AppState, info: &InteractionInfo, id: ConfirmationId) -> Result<Answer, Stop> {
    let grant = state.policy.authorize(&info.who, Right::View).map_err(Refusal::Denied)?;
    let outcome = state.store.close_confirmation(&consent(state, info, &grant, id)).await?;
    match outcome.map_err(start::not_counted) {
        Ok(()) | Err(Refusal::QuestionExpired) => Ok(Answer::Instead(Message::text(reply::declined()))),
        Err(refusal) if is_final(&refusal) => Ok(closed(&refusal)),
        Err(refusal) => Err(refusal.into()),
    }
}

fn consent(state: &AppState, info: &InteractionInfo, grant: &Grant, id: ConfirmationId) -> Consent {
    Consent { id, by: grant.user(), guild: grant.guild(), at: state.clock.now(), interaction: info.interaction }
}

/// Whether the question can never be answered with yes any more.
fn is_final(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::QuestionExpired | Refusal::QuestionAnswered | Refusal::SnapshotGone | Refusal::DropletGone
    )
}

async fn carry_out(
    state: &AppState,
    info: &InteractionInfo,
    (grant, consent): (&Grant, &Consent),
    Question { requested, warned }: Question,
) -> Result<Message, Stop> {
    match &requested.kind {
        Kind::Restore(Restore { snapshot, .. }) => {
            let droplet = requested.target.droplet.ok_or(Refusal::UnknownButton)?;
            let found = preflight::restore(state, droplet, &snapshot.id.to_string()).await;
            // Delivered twice, the press finds the Droplet locked by what it began the first time; the store knows better.
            if let Err(stop) = found
                && !matches!(stop, Stop::Refused(Refusal::Locked { .. }))
            {
                return Err(stop);
            }
        }
        Kind::Delete(Delete { snapshot }) => {
            let found = preflight::delete(state, &info.who, &snapshot.id.to_string()).await?;
            if !warned.cover(found.warnings()) {
                state.store.close_confirmation(consent).await?.map_err(start::not_counted)?;
                return ask_to_delete(state, grant, &found).await;
            }
        }
        Kind::Take { .. } | Kind::Launch { .. } => {}
    }
    start::begin_confirmed(state, info, grant, (requested, consent)).await.map(Message::text)
}

fn closed(refusal: &Refusal) -> Answer {
    tracing::info!(?refusal, "refused");
    Answer::Instead(Message::text(refusal.words()))
}
