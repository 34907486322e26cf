//! The only way to start an operation from Discord: from a person's Grant to a stored operation and a link to its progress.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    first_response,
    incident::{Fault, chain},
    intake::IntakeState,
    interaction_info::InteractionInfo,
    messages::{refusal::Refusal, reply},
    press::{Begun, Press},
    responder::Stop,
    state::AppState,
};
use crate::{
    access::{Grant, Right},
    operation::{
        FirstAnswer, NewOperation, Operation, Requester, Target, TypicalDurations,
        announce::{Announce, Answering},
        ids::{DropletId, OperationId, ScheduleId, UserId},
        kinds::{Kind, of_kind},
        trigger::Trigger,
    },
    schedule::run::Run,
    store::{ConfirmationRefused, Consent, CreateError, Error},
};

/// How long the answer waits for the progress message, to link to it.
const LINK_PATIENCE: Duration = Duration::from_millis(1200);
/// How long Discord waits for the first answer to an interaction.
const ANSWERABLE: SignedDuration = SignedDuration::from_secs(3);
/// How often an id is drawn if it is taken. A second draw is rare already.
const DRAWS: usize = 3;

/// What to do, and to which target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Requested {
    pub(super) kind: Kind,
    pub(super) target: Target,
    /// The name that the person chose for the Snapshot.
    pub(super) snapshot_name: Option<String>,
}

/// The right that is needed to begin an operation of this kind. The kind's command states it for the question, the press and the
/// autocomplete alike.
pub(super) trait NeedsRight {
    const RIGHT: Right;
}

/// The right that is needed to begin an operation of this kind.
pub(super) fn right(kind: &Kind) -> Right {
    fn of<K: NeedsRight>(_: &K) -> Right {
        K::RIGHT
    }
    of_kind!(kind, it => of(it))
}

/// Checks that a new operation may begin here and now.
pub(super) fn check(state: &AppState, info: &InteractionInfo) -> Result<(), Refusal> {
    match state.intake.now() {
        IntakeState::Open => info.check_channel(),
        IntakeState::Draining => Err(Refusal::Draining),
        IntakeState::Standby => Err(Refusal::Standby),
    }
}

/// What must have happened to the first answer before something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needed {
    /// What follows learns the outcome itself, and is withdrawn if Discord refused the answer. Discord is asked first only if the
    /// interaction seems too old.
    Withdrawable,
    /// The answer was not refused. It may have been lost, since what follows harms nobody.
    NotRefused,
    /// Discord accepted the answer, since what follows may overwrite or delete something, or leave a Droplet off.
    Taken,
}

/// Sends the person's answer before anything is done. Nothing is done for a person who reads that the bot did not respond.
pub(super) async fn answered(state: &AppState, info: &InteractionInfo, needed: Needed) -> Result<(), Stop> {
    if needed == Needed::Withdrawable && !seems_over(state, info) {
        return Ok(());
    }
    match info.first.ensure().await {
        FirstAnswer::Taken => Ok(()),
        FirstAnswer::Lost if needed != Needed::Taken => Ok(()),
        FirstAnswer::Lost | FirstAnswer::Refused | FirstAnswer::Awaited => Err(Stop::Unanswered),
    }
}

/// Whether Discord may have given up the interaction by now.
fn seems_over(state: &AppState, info: &InteractionInfo) -> bool {
    state.clock.now().duration_since(info.made_at()) >= ANSWERABLE
}

/// Begins the operation and returns a link to its progress. It needs a Grant of the right that this kind needs, so no operation begins
/// without a check of that right.
pub(super) async fn begin(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    requested: Requested,
) -> Result<String, Stop> {
    begin_announced(state, info, grant, (requested, Announce::default())).await
}

/// Begins an operation as [`begin`] does, when the person chose how people hear about it.
pub(super) async fn begin_announced(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (requested, announce): (Requested, Announce),
) -> Result<String, Stop> {
    let cause = Cause { trigger: info.interaction.into(), consent: None, announce };
    accepted(state, create(state, info, request(state, info, grant, requested)?, cause).await?).await
}

/// Begins an operation that a question confirmed. Only this operation uses up the answer.
pub(super) async fn begin_confirmed(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (requested, announce, consent): (Requested, Announce, &Consent),
) -> Result<String, Stop> {
    let cause = Cause { trigger: info.interaction.into(), consent: Some(consent), announce };
    accepted(state, create(state, info, request(state, info, grant, requested)?, cause).await?).await
}

