//! `/snapshot take`: from the wish to an operation that is durable, and to a link to its progress.

use serenity::builder::{AutocompleteChoice, CreateAutocompleteResponse};

use super::{Context, answer, asking};
use crate::{
    access::Right,
    discord::{
        confirm::Confirmed,
        incident::Fault,
        interaction_info::InteractionInfo,
        lookup,
        messages::{
            help::Help,
            refusal::{BadName, LONGEST_SNAPSHOT_NAME, Refusal},
        },
        preflight,
        responder::Stop,
        start::{self, NeedsRight, Requested},
    },
    operation::{
        ids::OperationId,
        kinds::{self, Kind, Take},
        undo::is_safety_name,
    },
};

/// Discord takes no more.
const CHOICES: usize = 25;

impl Confirmed for Take {}

impl NeedsRight for Take {
    const RIGHT: Right = HELP.right;
}

/// Whether the Droplet is shut down.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
enum Power {
    #[name = "off"]
    Off,
    #[name = "live"]
    Live,
}

/// What to do when the shutdown hangs.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
enum IfHung {
    #[name = "ask"]
    Ask,
    #[name = "force"]
    Force,
    #[name = "live"]
    Live,
}

/// What help says of it, and the right that it takes.
pub(super) const HELP: Help = Help {
    name: "snapshot take",
    right: Right::Take,
    does: "takes a Snapshot of a Droplet: shuts it down, takes the Snapshot, turns it on again and tells you",
};

/// Snapshot a Droplet: shut down, snapshot, power back on
#[poise::command(slash_command)]
pub(super) async fn take(
    context: Context<'_>,
    #[description = "The Droplet; type a part of its name"]
    #[autocomplete = "droplets"]
    droplet: String,
    #[description = "The Snapshot's name; made up from the Droplet's name and the time if left out"]
    #[max_length = 100]
    name: Option<String>,
    #[description = "off (default): shut down first, the safe way; live: keep running, no downtime"] power: Option<
        Power,
    >,
    #[description = "If the shutdown gets stuck: ask me (default), force power off, or snapshot while running"]
    #[rename = "if-hung"]
    if_hung: Option<IfHung>,
) -> Result<(), Fault> {
    let kind = Kind::Take(Take {
        power: match power {
            None | Some(Power::Off) => kinds::Downtime::PowerOff,
            Some(Power::Live) => kinds::Downtime::None,
        },
        if_hung: match if_hung {
            None | Some(IfHung::Ask) => kinds::IfHung::Ask,
            Some(IfHung::Force) => kinds::IfHung::Force,
            Some(IfHung::Live) => kinds::IfHung::Live,
        },
    });
    answer(context, |info| Box::pin(wish(context, info, kind, droplet, name))).await;
    Ok(())
}

async fn wish(
    context: Context<'_>,
    info: InteractionInfo,
    kind: Kind,
    droplet: String,
    name: Option<String>,
) -> Result<String, Stop> {
    let state = context.framework.user_data;
    let grant = state.policy.authorize(&info.who, HELP.right).map_err(Refusal::Denied)?;
    if let Some(name) = &name {
        check_name(name).map_err(Refusal::BadSnapshotName)?;
    }
    start::check(state, &info)?;
    let found = state.inventory.resolve_droplet(&droplet).await;
    let droplet = found.map_err(|unresolved| lookup::no_droplet(&droplet, unresolved))?;
    let target = preflight::target(&droplet);
    start::begin(state, &info, &grant, Requested { kind, target, snapshot_name: name }).await
}

fn check_name(name: &str) -> Result<(), BadName> {
    if name.trim().is_empty() {
        Err(BadName::Empty)
    } else if name.chars().count() > LONGEST_SNAPSHOT_NAME {
        Err(BadName::TooLong)
    } else if crate::discord::messages::text::hides_something(name) {
        Err(BadName::Invisible)
    } else if is_safety_name(&format!("{}-{}", name.trim(), OperationId::from_random(0))) {
        // What an Undo has made superfluous is told by its name.
        Err(BadName::Safety)
    } else {
        Ok(())
    }
}

/// The Droplets that a half-typed text may mean; none for who may not take Snapshots.
async fn droplets<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let state = context.framework.user_data;
    if state.policy.authorize(&asking(context), HELP.right).is_err() {
        return CreateAutocompleteResponse::new();
    }
    let found = state.inventory.find_droplets(partial, CHOICES).await;
    let choices = found.into_iter().map(|choice| AutocompleteChoice::new(choice.label, choice.id.to_string()));
    CreateAutocompleteResponse::new().set_choices(choices.collect())
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
