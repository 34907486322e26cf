//! Whether the bot may post in a channel other than the one that it is spoken to in: Discord says its rights only for the latter.

use serenity::{
    http::Http,
    model::{Permissions, channel::Channel, id},
};

use super::{
    messages::{refusal::Refusal, warning::WarningRefusal},
    wire::{self, Trouble},
};
use crate::operation::ids::{ChannelId, GuildId};

/// Refuses a channel in which the bot cannot post, or that belongs to another guild.
pub(super) async fn check(http: &Http, guild: GuildId, channel: ChannelId) -> Result<(), Refusal> {
    let asked = missing(http, guild, channel).await;
    wire::count(&asked);
    let refusal = match asked {
        Ok(Some(missing)) if missing.is_empty() => return Ok(()),
        Ok(Some(missing)) => WarningRefusal::CannotPost { channel, missing },
        Ok(None) => WarningRefusal::Place,
        Err(error) => match Trouble::of(&error) {
            Trouble::NoAccess => WarningRefusal::CannotPost { channel, missing: vec!["View Channel"] },
            Trouble::ChannelGone => WarningRefusal::Place,
            _ => {
                tracing::info!(cause = wire::describe(&error), "could not learn whether a channel takes messages");
                WarningRefusal::Unanswered
            }
        },
    };
    Err(Refusal::Warning(refusal))
}

/// The rights that are missing there; none if it is no channel of this guild in which people write.
async fn missing(http: &Http, guild: GuildId, channel: ChannelId) -> serenity::Result<Option<Vec<&'static str>>> {
    let guild_id = id::GuildId::new(guild.0.max(1));
    let (found, guild, me) = tokio::try_join!(
        http.get_channel(super::delivery::channel_id(channel)),
        http.get_guild(guild_id),
        wire::me(http)
    )?;
    let Some(found) = found.guild().filter(|found| found.guild_id == guild_id && found.is_text_based()) else {
        return Ok(None);
    };
    let member = http.get_member(guild_id, me.id).await?;
    let is_thread = found.thread_metadata.is_some();
    // A thread has no rights of its own: its parent's count.
    let parent = match found.parent_id.filter(|_| is_thread) {
        Some(parent) => http.get_channel(parent).await.ok().and_then(Channel::guild),
        None => None,
    };
    let has = guild.user_permissions_in(parent.as_ref().unwrap_or(&found), &member);
    let send = if is_thread {
        (Permissions::SEND_MESSAGES_IN_THREADS, "Send Messages in Threads")
    } else {
        (Permissions::SEND_MESSAGES, "Send Messages")
    };
    let needed = [(Permissions::VIEW_CHANNEL, "View Channel"), send];
    Ok(Some(needed.into_iter().filter(|(right, _)| !has.contains(*right)).map(|(_, name)| name).collect()))
}
