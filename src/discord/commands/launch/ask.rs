//! The question before a launch, which the bot asks again when other tags or SSH keys are chosen.

use crate::{
    access::Grant,
    discord::{
        confirm::{self, Question},
        interaction_info::InteractionInfo,
        messages::{
            launch::{self as words, Key, Offer},
            message::Message,
            refusal::Refusal,
        },
        responder::{Answer, Stop},
        state::AppState,
    },
    inventory::Waiting,
    operation::kinds::{Kind, Launch},
    store::ConfirmationId,
};

/// Stores the question and asks it.
pub(super) async fn ask(state: &AppState, grant: &Grant, question: &Question) -> Result<Message, Stop> {
    let (launch, offer) = parts(question)?;
    confirm::ask(state, grant, question, |buttons| words::ask(launch, offer, buttons)).await
}

fn parts(question: &Question) -> Result<(&Launch, &Offer), Refusal> {
    match (&question.requested.kind, &question.offer) {
        (Kind::Launch(launch), Some(offer)) => Ok((launch, offer)),
        _ => Err(Refusal::UnknownButton),
    }
}

/// The SSH keys to choose from. Empty if they cannot be read, since a launch does not need them.
pub(super) async fn keys(state: &AppState) -> Vec<Key> {
    let known = state.inventory.ssh_keys(Waiting::Suggestion).await;
    let known = known.map(|known| known.to_vec()).unwrap_or_default();
    known.into_iter().map(|key| Key { name: key.name, fingerprint: key.fingerprint }).collect()
}

/// Handles *Give it these tags* and *Leave its tags off*.
pub(in crate::discord) async fn give_tags(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: ConfirmationId,
) -> Result<Answer, Stop> {
    change(state, info, grant, id, |launch, offer| {
        let tags = &mut launch.droplet.tags;
        let carries = !offer.tags.is_empty() && offer.tags.iter().all(|tag| tags.contains(tag));
        tags.retain(|tag| !offer.tags.contains(tag));
        if !carries {
            tags.extend(offer.tags.iter().cloned());
        }
    })
    .await
}

/// Handles the choice of SSH keys. Only keys that were offered count, since the choice comes from the client.
pub(in crate::discord) async fn give_keys(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: ConfirmationId,
) -> Result<Answer, Stop> {
    change(state, info, grant, id, |launch, offer| {
        let chosen = |key: &&Key| info.chosen.contains(&key.fingerprint);
        launch.droplet.ssh_keys = offer.keys.iter().filter(chosen).map(|key| key.fingerprint.clone()).collect();
    })
    .await
}

/// Replaces the open question with a changed one.
async fn change(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: ConfirmationId,
    change: impl FnOnce(&mut Launch, &Offer),
) -> Result<Answer, Stop> {
    let mut question = match confirm::reopened(state, info, grant, id).await? {
        Ok(question) => question,
        Err(closed) => return Ok(closed),
    };
    match (&mut question.requested.kind, &question.offer) {
        (Kind::Launch(launch), Some(offer)) => change(launch, offer),
        _ => return Err(Refusal::UnknownButton.into()),
    }
    ask(state, grant, &question).await.map(Answer::Instead)
}
