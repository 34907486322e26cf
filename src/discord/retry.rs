//! *Try again* under a failure: asks the same question once more, for a day after the failure.
//!
//! The person needs the right that the failed operation needs. The new operation records the failed one, so that a second press leads to
//! it.

use jiff::SignedDuration;

use super::{
    confirm::Confirmed as _,
    interaction_info::InteractionInfo,
    messages::{failure, refusal::Refusal},
    responder::{Answer, Stop},
    state::AppState,
};
use crate::{
    access::Grant,
    operation::{Operation, kinds::of_kind},
};

/// How long the button works.
pub(super) const OFFERED: SignedDuration = SignedDuration::from_hours(24);

/// Asks about the failed operation once more.
pub(super) async fn question(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    failed: &Operation,
) -> Result<Answer, Stop> {
    let ended = failed.ended.filter(|_| failure::may_be_tried_again(failed)).ok_or(Refusal::UnknownButton)?;
    if let Some(again) = state.store.retry_of(failed.id).await? {
        let progress = state.store.progress_message(again).await?;
        return Err(Refusal::TriedAgain { by: state.occupant(&info.who, again, progress).await? }.into());
    }
    if state.clock.now().duration_since(ended) >= OFFERED {
        return Err(Refusal::RetryOver.into());
    }
    of_kind!(&failed.kind, it => it.ask_again((state, info), grant, failed).await)
}
