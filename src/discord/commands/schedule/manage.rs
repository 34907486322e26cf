//! The commands that act on existing schedules: show, pause, resume, run, take over and remove. The buttons under their messages lead here
//! too.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{
    super::{Context, granted},
    act,
    choices::schedules,
    may_own_one_more, meant, meant_here, pressed, refused, review, run, seen,
    subject::{Pace, Subject},
};
use crate::{
    access::{Grant, Right},
    discord::{
        incident::Fault,
        interaction_info::InteractionInfo,
        messages::{
            help::Help,
            message::Message,
            schedule::{self as words, Cost, Review, ScheduleRefusal},
        },
        responder::{Answer, Stop},
        schedule_facts,
        start::{self, Needed},
        state::AppState,
    },
    operation::ids::ScheduleId,
    schedule::{Owner, Paused, Schedule, State, pruning::Candidate, rule::Rule},
    store::{Deed, ScheduleSnapshot, wanted},
};

/// The length of a pause if none is given.
const DEFAULT_PAUSE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The longest pause. To end a schedule permanently, people remove it.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(366 * 24);

const fn help(name: &'static str, right: Right, to: &'static str, does: &'static str) -> Help {
    Help { name, right, to, does }
}

pub(in crate::discord) const LIST: Help =
    help("schedule list", Right::View, "see schedules", "shows all schedules and when each runs next");
pub(in crate::discord) const SHOW: Help =
    help("schedule show", Right::View, "see schedules", "shows a schedule's newest Snapshot and next run");
pub(in crate::discord) const PREVIEW: Help =
    help("schedule preview", Right::View, "see schedules", "shows which Snapshots a schedule keeps, and why");
pub(in crate::discord) const RUN: Help =
    help("schedule run", Right::Restore, "run schedules", "takes a schedule's next Snapshot now; asks first");
pub(in crate::discord) const PAUSE: Help =
    help("schedule pause", Right::Restore, "pause schedules", "stops a schedule, for a week by default");
pub(in crate::discord) const RESUME: Help =
    help("schedule resume", Right::Restore, "resume schedules", "starts a paused schedule again");
pub(in crate::discord) const TAKE_OVER: Help =
    help("schedule take-over", Right::Restore, "take schedules over", "makes you a schedule's owner");
pub(in crate::discord) const REMOVE: Help =
    help("schedule remove", Right::Restore, "remove schedules", "ends a schedule, keeps its Snapshots; asks first");

/// Show all schedules
#[poise::command(slash_command)]
pub(super) async fn list(context: Context<'_>) -> Result<(), Fault> {
    let state = context.framework.user_data;
    granted(context, LIST, |info, _| {
        Box::pin(async move {
            let now = state.clock.now();
            let next = |schedule: Schedule| {
                let next = schedule.rule.next_after(now.max(schedule.floor));
                (schedule, next)
            };
            let all: Vec<_> = seen(state, &info.who).await?.into_iter().map(next).collect();
            Ok::<_, Stop>(Answer::New(words::list(&all, info.who.guild)))
        })
    })
    .await;
    Ok(())
}

/// Show a schedule: newest Snapshot, next run, what it keeps
#[poise::command(slash_command)]
pub(super) async fn show(
    context: Context<'_>,
    #[description = "The schedule"]
    #[autocomplete = "schedules"]
    schedule: String,
) -> Result<(), Fault> {
    let state = context.framework.user_data;
    granted(context, SHOW, |info, _| {
        Box::pin(async move {
            let schedule = meant(state, &info.who, &schedule).await?;
            let now = state.clock.now();
            if info.who.guild != Some(schedule.guild) {
                let next = schedule.rule.next_after(now.max(schedule.floor));
                return Ok(Answer::New(words::elsewhere(&schedule, next)));
            }
            let standing = schedule_facts::of(&state.store, &schedule, now).await?;
            let said = words::status(&standing, &state.wording);
            // Buttons belong to the message in the channel.
            Ok::<_, Stop>(Answer::New(Message { buttons: Vec::new(), menus: Vec::new(), ..said }))
        })
    })
    .await;
    Ok(())
}

