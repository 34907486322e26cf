//! What is pressed under the messages of a schedule, next to taking it over and running it.

use std::collections::BTreeSet;

use super::{act, manage::gone, pressed, refused};
use crate::{
    access::Grant,
    discord::{
        interaction_info::InteractionInfo,
        messages::schedule::{self as words, ScheduleRefusal},
        responder::{Answer, Stop},
        standing,
        state::AppState,
    },
    operation::ids::{OperationId, ScheduleId},
    schedule::{Schedule, hangs::HangAnswer, pruning::Candidate, retention::Verdict},
    store::{Deed, ScheduleSnapshot},
};

/// Keeps what was chosen of what is announced to be deleted.
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

/// Lets a schedule delete what is announced although it is much, and rely on a newest Snapshot that is small.
pub(in crate::discord) async fn approve(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: ScheduleId,
) -> Result<Answer, Stop> {
    let schedule = pressed(state, &info.who, id).await?;
    let standing = standing::of(&state.store, &schedule, state.clock.now()).await?;
    let candidates: Vec<Candidate> = standing.snapshots.iter().map(ScheduleSnapshot::candidate).collect();
    let verdicts = schedule.verdicts(&candidates, state.clock.now());
    let dropped = verdicts.into_iter().filter(|(_, verdict)| *verdict == Verdict::Drop).map(|(operation, _)| operation);
    // They are sorted, so the first of each Droplet is its newest.
    let mut seen = BTreeSet::new();
    let newest = standing.snapshots.iter().filter(|snapshot| seen.insert(snapshot.droplet));
    let approved: Vec<OperationId> = dropped.chain(newest.map(|newest| newest.operation)).collect();
    let change = |schedule: &mut Schedule| {
        // Only what is still there counts, so this stays short.
        schedule.approved.clone_from(&approved);
        schedule.narrowed = false;
    };
    let act = act(grant, Deed::ApprovedDeletions);
    state.store.change_schedule_by(id, act, change).await?.ok_or_else(|| gone(id))?;
    state.store.question_was_answered(id).await?;
    tracing::info!(schedule.id = %id, user.id = %grant.user(), "approved what a schedule deletes");
    Ok(words::approved().into())
}

/// Answers what is to happen about shutdowns that hang.
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
    let by = grant.user();
    let change = |schedule: &mut Schedule| {
        schedule.answer_hangs(answer, by);
    };
    let act = act(grant, Deed::AnsweredHangs(answer));
    let changed = state.store.change_schedule_by(id, act, change).await?.ok_or_else(|| gone(id))?;
    state.store.question_was_answered(id).await?;
    tracing::info!(schedule.id = %id, user.id = %by, ?answer, "answered what a schedule does about shutdowns that hang");
    Ok(words::hangs_answered(&changed, answer).into())
}

/// Lets a schedule delete again although its Droplet was restored lately.
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
