//! The one door to new operations: from what somebody may do to an operation that is durable, and to a link to its progress.

use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{
    asked::Asked,
    doors::Door,
    face::Face,
    messages::{refusal::Refusal, reply},
    responder::Stop,
};
use crate::{
    access::Grant,
    operation::{Asker, FirstAnswer, Operation, Request, Target, Usual, ids::OperationId, plan::Kind},
    store::{ConfirmationRefused, Consent, CreateError, Error},
};

/// How long the answer waits for the progress message, to link to it.
const LINK_PATIENCE: Duration = Duration::from_millis(1200);
/// How long Discord waits for the first answer to an interaction.
const ANSWERABLE: SignedDuration = SignedDuration::from_secs(3);
/// How often an id is drawn again when it is taken; a second time is a rarity already.
const DRAWS: usize = 3;

/// What is to be done, and to what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub(super) kind: Kind,
    pub(super) target: Target,
    /// The name that a person wants the Snapshot to have.
    pub(super) snapshot_name: Option<String>,
}

/// Whether something new may begin here and now.
pub(super) fn check(face: &Face, asked: &Asked) -> Result<(), Refusal> {
    match face.doors.now() {
        Door::Open => asked.check_channel(),
        Door::Draining => Err(Refusal::Draining),
        Door::Standby => Err(Refusal::Standby),
    }
}

/// Begins it and says where to follow it. It takes a Grant, so nobody gets here who was not asked about.
pub(super) async fn begin(face: &Face, asked: &Asked, grant: &Grant, wanted: Wanted) -> Result<String, Stop> {
    accepted(face, create(face, asked, request(face, asked, grant, wanted), None).await?).await
}

/// The same for what somebody was asked about; their answer is used up by what it begins, and by nothing else.
pub(super) async fn begin_confirmed(
    face: &Face,
    asked: &Asked,
    grant: &Grant,
    (wanted, consent): (Wanted, &Consent),
) -> Result<String, Stop> {
    accepted(face, create(face, asked, request(face, asked, grant, wanted), Some(consent)).await?).await
}

async fn accepted(face: &Face, operation: Operation) -> Result<String, Stop> {
    tracing::info!(operation.id = %operation.id, kind = operation.kind.word(), target = operation.target.name, "accepted");
    let progress = face.store.wait_for_progress_message(operation.id, LINK_PATIENCE).await;
    Ok(reply::accepted(&operation, progress))
}

async fn create(
    face: &Face,
    asked: &Asked,
    mut request: Request,
    consent: Option<&Consent>,
) -> Result<Operation, Stop> {
    let droplet = request.target.name.clone();
    if request.kind.may_turn_off() && request.target.droplet.is_some_and(|droplet| face.own_droplet == Some(droplet)) {
        return Err(Refusal::OwnDroplet { droplet, may_take_live: matches!(request.kind, Kind::Take { .. }) }.into());
    }
    let first_answer = first_answer(face, asked, &request.kind).await?;
    for _ in 0..DRAWS {
        let created = face.store.create_answered(request.clone(), asked.interaction, consent, first_answer).await;
        match created {
            Ok(operation) => {
                asked.first.awaited_by(operation.id, operation.asker.user);
                return Ok(operation);
            }
            Err(CreateError::Unavailable(Error::IdTaken)) => request.id = OperationId::from_random(fastrand::u64(..)),
            Err(CreateError::Repeated(operation)) => {
                let earlier = face.store.operation(operation).await?;
                asked.first.awaited_by(operation, request.asker.user);
                return earlier
                    .map(|earlier| earlier.operation)
                    .ok_or_else(|| Refusal::UnknownOperation { text: operation.to_string() }.into());
            }
            Err(CreateError::AlreadyRunning { operation, progress }) => {
                let by = face.occupant(&asked.who, operation, progress).await?;
                return Err(Refusal::Busy { droplet, by }.into());
            }
            Err(CreateError::SnapshotInUse { operation, progress }) => {
                let by = face.occupant(&asked.who, operation, progress).await?;
                return Err(Refusal::SnapshotInUse { by }.into());
            }
            Err(CreateError::Unconfirmed(refused)) => return Err(not_counted(refused).into()),
            Err(CreateError::Unavailable(error)) => return Err(error.into()),
        }
    }
    Err(Error::IdTaken.into())
}

/// What is known of the first answer when an operation is about to be created. Nothing is created for somebody whom Discord does not
/// let us answer; where the interaction seems too old, Discord is asked first by deferring it.
async fn first_answer(face: &Face, asked: &Asked, kind: &Kind) -> Result<FirstAnswer, Stop> {
    let seems_over = face.clock.now().duration_since(asked.made_at()) >= ANSWERABLE;
    let known = match asked.first.outcome() {
        None if seems_over => Some(asked.first.ensure().await),
        known => known,
    };
    match known {
        None | Some(FirstAnswer::Awaited) => Ok(FirstAnswer::Awaited),
        Some(FirstAnswer::Taken) => Ok(FirstAnswer::Taken),
        Some(FirstAnswer::Lost) if !kind.needs_a_sure_answer() => Ok(FirstAnswer::Lost),
        Some(FirstAnswer::Lost | FirstAnswer::Refused) => Err(Stop::Unanswered),
    }
}

/// Why an answer to a question does not count.
pub(super) fn not_counted(refused: ConfirmationRefused) -> Refusal {
    match refused {
        ConfirmationRefused::Expired => Refusal::QuestionExpired,
        ConfirmationRefused::Used => Refusal::QuestionAnswered,
        ConfirmationRefused::NotYours => Refusal::NotYourQuestion,
        ConfirmationRefused::Unknown => Refusal::UnknownButton,
    }
}

/// What is asked of the store, under a new id.
pub(super) fn request(face: &Face, asked: &Asked, grant: &Grant, wanted: Wanted) -> Request {
    let Wanted { kind, target, snapshot_name } = wanted;
    Request {
        id: OperationId::from_random(fastrand::u64(..)),
        kind,
        asker: Asker { user: grant.user(), guild: grant.guild(), channel: asked.channel },
        asked_at: face.clock.now(),
        target,
        snapshot_name,
        usual: Usual::default(),
    }
}
