//! `/snapshot take`: from the request to a stored operation, and to a link to its progress.

use serenity::model::id;

use super::{Context, announce::Chosen, choices::OneOf, droplets, granted};
use crate::{
    access::{Grant, Right},
    discord::{
        confirm::{self, Confirmed, Question},
        incident::Fault,
        interaction_info::InteractionInfo,
        lookup,
        messages::{
            confirm::{self as words, Taking},
            help::Help,
            message::Message,
            progress::downtime,
            refusal::{BadName, LONGEST_SNAPSHOT_NAME, Refusal},
        },
        preflight,
        press::Begun,
        responder::{Answer, Stop},
        start::{self, NeedsRight, Requested},
        state::AppState,
    },
    inventory::DropletStatus,
    operation::{
        Operation,
        announce::Tell,
        ids::{DropletId, OperationId},
        kinds::{Downtime, IfHung, Kind, Take},
        undo::is_safety_name,
    },
};

impl Confirmed for Take {
    async fn ask_again(
        &self,
        (state, info): (&AppState, &InteractionInfo),
        grant: &Grant,
        failed: &Operation,
    ) -> Result<Answer, Stop> {
        let droplet = failed.target.droplet.ok_or(Refusal::UnknownButton)?;
        let asked = question(state, info, grant, droplet, Some(failed)).await;
        asked.map(Answer::New).map_err(|stop| stop.about(&failed.target.name))
    }
}

impl NeedsRight for Take {
    const RIGHT: Right = HELP.right;
}

/// The command's help line, and the right that it needs.
pub(super) const HELP: Help = Help {
    name: "snapshot take",
    right: Right::Take,
    to: "take Snapshots",
    does: "shuts down, takes a Snapshot, powers back on",
};

/// Snapshot a Droplet: shut down, snapshot, power back on
#[expect(clippy::too_many_arguments, reason = "each is an option of the command")]
#[poise::command(slash_command)]
pub(super) async fn take(
    context: Context<'_>,
    #[description = "The Droplet; type a part of its name"]
    #[autocomplete = "droplets"]
    droplet: String,
    #[description = "The Snapshot's name; made up from the Droplet's name and the time if left out"]
    #[max_length = 100]
    name: Option<String>,
    #[description = "Whether it is shut down for the Snapshot"] power: Option<OneOf<Downtime>>,
    #[description = "What to do if the shutdown gets stuck"]
    #[rename = "if-hung"]
    if_hung: Option<OneOf<IfHung>>,
    #[description = "How I tell you that it's done"] tell: Option<OneOf<Tell>>,
    #[description = "Warn people before it goes down: 1 to 60 minutes, such as 5m"]
    #[max_length = 10]
    warn: Option<String>,
    #[description = "The channel that is warned; this one if left out"]
    #[rename = "warn-in"]
    #[channel_types("Text", "News", "PublicThread", "PrivateThread", "NewsThread")]
    warn_in: Option<id::ChannelId>,
) -> Result<(), Fault> {
    let default = Take::default();
    let announce = Chosen { tell, warn, warn_in };
    let kind = Kind::Take(Take {
        power: power.map_or(default.power, |OneOf(power)| power),
        if_hung: if_hung.map_or(default.if_hung, |OneOf(if_hung)| if_hung),
    });
    let wanted = Wanted { kind, droplet, name, announce };
    granted(context, HELP, |info, grant| Box::pin(instruction(context, info, grant, wanted))).await;
    Ok(())
}

/// The typed options.
struct Wanted {
    kind: Kind,
    droplet: String,
    name: Option<String>,
    announce: Chosen,
}

async fn instruction(
    context: Context<'_>,
    info: InteractionInfo,
    grant: Grant,
    Wanted { kind, droplet, name, announce }: Wanted,
) -> Result<String, Stop> {
    let state = context.framework.user_data;
    if let Some(name) = &name {
        check_name(name).map_err(Refusal::BadSnapshotName)?;
    }
    start::check(state, &info)?;
    let announce = announce.read(context, grant.guild()).await?;
    let found = state.inventory.resolve_droplet(&droplet).await;
    let droplet = found.map_err(|unresolved| lookup::no_droplet(&droplet, unresolved))?;
    let target = preflight::target(&droplet);
    let requested = Requested { kind, target, snapshot_name: name };
    start::begin_announced(state, &info, &grant, (requested, announce)).await
}

/// Asks whether to take a Snapshot of this Droplet now. The button says nothing about power, so the question does.
pub(in crate::discord) async fn question(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    droplet: DropletId,
    failed: Option<&Operation>,
) -> Result<Message, Stop> {
    start::check(state, info)?;
    let text = droplet.to_string();
    let found = state.inventory.resolve_droplet(&text).await;
    let droplet = found.map_err(|unresolved| lookup::no_droplet(&text, unresolved))?;
    super::restore::check_free(state, info, (droplet.id, &droplet.name), Some(Begun::Take)).await?;
    let requested =
        Requested { kind: Kind::Take(Take::default()), target: preflight::target(&droplet), snapshot_name: None };
    let mut preview = Operation::new(start::request(state, info, grant, requested.clone())?);
    preview.typical = state.store.typical(Some(droplet.id)).await?;
    let taking = Taking {
        target: &requested.target,
        is_on: droplet.status == DropletStatus::Active,
        downtime: downtime(&preview),
        is_unwarned: failed.is_some_and(|failed| failed.warning.is_some()),
    };
    let question = Question {
        retries: failed.map(|failed| failed.id),
        announce: failed.map(Operation::announced_again).unwrap_or_default(),
        ..Question::new(requested.clone())
    };
    confirm::ask(state, grant, &question, |buttons| words::take(&taking, buttons)).await
}

fn check_name(name: &str) -> Result<(), BadName> {
    if name.trim().is_empty() {
        Err(BadName::Empty)
    } else if name.chars().count() > LONGEST_SNAPSHOT_NAME {
        Err(BadName::TooLong)
    } else if crate::discord::messages::text::hides_something(name) {
        Err(BadName::Invisible)
    } else if is_safety_name(&format!("{}-{}", name.trim(), OperationId::from_random(0))) {
        // The bot recognizes superseded safety Snapshots by their names, so no other Snapshot may have such a name.
        Err(BadName::Safety)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_must_be_readable_and_short() {
        assert_eq!(check_name("before the upgrade"), Ok(()));
        assert_eq!(check_name(" \t"), Err(BadName::Empty));
        assert_eq!(check_name(&"ä".repeat(101)), Err(BadName::TooLong));
        assert_eq!(check_name("a\u{202e}b"), Err(BadName::Invisible));
        assert_eq!(check_name("a\nb"), Err(BadName::Invisible));
        assert_eq!(check_name("web-1-safety-20261122-1740 "), Err(BadName::Safety));
        assert_eq!(check_name("web-1-safety"), Ok(()));
    }
}
