//! `/schedule`: Snapshots that are taken automatically. A change with a lasting effect is reviewed first. The subject of a review is
//! stored, so its button works after a restart, and only once.

mod add;
pub(super) mod choices;
pub(super) mod cost;
mod draft;
mod edit;
mod forms;
mod manage;
mod presses;
mod review;
mod run;
pub(super) mod subject;

use std::sync::Arc;

use super::{Context, answer};
use crate::{
    access::{Grant, Person, Right},
    discord::{
        incident::Fault,
        messages::{choice, refusal::Refusal, schedule::ScheduleRefusal},
        responder::{Answer, Stop},
        state::AppState,
    },
    inventory::Droplet,
    schedule::{MOST_OWNED, Schedule, State},
    store::{Act, Deed},
};

pub(in crate::discord) use forms::{filled, form};
pub(in crate::discord) use manage::take_over;
pub(in crate::discord) use presses::{answer_hangs, delete_many, keep, prune_again, rely_on};
pub(in crate::discord) use review::{confirmed, hand_over};
pub(in crate::discord) use run::try_again;

pub(in crate::discord) use add::HELP as ADD;
pub(in crate::discord) use edit::HELP as EDIT;
pub(in crate::discord) use manage::{LIST, PAUSE, PREVIEW, REMOVE, RESUME, RUN, SHOW, TAKE_OVER};

/// Take Snapshots on a schedule, and keep as many as you need
#[poise::command(
    slash_command,
    subcommands(
        "add::add",
        "edit::edit",
        "manage::list",
        "manage::show",
        "manage::preview",
        "manage::run",
        "manage::pause",
        "manage::resume",
        "manage::take_over_command",
        "manage::remove"
    ),
    subcommand_required
)]
pub(super) async fn schedule(context: Context<'_>) -> Result<(), Fault> {
    answer(context, |_| async { Err::<Answer, _>(Refusal::UnknownCommand.into()) }).await;
    Ok(())
}

/// A record of this action by the person who holds the Grant.
fn act(grant: &Grant, what: Deed) -> Act {
    Act { by: grant.user(), guild: grant.guild(), what }
}

fn refused(refusal: ScheduleRefusal) -> Stop {
    Refusal::Schedule(refusal).into()
}

/// Whether a person may see a schedule. They may see those of their own guild, and all schedules if they may restore, since all guilds
/// share one account.
fn may_see(state: &AppState, who: &Person, schedule: &Schedule) -> bool {
    who.guild == Some(schedule.guild) || state.policy.authorize(who, Right::Restore).is_ok()
}

/// The schedules that a person may see.
async fn seen(state: &Arc<AppState>, who: &Person) -> Result<Vec<Schedule>, Stop> {
    let all = state.store.schedules().await?.into_iter().map(|stored| stored.schedule);
    Ok(all.filter(|schedule| may_see(state, who, schedule)).collect())
}

/// The schedules that take Snapshots of a Droplet, by itself or by one of its tags, among those that a person may see.
pub(in crate::discord) async fn of_droplet(
    state: &Arc<AppState>,
    who: &Person,
    droplet: &Droplet,
) -> Result<Vec<Schedule>, Stop> {
    let tags = droplet.tags.as_deref().unwrap_or_default();
    let takes = |schedule: &Schedule| match &schedule.group {
        Some(group) => tags.contains(&group.tag),
        None => schedule.droplet == droplet.id,
    };
    Ok(seen(state, who).await?.into_iter().filter(takes).collect())
}

/// The schedule that a submitted text means: an id, or the name of a Droplet with exactly one schedule.
async fn meant(state: &Arc<AppState>, who: &Person, text: &str) -> Result<Schedule, Stop> {
    let seen = seen(state, who).await?;
    let text = text.trim();
    let by_id = choice::key(text).parse().ok().and_then(|id| seen.iter().find(|schedule| schedule.id == id));
    let mut named = seen.iter().filter(|schedule| schedule.droplet_name.eq_ignore_ascii_case(text));
    let by_name = named.next().filter(|_| named.next().is_none());
    by_id.or(by_name).cloned().ok_or_else(|| refused(ScheduleRefusal::Unknown { typed: text.to_owned() }))
}

/// The schedule that a submitted text means, for actions that are allowed only in the guild where it was added.
async fn meant_here(state: &Arc<AppState>, who: &Person, text: &str) -> Result<Schedule, Stop> {
    let schedule = meant(state, who, text).await?;
    if who.guild == Some(schedule.guild) { Ok(schedule) } else { Err(refused(ScheduleRefusal::Elsewhere)) }
}

/// Refuses if the person already owns the maximum number of schedules.
async fn may_own_one_more(state: &AppState, grant: &Grant) -> Result<(), Stop> {
    let all = state.store.schedules().await?;
    let own = all.iter().filter(|stored| stored.schedule.owner.user == grant.user()).count();
    if own < MOST_OWNED { Ok(()) } else { Err(refused(ScheduleRefusal::TooMany { most: MOST_OWNED })) }
}

/// The schedule that a button names.
async fn pressed(state: &AppState, who: &Person, id: crate::operation::ids::ScheduleId) -> Result<Schedule, Stop> {
    let stored = state.store.schedule(id).await?.map(|stored| stored.schedule);
    let found = stored.filter(|schedule| schedule.state != State::Removed && may_see(state, who, schedule));
    let schedule = found.ok_or_else(|| refused(ScheduleRefusal::Unknown { typed: id.to_string() }))?;
    if who.guild == Some(schedule.guild) { Ok(schedule) } else { Err(refused(ScheduleRefusal::Elsewhere)) }
}
