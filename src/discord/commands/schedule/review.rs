//! Reviews: what somebody is shown before a schedule is added, run or removed, and what happens when they say yes.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    act, pressed, refused,
    subject::{self, Subject},
};
use crate::{
    access::Grant,
    discord::{
        first_response::Begun,
        interaction_info::InteractionInfo,
        lookup,
        messages::{
            confirm::Buttons,
            message::Message,
            refusal::Refusal,
            schedule::{self as words, Review, ScheduleRefusal},
        },
        responder::{Answer, Stop},
        start::{self, Requested},
        state::AppState,
    },
    operation::{
        Target,
        ids::{DropletId, RunId, ScheduleId},
        kinds::{Downtime, IfHung, Kind, Take},
    },
    schedule::{
        MOST_OWNED, Owner, Paused, Power, Schedule, State, group::Group, hangs::Hangs, pruning::Candidate, run::Plan,
    },
    store::{AddError, Confirmation, ConfirmationRefused, Consent, Deed, Error, RunError, ScheduleSnapshot},
};

/// How long a review stays open: Discord's own limit for answering is 15 minutes.
const OPEN: SignedDuration = SignedDuration::from_mins(14);

/// How often an edit is tried again when the schedule changed under its hands.
const ATTEMPTS: usize = 8;

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
    subject: &Subject,
) -> Result<Answer, Stop> {
    let draft = Draft::Add(Box::new(schedule.clone()));
    show(state, grant, (&draft, &schedule), subject, None).await
}

/// Shows what an edited schedule would do, and what it would not keep any more.
pub(super) async fn ask_to_edit(
    state: &AppState,
    grant: &Grant,
    (was, edited): (Schedule, Schedule),
    subject: &Subject,
) -> Result<Answer, Stop> {
    let edit = words::Edit {
        drops: narrowed_by(state, &was, &edited).await?,
        is_rebound: was.droplet != edited.droplet
            || (edited.group.is_some() && was.droplet_name != edited.droplet_name),
    };
    let draft = Draft::Edit { was: Box::new(was), edited: Box::new(edited.clone()) };
    show(state, grant, (&draft, &edited), subject, Some(edit)).await
}

async fn show(
    state: &AppState,
    grant: &Grant,
    (draft, schedule): (&Draft, &Schedule),
    subject: &Subject,
    edit: Option<words::Edit>,
) -> Result<Answer, Stop> {
    let price = state.wording.price_per_gb;
    let review = Review {
        schedule,
        cost: subject.cost,
        downtime: subject.downtime,
        members: subject.members.as_ref(),
        edit,
        backup_window: subject.backup_window,
        now: state.clock.now(),
    };
    ask(state, grant, draft, |buttons| words::review(&review, price, buttons)).await
}

/// How many Snapshots more an edited schedule does not want.
async fn narrowed_by(state: &AppState, was: &Schedule, edited: &Schedule) -> Result<usize, Stop> {
    let known = state.store.schedule_snapshots(was.id).await?;
    let candidates: Vec<Candidate> = known.iter().map(ScheduleSnapshot::candidate).collect();
    Ok(was.narrowed_by(edited, &candidates, state.clock.now()))
}

/// Asks whether one more Snapshot is to be taken now. Also what *Try again* does.
pub(in crate::discord) async fn ask_to_run(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: ScheduleId,
) -> Result<Answer, Stop> {
    start::check(state, info)?;
    let schedule = pressed(state, &info.who, id).await?;
    let members = match &schedule.group {
        Some(group) => Some(subject::members_now(state, group, schedule.power, None).await?.1),
        None => None,
    };
    ask(state, grant, &Draft::Run(id), |buttons| words::review_run(&schedule, members.as_ref(), buttons)).await
}

/// Asks whether a schedule is to be removed.
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

