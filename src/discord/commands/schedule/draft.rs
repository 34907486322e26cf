//! The subject of a review, stored until the review is answered.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::refused;
use crate::{
    access::Grant,
    discord::{
        messages::{confirm::Buttons, message::Message, schedule::ScheduleRefusal},
        responder::{Answer, Stop},
        start,
        state::AppState,
    },
    operation::ids::{OperationId, ScheduleId},
    schedule::Schedule,
    store::{Confirmation, ConfirmationRefused},
};

/// How long a review stays open: Discord's own limit for answering is 15 minutes.
const OPEN: SignedDuration = SignedDuration::from_mins(14);

/// The subject of a review.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Draft {
    /// Add this schedule.
    Add(Box<Schedule>),
    /// Edit a schedule, provided that it has not changed since the review was shown.
    Edit {
        /// The schedule when the review was shown.
        was: Box<Schedule>,
        /// The schedule after the edit.
        edited: Box<Schedule>,
    },
    /// Take one more Snapshot.
    Run(ScheduleId),
    /// Take a Snapshot because this operation of the schedule failed.
    TryAgain {
        /// The schedule.
        schedule: ScheduleId,
        /// The operation that failed.
        failed: OperationId,
    },
    /// Remove this schedule.
    Remove(ScheduleId),
}

/// Asks a person about a draft.
pub(super) async fn ask(
    state: &AppState,
    grant: &Grant,
    draft: &Draft,
    words: impl FnOnce(Buttons) -> Message,
) -> Result<Answer, Stop> {
    let expires_at: Timestamp = state.clock.now() + OPEN;
    let what = serde_json::to_string(draft)?;
    let confirmation = Confirmation { requester: grant.user(), guild: grant.guild(), what, expires_at };
    let id = state.store.create_confirmation(&confirmation).await?;
    Ok(Answer::New(words(Buttons { id, expires_at })))
}

/// The answer to a confirmation that does not count.
pub(super) fn not_counted(why: ConfirmationRefused) -> Stop {
    match why {
        ConfirmationRefused::Expired => refused(ScheduleRefusal::Expired),
        other => start::not_counted(other).into(),
    }
}
