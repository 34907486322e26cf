//! Questions before something is lost. Each is put to one person, stays open for two minutes, and is answered once, also across a restart.
//!
//! The subject is stored, not written into the button, so a forged press confirms nothing. Everything that was checked before the question
//! is checked again before the operation begins. If something has changed that the person was not warned of, the bot asks again.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    interaction_info::InteractionInfo,
    lookup,
    messages::{
        confirm::Buttons,
        launch::Offer,
        message::Message,
        refusal::{self, Refusal},
        reply,
    },
    preflight::Warnings,
    responder::{Answer, Stop},
    start::{self, Requested},
    state::AppState,
};
use crate::{
    access::Grant,
    operation::{
        Operation,
        announce::Announce,
        ids::OperationId,
        kinds::{Downtime, Kind, of_kind},
    },
    store::{Confirmation, ConfirmationId, Consent},
};

/// How long a question stays open.
const OPEN: SignedDuration = SignedDuration::from_mins(2);

/// The subject of a question, and what the person was warned of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Question {
    #[serde(flatten)]
    pub(super) requested: Requested,
    #[serde(default)]
    pub(super) warned: Warnings,
    /// What a launch can additionally have.
    #[serde(default)]
    pub(super) offer: Option<Offer>,
    /// The failed operation that this one retries.
    #[serde(default)]
    pub(super) retries: Option<OperationId>,
    /// How people hear about the operation that begins.
    #[serde(default)]
    pub(super) announce: Announce,
}

impl Question {
    /// A question without warnings.
    pub(super) fn new(requested: Requested) -> Self {
        Self { requested, warned: Warnings::default(), offer: None, retries: None, announce: Announce::default() }
    }
}

/// Stores the question and asks it.
pub(super) async fn ask(
    state: &AppState,
    grant: &Grant,
    question: &Question,
    words: impl FnOnce(Buttons) -> Message,
) -> Result<Message, Stop> {
    open(state, grant, question).await.map(words)
}

/// Stores the question. The caller builds the message from the returned buttons.
pub(super) async fn open(state: &AppState, grant: &Grant, question: &Question) -> Result<Buttons, Stop> {
    let expires_at: Timestamp = state.clock.now() + OPEN;
    let what = serde_json::to_string(question)?;
    let confirmation = Confirmation { requester: grant.user(), guild: grant.guild(), what, expires_at };
    let id = state.store.create_confirmation(&confirmation).await?;
    Ok(Buttons { id, expires_at })
}

/// The follow-up questions of a kind of operation: what is checked when a question is answered, and what is asked after a failure.
pub(super) trait Confirmed {
    /// Checks whether the operation can still be done as the question described it. Returns a message if the bot must ask again. Does
    /// nothing for a kind that asks no question.
    async fn look_again(
        &self,
        _whose: (&AppState, &InteractionInfo),
        _answer: (&Grant, &Consent),
        _question: &Question,
    ) -> Result<Option<Message>, Stop> {
        Ok(None)
    }

    /// Asks about `failed` once more, for a kind whose messages offer *Try again*.
    async fn ask_again(
        &self,
        _whose: (&AppState, &InteractionInfo),
        _grant: &Grant,
        _failed: &Operation,
    ) -> Result<Answer, Stop> {
        Err(Refusal::UnknownButton.into())
    }
}

/// Handles *Yes*. Until an operation has begun, the question stays open and can be answered again.
pub(super) async fn confirmed(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: ConfirmationId,
) -> Result<Answer, Stop> {
    answered(state, info, grant, (id, Ok)).await
}

/// Handles *Shut down and take* and *Keep running*, which only the question about a take has.
pub(super) async fn taken(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (id, is_live): (ConfirmationId, bool),
) -> Result<Answer, Stop> {
    let chosen = |mut question: Question| {
        let Kind::Take(take) = &mut question.requested.kind else { return Err(Refusal::UnknownButton) };
        take.power = if is_live { Downtime::None } else { Downtime::PowerOff };
        Ok(question)
    };
    answered(state, info, grant, (id, chosen)).await
}

async fn answered(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (id, chosen): (ConfirmationId, impl FnOnce(Question) -> Result<Question, Refusal>),
) -> Result<Answer, Stop> {
    start::check(state, info)?;
    let consent = consent(state, info, grant, id);
    let outcome = match state.store.confirmation(&consent).await? {
        Ok(what) => {
            let question = chosen(serde_json::from_str(&what)?)?;
            let consent = Consent { retries: question.retries, ..consent };
            let target = question.requested.target.name.clone();
            let done = carry_out(state, info, (grant, &consent), question).await;
            done.map_err(|stop| stop.about(&target))
        }
        Err(refused) => Err(start::not_counted(refused).into()),
    };
    match outcome {
        Ok(said) => Ok(Answer::Instead(said)),
        Err(Stop::Refused(refusal)) => {
            let refusal = lookup::by_whom(state, refusal).await?;
            if is_final(&refusal) { Ok(closed(state, &refusal)) } else { Err(refusal.into()) }
        }
        Err(stop) => Err(stop),
    }
}

/// Handles *Never mind*.
pub(super) async fn declined(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: ConfirmationId,
) -> Result<Answer, Stop> {
    let consent = consent(state, info, grant, id);
    let what = state.store.confirmation(&consent).await?.ok();
    let question: Option<Question> = what.and_then(|what| serde_json::from_str(&what).ok());
    let about = question.as_ref().map(|question| (&question.requested.kind, question.requested.target.name.as_str()));
    let outcome = state.store.close_confirmation(&consent).await?;
    match outcome.map_err(start::not_counted) {
        Ok(()) | Err(Refusal::QuestionExpired) => Ok(Answer::Instead(Message::text(reply::declined(about)))),
        Err(refusal) if is_final(&refusal) => Ok(closed(state, &refusal)),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Closes the question so that the bot can ask about something else. Returns a message in its place if it can no longer be answered.
pub(super) async fn reopened(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: ConfirmationId,
) -> Result<Result<Question, Answer>, Stop> {
    start::check(state, info)?;
    let consent = consent(state, info, grant, id);
    let read = match state.store.confirmation(&consent).await? {
        Ok(what) => state.store.close_confirmation(&consent).await?.map(|()| what),
        Err(refused) => Err(refused),
    };
    match read.map_err(start::not_counted) {
        Ok(what) => Ok(Ok(serde_json::from_str(&what)?)),
        Err(refusal) if is_final(&refusal) => Ok(Err(closed(state, &refusal))),
        Err(refusal) => Err(refusal.into()),
    }
}

fn consent(state: &AppState, info: &InteractionInfo, grant: &Grant, id: ConfirmationId) -> Consent {
    let interaction = info.interaction;
    let at = info.pressed_at(state.clock.now());
    Consent { id, by: grant.user(), guild: grant.guild(), at, interaction, retries: None }
}

/// Whether the question can never be confirmed any more.
fn is_final(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::QuestionExpired
            | Refusal::QuestionAnswered
            | Refusal::SnapshotGone { .. }
            | Refusal::SnapshotDeleted { .. }
            | Refusal::DropletGone { .. }
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
    if let Some(message) = asked_again {
        return Ok(message);
    }
    let begun = (question.requested, question.announce, consent);
    start::begin_confirmed(state, info, grant, begun).await.map(Message::text)
}

/// The message that replaces the question. It counts as a refusal like any other.
fn closed(state: &AppState, refusal: &Refusal) -> Answer {
    state.refusals.note(refusal);
    Answer::Instead(refusal::message(refusal))
}
