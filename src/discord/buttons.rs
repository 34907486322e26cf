//! Handles presses, by people who may have lost their rights since the button was shown.
//!
//! A press carries no state and is as easy to forge as typed text, so the bot looks up the operation and checks the person's rights again.

use std::sync::Arc;

use serenity::{
    http::Http,
    model::{
        application::{ComponentInteraction, ModalInteraction},
        channel::MessageFlags,
    },
};

use super::{
    commands::{
        delete,
        launch::{self, Typed},
        list, panel, pin, restart, restore, schedule, take_group, turn_on,
    },
    confirm,
    incident::Fault,
    instructions::{self, unknown},
    interaction_info::InteractionInfo,
    lookup,
    messages::{launch as words, purpose::purpose, refusal::Refusal},
    press::{Act, Choosing, Press},
    responder::{Answer, Deferral, Responder, Stop},
    retry,
    start::{self, Needed},
    state::AppState,
};
use crate::{
    access::Grant,
    operation::{
        Operation,
        ids::{OperationId, UserId},
    },
};

/// Answers a press, or a choice from a menu.
pub(super) async fn pressed(state: &AppState, http: &Http, interaction: &ComponentInteraction) {
    let info = InteractionInfo::from(interaction);
    let is_private = interaction.message.flags.is_some_and(|flags| flags.contains(MessageFlags::EPHEMERAL));
    let press: Option<Press> = interaction.data.custom_id.parse().ok();
    let press = press.filter(|press| is_private || may_be_public(*press));
    let deferral = press.map_or(Deferral::Thinking, deferral);
    let first = Arc::clone(&info.first);
    let responder = Responder { state, first: &first, http, id: interaction.id, token: &interaction.token, deferral };
    responder.answer(Box::pin(hear(state, &info, press))).await;
}

/// Answers a submitted form. The form opened over a message that may be public, so the answer is a new message.
pub(super) async fn sent(state: &AppState, http: &Http, interaction: &ModalInteraction) {
    let info = InteractionInfo::from(interaction);
    let press = interaction.data.custom_id.parse().ok().filter(|press| may_be_public(*press));
    let (first, deferral) = (Arc::clone(&info.first), Deferral::Thinking);
    let responder = Responder { state, first: &first, http, id: interaction.id, token: &interaction.token, deferral };
    responder.answer(Box::pin(hear(state, &info, press))).await;
}

/// How a press that takes longer is deferred. If its answer replaces the message, the message stays as it is until then.
fn deferral(press: Press) -> Deferral {
    match press {
        Press::Confirm(_)
        | Press::Schedule(_)
        | Press::TakeGroup(_)
        | Press::HandOver(_)
        | Press::Decline(_)
        | Press::Take { .. }
        | Press::Tags(_)
        | Press::Keys(_)
        | Press::PutBack(_)
        | Press::Choose(Choosing::DropletToTake | Choosing::DropletToRestore)
        | Press::Page { .. } => Deferral::Silent,
        Press::Instruction { .. }
        | Press::KeepWaiting(_)
        | Press::Undo(_)
        | Press::Delete(_)
        | Press::Pin(_)
        | Press::Unpin(_)
        | Press::Restore(_)
        | Press::Launch(_)
        | Press::LaunchAs(_)
        | Press::TryAgain(_)
        | Press::TurnOn(_)
        | Press::Restart(_)
        | Press::Fill { .. }
        | Press::Filled { .. }
        | Press::KeepAnnounced(_)
        | Press::DeleteMany { .. }
        | Press::RelyOn { .. }
        | Press::TakeOver(_)
        | Press::HungShutdowns { .. }
        | Press::PruneAgain(_)
        | Press::RunAgain { .. }
        | Press::GroupAgain(_)
        | Press::StopRun(_)
        | Press::Begin { .. }
        | Press::Choose(Choosing::Snapshot | Choosing::Operation) => Deferral::Thinking,
    }
}

/// Whether a public message may have this button. Only an ephemeral message may be replaced by the answer to a press; under a public one,
/// such a press is forged.
fn may_be_public(press: Press) -> bool {
    deferral(press) == Deferral::Thinking
}

/// Whether the same press can be offered again. It can if it asks first and depends on nothing that was chosen or typed.
fn is_pressed_again(press: Press) -> bool {
    match press {
        Press::Undo(_)
        | Press::Delete(_)
        | Press::Restore(_)
        | Press::Launch(_)
        | Press::TryAgain(_)
        | Press::Restart(_)
        | Press::TurnOn(_)
        | Press::RunAgain { .. }
        | Press::GroupAgain(_)
        | Press::Begin { .. } => true,
        // The question and its buttons are still there.
        Press::Confirm(_)
        | Press::Take { .. }
        | Press::Tags(_)
        | Press::Keys(_)
        | Press::Decline(_)
        | Press::TakeGroup(_)
        | Press::Schedule(_)
        | Press::Fill { .. }
        | Press::Filled { .. }
        | Press::HandOver(_)
        | Press::Page { .. }
        | Press::PutBack(_)
        | Press::Choose(_)
        | Press::LaunchAs(_)
        // These ask no question.
        | Press::Instruction { .. }
        | Press::KeepWaiting(_)
        | Press::Pin(_)
        | Press::Unpin(_)
        | Press::StopRun(_)
        | Press::KeepAnnounced(_)
        | Press::DeleteMany { .. }
        | Press::RelyOn { .. }
        | Press::TakeOver(_)
        | Press::HungShutdowns { .. }
        | Press::PruneAgain(_) => false,
    }
}

