//! `/backups` shows DigitalOcean's own Backups of a Droplet, turns them on, changes them, turns them off, or keeps one as a Snapshot. Each
//! change asks first, and the bot looks again at what would be deleted before it proceeds.

mod choose;
mod suggest;

use choose::{Typed, choose, current};
use suggest::{days, hours, images, plans};

use super::{Context, announce, answer, choices::OneOf, droplets, granted};
use crate::{
    access::{Grant, Right},
    discord::{
        confirm::{self, Confirmed, Question},
        incident::Fault,
        interaction_info::InteractionInfo,
        lookup,
        messages::{
            backups::{self as words, BackupsRefusal},
            choice,
            help::Help,
            message::Message,
            refusal::Refusal,
        },
        preflight,
        responder::{Answer, Stop},
        start::{self, NeedsRight, Requested},
        state::AppState,
    },
    inventory::{BackedUp, Snapshot, Waiting},
    operation::{
        announce::{Announce, Tell},
        kinds::{Backups, BackupsChange, Kind, SnapshotRef},
    },
    store::Consent,
};

/// The help lines of these commands, and the right that each needs.
pub(super) const HELP: [Help; 5] = [
    Help {
        name: "backups show",
        right: Right::View,
        to: "see Backups",
        does: "shows DigitalOcean's own Backups of a Droplet",
    },
    Help {
        name: "backups enable",
        right: Right::Restore,
        to: "enable Backups",
        does: "has DigitalOcean back up a Droplet; asks first",
    },
    Help {
        name: "backups change",
        right: Right::Restore,
        to: "change Backups",
        does: "changes when DigitalOcean backs up; asks first",
    },
    Help {
        name: "backups disable",
        right: Right::Restore,
        to: "disable Backups",
        does: "turns Backups off and deletes them; asks first",
    },
    Help {
        name: "backups keep",
        right: Right::Restore,
        to: "keep Backups",
        does: "makes a Snapshot of a Backup; asks first",
    },
];

impl NeedsRight for Backups {
    const RIGHT: Right = Right::Restore;
}

/// DigitalOcean's own Backups: show, enable, change, disable, keep one
#[poise::command(slash_command, subcommands("show", "enable", "change", "disable", "keep"), subcommand_required)]
pub(super) async fn backups(context: Context<'_>) -> Result<(), Fault> {
    // Discord sends no command group without its subcommand, so this one is forged.
    answer(context, |_| async { Err::<Answer, _>(Refusal::UnknownCommand.into()) }).await;
    Ok(())
}

/// DigitalOcean's own Backups of a Droplet, when the next is due, and what they cost
#[poise::command(slash_command)]
async fn show(
    context: Context<'_>,
    #[description = "The Droplet; type a part of its name"]
    #[autocomplete = "droplets"]
    droplet: String,
) -> Result<(), Fault> {
    let state = context.framework.user_data;
    granted(context, HELP[0], |_, _| {
        Box::pin(async move {
            let found = look(state, &droplet).await?;
            let plans = state.inventory.backup_plans(Waiting::Command).await.unwrap_or_default();
            Ok(Answer::New(words::show(&found, &plans, &state.wording)))
        })
    })
    .await;
    Ok(())
}

/// Have DigitalOcean back up a Droplet (costs money, asks first)
#[poise::command(slash_command)]
async fn enable(
    context: Context<'_>,
    #[description = "The Droplet; type a part of its name"]
    #[autocomplete = "droplets"]
    droplet: String,
    #[description = "How often; daily if left out"]
    #[autocomplete = "plans"]
    plan: Option<String>,
    #[description = "On which day, for a weekly plan"]
    #[autocomplete = "days"]
    day: Option<String>,
    #[description = "When the 4-hour window opens, in UTC"]
    #[autocomplete = "hours"]
    hour: Option<String>,
    #[description = "How I tell you that it's done"] tell: Option<OneOf<Tell>>,
) -> Result<(), Fault> {
    let how = (Setting::Enable, announce::told(tell));
    let typed = Typed { plan, day, hour };
    granted(context, HELP[1], |info, grant| Box::pin(set(context, (info, grant), droplet, typed, how))).await;
    Ok(())
}

