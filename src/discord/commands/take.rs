//! `/snapshot take`: from the wish to an operation that is durable, and to a link to its progress.

use std::time::Duration;

use serenity::{
    builder::{AutocompleteChoice, CreateAutocompleteResponse},
    model::{Permissions, channel::ChannelType},
};

use super::{Context, answer, asking};
use crate::{
    access::{Grant, Right},
    discord::{
        doors::Door,
        face::Face,
        incident::Fault,
        messages::{
            refusal::{BadName, LONGEST_SNAPSHOT_NAME, Refusal},
            reply,
        },
        responder::Stop,
    },
    inventory::Unresolved,
    operation::{
        Asker, Operation, Request, Target, Usual,
        ids::{ChannelId, InteractionId, OperationId},
        plan::{self, Kind},
    },
    store::{CreateError, Error},
};

/// How long the answer waits for the progress message, to link to it.
const LINK_PATIENCE: Duration = Duration::from_millis(1200);
/// Discord takes no more.
const CHOICES: usize = 25;
/// How often an id is drawn again when it is taken; a second time is a rarity already.
const DRAWS: usize = 3;

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

/// Take a Snapshot of a Droplet; it is shut down for it and turned on again
#[poise::command(slash_command)]
pub(super) async fn take(
    context: Context<'_>,
    #[description = "The Droplet; type a part of its name"]
    #[autocomplete = "droplets"]
    droplet: String,
    #[description = "The Snapshot's name; made up from the Droplet's name and the time if left out"]
    #[max_length = 100]
    name: Option<String>,
    #[description = "off (default): shut down for a consistent disk; live: keep running, as if after a power cut"]
    power: Option<Power>,
    #[description = "If the shutdown hangs: ask here (default), force power off, or go on live"]
    #[rename = "if-hung"]
    if_hung: Option<IfHung>,
) -> Result<(), Fault> {
    let kind = Kind::Take {
        power: match power {
            None | Some(Power::Off) => plan::Downtime::PowerOff,
            Some(Power::Live) => plan::Downtime::None,
        },
        if_hung: match if_hung {
            None | Some(IfHung::Ask) => plan::IfHung::Ask,
            Some(IfHung::Force) => plan::IfHung::Force,
            Some(IfHung::Live) => plan::IfHung::Live,
        },
    };
    answer(context, Box::pin(begin(context, kind, droplet, name))).await;
    Ok(())
}

async fn begin(context: Context<'_>, kind: Kind, droplet: String, name: Option<String>) -> Result<String, Stop> {
    let face = context.framework.user_data;
    let grant = face.policy.authorize(&asking(context), Right::Take).map_err(Refusal::Denied)?;
    match face.doors.now() {
        Door::Open => {}
        Door::Draining => return Err(Refusal::Draining.into()),
        Door::Standby => return Err(Refusal::Standby.into()),
    }
    if let Some(name) = &name {
        check_name(name).map_err(Refusal::BadSnapshotName)?;
    }
    check_channel(context)?;
    let target = resolve(face, &droplet).await?;
    let channel = ChannelId(context.interaction.channel_id.get());
    let operation =
        create(face, &grant, channel, kind, target, name, InteractionId(context.interaction.id.get())).await?;
    tracing::info!(operation.id = %operation.id, droplet.name = operation.target.name, "accepted");
    let progress = face.store.wait_for_progress_message(operation.id, LINK_PATIENCE).await;
    Ok(reply::accepted(&operation, progress))
}

/// The one door to the store. It takes a Grant, so nobody gets here who was not asked about.
#[expect(clippy::too_many_arguments, reason = "each is a part of one request, named once")]
async fn create(
    face: &Face,
    grant: &Grant,
    channel: ChannelId,
    kind: Kind,
    target: Target,
    snapshot_name: Option<String>,
    interaction: InteractionId,
) -> Result<Operation, Stop> {
    let droplet = target.name.clone();
    let asker = Asker { user: grant.user(), guild: grant.guild(), channel };
    let mut request = Request {
        id: OperationId::from_random(fastrand::u64(..)),
        kind,
        asker,
        asked_at: face.clock.now(),
        target,
        snapshot_name,
        usual: Usual::default(),
    };
    for _ in 0..DRAWS {
        match face.store.create(request.clone(), interaction).await {
            Ok(operation) => return Ok(operation),
            Err(CreateError::Unavailable(Error::IdTaken)) => request.id = OperationId::from_random(fastrand::u64(..)),
            Err(CreateError::Repeated(operation)) => {
                let earlier = face.store.operation(operation).await?;
                return earlier
                    .map(|earlier| earlier.operation)
                    .ok_or_else(|| Refusal::UnknownOperation { text: operation.to_string() }.into());
            }
            Err(CreateError::AlreadyRunning { operation, progress }) => {
                let guild = face.store.operation(operation).await?.map(|running| running.operation.asker.guild);
                let progress = guild.zip(progress).map(|(guild, (channel, message))| (guild, channel, message));
                return Err(Refusal::Busy { droplet, operation, progress }.into());
            }
            Err(CreateError::Unavailable(error)) => return Err(error.into()),
        }
    }
    Err(Error::IdTaken.into())
}

