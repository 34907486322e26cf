//! Reviews: what a person reads before a schedule is added, edited or removed, and what happens when they confirm.

use super::{
    act,
    draft::{Draft, ask, not_counted},
    pressed, refused, run,
    subject::Subject,
};
use crate::{
    access::Grant,
    discord::{
        first_response::Begun,
        interaction_info::InteractionInfo,
        lookup,
        messages::{
            message::Message,
            refusal::Refusal,
            schedule::{self as words, Review, ScheduleRefusal},
        },
        responder::{Answer, Stop},
        start::{self, Needed},
        state::AppState,
    },
    operation::ids::{DropletId, ScheduleId},
    schedule::{MOST_OWNED, Owner, Paused, Schedule, State, hung_shutdowns::HungShutdowns, pruning::Candidate},
    store::{AddError, Consent, Deed, Error, ScheduleSnapshot},
};

/// How often an edit is retried when the schedule changes at the same time.
const ATTEMPTS: usize = 8;

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

/// Shows what an edited schedule would do, and which Snapshots it would no longer keep.
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
        replaced: subject.replaced,
        now: state.clock.now(),
    };
    ask(state, grant, draft, |buttons| words::review(&review, price, buttons)).await
}

/// How many more Snapshots the edited schedule would no longer keep.
async fn narrowed_by(state: &AppState, was: &Schedule, edited: &Schedule) -> Result<usize, Stop> {
    let known = state.store.schedule_snapshots(was.id).await?;
    let candidates: Vec<Candidate> = known.iter().map(ScheduleSnapshot::candidate).collect();
    Ok(was.narrowed_by(edited, &candidates, state.clock.now()))
}

/// Asks whether to remove a schedule.
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

/// The other schedules in the guild for the same Droplet, or the same tag.
async fn heirs(state: &AppState, schedule: &Schedule) -> Result<Vec<Schedule>, Stop> {
    let all = state.store.schedules_of(schedule.guild).await?.into_iter().map(|stored| stored.schedule);
    Ok(all.filter(|other| other.id != schedule.id && takes_the_same(other, schedule)).collect())
}

/// Whether two schedules take Snapshots of the same Droplet, or of the Droplets with the same tag.
fn takes_the_same(one: &Schedule, other: &Schedule) -> bool {
    let tag = |schedule: &Schedule| schedule.group.as_ref().map(|group| group.tag.clone());
    one.droplet == other.droplet && tag(one) == tag(other)
}

/// Removes a schedule under its review, and hands its Snapshots over to the chosen one.
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
    // The handover comes first, so that a crash in between leaves a schedule that can be removed again.
    let count = state.store.hand_over(id, heir.id).await?;
    let act = act(grant, Deed::HandedOver(heir.id));
    state.store.change_schedule_by(id, act, |schedule| schedule.state = State::Removed).await?;
    tracing::info!(schedule.id = %id, heir.id = %heir.id, user.id = %grant.user(), count, "handed a schedule's Snapshots over");
    Ok(Answer::Instead(Message::text(words::handed_over(&schedule, &heir, count))))
}

/// The subject of a review, if confirming it would still count.
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

/// Handles the confirmation of a review.
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
        Draft::Run(id) => return run::begin(state, info, grant, (id, &consent)).await,
        Draft::TryAgain { schedule, failed } => {
            let consent = Consent { retries: Some(failed), ..consent };
            return run::begin(state, info, grant, (schedule, &consent)).await;
        }
        Draft::Remove(id) => {
            let schedule = pressed(state, &info.who, id).await?;
            // Unlike a new schedule, one that was removed is not taken back.
            start::answered(state, info, Needed::NotRefused).await?;
            state.store.close_confirmation(&consent).await?.map_err(not_counted)?;
            let act = act(grant, Deed::Removed);
            state.store.change_schedule_by(id, act, |schedule| schedule.state = State::Removed).await?;
            tracing::info!(schedule.id = %id, user.id = %grant.user(), "removed a schedule");
            words::removed(&schedule)
        }
    };
    Ok(Answer::Instead(Message::text(said)))
}

/// Adds the schedule. Planned times before this moment do not count. The bot looks at the Droplet again first.
async fn add(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (draft, consent): (Schedule, &Consent),
) -> Result<String, Stop> {
    let droplet_name = match &draft.group {
        // The members are looked up at each run.
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

/// The name of the Droplet, if it still exists.
async fn look_again(state: &AppState, droplet: DropletId) -> Result<String, Stop> {
    let text = droplet.to_string();
    let found = state.inventory.resolve_droplet(&text).await;
    Ok(found.map_err(|unresolved| lookup::no_droplet(&text, unresolved))?.name)
}

/// Changes a schedule as reviewed, if it has not changed since the review. Planned times before this moment do not count.
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
            (it.droplet, group, rule, it.power, it.if_hung, it.keep, it.warn, address)
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
            warn: edited.warn,
            floor: present.floor.max(now),
            ..present.clone()
        };
        schedule.watched.hear_at(edited.watched.ping_url.clone());
        schedule.narrowed = narrowed_by(state, &present, &schedule).await? > 0;
        if is_rebound {
            // The hung shutdowns were those of another Droplet.
            schedule.watched.hangs = HungShutdowns::default();
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

impl From<ScheduleRefusal> for Refusal {
    fn from(refusal: ScheduleRefusal) -> Self {
        Self::Schedule(refusal)
    }
}