/// Begins an operation that takes one more Snapshot of a schedule.
pub(super) async fn begin_run(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (requested, consent): (Requested, &Consent),
    schedule: ScheduleId,
) -> Result<String, Stop> {
    let trigger = Trigger::Run { schedule, interaction: info.interaction };
    let cause = Cause { trigger, consent: Some(consent), announce: Announce::default() };
    accepted(state, create(state, info, request(state, info, grant, requested)?, cause).await?).await
}

async fn accepted(state: &AppState, operation: Operation) -> Result<String, Stop> {
    tracing::info!(operation.id = %operation.id, kind = operation.kind.word(), target = operation.target.name, "accepted");
    let progress = state.store.wait_for_progress_message(operation.id, LINK_PATIENCE).await;
    Ok(reply::accepted(&operation, progress))
}

/// The origin of an operation, and how people hear about it.
struct Cause<'a> {
    trigger: Trigger,
    consent: Option<&'a Consent>,
    announce: Announce,
}

async fn create(
    state: &AppState,
    info: &InteractionInfo,
    mut request: NewOperation,
    Cause { trigger, consent, announce }: Cause<'_>,
) -> Result<Operation, Stop> {
    if request.kind.may_turn_off() && request.target.droplet.is_some_and(|droplet| state.own_droplet == Some(droplet)) {
        let droplet = request.target.name;
        return Err(Refusal::OwnDroplet { droplet, may_take_live: request.kind.may_leave_on() }.into());
    }
    check_crowding(state, request.requester.user, 1).await?;
    if matches!(request.kind, Kind::Take { .. }) {
        check_cooldown(state, &request).await?;
    }
    let answering = Answering { first: first_answer(state, info, &request.kind).await?, announce };
    let mut is_in_doubt = false;
    for _ in 0..DRAWS {
        let created = state.store.create_answered(request.clone(), trigger, consent, answering).await;
        match created {
            Ok(operation) => {
                // Commits count changes; this operation was created in that state.
                if operation.begins_a_duty() {
                    metrics::gauge!("snapshot_bot_power_owed").increment(1);
                }
                info.first.awaited_by(first_response::Begun::Operation(operation.id, operation.requester.user));
                return Ok(operation);
            }
            // The answer to the commit may be lost. The same Interaction creates nothing twice, and a repeat returns what it created.
            Err(CreateError::Unavailable(Error::Unavailable(error))) if !is_in_doubt => {
                tracing::warn!(cause = chain(&error), "asking the database once more whether an operation was created");
                is_in_doubt = true;
            }
            Err(CreateError::Unavailable(Error::IdTaken)) => request.id = OperationId::from_random(fastrand::u64(..)),
            Err(CreateError::Unavailable(error)) if is_in_doubt => return Err(Fault::InDoubt(error).into()),
            Err(error) => return not_created(state, info, &request, error).await,
        }
    }
    Err(Error::IdTaken.into())
}

/// The refusal if the store created nothing; for a repeat, the operation that the first time created.
async fn not_created(
    state: &AppState,
    info: &InteractionInfo,
    request: &NewOperation,
    error: CreateError,
) -> Result<Operation, Stop> {
    Err(match error {
        CreateError::Repeated(operation) => {
            let earlier = state.store.operation(operation).await.map_err(Fault::InDoubt)?;
            info.first.awaited_by(first_response::Begun::Operation(operation, request.requester.user));
            return earlier
                .map(|earlier| earlier.operation)
                .ok_or_else(|| Refusal::UnknownOperation { text: operation.to_string() }.into());
        }
        CreateError::AlreadyRunning { operation, progress } => {
            let by = state.occupant(&info.who, operation, progress).await?;
            let what = match request.kind {
                Kind::Take(_) => Some(Begun::Take),
                Kind::Restore(_) => Some(Begun::Restore),
                _ => None,
            };
            let droplet = request.target.droplet;
            let again = what.map(|what| Box::new(Press::Begin { what, droplet }));
            Refusal::Busy { droplet: request.target.name.clone(), by, again }.into()
        }
        CreateError::SnapshotInUse { operation, progress } => {
            Refusal::SnapshotInUse { by: state.occupant(&info.who, operation, progress).await? }.into()
        }
        CreateError::TriedAgain { operation, progress } => {
            Refusal::TriedAgain { by: state.occupant(&info.who, operation, progress).await? }.into()
        }
        CreateError::Unconfirmed(refused) => not_counted(refused).into(),
        // Only a schedule's own planned time waits.
        CreateError::NotWaiting => Error::LeaseLost.into(),
        CreateError::Unavailable(error) => error.into(),
    })
}

