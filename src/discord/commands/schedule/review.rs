//! Reviews: what somebody is shown before a schedule is added, run or removed, and what happens when they say yes.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{pressed, refused};
use crate::{
    access::Grant,
    discord::{
        interaction_info::InteractionInfo,
        lookup,
        messages::{
            confirm::Buttons,
            message::Message,
            refusal::Refusal,
            schedule::{self as words, Cost, Review, ScheduleRefusal},
        },
        responder::{Answer, Stop},
        start::{self, Requested},
        state::AppState,
    },
    inventory::BackupWindow,
    operation::{
        Target,
        ids::ScheduleId,
        kinds::{Downtime, IfHung, Kind, Take},
        step::Task,
    },
    schedule::{Owner, Power, Schedule, State},
    store::{AddError, Confirmation, ConfirmationRefused, Consent},
};

/// How long a review stays open: Discord's own limit for answering is 15 minutes.
const OPEN: SignedDuration = SignedDuration::from_mins(14);

/// What a review is about.
#[derive(Debug, Serialize, Deserialize)]
enum Draft {
    /// Add it.
    Add(Box<Schedule>),
    /// Take one more Snapshot.
    Run(ScheduleId),
    /// Remove it.
    Remove(ScheduleId),
}

async fn ask(
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

/// Shows what a schedule would do.
pub(super) async fn ask_to_add(
    state: &AppState,
    grant: &Grant,
    schedule: Schedule,
    (cost, backup_window): (Cost, Option<BackupWindow>),
) -> Result<Answer, Stop> {
    let now = state.clock.now();
    let draft = Draft::Add(Box::new(schedule.clone()));
    let price = state.wording.price_per_gb;
    let usual = state.store.usual(Some(schedule.droplet)).await?;
    let around = || [Task::ShutDown, Task::PowerOn].into_iter().filter_map(|task| usual.of(task));
    let downtime = usual.of(Task::Snapshot).map(|snapshot| around().fold(snapshot, |sum, part| sum + part));
    ask(state, grant, &draft, |buttons| {
        words::review(&Review { schedule: &schedule, cost, downtime, backup_window, now }, price, buttons)
    })
    .await
}

/// Asks whether one more Snapshot shall be taken now. Also what *Try again* does.
pub(in crate::discord) async fn ask_to_run(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: ScheduleId,
) -> Result<Answer, Stop> {
    start::check(state, info)?;
    let schedule = pressed(state, &info.who, id).await?;
    ask(state, grant, &Draft::Run(id), |buttons| words::review_run(&schedule, buttons)).await
}

/// Asks whether a schedule shall be removed.
pub(super) async fn ask_to_remove(state: &AppState, grant: &Grant, schedule: &Schedule) -> Result<Answer, Stop> {
    let snapshots = state.store.schedule_snapshots(schedule.id).await?;
    let sizes = snapshots.iter().filter_map(|snapshot| snapshot.size).sum();
    let price = state.wording.price_per_gb;
    let heirs = heirs(state, schedule).await?;
    ask(state, grant, &Draft::Remove(schedule.id), |buttons| {
        words::review_removal(schedule, (snapshots.len(), sizes), &heirs, price, buttons)
    })
    .await
}

/// The other schedules of its Droplet in its guild.
async fn heirs(state: &AppState, schedule: &Schedule) -> Result<Vec<Schedule>, Stop> {
    let all = state.store.schedules_of(schedule.guild).await?.into_iter().map(|stored| stored.schedule);
    Ok(all.filter(|other| other.id != schedule.id && other.droplet == schedule.droplet).collect())
}

/// Removes a schedule under its review, and gives its Snapshots to the one that was chosen.
pub(in crate::discord) async fn hand_over(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: crate::store::ConfirmationId,
) -> Result<Answer, Stop> {
    start::check(state, info)?;
    let consent = consent(state, info, grant, id);
    let draft = match state.store.confirmation(&consent).await? {
        Ok(what) => serde_json::from_str(&what)?,
        Err(why) => return Err(not_counted(why)),
    };
    let Draft::Remove(id) = draft else { return Err(Refusal::UnknownButton.into()) };
    let schedule = pressed(state, &info.who, id).await?;
    let chosen: Option<ScheduleId> = info.chosen.first().and_then(|value| value.parse().ok());
    let heir = heirs(state, &schedule).await?.into_iter().find(|heir| Some(heir.id) == chosen);
    let heir = heir.ok_or_else(|| refused(ScheduleRefusal::NoHeir))?;
    state.store.close_confirmation(&consent).await?.map_err(not_counted)?;
    // First, so that a crash in between leaves a schedule that can be removed again.
    let count = state.store.hand_over(id, heir.id).await?;
    state.store.change_schedule(id, |schedule| schedule.state = State::Removed).await?;
    tracing::info!(schedule.id = %id, heir.id = %heir.id, user.id = %grant.user(), count, "handed a schedule's Snapshots over");
    Ok(Answer::Instead(Message::text(words::handed_over(&schedule, &heir, count))))
}

fn consent(state: &AppState, info: &InteractionInfo, grant: &Grant, id: crate::store::ConfirmationId) -> Consent {
    Consent {
        id,
        by: grant.user(),
        guild: grant.guild(),
        at: state.clock.now(),
        interaction: info.interaction,
        retries: None,
    }
}

/// Yes was pressed under a review.
pub(in crate::discord) async fn confirmed(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: crate::store::ConfirmationId,
) -> Result<Answer, Stop> {
    start::check(state, info)?;
    let consent = consent(state, info, grant, id);
    let draft = match state.store.confirmation(&consent).await? {
        Ok(what) => serde_json::from_str(&what)?,
        Err(why) => return Err(not_counted(why)),
    };
    let said = match draft {
        Draft::Add(schedule) => add(state, grant, *schedule, &consent).await?,
        Draft::Run(id) => {
            let schedule = pressed(state, &info.who, id).await?;
            let requested = Requested { kind: take(&schedule), target: target(&schedule), snapshot_name: None };
            start::begin_run(state, info, grant, (requested, &consent), id).await?
        }
        Draft::Remove(id) => {
            let schedule = pressed(state, &info.who, id).await?;
            state.store.close_confirmation(&consent).await?.map_err(not_counted)?;
            state.store.change_schedule(id, |schedule| schedule.state = State::Removed).await?;
            tracing::info!(schedule.id = %id, user.id = %grant.user(), "removed a schedule");
            words::removed(&schedule)
        }
    };
    Ok(Answer::Instead(Message::text(said)))
}

/// Adds it, from this moment on: what lies before is nobody's. The Droplet is looked at once more.
async fn add(state: &AppState, grant: &Grant, draft: Schedule, consent: &Consent) -> Result<String, Stop> {
    let text = draft.droplet.to_string();
    let found = state.inventory.resolve_droplet(&text).await;
    let droplet = found.map_err(|unresolved| lookup::no_droplet(&text, unresolved))?;
    let now = state.clock.now();
    let schedule = Schedule {
        droplet_name: droplet.name,
        owner: Owner::new(grant.user(), now),
        created_at: now,
        floor: now,
        ..draft
    };
    match state.store.add_schedule(&schedule, consent).await {
        Ok(()) => {}
        Err(AddError::Unconfirmed(why)) => return Err(not_counted(why)),
        Err(AddError::Unavailable(error)) => return Err(error.into()),
    }
    tracing::info!(schedule.id = %schedule.id, droplet.id = %schedule.droplet, user.id = %grant.user(), "added a schedule");
    Ok(words::added(&schedule, now))
}

fn not_counted(why: ConfirmationRefused) -> Stop {
    match why {
        ConfirmationRefused::Expired => refused(ScheduleRefusal::Expired),
        other => start::not_counted(other).into(),
    }
}

fn take(schedule: &Schedule) -> Kind {
    Kind::Take(Take {
        power: match schedule.power {
            Power::Off => Downtime::PowerOff,
            Power::Live => Downtime::None,
        },
        // A person is there who can be asked.
        if_hung: IfHung::Ask,
    })
}

fn target(schedule: &Schedule) -> Target {
    Target { droplet: Some(schedule.droplet), name: schedule.droplet_name.clone(), region: None, disk_gb: None }
}

impl From<ScheduleRefusal> for Refusal {
    fn from(refusal: ScheduleRefusal) -> Self {
        Self::Schedule(refusal)
    }
}
