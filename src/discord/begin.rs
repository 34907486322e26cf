//! The one door to new operations: from what somebody may do to an operation that is durable, and to a link to its progress.

use std::time::Duration;

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
    operation::{Asker, Operation, Request, Target, Usual, ids::OperationId, plan::Kind},
    store::{CreateError, Error},
};

/// How long the answer waits for the progress message, to link to it.
const LINK_PATIENCE: Duration = Duration::from_millis(1200);
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
    let operation = create(face, asked, grant, wanted).await?;
    tracing::info!(operation.id = %operation.id, kind = operation.kind.word(), target = operation.target.name, "accepted");
    let progress = face.store.wait_for_progress_message(operation.id, LINK_PATIENCE).await;
    Ok(reply::accepted(&operation, progress))
}

async fn create(face: &Face, asked: &Asked, grant: &Grant, wanted: Wanted) -> Result<Operation, Stop> {
    let droplet = wanted.target.name.clone();
    let mut request = request(face, asked, grant, wanted);
    for _ in 0..DRAWS {
        match face.store.create(request.clone(), asked.interaction).await {
            Ok(operation) => return Ok(operation),
            Err(CreateError::Unavailable(Error::IdTaken)) => request.id = OperationId::from_random(fastrand::u64(..)),
            Err(CreateError::Repeated(operation)) => {
                let earlier = face.store.operation(operation).await?;
                return earlier
                    .map(|earlier| earlier.operation)
                    .ok_or_else(|| Refusal::UnknownOperation { text: operation.to_string() }.into());
            }
            Err(CreateError::AlreadyRunning { operation, progress }) => {
                let progress = face.way_to(operation, progress).await?;
                return Err(Refusal::Busy { droplet, operation, progress }.into());
            }
            Err(CreateError::SnapshotInUse { operation, progress }) => {
                let progress = face.way_to(operation, progress).await?;
                return Err(Refusal::SnapshotInUse { operation, progress }.into());
            }
            Err(CreateError::Unavailable(error)) => return Err(error.into()),
        }
    }
    Err(Error::IdTaken.into())
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
