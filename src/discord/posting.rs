//! Whether the bot may post in a channel other than the one of the interaction, and which channel it uses for messages that outlive a
//! conversation.

use serenity::{
    http::Http,
    model::{Permissions, id},
};

use super::{
    interaction_info::InteractionInfo,
    messages::{refusal::Refusal, warning::WarningRefusal},
    reporter::deadline::{deadline, in_time},
    rights,
    wire::{self, Trouble},
};
use crate::operation::ids::{ChannelId, GuildId};

/// Refuses a channel in which the bot cannot post, or that belongs to another guild.
pub(super) async fn check(http: &Http, guild: GuildId, channel: ChannelId) -> Result<(), Refusal> {
    let refusal = match in_time(deadline(), Box::pin(missing(http, guild, channel, &[]))).await {
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

/// The channel for messages that outlive a conversation: the thread's parent if the bot is known to be able to post there, else the thread.
/// A forum accepts no messages; a post in an archived thread reopens it.
pub(super) async fn lasting(http: &Http, guild: GuildId, info: &InteractionInfo) -> ChannelId {
    let Some(parent) = info.parent() else { return info.channel };
    let framed = [(Permissions::EMBED_LINKS, "Embed Links")];
    match in_time(deadline(), Box::pin(missing(http, guild, parent, &framed))).await {
        Ok(Some(missing)) if missing.is_empty() => parent,
        Ok(_) => info.channel,
        Err(error) => {
            tracing::info!(cause = wire::describe(&error), "could not learn whether a thread's channel takes messages");
            info.channel
        }
    }
}

/// The missing rights among those needed to post and those in `more`; `None` if it is not a channel of this guild in which people post.
async fn missing(
    http: &Http,
    guild: GuildId,
    channel: ChannelId,
    more: &[(Permissions, &'static str)],
) -> serenity::Result<Option<Vec<&'static str>>> {
    let guild_id = id::GuildId::new(guild.0.max(1));
    let (found, guild, me) = tokio::try_join!(
        rights::channel(http, super::delivery::channel_id(channel)),
        rights::guild(http, guild_id),
        wire::me(http)
    )?;
    if found.guild_id != Some(guild_id) || !found.takes_messages() {
        return Ok(None);
    }
    let member = rights::member(http, guild_id, me.id).await?;
    let parent = match found.parent() {
        Some(parent) => Some(rights::channel(http, parent).await?),
        None => None,
    };
    let has = rights::granted(&guild, &member, parent.as_ref().unwrap_or(&found));
    let needed = found.to_write().into_iter().chain(more.iter().copied());
    Ok(Some(needed.filter(|(right, _)| !has.contains(*right)).map(|(_, name)| name).collect()))
}