/// Change how often or when DigitalOcean backs up a Droplet (asks first)
#[poise::command(slash_command)]
async fn change(
    context: Context<'_>,
    #[description = "The Droplet; type a part of its name"]
    #[autocomplete = "droplets"]
    droplet: String,
    #[description = "How often; as before if left out"]
    #[autocomplete = "plans"]
    plan: Option<String>,
    #[description = "On which day, for a weekly plan; as before if left out"]
    #[autocomplete = "days"]
    day: Option<String>,
    #[description = "When the 4-hour window opens, in UTC; as before if left out"]
    #[autocomplete = "hours"]
    hour: Option<String>,
    #[description = "How I tell you that it's done"] tell: Option<OneOf<Tell>>,
) -> Result<(), Fault> {
    let how = (Setting::Change, announce::told(tell));
    let typed = Typed { plan, day, hour };
    granted(context, HELP[2], |info, grant| Box::pin(set(context, (info, grant), droplet, typed, how))).await;
    Ok(())
}

/// Stop DigitalOcean's Backups of a Droplet, which deletes them all (asks first)
#[poise::command(slash_command)]
async fn disable(
    context: Context<'_>,
    #[description = "The Droplet; type a part of its name"]
    #[autocomplete = "droplets"]
    droplet: String,
    #[description = "A Backup to keep as a Snapshot first"]
    #[autocomplete = "images"]
    keep: Option<String>,
    #[description = "How I tell you that it's done"] tell: Option<OneOf<Tell>>,
) -> Result<(), Fault> {
    let (state, announce) = (context.framework.user_data, announce::told(tell));
    granted(context, HELP[3], |info, grant| {
        Box::pin(async move {
            start::check(state, &info)?;
            let found = look(state, &droplet).await?;
            super::restore::check_free(state, &info, (found.droplet.id, &found.droplet.name), None).await?;
            let keep = keep.map(|text| backup(&found, &text)).transpose()?;
            ask_to_disable(state, &grant, &found, (keep.as_ref(), announce)).await.map(Answer::New)
        })
    })
    .await;
    Ok(())
}

/// Make a Snapshot of one of DigitalOcean's Backups, so that it stays (asks first)
#[poise::command(slash_command)]
async fn keep(
    context: Context<'_>,
    #[description = "The Droplet; type a part of its name"]
    #[autocomplete = "droplets"]
    droplet: String,
    #[description = "The Backup"]
    #[autocomplete = "images"]
    backup: String,
    #[description = "How I tell you that it's done"] tell: Option<OneOf<Tell>>,
) -> Result<(), Fault> {
    let (state, announce) = (context.framework.user_data, announce::told(tell));
    granted(context, HELP[4], |info, grant| {
        Box::pin(async move {
            start::check(state, &info)?;
            let found = look(state, &droplet).await?;
            super::restore::check_free(state, &info, (found.droplet.id, &found.droplet.name), None).await?;
            let backup = self::backup(&found, &backup)?;
            let question = asked(&found, BackupsChange::Keep(reference(&backup)), announce);
            let words = |buttons| words::keep(&found.droplet, &backup, &state.wording, buttons);
            confirm::ask(state, &grant, &question, words).await.map(Answer::New)
        })
    })
    .await;
    Ok(())
}

/// Whether a policy is the first or replaces one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Setting {
    Enable,
    Change,
}

async fn set(
    context: Context<'_>,
    (info, grant): (InteractionInfo, Grant),
    droplet: String,
    typed: Typed,
    (setting, announce): (Setting, Announce),
) -> Result<Answer, Stop> {
    let state = context.framework.user_data;
    start::check(state, &info)?;
    let found = look(state, &droplet).await?;
    let name = || found.droplet.name.clone();
    match (setting, found.record.enabled) {
        (Setting::Enable, true) => return Err(refused(BackupsRefusal::On { droplet: name() })),
        (Setting::Change, false) => return Err(refused(BackupsRefusal::Off { droplet: name() })),
        (Setting::Enable, false) | (Setting::Change, true) => {}
    }
    super::restore::check_free(state, &info, (found.droplet.id, &found.droplet.name), None).await?;
    let plans = state.inventory.backup_plans(Waiting::Command).await;
    let plans = plans.map_err(|failed| lookup::no_droplet("", failed))?;
    let before = current(&found);
    let wanted = choose(&typed, before.as_ref(), &plans).map_err(refused)?;
    if before.as_ref() == Some(&wanted) {
        return Err(refused(BackupsRefusal::Same { droplet: name() }));
    }
    let change = match setting {
        Setting::Enable => BackupsChange::Enable(wanted.clone()),
        Setting::Change => BackupsChange::Change(wanted.clone()),
    };
    let plan = found.record.policy.as_ref().map(|policy| policy.plan.as_str());
    let before = plan.filter(|_| setting == Setting::Change).or((setting == Setting::Change).then_some(""));
    let words = |buttons| words::set(&found.droplet, before, &wanted, buttons);
    confirm::ask(state, &grant, &asked(&found, change, announce), words).await.map(Answer::New)
}

