//! Handles the presses under the messages of a schedule, except taking it over and running it.

use super::{act, manage::gone, pressed, refused};
use crate::{
    access::Grant,
    discord::{
        interaction_info::InteractionInfo,
        messages::schedule::{self as words, ScheduleRefusal},
        responder::{Answer, Stop},
        state::AppState,
    },
    operation::ids::{OperationId, ScheduleId},
    schedule::{Answered, Schedule, hung_shutdowns::HangAnswer, pruning::Candidate},
    store::{Deed, ScheduleSnapshot},
};

/// Keeps the Snapshots that were chosen from an announced deletion.
pub(in crate::discord) async fn keep(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: ScheduleId,
) -> Result<Answer, Stop> {
    let schedule = pressed(state, &info.who, id).await?;
    let chosen: Vec<OperationId> = info.chosen.iter().filter_map(|value| value.parse().ok()).collect();
    let kept = state.store.keep_announced(schedule.id, &chosen, (grant.user(), grant.guild())).await?;
    tracing::info!(schedule.id = %id, user.id = %grant.user(), kept, "kept Snapshots of a schedule");
    Ok(words::kept_announced(kept).into())
}

/// Lets a schedule delete what this edition of its question showed. For Snapshots that joined since, the bot asks again.
pub(in crate::discord) async fn delete_many(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (id, edition): (ScheduleId, u32),
) -> Result<Answer, Stop> {
    let schedule = pressed(state, &info.who, id).await?;
    let (by, count) = (grant.user(), schedule.watched.deletions.asked.len());
    if !schedule.clone().approve_deletions(edition, by) {
        return Err(refused(ScheduleRefusal::AskedOtherwise));
    }
    let change = |schedule: &mut Schedule| {
        schedule.approve_deletions(edition, by);
    };
    let act = act(grant, Deed::ApprovedDeletions);
    let changed = state.store.change_schedule_by(id, act, change).await?.ok_or_else(|| gone(id))?;
    state.store.question_was_answered(id).await?;
    tracing::info!(schedule.id = %id, user.id = %by, count, "approved what a schedule deletes");
    Ok(words::deletions_approved(&changed, count).into())
}

/// Lets a schedule rely on its newest Snapshot although it is small. This has no other effect.
pub(in crate::discord) async fn rely_on(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (id, operation): (ScheduleId, OperationId),
) -> Result<Answer, Stop> {
    let schedule = pressed(state, &info.who, id).await?;
    let snapshots = state.store.schedule_snapshots(id).await?;
    let candidates: Vec<Candidate> = snapshots.iter().map(ScheduleSnapshot::candidate).collect();
    if !schedule.is_doubtful(&candidates, operation) {
        return Err(refused(ScheduleRefusal::NotDoubtful));
    }
    let answered = Answered { by: grant.user(), at: state.clock.now() };
    let change = |schedule: &mut Schedule| {
        schedule.rely_on(operation);
        schedule.watched.relied_on_last = Some((operation, answered));
    };
    let act = act(grant, Deed::ReliedOnSmall);
    let changed = state.store.change_schedule_by(id, act, change).await?.ok_or_else(|| gone(id))?;
    state.store.question_was_answered(id).await?;
    tracing::info!(schedule.id = %id, operation.id = %operation, user.id = %grant.user(), "a schedule may rely on a small Snapshot");
    Ok(words::relied_on(&changed).into())
}

/// Sets what the schedule does about shutdowns that hang.
pub(in crate::discord) async fn answer_hangs(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (id, answer): (ScheduleId, HangAnswer),
) -> Result<Answer, Stop> {
    let schedule = pressed(state, &info.who, id).await?;
    if !schedule.clone().answer_hangs(answer, grant.user()) {
        return Err(refused(ScheduleRefusal::HangsAnswered));
    }
    let answered = Answered { by: grant.user(), at: state.clock.now() };
    let change = |schedule: &mut Schedule| {
        if schedule.answer_hangs(answer, answered.by) {
            schedule.watched.hangs_answered = Some(answered);
        }
    };
    let act = act(grant, Deed::AnsweredHangs(answer));
    let changed = state.store.change_schedule_by(id, act, change).await?.ok_or_else(|| gone(id))?;
    state.store.question_was_answered(id).await?;
    tracing::info!(schedule.id = %id, user.id = %answered.by, ?answer, "answered what a schedule does about shutdowns that hang");
    Ok(words::hangs_answered(&changed, answer).into())
}

/// Lets a schedule delete again although its Droplet was recently restored.
pub(in crate::discord) async fn prune_again(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: ScheduleId,
) -> Result<Answer, Stop> {
    pressed(state, &info.who, id).await?;
    let now = state.clock.now();
    let change = |schedule: &mut Schedule| schedule.watched.prunes_after_restores_until = Some(now);
    let act = act(grant, Deed::AllowedPruning);
    let changed = state.store.change_schedule_by(id, act, change).await?.ok_or_else(|| gone(id))?;
    tracing::info!(schedule.id = %id, user.id = %grant.user(), "lets a schedule delete after a restore");
    Ok(words::prunes_again(&changed).into())
}