/// The answer that must reach the person before the press is carried out. `None` if the press only asks or looks, if its effect harms
/// nobody who does not know about it, or if it begins an operation, because the operation itself learns whether the answer arrived.
fn needed_answer(press: Press) -> Option<Needed> {
    match press {
        Press::TakeGroup(_) | Press::Schedule(_) => Some(Needed::Withdrawable),
        Press::HandOver(_) | Press::TakeOver(_) | Press::HungShutdowns { .. } => Some(Needed::NotRefused),
        // These let Snapshots be deleted, cut the power, or leave a Droplet off.
        Press::DeleteMany { .. }
        | Press::RelyOn { .. }
        | Press::PruneAgain(_)
        | Press::Instruction { act: Act::Force | Act::LeaveOff | Act::HandleIt, .. } => Some(Needed::Taken),
        Press::Instruction { act: Act::Cancel | Act::Live | Act::KeepWaiting | Act::TurnOn | Act::Postpone, .. }
        | Press::KeepWaiting(_)
        | Press::KeepAnnounced(_)
        | Press::StopRun(_)
        | Press::Pin(_)
        | Press::Unpin(_)
        // These ask or look.
        | Press::Undo(_)
        | Press::Delete(_)
        | Press::Restore(_)
        | Press::Launch(_)
        | Press::LaunchAs(_)
        | Press::TryAgain(_)
        | Press::Restart(_)
        | Press::RunAgain { .. }
        | Press::GroupAgain(_)
        | Press::Tags(_)
        | Press::Keys(_)
        | Press::Decline(_)
        | Press::PutBack(_)
        | Press::Choose(_)
        | Press::Begin { .. }
        | Press::Page { .. }
        | Press::Fill { .. }
        | Press::Filled { .. }
        // These begin operations.
        | Press::Confirm(_)
        | Press::Take { .. }
        | Press::TurnOn(_) => None,
    }
}

/// Carries out a press, or a command with the same meaning. Rights are checked here and nowhere else.
pub(super) async fn hear(state: &AppState, info: &InteractionInfo, press: Option<Press>) -> Result<Answer, Stop> {
    state.policy.admit(&info.who).map_err(Refusal::Denied)?;
    let press = press.ok_or(Refusal::UnknownButton)?;
    match Box::pin(carry_out(state, info, press)).await {
        // The subject of an old button may be gone, and the bot may know who deleted it.
        Err(Stop::Refused(refusal)) => {
            let refusal = lookup::by_whom(state, refusal).await?;
            Err(if refusal.passes() && is_pressed_again(press) {
                Stop::NotNow(refusal, Box::new(press))
            } else {
                refusal.into()
            })
        }
        // Such a press only asks, or its effect is in doubt.
        Err(Stop::Failed(fault @ Fault::Store(_))) if is_pressed_again(press) => {
            Err(Stop::NotStarted(fault, Box::new(press)))
        }
        answer => answer,
    }
}