/// The other schedules of its Droplet, or of its tag, in its guild.
async fn heirs(state: &AppState, schedule: &Schedule) -> Result<Vec<Schedule>, Stop> {
    let all = state.store.schedules_of(schedule.guild).await?.into_iter().map(|stored| stored.schedule);
    Ok(all.filter(|other| other.id != schedule.id && takes_the_same(other, schedule)).collect())
}

/// Whether two schedules take Snapshots of the same Droplet, or of all with the same tag.
fn takes_the_same(one: &Schedule, other: &Schedule) -> bool {
    let tag = |schedule: &Schedule| schedule.group.as_ref().map(|group| group.tag.clone());
    one.droplet == other.droplet && tag(one) == tag(other)
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
    let draft = draft(state, &consent).await?;
    let Draft::Remove(id) = draft else { return Err(Refusal::UnknownButton.into()) };
    let schedule = pressed(state, &info.who, id).await?;
    let chosen: Option<ScheduleId> = info.chosen.first().and_then(|value| value.parse().ok());
    let heir = heirs(state, &schedule).await?.into_iter().find(|heir| Some(heir.id) == chosen);
    let heir = heir.ok_or_else(|| refused(ScheduleRefusal::NoHeir))?;
    state.store.close_confirmation(&consent).await?.map_err(not_counted)?;
    // First, so that a crash in between leaves a schedule that can be removed again.
    let count = state.store.hand_over(id, heir.id).await?;
    let act = act(grant, Deed::HandedOver(heir.id));
    state.store.change_schedule_by(id, act, |schedule| schedule.state = State::Removed).await?;
    tracing::info!(schedule.id = %id, heir.id = %heir.id, user.id = %grant.user(), count, "handed a schedule's Snapshots over");
    Ok(Answer::Instead(Message::text(words::handed_over(&schedule, &heir, count))))
}

/// What a review is about, where a yes to it would count.
pub(super) async fn draft(state: &AppState, consent: &Consent) -> Result<Draft, Stop> {
    match state.store.confirmation(consent).await? {
        Ok(what) => Ok(serde_json::from_str(&what)?),
        Err(why) => Err(not_counted(why)),
    }
}

