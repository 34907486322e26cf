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
    store::{Confirmation, ConfirmationId, Consent},
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

/// *Yes* was pressed. Until something has begun, the question stays as it is and can be answered again.
pub(super) async fn confirmed(face: &Face, asked: &Asked, id: ConfirmationId) -> Result<Answer, Stop> {
    let grant = face.policy.authorize(&asked.who, Right::Restore).map_err(Refusal::Denied)?;
    begin::check(face, asked)?;
    let consent = consent(face, asked, &grant, id);
    let outcome = match face.store.confirmation(&consent).await? {
        Ok(what) => carry_out(face, asked, &grant, (serde_json::from_str(&what)?, &consent)).await,
        Err(refused) => Err(begin::not_counted(refused).into()),
    };
    match outcome {
        Ok(text) => Ok(Answer::Instead(Said::text(text))),
        Err(Stop::Refused(refusal)) if is_final(&refusal) => Ok(closed(&refusal)),
        Err(stop) => Err(stop),
    }
}

/// *Never mind* was pressed.
pub(super) async fn declined(face: &Face, asked: &Asked, id: ConfirmationId) -> Result<Answer, Stop> {
    let grant = face.policy.authorize(&asked.who, Right::View).map_err(Refusal::Denied)?;
    let outcome = face.store.close_confirmation(&consent(face, asked, &grant, id)).await?;
    match outcome.map_err(begin::not_counted) {
        Ok(()) | Err(Refusal::QuestionExpired) => Ok(Answer::Instead(Said::text(reply::declined()))),
        Err(refusal) if is_final(&refusal) => Ok(closed(&refusal)),
        Err(refusal) => Err(refusal.into()),
    }
}

fn consent(face: &Face, asked: &Asked, grant: &Grant, id: ConfirmationId) -> Consent {
    Consent { id, by: grant.user(), guild: grant.guild(), at: face.clock.now(), interaction: asked.interaction }
}

/// Whether the question can never be answered with yes any more.
fn is_final(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::QuestionExpired | Refusal::QuestionAnswered | Refusal::SnapshotGone | Refusal::DropletGone
    )
}

async fn carry_out(
    face: &Face,
    asked: &Asked,
    grant: &Grant,
    (wanted, consent): (Wanted, &Consent),
) -> Result<String, Stop> {
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
    begin::begin_confirmed(face, asked, grant, (wanted, consent)).await
}

fn closed(refusal: &Refusal) -> Answer {
    tracing::info!(?refusal, "refused");
    Answer::Instead(Said::text(refusal.words()))
}
