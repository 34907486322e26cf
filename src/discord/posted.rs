//! Finds a message that was posted but not recorded. A process may end in between, or Discord's answer may be lost, and Discord remembers a
//! nonce only for some minutes.

use serenity::{http::Http, model::id::UserId};

use super::{
    delivery,
    reporter::deadline::{deadline, in_time},
    wire,
};
use crate::operation::ids::{ChannelId, MessageId};

/// How many of a channel's latest messages are searched.
const LOOKED_THROUGH: u8 = 50;

/// The bot's latest message in a channel whose text or footer ends with this marker. An error means that the answer is unknown.
pub(super) async fn find(
    http: &Http,
    me: UserId,
    channel: ChannelId,
    marker: &str,
) -> serenity::Result<Option<MessageId>> {
    let listed = wire::messages(http, delivery::channel_id(channel), LOOKED_THROUGH, None);
    let listed = in_time(deadline(), listed).await?;
    let is_it = |listed: &wire::Listed| {
        let footers = listed.embeds.iter().filter_map(|embed| embed.footer.as_ref());
        let mut texts = footers.map(|footer| footer.text.as_str()).chain([listed.content.as_str()]);
        listed.author.id == me && texts.any(|text| text.ends_with(marker))
    };
    Ok(listed.iter().find(|listed| is_it(listed)).map(|found| MessageId(found.id.get())))
}
