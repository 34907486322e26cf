//! The parts of an interaction that commands and buttons need: the person, the place, and what the bot may do there. The only decision made
//! here is whether the bot can post in the channel.

use std::sync::Arc;

use jiff::Timestamp;
use serenity::model::{
    Permissions,
    application::{
        ActionRowComponent, CommandInteraction, ComponentInteraction, ComponentInteractionDataKind, ModalInteraction,
    },
    channel::{ChannelType, PartialChannel},
};

use super::{first_response::FirstResponse, messages::refusal::Refusal, state::person};
use crate::{
    access::Person,
    operation::ids::{ChannelId, InteractionId},
};

/// A command, a press or a submitted form.
#[derive(Clone, Debug)]
pub(super) struct InteractionInfo {
    /// The person, with their present roles from Discord's payload.
    pub(super) who: Person,
    /// The channel.
    pub(super) channel: ChannelId,
    /// The interaction's id. Discord may deliver an interaction twice.
    pub(super) interaction: InteractionId,
    /// The first response to this interaction.
    pub(super) first: Arc<FirstResponse>,
    /// When the message of the pressed button was posted.
    pub(super) posted: Option<Timestamp>,
    /// The choices from the menu, or the inputs of the form. They come from the client and may be anything.
    pub(super) chosen: Vec<String>,
    /// The bot's permissions in the channel, if Discord sent them.
    granted: Option<Permissions>,
    is_thread: bool,
    is_locked: bool,
    parent: Option<ChannelId>,
}

impl From<&CommandInteraction> for InteractionInfo {
    fn from(command: &CommandInteraction) -> Self {
        Self {
            who: person(command.guild_id, command.user.id, command.member.as_deref()),
            channel: ChannelId(command.channel_id.get()),
            interaction: InteractionId(command.id.get()),
            first: Arc::default(),
            posted: None,
            chosen: Vec::new(),
            granted: command.app_permissions,
            is_thread: is_thread(command.channel.as_ref()),
            is_locked: is_locked(command.channel.as_ref()),
            parent: parent(command.channel.as_ref()),
        }
    }
}

impl From<&ComponentInteraction> for InteractionInfo {
    fn from(press: &ComponentInteraction) -> Self {
        Self {
            who: person(press.guild_id, press.user.id, press.member.as_ref()),
            channel: ChannelId(press.channel_id.get()),
            interaction: InteractionId(press.id.get()),
            first: Arc::default(),
            posted: Some(made_at(press.message.id.get())),
            chosen: match &press.data.kind {
                ComponentInteractionDataKind::StringSelect { values } => values.clone(),
                _ => Vec::new(),
            },
            granted: press.app_permissions,
            is_thread: is_thread(press.channel.as_ref()),
            is_locked: is_locked(press.channel.as_ref()),
            parent: parent(press.channel.as_ref()),
        }
    }
}

impl From<&ModalInteraction> for InteractionInfo {
    fn from(form: &ModalInteraction) -> Self {
        // Each input keeps its position, even if it was left empty.
        let typed = form.data.components.iter().flat_map(|row| &row.components).filter_map(|part| match part {
            ActionRowComponent::InputText(input) => Some(input.value.clone().unwrap_or_default()),
            _ => None,
        });
        Self {
            who: person(form.guild_id, form.user.id, form.member.as_ref()),
            channel: ChannelId(form.channel_id.get()),
            interaction: InteractionId(form.id.get()),
            first: Arc::default(),
            posted: None,
            chosen: typed.collect(),
            granted: form.app_permissions,
            is_thread: is_thread(form.channel.as_ref()),
            is_locked: is_locked(form.channel.as_ref()),
            parent: parent(form.channel.as_ref()),
        }
    }
}

impl InteractionInfo {
    /// When Discord created the interaction, by its own clock.
    pub(super) fn made_at(&self) -> Timestamp {
        made_at(self.interaction.0)
    }

    /// When the button of an expiring question was pressed: the later of Discord's time and ours. A process whose clock is behind must not
    /// accept an old answer as a new one.
    pub(super) fn pressed_at(&self, now: Timestamp) -> Timestamp {
        self.made_at().max(now)
    }

    /// The channel that a thread belongs to.
    pub(super) fn parent(&self) -> Option<ChannelId> {
        self.parent
    }

    /// Whether the bot may attach a file there. If Discord does not say, it may not.
    pub(super) fn may_attach(&self) -> bool {
        self.granted.is_some_and(|granted| granted.administrator() || granted.contains(Permissions::ATTACH_FILES))
    }

    /// Checks that the progress message can be posted in this channel.
    pub(super) fn check_channel(&self) -> Result<(), Refusal> {
        let Some(granted) = self.granted else { return Ok(()) };
        let may_open = granted.administrator() || granted.contains(Permissions::MANAGE_THREADS);
        if self.is_locked && !may_open {
            return Err(Refusal::ThreadLocked);
        }
        let missing = missing_rights(granted, self.is_thread);
        if missing.is_empty() { Ok(()) } else { Err(Refusal::CannotPost { missing }) }
    }
}

/// When Discord made what has this id, by its own clock: ids begin with milliseconds since 2015.
fn made_at(id: u64) -> Timestamp {
    const DISCORD_EPOCH: i64 = 1_420_070_400_000;
    let millis = i64::try_from(id >> 22).unwrap_or_default();
    Timestamp::from_millisecond(millis + DISCORD_EPOCH).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The channel that a thread belongs to.
fn parent(channel: Option<&PartialChannel>) -> Option<ChannelId> {
    let channel = channel.filter(|channel| is_thread(Some(channel)))?;
    channel.parent_id.map(|parent| ChannelId(parent.get()))
}

fn is_thread(channel: Option<&PartialChannel>) -> bool {
    channel.is_some_and(|channel| {
        matches!(channel.kind, ChannelType::PublicThread | ChannelType::PrivateThread | ChannelType::NewsThread)
    })
}

/// Whether only moderators may post there.
fn is_locked(channel: Option<&PartialChannel>) -> bool {
    channel.and_then(|channel| channel.thread_metadata.as_ref()).is_some_and(|thread| thread.locked)
}

/// The missing rights that are needed to post, by the names in Discord's settings.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_moderators_may_write_in_a_locked_thread() {
        let channel = |locked: bool| -> PartialChannel {
            let thread = serde_json::json!({
                "archived": false, "auto_archive_duration": 1440, "archive_timestamp": "2026-11-26T00:00:00Z", "locked": locked
            });
            let channel = serde_json::json!({"id": "7", "name": "talk", "type": 11, "thread_metadata": thread});
            serde_json::from_value(channel).unwrap()
        };
        assert!(is_locked(Some(&channel(true))));
        assert!(!is_locked(Some(&channel(false))) && !is_locked(None));
    }

    #[test]
    fn a_missing_right_is_named_as_discord_names_it() {
        let all = Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES | Permissions::EMBED_LINKS;
        assert!(missing_rights(all, false).is_empty());
        assert_eq!(missing_rights(all, true), ["Send Messages in Threads"]);
        assert_eq!(missing_rights(Permissions::VIEW_CHANNEL, false), ["Send Messages", "Embed Links"]);
        assert!(missing_rights(Permissions::ADMINISTRATOR, true).is_empty());
    }
}
