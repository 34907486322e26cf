//! `/schedule run`, and *Try again* under a failure of a schedule: takes one more Snapshot now, after a question.

use jiff::Timestamp;

use super::{
    draft::{Draft, ask, not_counted},
    pressed, refused, subject,
};
use crate::{
    access::Grant,
    discord::{
        first_response::Begun,
        interaction_info::InteractionInfo,
        messages::{
            message::Message,
            refusal::Refusal,
            schedule::{self as words, ScheduleRefusal},
        },
        responder::{Answer, Stop},
        retry,
        start::{self, Requested},
        state::AppState,
    },
    operation::{
        Target,
        ids::{OperationId, RunId, ScheduleId},
        kinds::{Downtime, IfHung, Kind, Take},
    },
    schedule::{Power, Schedule, group::Group, run::Plan},
    store::{Consent, RunError},
};

/// Asks whether to take one more Snapshot now.
pub(in crate::discord) async fn question(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: ScheduleId,
) -> Result<Answer, Stop> {
    asked(state, info, grant, (id, Draft::Run(id))).await
}

/// Takes a Snapshot now because a planned time brought none, or because there is no recent one: once for each message that says so, and
/// for a day. A reminder names no planned time, and neither do older buttons.
pub(in crate::discord) async fn try_again(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (id, planned): (ScheduleId, Option<Timestamp>),
) -> Result<Answer, Stop> {
    start::check(state, info)?;
    let schedule = pressed(state, &info.who, id).await?;
    let failed = match planned {
        Some(planned) => state.store.slot_operation(id, planned).await?,
        None => None,
    };
    if let Some(again) = retried(state, failed).await? {
        let progress = state.store.progress_message(again).await?;
        return Err(Refusal::TriedAgain { by: state.occupant(&info.who, again, progress).await? }.into());
    }
    if let Some(since) = planned.or(info.posted)
        && state.store.was_begun_after(id, since).await?
    {
        return Err(refused(ScheduleRefusal::TakenSince));
    }
    let now = state.clock.now();
    let age = if let Some(ended) = ended(state, &schedule, failed).await? {
        Some(now.duration_since(ended))
    } else {
        // People hear of missed runs once the bot is back, so the message's age counts, by Discord's clock alone. The message may have been
        // edited because more was missed.
        let posted = info.posted.map(|posted| info.made_at().duration_since(posted));
        posted.into_iter().chain(planned.map(|planned| now.duration_since(planned))).min()
    };
    if age.is_some_and(|age| age >= retry::OFFERED) {
        return Err(Refusal::RetryOver.into());
    }
    let draft = failed.map_or(Draft::Run(id), |failed| Draft::TryAgain { schedule: id, failed });
    asked(state, info, grant, (id, draft)).await
}

async fn retried(state: &AppState, failed: Option<OperationId>) -> Result<Option<OperationId>, Stop> {
    let Some(failed) = failed else { return Ok(None) };
    Ok(state.store.retry_of(failed).await?)
}

/// When the failed operation or run ended; `None` if nothing was begun.
async fn ended(state: &AppState, schedule: &Schedule, failed: Option<OperationId>) -> Result<Option<Timestamp>, Stop> {
    Ok(match failed {
        Some(failed) => state.store.operation(failed).await?.and_then(|stored| stored.operation.ended),
        None if schedule.group.is_some() => state.store.latest_run(schedule.id).await?.and_then(|run| run.ended_at),
        None => None,
    })
}

async fn asked(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (id, draft): (ScheduleId, Draft),
) -> Result<Answer, Stop> {
    start::check(state, info)?;
    let schedule = pressed(state, &info.who, id).await?;
    let members = match &schedule.group {
        Some(group) => Some(subject::members_now(state, group, (&schedule).into(), None).await?.1),
        None => None,
    };
    ask(state, grant, &draft, |buttons| words::review_run(&schedule, members.as_ref(), buttons)).await
}

/// Handles the confirmation of such a question.
pub(super) async fn begin(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (id, consent): (ScheduleId, &Consent),
) -> Result<Answer, Stop> {
    let schedule = pressed(state, &info.who, id).await?;
    if let Some(group) = &schedule.group {
        return begin_group(state, info, (&schedule, group), consent).await;
    }
    let requested = Requested { kind: take(&schedule), target: target(&schedule), snapshot_name: None };
    let said = start::begin_run(state, info, grant, (requested, consent), id).await?;
    Ok(Answer::Instead(Message::text(said)))
}

/// Begins a run of a group now, in addition to its planned times.
async fn begin_group(
    state: &AppState,
    info: &InteractionInfo,
    (schedule, group): (&Schedule, &Group),
    consent: &Consent,
) -> Result<Answer, Stop> {
    let (gathered, _) = subject::members_now(state, group, schedule.into(), None).await?;
    let run = RunId::from_random(fastrand::u64(..));
    let plan = Plan::of(schedule, group, run, None, state.clock.now());
    match state.store.begin_run(&plan, &gathered.members(), Some(consent)).await {
        Ok(()) => {
            info.first.awaited_by(Begun::Run(Box::new(plan), (consent.by, consent.guild)));
            tracing::info!(schedule.id = %schedule.id, run.id = %run, user.id = %consent.by, "had a group taken");
            Ok(Answer::Instead(Message::text(words::run_begun(schedule))))
        }
        Err(RunError::Unconfirmed(why)) => Err(not_counted(why)),
        Err(RunError::NotFree) => Err(refused(ScheduleRefusal::Running)),
        Err(RunError::Unavailable(error)) => Err(error.into()),
    }
}

fn take(schedule: &Schedule) -> Kind {
    Kind::Take(Take {
        power: match schedule.power {
            Power::Off => Downtime::PowerOff,
            Power::Live => Downtime::None,
        },
        // A person is present and can be asked.
        if_hung: IfHung::Ask,
    })
}

fn target(schedule: &Schedule) -> Target {
    Target { droplet: Some(schedule.droplet), name: schedule.droplet_name.clone(), region: None, disk_gb: None }
}
