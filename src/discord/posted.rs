//! Whether something was said before, in a message that nobody wrote down: a process may end between a message and its row, or an answer of
//! Discord's be lost, and Discord remembers a nonce for some minutes only.

use serenity::{http::Http, model::id::UserId};

use super::{
    delivery,
    reporter::deadline::{deadline, in_time},
    wire,
};
use crate::operation::ids::{ChannelId, MessageId};

/// How many of a channel's latest messages are looked through.
const LOOKED_THROUGH: u8 = 50;

/// The latest message of ours in a channel whose text or small print ends with this marker. An error says that nobody knows.
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
