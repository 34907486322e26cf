//! Instructions to running operations. They are checked for a helpful answer and passed to the store, which lets each operation decide for
//! itself.

use super::{
    incident::chain,
    interaction_info::InteractionInfo,
    messages::{refusal::Refusal, reply},
    press::Act,
    responder::Stop,
    state::AppState,
};
use crate::{
    access::Grant,
    operation::{Instructed, Operation, ids::OperationId},
    store::{Error, Heard},
};

/// The refusal for an operation that does not exist, or that this person may not see.
pub(super) fn unknown(id: OperationId) -> Stop {
    Refusal::UnknownOperation { text: id.to_string() }.into()
}

/// Sends an instruction to an operation.
pub(super) async fn give(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    act: Act,
    operation: &Operation,
) -> Result<String, Stop> {
    let id = operation.id;
    if !means_something(act, operation) {
        return Err(if operation.is_open() {
            let progress = state.store.progress_message(id).await?;
            let progress = progress.filter(|_| info.who.guild == Some(operation.requester.guild));
            let progress = progress.map(|(channel, message)| (operation.requester.guild, channel, message));
            Refusal::TooLate { operation: id, progress }.into()
        } else {
            Refusal::AlreadyEnded(id).into()
        });
    }
    let instructed = Instructed { instruction: act.instruction(), by: grant.user(), at: state.clock.now() };
    let heard = match state.store.instruct(id, instructed, Some(info.interaction)).await {
        // The answer to the commit may be lost. The same Interaction has no effect twice.
        Err(Error::Unavailable(error)) => {
            tracing::warn!(operation.id = %id, cause = chain(&error), "asking the database once more whether an instruction was stored");
            state.store.instruct(id, instructed, Some(info.interaction)).await
        }
        heard => heard,
    };
    match heard? {
        Heard::Yes | Heard::Repeated => {
            tracing::info!(operation.id = %id, ?act, "stored an instruction");
            Ok(reply::heard(act, operation))
        }
        Heard::Ended => Err(Refusal::AlreadyEnded(id).into()),
        Heard::Unknown => Err(unknown(id)),
    }
}

/// Keeps waiting for every operation that a call lists and that people are still called about.
pub(super) async fn keep_waiting(
    state: &AppState,
    grant: &Grant,
    leader: OperationId,
    seen: &[Operation],
) -> Result<String, Stop> {
    let mut heard = 0;
    for operation in seen.iter().filter(|operation| operation.power.is_called_about()) {
        let instructed =
            Instructed { instruction: Act::KeepWaiting.instruction(), by: grant.user(), at: state.clock.now() };
        // Without the interaction, which belongs to one operation; a repeat of this instruction changes nothing.
        if state.store.instruct(operation.id, instructed, None).await? == Heard::Yes {
            heard += 1;
        }
    }
    if heard == 0 {
        return Err(Refusal::AlreadyEnded(leader).into());
    }
    tracing::info!(operation.id = %leader, heard, "stored an instruction for all that a call lists");
    Ok(reply::waiting_for_all(heard))
}

/// Whether the instruction can still have an effect. The operation decides for itself; this serves for a helpful answer.
fn means_something(act: Act, operation: &Operation) -> bool {
    let power = &operation.power;
    match act {
        Act::Cancel => operation.outcome.is_none() && operation.cancelled.is_none(),
        Act::Force | Act::Live => operation.question.is_some(),
        Act::LeaveOff => power.owed().is_some() && !power.is_turning_on(),
        Act::HandleIt | Act::KeepWaiting => power.stuck().is_some(),
        Act::TurnOn => power.is_owed(),
        Act::Postpone => operation.may_be_postponed(),
    }
}
