//! Questions before something is lost: asked of one person, open for two minutes, answered once, also after a restart.
//!
//! What is confirmed stands in the store and not in the button, so a forged press confirms nothing. Everything that was checked
//! before the question is checked again before it is done, and what nobody was warned of is asked anew.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    interaction_info::InteractionInfo,
    messages::{confirm::Buttons, message::Message, refusal::Refusal, reply},
    preflight::Warnings,
    responder::{Answer, Stop},
    start::{self, Requested},
    state::AppState,
};
use crate::{
    access::Grant,
    operation::kinds::of_kind,
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
    open(state, grant, question).await.map(words)
}

/// Writes the question down; what asks it is made from the buttons.
pub(super) async fn open(state: &AppState, grant: &Grant, question: &Question) -> Result<Buttons, Stop> {
    let expires_at: Timestamp = state.clock.now() + OPEN;
    let what = serde_json::to_string(question)?;
    let confirmation = Confirmation { asker: grant.user(), guild: grant.guild(), what, expires_at };
    let id = state.store.create_confirmation(&confirmation).await?;
    Ok(Buttons { id, expires_at })
}

/// What is looked at once more when somebody has confirmed an operation of this kind.
pub(super) trait Confirmed {
    /// Whether it can still be done as it was asked about; a message if it must be asked about again. Nothing, for a kind that asks no
    /// question.
    async fn look_again(
        &self,
        _whose: (&AppState, &InteractionInfo),
        _answer: (&Grant, &Consent),
        _question: &Question,
    ) -> Result<Option<Message>, Stop> {
        Ok(None)
    }
}

/// *Yes* was pressed. Until something has begun, the question stays as it is and can be answered again.
pub(super) async fn confirmed(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: ConfirmationId,
) -> Result<Answer, Stop> {
    start::check(state, info)?;
    let consent = consent(state, info, grant, id);
    let outcome = match state.store.confirmation(&consent).await? {
        Ok(what) => carry_out(state, info, (grant, &consent), serde_json::from_str(&what)?).await,
        Err(refused) => Err(start::not_counted(refused).into()),
    };
    match outcome {
        Ok(said) => Ok(Answer::Instead(said)),
        Err(Stop::Refused(refusal)) if is_final(&refusal) => Ok(closed(&refusal)),
        Err(stop) => Err(stop),
    }
}

/// *Never mind* was pressed.
pub(super) async fn declined(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: ConfirmationId,
) -> Result<Answer, Stop> {
    let outcome = state.store.close_confirmation(&consent(state, info, grant, id)).await?;
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
    question: Question,
) -> Result<Message, Stop> {
    let asked_again = of_kind!(&question.requested.kind, it => {
        it.look_again((state, info), (grant, consent), &question).await?
    });
    match asked_again {
        Some(message) => Ok(message),
        None => start::begin_confirmed(state, info, grant, (question.requested, consent)).await.map(Message::text),
    }
}

fn closed(refusal: &Refusal) -> Answer {
    tracing::info!(?refusal, "refused");
    Answer::Instead(Message::text(refusal.words()))
}