/// The Droplet that was meant, looked up once more: Discord lets people submit what was never offered.
async fn resolve(face: &Face, text: &str) -> Result<Target, Stop> {
    let droplet = face.inventory.resolve_droplet(text).await.map_err(|unresolved| unknown(text, unresolved))?;
    Ok(Target { droplet: Some(droplet.id), name: droplet.name, region: droplet.region, disk_gb: droplet.disk_gb })
}

fn unknown(text: &str, unresolved: Unresolved) -> Refusal {
    let text = text.to_owned();
    match unresolved {
        Unresolved::NotFound { nearest } => Refusal::UnknownDroplet { text, nearest },
        Unresolved::OfAnotherDroplet { .. } => Refusal::UnknownDroplet { text, nearest: Vec::new() },
        Unresolved::Ambiguous { name, labels } => Refusal::AmbiguousDroplet { text: name, labels },
        Unresolved::NotTagged { name, tag } => Refusal::UntaggedDroplet { name, tag },
        Unresolved::Unavailable(error) => {
            tracing::warn!(%error, "could not look a Droplet up");
            Refusal::DigitalOceanDown
        }
    }
}

fn check_name(name: &str) -> Result<(), BadName> {
    if name.trim().is_empty() {
        Err(BadName::Empty)
    } else if name.chars().count() > LONGEST_SNAPSHOT_NAME {
        Err(BadName::TooLong)
    } else if crate::discord::messages::text::hides_something(name) {
        Err(BadName::Invisible)
    } else {
        Ok(())
    }
}

/// Whether the progress message can be posted where it was asked for.
fn check_channel(context: Context<'_>) -> Result<(), Refusal> {
    let Some(granted) = context.interaction.app_permissions else { return Ok(()) };
    let is_thread = context.interaction.channel.as_ref().is_some_and(|channel| {
        matches!(channel.kind, ChannelType::PublicThread | ChannelType::PrivateThread | ChannelType::NewsThread)
    });
    let missing = missing_rights(granted, is_thread);
    if missing.is_empty() { Ok(()) } else { Err(Refusal::CannotPost { missing }) }
}

/// The rights that are needed to post, as Discord's settings call them.
fn missing_rights(granted: Permissions, is_thread: bool) -> Vec<&'static str> {
    if granted.administrator() {
        return Vec::new();
    }
    let send = if is_thread {
        (Permissions::SEND_MESSAGES_IN_THREADS, "Send Messages in Threads")
    } else {
        (Permissions::SEND_MESSAGES, "Send Messages")
    };
    let needed = [(Permissions::VIEW_CHANNEL, "View Channel"), send, (Permissions::EMBED_LINKS, "Embed Links")];
    needed.into_iter().filter(|(right, _)| !granted.contains(*right)).map(|(_, name)| name).collect()
}

/// The Droplets that a half-typed text may mean; none for who may not take Snapshots.
async fn droplets<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let face = context.framework.user_data;
    if face.policy.authorize(&asking(context), Right::Take).is_err() {
        return CreateAutocompleteResponse::new();
    }
    let found = face.inventory.find_droplets(partial, CHOICES).await;
    let choices = found.into_iter().map(|choice| AutocompleteChoice::new(choice.label, choice.id.to_string()));
    CreateAutocompleteResponse::new().set_choices(choices.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_right_is_named_as_discord_names_it() {
        let all = Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES | Permissions::EMBED_LINKS;
        assert!(missing_rights(all, false).is_empty());
        assert_eq!(missing_rights(all, true), ["Send Messages in Threads"]);
        assert_eq!(missing_rights(Permissions::VIEW_CHANNEL, false), ["Send Messages", "Embed Links"]);
        assert!(missing_rights(Permissions::ADMINISTRATOR, true).is_empty());
    }

    #[test]
    fn a_name_must_be_readable_and_short() {
        assert_eq!(check_name("before the upgrade"), Ok(()));
        assert_eq!(check_name(" \t"), Err(BadName::Empty));
        assert_eq!(check_name(&"ä".repeat(101)), Err(BadName::TooLong));
        assert_eq!(check_name("a\u{202e}b"), Err(BadName::Invisible));
        assert_eq!(check_name("a\nb"), Err(BadName::Invisible));
    }
}