/// Show what a schedule keeps, and why
#[poise::command(slash_command)]
pub(super) async fn preview(
    context: Context<'_>,
    #[description = "The schedule"]
    #[autocomplete = "schedules"]
    schedule: String,
) -> Result<(), Fault> {
    let state = context.framework.user_data;
    granted(context, PREVIEW, |info, _| {
        Box::pin(async move {
            let schedule = meant_here(state, &info.who, &schedule).await?;
            let now = state.clock.now();
            Ok::<_, Stop>(Answer::New(previewed(state, schedule, now).await?))
        })
    })
    .await;
    Ok(())
}

/// What a schedule would do, as its review shows it, and what it would delete.
async fn previewed(state: &Arc<AppState>, schedule: Schedule, now: Timestamp) -> Result<Message, Stop> {
    let standing = schedule_facts::of(&state.store, &schedule, now).await?;
    let candidates: Vec<Candidate> = standing.snapshots.iter().map(ScheduleSnapshot::candidate).collect();
    let sources = schedule.sources(&state.store.restores(schedule.id).await?, &candidates, now);
    let decisions = schedule.decisions(&wanted(&standing.snapshots, &sources), now);
    // The preview is shown even if the Droplet is gone or no Droplet has the tag.
    let subject = Subject::changed(state, &schedule, None, &Pace::default(), (&schedule).into()).await.ok();
    let review = Review {
        schedule: &schedule,
        cost: subject.as_ref().map_or(Cost::Unknown, |subject| subject.cost),
        downtime: subject.as_ref().and_then(|subject| subject.downtime),
        members: subject.as_ref().and_then(|subject| subject.members.as_ref()),
        edit: None,
        backup_window: subject.as_ref().and_then(|subject| subject.backup_window),
        replaced: subject.as_ref().and_then(|subject| subject.replaced),
        now,
    };
    Ok(words::preview((&standing, &decisions), &sources, &review, state.wording.price_per_gb))
}

/// Take one more Snapshot of a schedule now
#[poise::command(slash_command)]
pub(super) async fn run(
    context: Context<'_>,
    #[description = "The schedule"]
    #[autocomplete = "schedules"]
    schedule: String,
) -> Result<(), Fault> {
    let state = context.framework.user_data;
    granted(context, RUN, |info, grant| {
        Box::pin(async move {
            let schedule = meant_here(state, &info.who, &schedule).await?;
            run::question(state, &info, &grant, schedule.id).await
        })
    })
    .await;
    Ok(())
}

/// Stop a schedule for a while
#[poise::command(slash_command)]
pub(super) async fn pause(
    context: Context<'_>,
    #[description = "The schedule"]
    #[autocomplete = "schedules"]
    schedule: String,
    #[description = "Until when: 7d (default), 12h, or a date such as 2026-12-24"]
    #[max_length = 20]
    until: Option<String>,
) -> Result<(), Fault> {
    let state = context.framework.user_data;
    granted(context, PAUSE, |info, grant| {
        Box::pin(async move {
            // This also works from another guild, since all guilds share the account.
            let schedule = meant(state, &info.who, &schedule).await?;
            let until = end_of_pause(until.as_deref(), &schedule.rule, state.clock.now())?;
            start::answered(state, &info, Needed::NotRefused).await?;
            let paused = State::Paused { until: Some(until), why: Paused::By(grant.user()) };
            let act = act(&grant, Deed::Paused);
            let changed = state.store.change_schedule_by(schedule.id, act, |schedule| schedule.state = paused).await?;
            let changed = changed.ok_or_else(|| gone(schedule.id))?;
            tracing::info!(schedule.id = %schedule.id, user.id = %grant.user(), "paused a schedule");
            Ok::<_, Stop>(words::paused_until(&changed, until))
        })
    })
    .await;
    Ok(())
}

/// Start a paused schedule again
#[poise::command(slash_command)]
pub(super) async fn resume(
    context: Context<'_>,
    #[description = "The schedule"]
    #[autocomplete = "schedules"]
    schedule: String,
) -> Result<(), Fault> {
    let state = context.framework.user_data;
    granted(context, RESUME, |info, grant| {
        Box::pin(async move {
            let schedule = meant_here(state, &info.who, &schedule).await?;
            start::answered(state, &info, Needed::NotRefused).await?;
            let now = state.clock.now();
            let act = act(&grant, Deed::Resumed);
            let resumed = state.store.change_schedule_by(schedule.id, act, |schedule| end_pause(schedule, now)).await?;
            let resumed = resumed.ok_or_else(|| gone(schedule.id))?;
            tracing::info!(schedule.id = %schedule.id, user.id = %grant.user(), "resumed a schedule");
            Ok::<_, Stop>(words::resumed(&resumed, now))
        })
    })
    .await;
    Ok(())
}