async fn carry_out(state: &AppState, info: &InteractionInfo, press: Press) -> Result<Answer, Stop> {
    let may = async |requester: Option<UserId>| admit(state, info, press, requester).await;
    match press {
        Press::Instruction { act, operation } => {
            let operation = known(state, info, operation).await?;
            instructions::give(state, info, &may(Some(operation.requester.user)).await?, act, &operation)
                .await
                .map(Answer::from)
        }
        Press::KeepWaiting(leader) => {
            let listed = listed(state, info, leader).await?;
            let requester = listed.first().map(|operation| operation.requester.user);
            instructions::keep_waiting(state, &may(requester).await?, leader, &listed).await.map(Answer::from)
        }
        Press::Undo(operation) => restore::undo(state, info, &may(None).await?, operation).await,
        Press::Confirm(id) => confirm::confirmed(state, info, &may(None).await?, id).await,
        Press::Schedule(id) => schedule::confirmed(state, info, &may(None).await?, id).await,
        Press::Fill { form, id } => schedule::form(state, info, &may(None).await?, (form, id)).await,
        Press::Filled { form, id } => schedule::filled(state, info, &may(None).await?, (form, id)).await,
        Press::TakeGroup(id) => take_group::confirmed(state, info, &may(None).await?, id).await,
        Press::StopRun(id) => {
            let run = take_group::run(state, info, id).await?;
            take_group::stop(state, &may(Some(run.plan.owner)).await?, &run).await
        }
        Press::GroupAgain(id) => {
            let grant = may(None).await?;
            take_group::again(state, &grant, info, &take_group::run(state, info, id).await?).await
        }
        Press::KeepAnnounced(id) => schedule::keep(state, info, &may(None).await?, id).await,
        Press::DeleteMany { schedule, edition } => {
            schedule::delete_many(state, info, &may(None).await?, (schedule, edition)).await
        }
        Press::RelyOn { schedule, operation } => {
            schedule::rely_on(state, info, &may(None).await?, (schedule, operation)).await
        }
        Press::TakeOver(id) => schedule::take_over(state, info, &may(None).await?, id).await,
        Press::HungShutdowns { schedule, answer } => {
            schedule::answer_hangs(state, info, &may(None).await?, (schedule, answer)).await
        }
        Press::PruneAgain(id) => schedule::prune_again(state, info, &may(None).await?, id).await,
        Press::HandOver(id) => schedule::hand_over(state, info, &may(None).await?, id).await,
        Press::RunAgain { schedule, planned } => {
            schedule::try_again(state, info, &may(None).await?, (schedule, planned)).await
        }
        Press::Decline(id) => confirm::declined(state, info, &may(None).await?, id).await,
        Press::Delete(snapshot) => delete::question(state, info, &may(None).await?, &snapshot.to_string()).await,
        Press::Pin(id) => pin::add(state, &may(None).await?, &id.to_string(), None).await.map(Answer::from),
        Press::Unpin(id) => pin::remove(state, info, &may(None).await?, &id.to_string()).await.map(Answer::from),
        Press::TurnOn(operation) => {
            let operation = known(state, info, operation).await?;
            turn_on::turn_on(state, info, &may(None).await?, &operation).await
        }
        Press::Restart(operation) => {
            let operation = known(state, info, operation).await?;
            restart::question(state, info, &may(None).await?, &operation).await
        }
        Press::Take { id, is_live } => confirm::taken(state, info, &may(None).await?, (id, is_live)).await,
        Press::Tags(id) => launch::give_tags(state, info, &may(None).await?, id).await,
        Press::Keys(id) => launch::give_keys(state, info, &may(None).await?, id).await,
        Press::Restore(id) => restore::of_snapshot(state, info, &may(None).await?, id).await.map(Answer::New),
        Press::Launch(id) => {
            may(None).await?;
            Ok(Answer::Form(words::form(id)))
        }
        Press::LaunchAs(id) => {
            let name = info.chosen.first().cloned().unwrap_or_default();
            let typed = Typed { snapshot: id.to_string(), name, ..Typed::default() };
            launch::question(state, info, &may(None).await?, typed).await
        }
        Press::TryAgain(id) => {
            may(None).await?;
            let failed = known(state, info, id).await?;
            let needed = start::right(&failed.kind);
            let granted = state.policy.authorize(&info.who, needed);
            let grant = granted.map_err(|denial| Refusal::DeniedTo { denial, to: purpose(press) })?;
            retry::question(state, info, &grant, &failed).await
        }
        Press::Begin { what, droplet } => panel::begin(state, info, &may(None).await?, (what, droplet)).await,
        Press::Choose(what) => panel::chosen(state, info, &may(None).await?, what).await,
        Press::PutBack(droplet) => panel::put_back(state, info, &may(None).await?, droplet).await,
        Press::Page { of, number, order, beside } => {
            may(None).await?;
            list::turn(state, of, (number, beside), order).await
        }
    }
}

/// The operation with this id, if this person may see it.
async fn known(state: &AppState, info: &InteractionInfo, id: OperationId) -> Result<Operation, Stop> {
    let found = state.store.operation(id).await?.map(|stored| stored.operation);
    found.filter(|operation| state.may_see(&info.who, operation)).ok_or_else(|| unknown(id))
}

/// The operations that the call led by this one lists and that this person may see. Never empty.
async fn listed(state: &AppState, info: &InteractionInfo, leader: OperationId) -> Result<Vec<Operation>, Stop> {
    let called = state.store.called_with(leader).await?.into_iter().map(|called| called.operation);
    let seen: Vec<Operation> = called.filter(|operation| state.may_see(&info.who, operation)).collect();
    if seen.is_empty() { Err(unknown(leader)) } else { Ok(seen) }
}

/// Checks that the person may press this, and sends the answer first if that is needed.
async fn admit(
    state: &AppState,
    info: &InteractionInfo,
    press: Press,
    requester: Option<UserId>,
) -> Result<Grant, Stop> {
    let grant = authorize(state, info, press, requester)?;
    if let Some(needed) = needed_answer(press) {
        start::answered(state, info, needed).await?;
    }
    Ok(grant)
}

/// Checks that this person may press this button. `requester` is the person who requested the operation that the press acts on, if there is
/// one.
fn authorize(
    state: &AppState,
    info: &InteractionInfo,
    press: Press,
    requester: Option<UserId>,
) -> Result<Grant, Refusal> {
    let who = info.who.user;
    let (granted, to) = (state.policy.authorize(&info.who, press.right(requester, who)), purpose(press));
    // Whose it is changes nothing where everybody needs the same right.
    let is_others =
        requester.is_some_and(|requester| press.right(Some(requester), requester) != press.right(Some(requester), who));
    granted
        .map_err(|denial| if is_others { Refusal::NotYours { denial, to } } else { Refusal::DeniedTo { denial, to } })
}
