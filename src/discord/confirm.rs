//! Questions before something is lost: asked of one person, open for two minutes, answered once, also after a restart.
//!
//! What is confirmed stands in the store and not in the button, so a forged press confirms nothing. Everything that was checked
//! before the question is checked again before it is done.

use jiff::{SignedDuration, Timestamp};

use super::{
    asked::Asked,
    begin::{self, Wanted},
    face::Face,
    messages::{confirm::Buttons, refusal::Refusal, reply, said::Said},
    preflight,
    responder::{Answer, Stop},
};
use crate::{
    access::{Grant, Right},
    operation::plan::Kind,
    store::{Confirmation, ConfirmationId, ConfirmationRefused},
};

/// How long a question stays open.
const OPEN: SignedDuration = SignedDuration::from_mins(2);

/// Writes the question down and asks it.
pub(super) async fn ask(
    face: &Face,
    grant: &Grant,
    wanted: &Wanted,
    words: impl FnOnce(Buttons) -> Said,
) -> Result<Answer, Stop> {
    let expires_at: Timestamp = face.clock.now() + OPEN;
    let what = serde_json::to_string(wanted)?;
    let confirmation = Confirmation { asker: grant.user(), guild: grant.guild(), what, expires_at };
    let id = face.store.create_confirmation(&confirmation).await?;
    Ok(Answer::New(words(Buttons { id, expires_at })))
}

/// *Yes* was pressed.
pub(super) async fn confirmed(face: &Face, asked: &Asked, id: ConfirmationId) -> Result<Answer, Stop> {
    let grant = face.policy.authorize(&asked.who, Right::Restore).map_err(Refusal::Denied)?;
    begin::check(face, asked)?;
    let wanted = match take(face, asked, &grant, id).await? {
        Ok(wanted) => wanted,
        Err(refusal) => return Ok(closed(&refusal)),
    };
    // From here on the question is answered, so whatever is said takes its place.
    match carry_out(face, asked, &grant, wanted).await {
        Ok(text) => Ok(Answer::Instead(Said::text(text))),
        Err(Stop::Refused(refusal)) => Ok(closed(&refusal)),
        Err(failed @ Stop::Failed(_)) => Err(failed),
    }
}

/// *Never mind* was pressed.
pub(super) async fn declined(face: &Face, asked: &Asked, id: ConfirmationId) -> Result<Answer, Stop> {
    let grant = face.policy.authorize(&asked.who, Right::View).map_err(Refusal::Denied)?;
    match take(face, asked, &grant, id).await? {
        Ok(_) | Err(Refusal::QuestionExpired) => Ok(Answer::Instead(Said::text(reply::declined()))),
        Err(refusal) => Ok(closed(&refusal)),
    }
}

/// Uses the answer up. The inner refusals close the question, the outer ones are about somebody else's.
async fn take(face: &Face, asked: &Asked, grant: &Grant, id: ConfirmationId) -> Result<Result<Wanted, Refusal>, Stop> {
    let now = face.clock.now();
    match face.store.use_confirmation(id, grant.user(), grant.guild(), now, asked.interaction).await? {
        Ok(what) => Ok(Ok(serde_json::from_str(&what)?)),
        Err(ConfirmationRefused::Expired) => Ok(Err(Refusal::QuestionExpired)),
        Err(ConfirmationRefused::Used) => Ok(Err(Refusal::QuestionAnswered)),
        Err(ConfirmationRefused::NotYours) => Err(Refusal::NotYourQuestion.into()),
        Err(ConfirmationRefused::Unknown) => Err(Refusal::UnknownButton.into()),
    }
}

async fn carry_out(face: &Face, asked: &Asked, grant: &Grant, wanted: Wanted) -> Result<String, Stop> {
    match &wanted.kind {
        Kind::Restore { snapshot, .. } => {
            let droplet = wanted.target.droplet.ok_or(Refusal::UnknownButton)?;
            let found = preflight::restore(face, droplet, &snapshot.id.to_string()).await;
            // Delivered twice, the press finds the Droplet locked by what it began the first time; the store knows better.
            if let Err(stop) = found
                && !matches!(stop, Stop::Refused(Refusal::Locked { .. }))
            {
                return Err(stop);
            }
        }
        Kind::Delete { snapshot } => drop(preflight::delete(face, &snapshot.id.to_string()).await?),
        Kind::Take { .. } | Kind::Launch { .. } => {}
    }
    begin::begin(face, asked, grant, wanted).await
}

fn closed(refusal: &Refusal) -> Answer {
    tracing::info!(?refusal, "refused");
    Answer::Instead(Said::text(refusal.words()))
}
