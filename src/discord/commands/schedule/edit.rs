//! `/schedule edit` changes a schedule, after a review like that of a new one. An option that is left out stays as it is.

use serenity::model::id;

use super::{
    super::{Context, announce::Chosen, choices::OneOf, granted},
    add::address,
    choices::{every, policies, schedules, subjects, timezones},
    meant_here, refused, review,
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
        responder::{Answer, Stop},
        start,
    },
    schedule::{IfHung, Power, Schedule, policy::Policy, rule_edit::Changed},
};

/// The command's help line, and the right that it needs.
pub(in crate::discord) const HELP: Help = Help {
    name: "schedule edit",
    right: Right::Restore,
    to: "edit schedules",
    does: "changes a schedule; asks first, with its price",
};

/// Change a schedule; what you leave out stays
#[expect(clippy::too_many_arguments, reason = "each is an option of the command")]
#[poise::command(slash_command)]
pub(super) async fn edit(
    context: Context<'_>,
    #[description = "The schedule"]
    #[autocomplete = "schedules"]
    schedule: String,
    #[description = "Another Droplet, or tag: for all with a tag"]
    #[autocomplete = "subjects"]
    what: Option<String>,
    #[description = "How often: day, 6h, week, month, or cron with five fields"]
    #[autocomplete = "every"]
    every: Option<String>,
    #[description = "The time of day, such as 03:00"]
    #[max_length = 20]
    at: Option<String>,
    #[description = "The day: sunday for a week; 15 or last for a month"]
    #[max_length = 20]
    on: Option<String>,
    #[description = "The time zone, such as Europe/Berlin"]
    #[autocomplete = "timezones"]
    timezone: Option<String>,
    #[description = "Whether it is shut down for each Snapshot"] power: Option<OneOf<Power>>,
    #[description = "What to keep, such as 7 daily 4 weekly 6 monthly"]
    #[autocomplete = "policies"]
    keep: Option<String>,
    #[description = "What to do if the shutdown gets stuck"]
    #[rename = "if-hung"]
    if_hung: Option<OneOf<IfHung>>,
    #[description = "For a tag: how many Droplets at once"]
    #[rename = "at-once"]
    at_once: Option<i64>,
    #[description = "For a tag: the pause after each Droplet, such as 30s"]
    #[max_length = 20]
    gap: Option<String>,
    #[description = "For a tag: what must work before the next one, such as tcp:25565; or none"]
    #[max_length = 220]
    check: Option<String>,
    #[description = "For a tag: stop after this many that don't come back"]
    #[rename = "stop-after-failures"]
    stop_after: Option<i64>,
    #[description = "An https address to call at each start, success and failure; or none"]
    #[rename = "ping-url"]
    #[max_length = 500]
    ping_url: Option<String>,
    #[description = "Warn people before each Droplet goes down: 1 to 60 minutes, such as 5m; or none"]
    #[max_length = 10]
    warn: Option<String>,
    #[description = "The channel that is warned; this one if left out"]
    #[rename = "warn-in"]
    #[channel_types("Text", "News", "PublicThread", "PrivateThread", "NewsThread")]
    warn_in: Option<id::ChannelId>,
) -> Result<(), Fault> {
    let wanted = Wanted {
        warning: Chosen { tell: None, warn, warn_in },
        schedule,
        what,
        every,
        at,
        on,
        timezone,
        keep,
        power: power.map(|OneOf(power)| power),
        if_hung: if_hung.map(|OneOf(if_hung)| if_hung),
        pace: Pace { at_once, gap, check, stop_after },
        ping_url,
    };
    granted(context, HELP, |info, grant| Box::pin(instruction(context, info, grant, wanted))).await;
    Ok(())
}

/// The typed options.
struct Wanted {
    schedule: String,
    what: Option<String>,
    every: Option<String>,
    at: Option<String>,
    on: Option<String>,
    timezone: Option<String>,
    keep: Option<String>,
    power: Option<Power>,
    if_hung: Option<IfHung>,
    pace: Pace,
    ping_url: Option<String>,
    warning: Chosen,
}

async fn instruction(
    context: Context<'_>,
    info: InteractionInfo,
    grant: Grant,
    wanted: Wanted,
) -> Result<Answer, Stop> {
    let state = context.framework.user_data;
    start::check(state, &info)?;
    let was = meant_here(state, &info.who, &wanted.schedule).await?;
    let changed = Changed {
        every: wanted.every.as_deref().map(choice::key),
        at: wanted.at.as_deref(),
        on: wanted.on.as_deref(),
        timezone: wanted.timezone.as_deref(),
    };
    let rule =
        was.rule.changed(changed, fastrand::u64(..)).map_err(|invalid| refused(ScheduleRefusal::Rule(invalid)))?;
    let keep = wanted.keep.as_deref().map_or(Ok(was.keep), |typed| Policy::read(policy_in(typed)));
    let keep = keep.map_err(|bad| refused(ScheduleRefusal::Keep(bad)))?;
    let power = wanted.power.unwrap_or(was.power);
    let warn = wanted.warning.changed(context, grant.guild(), was.warn).await?;
    let manner = Manner { power, warn };
    let subject = Subject::changed(state, &was, wanted.what.as_deref(), &wanted.pace, manner).await?;
    let mut watched = was.watched.clone();
    if let Some(typed) = wanted.ping_url.as_deref() {
        let is_none = typed.trim().eq_ignore_ascii_case("none");
        watched.hear_at(if is_none { None } else { address(state, Some(typed)).await? });
    }
    let edited = Schedule {
        warn,
        watched,
        droplet: subject.droplet,
        droplet_name: subject.name.clone(),
        group: subject.group.clone(),
        rule,
        power,
        if_hung: wanted.if_hung.unwrap_or(was.if_hung),
        keep,
        ..was.clone()
    };
    if edited == was {
        return Err(refused(ScheduleRefusal::NothingToChange));
    }
    review::ask_to_edit(state, &grant, (was, edited), &subject).await
}
