//! `/snapshot take-group` takes the Droplets with a tag, one after another. It asks first and names them; the run that begins uses up the
//! answer.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serenity::model::id;
use sha2::{Digest, Sha256};

use super::{
    Context,
    announce::Chosen,
    choices::OneOf,
    granted,
    schedule::{
        choices::tags,
        cost::group_cost,
        subject::{Pace, members_now},
    },
};
use crate::{
    access::{Grant, Right},
    discord::{
        first_response::Begun,
        group_reporter,
        incident::Fault,
        interaction_info::InteractionInfo,
        messages::{
            choice,
            confirm::Buttons,
            group,
            help::Help,
            message::Message,
            refusal::Refusal,
            take_group::{self as words, Taking},
        },
        posting,
        responder::{Answer, Stop},
        retry, start,
        state::AppState,
    },
    operation::{
        announce::{Announce, Tell},
        ids::{DropletId, RunId},
        kinds::Downtime,
    },
    schedule::{
        IfHung, Power, WINDOW,
        group::{Excluded, Group},
        run::{Member, Phase, Plan, Run},
    },
    store::{Confirmation, ConfirmationId, Consent, RunError},
};

/// How long the question stays open.
const OPEN: SignedDuration = SignedDuration::from_mins(5);

/// The command's help line, and the right that it needs.
pub(super) const HELP: Help = Help {
    name: "snapshot take-group",
    right: Right::Take,
    to: "take Snapshots",
    does: "takes all Droplets with a tag, in turn",
};

/// The subject of the question. Only the Droplets that the question names are taken.
#[derive(Debug, Serialize, Deserialize)]
struct Draft {
    plan: Plan,
    members: Vec<(DropletId, String)>,
    excluded: Vec<(DropletId, String, Excluded)>,
}

/// Snapshot all Droplets with a tag, one after another
#[expect(clippy::too_many_arguments, reason = "each is an option of the command")]
#[poise::command(slash_command, rename = "take-group")]
pub(super) async fn take_group(
    context: Context<'_>,
    #[description = "The tag of the Droplets"]
    #[autocomplete = "tags"]
    tag: String,
    #[description = "How many Droplets at once; 1 if left out"]
    #[rename = "at-once"]
    at_once: Option<i64>,
    #[description = "The pause after each Droplet, such as 30s"]
    #[max_length = 20]
    gap: Option<String>,
    #[description = "What must work before the next one, such as tcp:25565 or http:80/health"]
    #[max_length = 220]
    check: Option<String>,
    #[description = "Stop after this many that do not come back; 1 if left out"]
    #[rename = "stop-after-failures"]
    stop_after: Option<i64>,
    #[description = "Whether they are shut down for their Snapshots"] power: Option<OneOf<Downtime>>,
    #[description = "How I tell you that it's done"] tell: Option<OneOf<Tell>>,
    #[description = "Warn people before each Droplet goes down: 1 to 60 minutes, such as 5m"]
    #[max_length = 10]
    warn: Option<String>,
    #[description = "The channel that is warned; this one if left out"]
    #[rename = "warn-in"]
    #[channel_types("Text", "News", "PublicThread", "PrivateThread", "NewsThread")]
    warn_in: Option<id::ChannelId>,
) -> Result<(), Fault> {
    let power = match power {
        Some(OneOf(Downtime::None)) => Power::Live,
        Some(OneOf(Downtime::PowerOff)) | None => Power::Off,
    };
    let pace = Pace { at_once, gap, check, stop_after };
    let announce = Chosen { tell, warn, warn_in };
    granted(context, HELP, |info, grant| Box::pin(instruction(context, info, grant, (tag, pace, power, announce))))
        .await;
    Ok(())
}

async fn instruction(
    context: Context<'_>,
    info: InteractionInfo,
    grant: Grant,
    (tag, pace, power, announce): (String, Pace, Power, Chosen),
) -> Result<Answer, Stop> {
    let state = context.framework.user_data;
    start::check(state, &info)?;
    let tag = choice::key(&tag);
    let tag = Group::tag_in(tag).unwrap_or(tag);
    let group = pace.group(tag)?;
    let Announce { tell, warn } = announce.read(context, grant.guild()).await?;
    let now = state.clock.now();
    let plan = Plan {
        id: RunId::from_random(fastrand::u64(..)),
        schedule: None,
        slot: None,
        planned: now,
        until: now,
        group,
        power,
        // Perhaps nobody is present when the seventh of twelve does not shut down.
        if_hung: IfHung::Live,
        owner: grant.user(),
        guild: grant.guild(),
        channel: posting::lasting(&context.serenity_context().http, grant.guild(), &info).await,
        tell,
        warn,
    };
    ask(state, &grant, plan, None).await
}

/// Handles *Try again* under the end of a run: takes the members that have no Snapshot.
pub(in crate::discord) async fn again(
    state: &AppState,
    grant: &Grant,
    info: &InteractionInfo,
    failed: &Run,
) -> Result<Answer, Stop> {
    start::check(state, info)?;
    let explained = group_reporter::explained(&state.store, failed).await?;
    let may_help = group::may_be_tried_again(failed, &explained);
    let ended = failed.ended_at.filter(|_| may_help).ok_or(Refusal::UnknownButton)?;
    let (id, now) = (next_id(failed.plan.id), state.clock.now());
    if let Some(again) = state.store.run(id).await? {
        return Err(Refusal::RunTriedAgain { channel: again.plan.channel }.into());
    }
    if now.duration_since(ended) >= retry::OFFERED {
        return Err(Refusal::RetryOver.into());
    }
    let mut without = BTreeSet::new();
    for member in failed.taken().filter(|member| !member.phase.is_good()) {
        // A Droplet that came back on too late for the run may have its Snapshot by now.
        let known = match member.operation {
            Some(operation) => state.store.operation(operation).await?,
            None => None,
        };
        if !known.is_some_and(|stored| stored.operation.has_taken_its_snapshot()) {
            without.insert(member.droplet);
        }
    }
    let plan = Plan { id, planned: now, until: now, owner: grant.user(), ..failed.plan.clone() };
    ask(state, grant, plan, Some(&without)).await
}

