//! The direct message that links to an announcement, for people who requested one. If a person accepts none, the bot mentions them in the
//! channel instead.

use jiff::SignedDuration;

use super::{Reporter, deliver::Came, fallback::Told};
use crate::{
    discord::messages::{
        answer::{lead, lead_in_channel},
        message::Message,
    },
    operation::{Operation, ids::ChannelId},
    store::{self, Announcement, DIRECTLY, Report},
};

/// The pause before the bot checks again whether the announcement was posted.
const PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// The text that links to the announcement in this channel. Empty until it is posted.
pub(super) fn words(operation: &Operation, said: Announcement, channel: ChannelId) -> Message {
    match said {
        Announcement::Said(in_channel, message) if channel == DIRECTLY => lead(operation, (in_channel, message)),
        Announcement::Said(in_channel, message) => lead_in_channel(operation, (in_channel, message)),
        Announcement::Unsaid | Announcement::GivenUp => Message::default(),
    }
}

impl Reporter {
    /// Sends the direct message once the announcement is posted.
    pub(super) async fn say_directly(&self, report: &Report) -> Result<Came, store::Error> {
        let operation = &report.operation.operation;
        match self.store.announcement(operation.id).await? {
            Announcement::Said(..) => {}
            Announcement::Unsaid => {
                let again = self.clock.now() + PAUSE;
                self.store.report_postponed(report, again).await?;
                return Ok(Came::Again(again));
            }
            Announcement::GivenUp => {
                self.store.report_given_up(report, "the asker was told directly in place of the channel").await?;
                return Ok(Came::Settled);
            }
        }
        let deadline = super::deadline::deadline();
        self.store.report_posting(report, self.clock.now()).await?;
        let said = self.words(report, self.clock.now()).await?.said;
        match self.tell_requester(report, operation, &said, deadline).await {
            Ok(Told::Yes) => self.store.report_given_up(report, "it was said directly").await?,
            Ok(Told::No) => self.store.report_moved(report, operation.requester.channel).await?,
            Err(error) => return self.later(report, &error).await,
        }
        Ok(Came::Settled)
    }
}
