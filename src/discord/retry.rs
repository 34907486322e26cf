//! *Try again* under a failure: the same question once more, for a day, and for one person.
//!
//! Anyone who presses needs the right that the failed operation took. What is begun is written down with what failed, so that a second
//! press leads there.

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

/// For how long the button counts.
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