/// The id of the run that retries this one. It is derived from this run's id, so the database accepts at most one.
fn next_id(run: RunId) -> RunId {
    let digest = Sha256::digest(format!("again:{run}"));
    RunId::from_random(digest.iter().take(8).fold(0, |id, byte| id << 8 | u64::from(*byte)))
}

/// Asks whether to take the Droplets with the tag, or only those that `only` names.
async fn ask(state: &AppState, grant: &Grant, plan: Plan, only: Option<&BTreeSet<DropletId>>) -> Result<Answer, Stop> {
    let (gathered, named) = members_now(state, &plan.group, (&plan).into(), only).await?;
    start::check_crowding(state, grant.user(), at_once(&plan.group, gathered.droplets.len())).await?;
    let cost = group_cost(state, &gathered.droplets).await;
    let draft = Draft {
        members: gathered.droplets.iter().map(|droplet| (droplet.id, droplet.name.clone())).collect(),
        excluded: gathered.excluded.iter().map(|(droplet, why)| (droplet.id, droplet.name.clone(), *why)).collect(),
        plan,
    };
    let expires_at = state.clock.now() + OPEN;
    let what = serde_json::to_string(&draft)?;
    let confirmation = Confirmation { requester: grant.user(), guild: grant.guild(), what, expires_at };
    let id = state.store.create_confirmation(&confirmation).await?;
    let (price_per_gb, is_again) = (state.wording.price_per_gb, only.is_some());
    let taking = Taking { plan: &draft.plan, members: &named, cost, price_per_gb, is_again };
    Ok(Answer::New(words::question(&taking, Buttons { id, expires_at })))
}

/// Handles *Take them*.
pub(in crate::discord) async fn confirmed(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    id: ConfirmationId,
) -> Result<Answer, Stop> {
    start::check(state, info)?;
    let now = state.clock.now();
    let at = info.pressed_at(now);
    let consent =
        Consent { id, by: grant.user(), guild: grant.guild(), at, interaction: info.interaction, retries: None };
    let what = state.store.confirmation(&consent).await?.map_err(start::not_counted)?;
    let Draft { plan, members, excluded } = serde_json::from_str(&what)?;
    let plan = Plan { planned: now, until: now + WINDOW, ..plan };
    let member = |droplet, name, phase| Member { droplet, name, phase, operation: None };
    let excluded = excluded.into_iter().map(|(droplet, name, why)| member(droplet, name, Phase::Excluded(why)));
    let (mut taken, mut lately, mut waits) = (Vec::new(), Vec::new(), None);
    for (droplet, name) in members {
        match start::waits_until(state, droplet).await? {
            None => taken.push(member(droplet, name, Phase::Waiting)),
            Some(until) => {
                waits = waits.or_else(|| Some(Refusal::TakenLately { droplet: name.clone(), until }));
                lately.push(member(droplet, name, Phase::Excluded(Excluded::Lately)));
            }
        }
    }
    if let Some(refusal) = waits.filter(|_| taken.is_empty()) {
        return Err(refusal.into());
    }
    start::check_crowding(state, grant.user(), at_once(&plan.group, taken.len())).await?;
    let members: Vec<Member> = taken.into_iter().chain(lately).chain(excluded).collect();
    match state.store.begin_run(&plan, &members, Some(&consent)).await {
        Ok(()) => {}
        // The press was delivered twice, or another person retried the run first.
        Err(RunError::NotFree) => {
            let other = state.store.run(plan.id).await?.filter(|run| run.plan.owner != plan.owner);
            if let Some(other) = other {
                return Err(Refusal::RunTriedAgain { channel: other.plan.channel }.into());
            }
        }
        Err(RunError::Unconfirmed(why)) => return Err(start::not_counted(why).into()),
        Err(RunError::Unavailable(error)) => return Err(Fault::InDoubt(error).into()),
    }
    info.first.awaited_by(Begun::Run(Box::new(plan.clone()), (grant.user(), grant.guild())));
    tracing::info!(run.id = %plan.id, tag = plan.group.tag, user.id = %grant.user(), "accepted");
    Ok(Answer::Instead(Message::text(words::begun(&plan))))
}

/// How many members are at work at once.
fn at_once(group: &Group, members: usize) -> usize {
    members.min(usize::try_from(group.at_once).unwrap_or(usize::MAX))
}

/// A run of a group in this guild.
pub(in crate::discord) async fn run(state: &AppState, info: &InteractionInfo, id: RunId) -> Result<Run, Stop> {
    let run = state.store.run(id).await?.filter(|run| info.who.guild == Some(run.plan.guild));
    run.ok_or_else(|| Refusal::UnknownButton.into())
}

/// Handles *Stop after this one*.
pub(in crate::discord) async fn stop(state: &AppState, grant: &Grant, run: &Run) -> Result<Answer, Stop> {
    let is_heard = state.store.stop_run(&run.plan, (grant.user(), grant.guild())).await?;
    tracing::info!(run.id = %run.plan.id, user.id = %grant.user(), is_heard, "a group is to stop");
    Ok(Answer::from(words::stopping(is_heard)))
}
