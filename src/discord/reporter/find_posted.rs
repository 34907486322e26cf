//! Searches the bot's own messages for one that was already posted, when Discord no longer remembers its nonce.
//!
//! If the bot may not read the channel's history, Discord's list is empty and nothing is found: a doubled announcement is better than a
//! lost one. A list that could not be read for the moment proves nothing.

use jiff::{SignedDuration, Timestamp};
use serenity::model::id::{ChannelId as DiscordChannel, MessageId as DiscordMessage};
use tokio::time::Instant;

use super::{Reporter, deadline};
use crate::{
    discord::{
        messages::marker::marker,
        pauses::NONCE_MEMORY,
        wire::{self, Listed, Trouble},
    },
    operation::{ids::MessageId, report::ReportKind},
    store::Report,
};

/// How far Discord's clock may be behind ours.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(1);
/// The maximum number of messages that Discord lists at once.
const PAGE: u8 = 100;
/// After a thousand newer messages, nobody would see this one.
const MOST_PAGES: usize = 10;

impl Reporter {
    /// The message of a report that was attempted long ago, if it is in this channel.
    pub(super) async fn posted_before(
        &self,
        report: &Report,
        channel: DiscordChannel,
        deadline: Instant,
    ) -> serenity::Result<Option<MessageId>> {
        let now = self.clock.now();
        let Some(since) = report.posting_since.filter(|since| now.duration_since(*since) > NONCE_MEMORY) else {
            return Ok(None);
        };
        let oldest = snowflake(since - CLOCKS_DIFFER);
        let mut before = None;
        for _ in 0..MOST_PAGES {
            let listed = match deadline::in_time(deadline, wire::messages(&self.http, channel, PAGE, before)).await {
                Ok(listed) => listed,
                // The bot may not read there but perhaps post, and posting shows what is wrong.
                Err(error) if Trouble::of(&error).is_final() => return Ok(None),
                Err(error) => return Err(error),
            };
            if let Some(found) = listed.iter().find(|message| self.is_ours(message, report)) {
                return Ok(Some(MessageId(found.id.get())));
            }
            match listed.iter().map(|message| message.id).min() {
                Some(last) if listed.len() >= PAGE.into() && last > oldest => {
                    before = Some(last);
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The text changes with the operation, but the footer does not.
    fn is_ours(&self, message: &Listed, report: &Report) -> bool {
        let marker = marker(report.kind, report.operation.operation.id);
        message.author.id == self.me
            && match report.kind {
                ReportKind::Progress => {
                    let mut footers = message.embeds.iter().filter_map(|embed| embed.footer.as_ref());
                    footers.any(|footer| footer.text.ends_with(&marker))
                }
                ReportKind::Answer
                | ReportKind::Notify
                | ReportKind::Stuck
                | ReportKind::Repaired
                | ReportKind::Question
                | ReportKind::Direct
                | ReportKind::Warning => message.content.lines().last() == Some(&marker),
            }
    }
}

/// The smallest id that a message of this moment can have. Discord's ids begin with the milliseconds since 2015.
fn snowflake(at: Timestamp) -> DiscordMessage {
    const DISCORD_EPOCH: i64 = 1_420_070_400_000;
    let millis = u64::try_from(at.as_millisecond() - DISCORD_EPOCH).unwrap_or_default();
    DiscordMessage::new((millis << 22).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snowflake_begins_with_its_moment() {
        let at = Timestamp::from_millisecond(1_462_015_105_796).unwrap();
        // The example in Discord's own reference is 175928847299117063.
        assert_eq!(snowflake(at).get(), 175_928_847_299_117_063 >> 22 << 22);
        assert_eq!(snowflake(Timestamp::UNIX_EPOCH).get(), 1);
    }
}