/// Become the owner of a schedule
#[poise::command(slash_command, rename = "take-over")]
pub(super) async fn take_over_command(
    context: Context<'_>,
    #[description = "The schedule"]
    #[autocomplete = "schedules"]
    schedule: String,
) -> Result<(), Fault> {
    let state = context.framework.user_data;
    granted(context, TAKE_OVER, |info, grant| {
        Box::pin(async move {
            let schedule = meant_here(state, &info.who, &schedule).await?;
            start::answered(state, &info, Needed::NotRefused).await?;
            take_over(state, &info, &grant, schedule.id).await
        })
    })
    .await;
    Ok(())
}

/// End a schedule and keep its Snapshots
#[poise::command(slash_command)]
pub(super) async fn remove(
    context: Context<'_>,
    #[description = "The schedule"]
    #[autocomplete = "schedules"]
    schedule: String,
) -> Result<(), Fault> {
    let state = context.framework.user_data;
    granted(context, REMOVE, |info, grant| {
        Box::pin(async move {
            start::check(state, &info)?;
            let schedule = meant_here(state, &info.who, &schedule).await?;
            review::ask_to_remove(state, &grant, &schedule).await
        })
    })
    .await;
    Ok(())
}

/// Makes this person the owner. A schedule that had stopped because it had no owner continues.
pub(in crate::discord) async fn take_over(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: ScheduleId,
) -> Result<Answer, Stop> {
    let schedule = pressed(state, &info.who, id).await?;
    let (owner, now) = (grant.user(), state.clock.now());
    if schedule.owner.user == owner && schedule.owner.lost_since.is_none() {
        return Err(refused(ScheduleRefusal::OwnAlready { owner }));
    }
    if schedule.owner.user != owner {
        may_own_one_more(state, grant).await?;
    }
    let taken = |schedule: &mut Schedule| {
        schedule.owner = Owner::new(owner, now);
        if matches!(schedule.state, State::Paused { why: Paused::OwnerLost, .. }) {
            end_pause(schedule, now);
        } else {
            schedule.floor = schedule.floor.max(now);
        }
    };
    let act = act(grant, Deed::TookOver);
    let changed = state.store.change_schedule_by(id, act, taken).await?.ok_or_else(|| gone(id))?;
    tracing::info!(schedule.id = %id, user.id = %owner, "took a schedule over");
    Ok(words::taken_over(&changed).into())
}

fn end_pause(schedule: &mut Schedule, now: Timestamp) {
    if schedule.state != State::Active {
        schedule.resume(now);
    }
}

pub(super) fn gone(id: ScheduleId) -> Stop {
    refused(ScheduleRefusal::Unknown { typed: id.to_string() })
}

/// The end of a typed pause: that many days or hours from now, or the beginning of a day in the schedule's time zone.
fn end_of_pause(typed: Option<&str>, rule: &Rule, now: Timestamp) -> Result<Timestamp, Stop> {
    let until = match typed.map(str::trim).filter(|typed| !typed.is_empty()) {
        None => now.checked_add(DEFAULT_PAUSE).ok(),
        Some(typed) => {
            let hours = |number: &str, each: i64| number.trim().parse::<i64>().ok()?.checked_mul(each);
            let lower = typed.to_lowercase();
            let in_hours = lower.strip_suffix('d').and_then(|days| hours(days, 24));
            let in_hours = in_hours.or_else(|| lower.strip_suffix('h').and_then(|number| hours(number, 1)));
            match in_hours {
                Some(number) if (1..=366 * 24).contains(&number) => {
                    now.checked_add(SignedDuration::from_hours(number)).ok()
                }
                Some(_) => None,
                None => typed
                    .parse::<Date>()
                    .ok()
                    .and_then(|date| date.to_zoned(rule.time_zone()).ok())
                    .map(|zoned| zoned.timestamp()),
            }
        }
    };
    let latest = now.checked_add(LONGEST_PAUSE).unwrap_or(Timestamp::MAX);
    until
        .filter(|until| *until > now && *until <= latest)
        .ok_or_else(|| refused(ScheduleRefusal::Until { typed: typed.unwrap_or_default().to_owned() }))
}