/// Asks whether Backups are to end and lists what is deleted. Offers to keep the newest one if there is one and none was named.
async fn ask_to_disable(
    state: &AppState,
    grant: &Grant,
    found: &BackedUp,
    (keep, announce): (Option<&Snapshot>, Announce),
) -> Result<Message, Stop> {
    if !found.record.enabled {
        return Err(refused(BackupsRefusal::Off { droplet: found.droplet.name.clone() }));
    }
    if !found.are_all {
        return Err(refused(BackupsRefusal::NotAll { droplet: found.droplet.name.clone() }));
    }
    let listed: Vec<_> = found.backups.iter().map(reference).collect();
    let change = |keep: Option<&Snapshot>| BackupsChange::Disable { listed: listed.clone(), keep: keep.map(reference) };
    let newest = found.backups.first().filter(|_| keep.is_none());
    let keeping = match newest {
        Some(newest) => Some(confirm::open(state, grant, &asked(found, change(Some(newest)), announce)).await?),
        None => None,
    };
    let buttons = confirm::open(state, grant, &asked(found, change(keep), announce)).await?;
    Ok(words::disable(found, keep, &state.wording, (buttons, keeping)))
}

impl Confirmed for Backups {
    /// Checks that the question still holds. If a Backup would be deleted that the question did not list, the bot asks again.
    async fn look_again(
        &self,
        (state, _): (&AppState, &InteractionInfo),
        (grant, consent): (&Grant, &Consent),
        question: &Question,
    ) -> Result<Option<Message>, Stop> {
        let droplet = question.requested.target.droplet.ok_or(Refusal::UnknownButton)?;
        let found = look(state, &droplet.to_string()).await?;
        let name = || found.droplet.name.clone();
        match &self.change {
            BackupsChange::Enable(_) if found.record.enabled => Err(refused(BackupsRefusal::On { droplet: name() })),
            BackupsChange::Change(_) | BackupsChange::Disable { .. } if !found.record.enabled => {
                Err(refused(BackupsRefusal::Off { droplet: name() }))
            }
            BackupsChange::Enable(_) | BackupsChange::Change(_) => Ok(None),
            BackupsChange::Keep(kept) => backup(&found, &kept.id.to_string()).map(|_| None),
            BackupsChange::Disable { .. } if !found.are_all => Err(refused(BackupsRefusal::NotAll { droplet: name() })),
            BackupsChange::Disable { listed, keep } => {
                let is_listed = |backup: &Snapshot| listed.iter().any(|known| known.id == backup.id);
                let keep = keep.as_ref().map(|kept| found.backups.iter().find(|backup| backup.id == kept.id));
                if found.backups.iter().all(is_listed) && keep.is_none_or(|kept| kept.is_some()) {
                    return Ok(None);
                }
                state.store.close_confirmation(consent).await?.map_err(start::not_counted)?;
                ask_to_disable(state, grant, &found, (keep.flatten(), question.announce)).await.map(Some)
            }
        }
    }
}

fn asked(found: &BackedUp, change: BackupsChange, announce: Announce) -> Question {
    let (kind, target) = (Kind::Backups(Backups { change }), preflight::target(&found.droplet));
    Question { announce, ..Question::new(Requested { kind, target, snapshot_name: None }) }
}

fn reference(backup: &Snapshot) -> SnapshotRef {
    SnapshotRef { id: backup.id, name: backup.name.clone() }
}

fn refused(refusal: BackupsRefusal) -> Stop {
    Refusal::Backups(refusal).into()
}

/// The Droplet that a text means, with its Backups, read past every cache.
async fn look(state: &AppState, text: &str) -> Result<BackedUp, Stop> {
    let no_droplet = |unresolved| lookup::no_droplet(text, unresolved);
    let droplet = state.inventory.resolve_droplet(text).await.map_err(no_droplet)?;
    Ok(state.inventory.backed_up(droplet.id).await.map_err(no_droplet)?)
}

/// The Backup that a text means: its id, its name, or the label of a choice.
fn backup(found: &BackedUp, text: &str) -> Result<Snapshot, Stop> {
    let (key, name) = (choice::key(text), text.trim());
    let meant = found.backups.iter().find(|backup| backup.id.to_string() == key || backup.name == name);
    meant.cloned().ok_or_else(|| {
        let (text, droplet) = (text.to_owned(), found.droplet.name.clone());
        refused(BackupsRefusal::NoBackup { text, droplet, count: found.backups.len() })
    })
}
