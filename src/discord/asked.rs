//! One interaction, as far as commands and buttons care: who, where, and what we may do there. Nothing is decided here but whether
//! the channel can hear us.

use serenity::model::{
    Permissions,
    application::{CommandInteraction, ComponentInteraction},
    channel::{ChannelType, PartialChannel},
};

use super::{face::person, messages::refusal::Refusal};
use crate::{
    access::Person,
    operation::ids::{ChannelId, InteractionId},
};

/// A command or a press.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Who asks, as Discord says at this moment.
    pub(super) who: Person,
    /// Where.
    pub(super) channel: ChannelId,
    /// The interaction; Discord may deliver it twice.
    pub(super) interaction: InteractionId,
    /// What the bot may do there, where Discord says it.
    granted: Option<Permissions>,
    is_thread: bool,
}

impl From<&CommandInteraction> for Asked {
    fn from(command: &CommandInteraction) -> Self {
        Self {
            who: person(command.guild_id, command.user.id, command.member.as_deref()),
            channel: ChannelId(command.channel_id.get()),
            interaction: InteractionId(command.id.get()),
            granted: command.app_permissions,
            is_thread: is_thread(command.channel.as_ref()),
        }
    }
}

impl From<&ComponentInteraction> for Asked {
    fn from(press: &ComponentInteraction) -> Self {
        Self {
            who: person(press.guild_id, press.user.id, press.member.as_ref()),
            channel: ChannelId(press.channel_id.get()),
            interaction: InteractionId(press.id.get()),
            granted: press.app_permissions,
            is_thread: is_thread(press.channel.as_ref()),
        }
    }
}

impl Asked {
    /// Whether the progress message can be posted where it was asked for.
    pub(super) fn check_channel(&self) -> Result<(), Refusal> {
        let Some(granted) = self.granted else { return Ok(()) };
        let missing = missing_rights(granted, self.is_thread);
        if missing.is_empty() { Ok(()) } else { Err(Refusal::CannotPost { missing }) }
    }
}

fn is_thread(channel: Option<&PartialChannel>) -> bool {
    channel.is_some_and(|channel| {
        matches!(channel.kind, ChannelType::PublicThread | ChannelType::PrivateThread | ChannelType::NewsThread)
    })
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
}
