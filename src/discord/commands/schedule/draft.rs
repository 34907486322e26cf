//! What a review is about, as it stands in the store until somebody answers.

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

/// What a review is about.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Draft {
    /// Add it.
    Add(Box<Schedule>),
    /// Make it something else, if it is still what it was.
    Edit {
        /// What it was when the review was shown.
        was: Box<Schedule>,
        /// What it becomes.
        edited: Box<Schedule>,
    },
    /// Take one more Snapshot.
    Run(ScheduleId),
    /// Take one because this operation of the schedule failed.
    TryAgain {
        /// Of which schedule.
        schedule: ScheduleId,
        /// What failed.
        failed: OperationId,
    },
    /// Remove it.
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
    let confirmation = Confirmation { asker: grant.user(), guild: grant.guild(), what, expires_at };
    let id = state.store.create_confirmation(&confirmation).await?;
    Ok(Answer::New(words(Buttons { id, expires_at })))
}

/// Why a yes does not count.
pub(super) fn not_counted(why: ConfirmationRefused) -> Stop {
    match why {
        ConfirmationRefused::Expired => refused(ScheduleRefusal::Expired),
        other => start::not_counted(other).into(),
    }
}