/// Checks that a person may have this many `more` operations at work. Their groups count with as many as may be at work at once.
pub(super) async fn check_crowding(state: &AppState, person: UserId, more: usize) -> Result<(), Stop> {
    let most = state.limits.operations;
    if more > most {
        return Err(Refusal::TooManyAtOnce { most }.into());
    }
    let runs = state.store.open_runs().await?;
    let groups = runs.iter().filter(|run| run.plan.schedule.is_none() && run.plan.owner == person);
    let at_work = state.store.count_running_of(person).await? + groups.map(Run::places).sum::<usize>();
    if at_work + more > most { Err(Refusal::TooManyRunning { most }.into()) } else { Ok(()) }
}

/// When the next take of a Droplet may begin, if the last one was a moment ago. A take that still runs is reported by the store.
pub(super) async fn waits_until(state: &AppState, droplet: DropletId) -> Result<Option<Timestamp>, Stop> {
    let Some(cooldown) = state.limits.take_cooldown else { return Ok(None) };
    let Some(last) = state.store.last_take(droplet).await? else { return Ok(None) };
    let until = last.saturating_add(cooldown).unwrap_or(last);
    let is_ahead = until > state.clock.now() && state.store.running_on(droplet).await?.is_none();
    Ok(is_ahead.then_some(until))
}

async fn check_cooldown(state: &AppState, request: &NewOperation) -> Result<(), Stop> {
    let Some(droplet) = request.target.droplet else { return Ok(()) };
    match waits_until(state, droplet).await? {
        Some(until) => Err(Refusal::TakenLately { droplet: request.target.name.clone(), until }.into()),
        None => Ok(()),
    }
}

/// The outcome of the first answer, when an operation is about to be created. Nothing is created if Discord does not accept the answer. If
/// the interaction seems too old, Discord is asked first by deferring it.
async fn first_answer(state: &AppState, info: &InteractionInfo, kind: &Kind) -> Result<FirstAnswer, Stop> {
    let known = match info.first.outcome() {
        None if seems_over(state, info) => Some(info.first.ensure().await),
        known => known,
    };
    match known {
        None | Some(FirstAnswer::Awaited) => Ok(FirstAnswer::Awaited),
        Some(FirstAnswer::Taken) => Ok(FirstAnswer::Taken),
        Some(FirstAnswer::Lost) if !kind.needs_a_sure_answer() => Ok(FirstAnswer::Lost),
        Some(FirstAnswer::Lost | FirstAnswer::Refused) => Err(Stop::Unanswered),
    }
}

/// The refusal for an answer to a question that does not count.
pub(super) fn not_counted(refused: ConfirmationRefused) -> Refusal {
    match refused {
        ConfirmationRefused::Expired => Refusal::QuestionExpired,
        ConfirmationRefused::Used => Refusal::QuestionAnswered,
        ConfirmationRefused::NotYours => Refusal::NotYourQuestion,
        ConfirmationRefused::Unknown => Refusal::UnknownButton,
    }
}

/// The request to the store, under a new id. A Grant of a smaller right than this kind needs is a bug.
pub(super) fn request(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    requested: Requested,
) -> Result<NewOperation, Fault> {
    let Requested { kind, target, snapshot_name } = requested;
    prove(grant, &kind)?;
    Ok(NewOperation {
        id: OperationId::from_random(fastrand::u64(..)),
        kind,
        requester: Requester { user: grant.user(), guild: grant.guild(), channel: info.channel },
        asked_at: state.clock.now(),
        target,
        snapshot_name,
        typical: TypicalDurations::default(),
    })
}

fn prove(grant: &Grant, kind: &Kind) -> Result<(), Fault> {
    let needed = right(kind);
    if grant.covers(needed) {
        Ok(())
    } else {
        Err(Fault::SmallGrant { kind: kind.word(), needed, granted: grant.right() })
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;
    use crate::{
        access::{Person, Policy, Roles},
        operation::ids::GuildId,
    };

    #[test]
    fn a_grant_of_a_smaller_right_begins_nothing() {
        let home = GuildId(1);
        let policy = Policy::new([home], Roles::default());
        let who = Person {
            guild: Some(home),
            user: UserId(7),
            roles: std::collections::BTreeSet::new(),
            administrator: true,
            manage_guild: false,
        };
        for kind in Kind::iter() {
            for granted in Right::ALL {
                let grant = policy.authorize(&who, granted).unwrap();
                assert_eq!(prove(&grant, &kind).is_ok(), granted >= right(&kind), "{} by {granted:?}", kind.word());
            }
        }
    }

    #[test]
    fn what_destroys_or_spends_takes_the_greatest_right() {
        for kind in Kind::iter().filter(Kind::needs_a_sure_answer) {
            assert_eq!(right(&kind), Right::Restore, "{}", kind.word());
        }
    }
}