pub(super) fn consent(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: crate::store::ConfirmationId,
) -> Consent {
    Consent {
        id,
        by: grant.user(),
        guild: grant.guild(),
        at: info.pressed_at(state.clock.now()),
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
    let draft = draft(state, &consent).await?;
    let said = match draft {
        Draft::Add(schedule) => add(state, info, grant, (*schedule, &consent)).await?,
        Draft::Edit { was, edited } => edit(state, info, (&was, &edited), &consent).await?,
        Draft::Run(id) => {
            let schedule = pressed(state, &info.who, id).await?;
            if let Some(group) = &schedule.group {
                return run_group(state, info, (&schedule, group), &consent).await;
            }
            let requested = Requested { kind: take(&schedule), target: target(&schedule), snapshot_name: None };
            start::begin_run(state, info, grant, (requested, &consent), id).await?
        }
        Draft::Remove(id) => {
            let schedule = pressed(state, &info.who, id).await?;
            state.store.close_confirmation(&consent).await?.map_err(not_counted)?;
            let act = act(grant, Deed::Removed);
            state.store.change_schedule_by(id, act, |schedule| schedule.state = State::Removed).await?;
            tracing::info!(schedule.id = %id, user.id = %grant.user(), "removed a schedule");
            words::removed(&schedule)
        }
    };
    Ok(Answer::Instead(Message::text(said)))
}

/// Adds it, from this moment on: what lies before is nobody's. The Droplet is looked at once more.
async fn add(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (draft, consent): (Schedule, &Consent),
) -> Result<String, Stop> {
    let droplet_name = match &draft.group {
        // Who is in it is looked up at each run.
        Some(group) => group.label(),
        None => look_again(state, draft.droplet).await?,
    };
    let now = state.clock.now();
    let schedule =
        Schedule { droplet_name, owner: Owner::new(grant.user(), now), created_at: now, floor: now, ..draft };
    match state.store.add_schedule(&schedule, consent).await {
        Ok(()) => info.first.awaited_by(Begun::Schedule(schedule.id, None)),
        Err(AddError::TooMany) => return Err(refused(ScheduleRefusal::TooMany { most: MOST_OWNED })),
        Err(AddError::Unconfirmed(why)) => return Err(not_counted(why)),
        Err(AddError::Unavailable(error)) => return Err(error.into()),
    }
    tracing::info!(schedule.id = %schedule.id, droplet.id = %schedule.droplet, user.id = %grant.user(), "added a schedule");
    Ok(words::added(&schedule, now))
}

/// The name of a Droplet that is still there.
async fn look_again(state: &AppState, droplet: DropletId) -> Result<String, Stop> {
    let text = droplet.to_string();
    let found = state.inventory.resolve_droplet(&text).await;
    Ok(found.map_err(|unresolved| lookup::no_droplet(&text, unresolved))?.name)
}

/// Makes a schedule what was reviewed, if it still is what it was then. Planned times before this moment are nobody's.
async fn edit(
    state: &AppState,
    info: &InteractionInfo,
    (was, edited): (&Schedule, &Schedule),
    consent: &Consent,
) -> Result<String, Stop> {
    let (now, is_rebound) = (state.clock.now(), was.droplet != edited.droplet);
    let droplet_name = match &edited.group {
        None if is_rebound => look_again(state, edited.droplet).await?,
        Some(_) | None => edited.droplet_name.clone(),
    };
    for _ in 0..ATTEMPTS {
        let present = pressed(state, &info.who, was.id).await?;
        let Some(stored) = state.store.schedule(was.id).await? else { continue };
        if stored.schedule != present {
            continue;
        }
        let settings = |it: &Schedule| {
            let (group, rule, address) = (it.group.clone(), it.rule.clone(), it.watched.ping_url.clone());
            (it.droplet, group, rule, it.power, it.if_hung, it.keep, address)
        };
        if settings(&present) != settings(was) {
            return Err(refused(ScheduleRefusal::ChangedMeanwhile));
        }
        let mut schedule = Schedule {
            droplet: edited.droplet,
            droplet_name: droplet_name.clone(),
            group: edited.group.clone(),
            rule: edited.rule.clone(),
            power: edited.power,
            if_hung: edited.if_hung,
            keep: edited.keep,
            floor: present.floor.max(now),
            ..present.clone()
        };
        schedule.watched.hear_at(edited.watched.ping_url.clone());
        schedule.narrowed = narrowed_by(state, &present, &schedule).await? > 0;
        if is_rebound {
            // What hung was another Droplet.
            schedule.watched.hangs = Hangs::default();
        }
        if is_rebound && matches!(schedule.state, State::Paused { why: Paused::DropletGone, .. }) {
            schedule.resume(now);
        }
        match state.store.edit_schedule(&stored, &schedule, consent).await {
            Ok(()) => {
                info.first.awaited_by(Begun::Schedule(schedule.id, Some(Box::new(present))));
                tracing::info!(schedule.id = %schedule.id, user.id = %consent.by, "edited a schedule");
                return Ok(words::edited(&schedule, now));
            }
            Err(AddError::Unavailable(Error::LeaseLost)) => {}
            Err(AddError::TooMany) => return Err(refused(ScheduleRefusal::TooMany { most: MOST_OWNED })),
            Err(AddError::Unconfirmed(why)) => return Err(not_counted(why)),
            Err(AddError::Unavailable(error)) => return Err(error.into()),
        }
    }
    Err(Error::Locked.into())
}

/// Begins a run of a group now, next to its planned times.
async fn run_group(
    state: &AppState,
    info: &InteractionInfo,
    (schedule, group): (&Schedule, &Group),
    consent: &Consent,
) -> Result<Answer, Stop> {
    let (gathered, _) = subject::members_now(state, group, schedule.power, None).await?;
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

pub(super) fn not_counted(why: ConfirmationRefused) -> Stop {
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
