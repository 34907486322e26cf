//! Where messages go when their channel cannot be reached: to the channel for all outcomes, and to the requester directly.
//!
//! They are retried like any other message for as long as the failure is temporary. Only a refusal ends it, or minutes in which another
//! channel works.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serenity::model::id::{ChannelId as DiscordChannel, UserId as DiscordUser};
use tokio::time::Instant;

use super::{Reporter, Words, deadline, deliver::Came};
use crate::{
    discord::{
        delivery,
        messages::message::Message,
        wire::{self, Trouble},
    },
    operation::{
        Operation,
        ids::{ChannelId, OperationId, UserId},
        report::ReportKind,
    },
    store::{self, Report},
};

/// Whether the people could be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Yes,
    /// Discord refuses, and will continue to.
    No,
}

/// How long an urgent message waits for a channel that takes none.
const CHANNEL_PATIENCE: SignedDuration = SignedDuration::from_mins(2);

impl Reporter {
    /// The channel for urgent messages if a report's own channel cannot be reached.
    pub(super) fn moves_to(&self, report: &Report) -> Option<ChannelId> {
        match report.kind {
            ReportKind::Stuck | ReportKind::Question => {
                self.notify_channel.filter(|channel| *channel != report.channel)
            }
            // Progress was visible while it lasted, and the others are sent once.
            ReportKind::Progress
            | ReportKind::Answer
            | ReportKind::Notify
            | ReportKind::Repaired
            | ReportKind::Direct
            | ReportKind::Warning => None,
        }
    }

    /// Schedules another attempt. An urgent message that its channel has not taken for minutes goes to another channel, if Discord answers
    /// there.
    pub(super) async fn later_or_elsewhere(
        &self,
        report: &Report,
        error: &serenity::Error,
    ) -> Result<Came, store::Error> {
        let now = self.clock.now();
        let is_overdue = report.posting_since.is_some_and(|since| now.duration_since(since) >= CHANNEL_PATIENCE);
        let Some(channel) = self.moves_to(report).filter(|_| is_overdue && report.message.is_none()) else {
            return self.later(report, error).await;
        };
        let read = wire::messages(&self.http, delivery::channel_id(channel), 1, None);
        if deadline::in_time(deadline::deadline(), read).await.is_err() {
            return self.later(report, error).await;
        }
        let (id, kind, cause) = (report.operation.operation.id, report.kind.word(), wire::describe(error));
        tracing::warn!(operation.id = %id, channel.id = report.channel.0, kind, cause, "this channel takes no message for minutes");
        self.store.report_moved(report, channel).await?;
        Ok(Came::Settled)
    }

    /// Reaches the people who must know by another way, if there is one, and returns the operations of a call that this covered. An error
    /// means that it must be tried again.
    pub(super) async fn post_elsewhere(
        &self,
        report: &Report,
        words: &Words,
        deadline: Instant,
    ) -> serenity::Result<Vec<OperationId>> {
        let operation = &report.operation.operation;
        match report.kind {
            ReportKind::Progress | ReportKind::Notify | ReportKind::Direct | ReportKind::Warning => {}
            // The requester waits for the answer, even if somebody else receives it too.
            ReportKind::Answer => {
                self.tell_requester(report, operation, &words.said, deadline).await?;
            }
            // They were called, and are no longer needed.
            ReportKind::Stuck if words.is_over => {}
            // Someone who can act should hear about it.
            ReportKind::Stuck | ReportKind::Repaired | ReportKind::Question => {
                if self.tell_notify_channel(report, &words.said, deadline).await? == Told::Yes {
                    return Ok(words.listed());
                }
                // All people whom the message mentions, by the first of their operations.
                let mut of_requesters: BTreeMap<UserId, &Operation> =
                    BTreeMap::from([(operation.requester.user, operation)]);
                let mut told = Vec::new();
                for called in words.called.iter().filter(|called| !called.is_called_elsewhere) {
                    of_requesters.entry(called.operation.requester.user).or_insert(&called.operation);
                    told.push(called.operation.id);
                }
                for operation in of_requesters.into_values() {
                    self.tell_requester(report, operation, &words.said, deadline).await?;
                }
                return Ok(told);
            }
        }
        Ok(words.listed())
    }

    async fn tell_notify_channel(&self, report: &Report, said: &Message, deadline: Instant) -> serenity::Result<Told> {
        let Some(channel) = self.notify_channel.filter(|channel| *channel != report.channel) else {
            return Ok(Told::No);
        };
        let id = report.operation.operation.id;
        self.tell(report, delivery::channel_id(channel), (said, id, 'n'), deadline).await
    }

    pub(super) async fn tell_requester(
        &self,
        report: &Report,
        operation: &Operation,
        said: &Message,
        deadline: Instant,
    ) -> serenity::Result<Told> {
        // Presses count only in the guild, where people have roles.
        let buttons = said.buttons.iter().filter(|button| button.press().is_none()).cloned().collect();
        let said = Message { menus: Vec::new(), buttons, ..said.clone().calling_nobody_else() };
        let requester = DiscordUser::new(operation.requester.user.0.max(1));
        match deadline::in_time(deadline, wire::direct_channel(&self.http, requester)).await {
            Ok(channel) => self.tell(report, channel, (&said, operation.id, 'd'), deadline).await,
            Err(error) => refused(report, &error).ok_or(error),
        }
    }

    async fn tell(
        &self,
        report: &Report,
        channel: DiscordChannel,
        (said, operation, letter): (&Message, OperationId, char),
        deadline: Instant,
    ) -> serenity::Result<Told> {
        if self.posted_before(report, channel, deadline).await?.is_some() {
            return Ok(Told::Yes);
        }
        // This message has a nonce of its own, since the channel may have received the original before it was deleted, and Discord
        // remembers that nonce.
        let nonce = format!("{}-{letter}", report.kind.nonce(operation, report.generation));
        match self.send(channel, said, (nonce, None), deadline).await {
            Ok(_) => Ok(Told::Yes),
            Err(error) => refused(report, &error).ok_or(error),
        }
    }
}

/// The meaning of a refusal; `None` if it is not final.
fn refused(report: &Report, error: &serenity::Error) -> Option<Told> {
    let trouble = Trouble::of(error);
    if !trouble.is_final() {
        return None;
    }
    // On create, this means that the nonce belongs to a message that was posted and then deleted.
    if trouble == Trouble::UnknownMessage {
        return Some(Told::Yes);
    }
    let (id, kind) = (report.operation.operation.id, report.kind.word());
    tracing::warn!(operation.id = %id, kind, cause = wire::describe(error), "could not tell people another way");
    Some(Told::No)
}
