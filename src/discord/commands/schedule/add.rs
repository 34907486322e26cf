//! `/schedule add`: from the typed options to a review of what will happen, when, and at what cost.

use serenity::model::id;

use super::{
    super::{Context, announce::Chosen, choices::OneOf, granted},
    choices::{every, policies, subjects, timezones},
    may_own_one_more, refused, review,
    subject::{Manner, Pace, Subject},
};
use crate::{
    access::{Grant, Right},
    discord::{
        incident::Fault,
        interaction_info::InteractionInfo,
        messages::{
            choice,
            help::Help,
            schedule::{ScheduleRefusal, policy_in},
        },
        posting,
        responder::{Answer, Stop},
        start,
        state::AppState,
    },
    operation::ids::ScheduleId,
    ping::{Address, BadAddress, Unreached},
    schedule::{
        IfHung, Owner, Power, Schedule, State, Watched,
        policy::Policy,
        rule::{Rule, Typed},
    },
};

/// The command's help line, and the right that it needs.
pub(in crate::discord) const HELP: Help = Help {
    name: "schedule add",
    right: Right::Restore,
    to: "add schedules",
    does: "takes Snapshots regularly; asks first, with price",
};

/// Take Snapshots of a Droplet on a schedule
#[expect(clippy::too_many_arguments, reason = "each is an option of the command")]
#[poise::command(slash_command)]
pub(super) async fn add(
    context: Context<'_>,
    #[description = "The Droplet, or tag: for all with a tag; type a part of its name"]
    #[autocomplete = "subjects"]
    what: String,
    #[description = "How often: day, 6h, week, month, or cron with five fields"]
    #[autocomplete = "every"]
    every: String,
    #[description = "The time of day, such as 03:00"]
    #[max_length = 20]
    at: Option<String>,
    #[description = "The day: sunday for a week; 15 or last for a month"]
    #[max_length = 20]
    on: Option<String>,
    #[description = "The time zone, such as Europe/Berlin; UTC if left out"]
    #[autocomplete = "timezones"]
    timezone: Option<String>,
    #[description = "Whether it is shut down for each Snapshot; yes if left out"] power: Option<OneOf<Power>>,
    #[description = "What to keep, such as 7 daily 4 weekly 6 monthly"]
    #[autocomplete = "policies"]
    keep: Option<String>,
    #[description = "What to do if the shutdown gets stuck; snapshot while running if left out"]
    #[rename = "if-hung"]
    if_hung: Option<OneOf<IfHung>>,
    #[description = "For a tag: how many Droplets at once; 1 if left out"]
    #[rename = "at-once"]
    at_once: Option<i64>,
    #[description = "For a tag: the pause after each Droplet, such as 30s"]
    #[max_length = 20]
    gap: Option<String>,
    #[description = "For a tag: what must work before the next one, such as tcp:25565 or http:80/health"]
    #[max_length = 220]
    check: Option<String>,
    #[description = "For a tag: stop after this many that don't come back; 1 if left out"]
    #[rename = "stop-after-failures"]
    stop_after: Option<i64>,
    #[description = "An https address to call at each start, success and failure, such as healthchecks.io's"]
    #[rename = "ping-url"]
    #[max_length = 500]
    ping_url: Option<String>,
    #[description = "Warn people before each Droplet goes down: 1 to 60 minutes, such as 5m"]
    #[max_length = 10]
    warn: Option<String>,
    #[description = "The channel that is warned; this one if left out"]
    #[rename = "warn-in"]
    #[channel_types("Text", "News", "PublicThread", "PrivateThread", "NewsThread")]
    warn_in: Option<id::ChannelId>,
) -> Result<(), Fault> {
    let wanted = Wanted {
        warning: Chosen { tell: None, warn, warn_in },
        pace: Pace { at_once, gap, check, stop_after },
        what,
        every,
        at,
        on,
        timezone,
        keep,
        ping_url,
        power: power.map_or(Power::Off, |OneOf(power)| power),
        if_hung: if_hung.map_or(IfHung::Live, |OneOf(if_hung)| if_hung),
    };
    granted(context, HELP, |info, grant| Box::pin(instruction(context, info, grant, wanted))).await;
    Ok(())
}

/// The typed options.
struct Wanted {
    what: String,
    every: String,
    at: Option<String>,
    on: Option<String>,
    timezone: Option<String>,
    keep: Option<String>,
    ping_url: Option<String>,
    power: Power,
    if_hung: IfHung,
    pace: Pace,
    warning: Chosen,
}

async fn instruction(
    context: Context<'_>,
    info: InteractionInfo,
    grant: Grant,
    wanted: Wanted,
) -> Result<Answer, Stop> {
    let (state, http) = (context.framework.user_data, &context.serenity_context().http);
    start::check(state, &info)?;
    // Input that makes no sense is refused before any lookup.
    let typed = Typed {
        every: choice::key(&wanted.every),
        at: wanted.at.as_deref(),
        on: wanted.on.as_deref(),
        timezone: wanted.timezone.as_deref(),
    };
    let rule = Rule::read(typed).map_err(|invalid| refused(ScheduleRefusal::Rule(invalid)))?;
    let keep = wanted.keep.as_deref().map_or(Ok(Policy::PRESETS[0]), |typed| Policy::read(policy_in(typed)));
    let keep = keep.map_err(|bad| refused(ScheduleRefusal::Keep(bad)))?;
    let ping_url = address(state, wanted.ping_url.as_deref()).await?;
    let warn = wanted.warning.read(context, grant.guild()).await?.warn;
    may_own_one_more(state, &grant).await?;
    let manner = Manner { power: wanted.power, warn };
    let subject = Subject::find(state, &wanted.what, &wanted.pace, manner).await?;
    let seed = fastrand::u64(..);
    let rule = if wanted.at.is_none() { rule.spread_by(seed) } else { rule };
    let now = state.clock.now();
    let schedule = Schedule {
        id: ScheduleId::from_random(seed),
        droplet: subject.droplet,
        droplet_name: subject.name.clone(),
        rule,
        power: wanted.power,
        if_hung: wanted.if_hung,
        keep,
        owner: Owner::new(grant.user(), now),
        guild: grant.guild(),
        channel: posting::lasting(http, grant.guild(), &info).await,
        created_at: now,
        floor: now,
        state: State::Active,
        reminded_at: None,
        approved: Vec::new(),
        narrowed: false,
        warn,
        group: subject.group.clone(),
        watched: Watched { ping_url, ..Watched::default() },
    };
    review::ask_to_add(state, &grant, schedule, &subject).await
}

/// The typed address, if it may be called.
pub(super) async fn address(state: &AppState, typed: Option<&str>) -> Result<Option<Address>, Stop> {
    let Some(typed) = typed.map(str::trim).filter(|typed| !typed.is_empty()) else { return Ok(None) };
    let address = Address::read(typed, state.reach).map_err(|bad| refused(ScheduleRefusal::Address(bad)))?;
    state.reach.check(&address).await.map_err(|unreached| {
        let host = unreached.host().to_owned();
        refused(match unreached {
            Unreached::Private(_) => ScheduleRefusal::PrivateAddress { host },
            Unreached::Plain(_) => ScheduleRefusal::Address(BadAddress::NotEncrypted),
            Unreached::Unknown(_) | Unreached::Silent(_) | Unreached::Refused { .. } => {
                ScheduleRefusal::NoAddress { host }
            }
        })
    })?;
    Ok(Some(address))
}
