//! Handles one report at a time: posts it, edits it, or finds that neither is possible, and records the result.
//!
//! A post is recorded before it is sent and carries a nonce that Discord remembers for some minutes, so that a crash in between does not
//! post it twice; `find_posted` covers the time beyond those minutes. An edit is checked before it is sent, too.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use serenity::model::id::ChannelId as DiscordChannel;
use tokio::time::Instant;

use super::{
    Reporter, Words, deadline,
    queue::{Done, Held},
};
use crate::{
    discord::{
        delivery,
        incident::chain,
        messages::message::Message,
        pauses::{self, STORE_PAUSE},
        wire::{self, Posted, Trouble},
    },
    operation::{
        Instructed, Instruction,
        ids::{ChannelId, MessageId, OperationId},
        report::ReportKind,
    },
    store::{self, Announcement, DIRECTLY, OUTDATED, Report, deadlines::SAYING},
};

/// After this many refusals for unknown reasons, the bot gives a message up in this channel.
const MOST_REFUSALS: u32 = 8;
/// An outage counts as at most this many refusals, however long it lasts, so one refusal after it ends nothing.
const MOST_OUTAGES: u32 = 5;
/// After this many refused edits, the bot gives up on a message that it may no longer be able to reach. With the pauses in between, that
/// takes a day.
const MOST_EDITS_REFUSED: u32 = 10;
/// The longest pause between those attempts.
const LONGEST_PATIENCE: SignedDuration = SignedDuration::from_hours(6);
/// The pause when Discord refuses further edits of an old message.
const TIRED_PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// The pause after a bug: code that panicked once will panic again.
const PANIC_PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// The result of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    Settled,
    Again(Timestamp),
}

impl Reporter {
    /// Works through a channel's batch, in order.
    pub(super) async fn say_all(self, channel: ChannelId, batch: Vec<Report>) -> Done {
        let mut held: Vec<Held> = Vec::new();
        for report in &batch {
            let id = report.operation.operation.id;
            if held.iter().any(|held| held.keeps_back(id)) {
                continue;
            }
            if let Some(over) = self.global_rate_limit.over_at(self.clock.now()) {
                held.push(Held::new(report, over));
                continue;
            }
            let came =
                AssertUnwindSafe(self.store.bounded_pass(SAYING, Box::pin(self.say(report)))).catch_unwind().await;
            let Ok(came) = came else {
                tracing::error!(operation.id = %id, kind = report.kind.word(), "a report panicked and is left alone for a while");
                held.push(Held::new(report, self.clock.now() + PANIC_PAUSE));
                continue;
            };
            match came {
                Ok(Came::Settled) => {}
                Ok(Came::Again(at)) => held.push(Held::new(report, at)),
                Err(error) => {
                    match error {
                        store::Error::LeaseLost => tracing::debug!(operation.id = %id, "a report moved on meanwhile"),
                        error => {
                            tracing::warn!(operation.id = %id, cause = chain(&error), "could not write down what was said");
                        }
                    }
                    held.push(Held::new(report, self.clock.now() + STORE_PAUSE));
                }
            }
        }
        Done { channel, held }
    }

    async fn say(&self, report: &Report) -> Result<Came, store::Error> {
        if report.kind == ReportKind::Direct && report.channel == DIRECTLY {
            return self.say_directly(report).await;
        }
        let words = self.words(report, self.clock.now()).await?;
        match report.message {
            Some(message) => self.edit(report, message, &words).await,
            None if words.is_over && report.posting_since.is_none() => {
                self.drop_report(report, &words.listed(), "it was over before it was said").await?;
                Ok(Came::Settled)
            }
            None => self.post(report).await,
        }
    }

    async fn edit(&self, report: &Report, message: MessageId, words: &Words) -> Result<Came, store::Error> {
        let (version, digest) = (report.version(), words.said.digest());
        if report.shown_digest.as_deref() == Some(&digest) {
            let shown_at = report.shown_at.unwrap_or_else(|| self.clock.now());
            self.store.report_edited(report, version, &digest, shown_at).await?;
            return Ok(Came::Settled);
        }
        let channel = delivery::channel_id(report.channel);
        let id = delivery::message_id(message);
        let deadline = deadline::deadline();
        self.store.report_editing(report).await?;
        let edit = delivery::edit(&words.said);
        match deadline::in_time(deadline, wire::edit(&self.http, (channel, id), &edit)).await {
            Ok(()) => {
                self.store.report_edited(report, version, &digest, self.clock.now()).await?;
                Ok(Came::Settled)
            }
            Err(error) => match Trouble::of(&error) {
                Trouble::UnknownMessage => {
                    self.deleted(report, words).await?;
                    Ok(Came::Settled)
                }
                Trouble::TooManyEdits => self.again(report, self.clock.now() + TIRED_PAUSE).await,
                Trouble::Later => self.later(report, &error).await,
                // The answer was posted. An edit would only remove buttons, which report by themselves that they have expired.
                _ if report.kind == ReportKind::Answer => {
                    self.store.report_edited(report, version, &digest, self.clock.now()).await?;
                    Ok(Came::Settled)
                }
                trouble if may_be_heard_again(report, trouble) => {
                    self.again(report, self.clock.now() + patience(report.attempts)).await
                }
                _ => self.not_said(report, words, &error, deadline).await,
            },
        }
    }

    async fn post(&self, report: &Report) -> Result<Came, store::Error> {
        let channel = delivery::channel_id(report.channel);
        match self.posted_before(report, channel, deadline::deadline()).await {
            Ok(None) => {}
            Ok(Some(found)) => {
                self.time_begins(report).await?;
                self.store.report_posted(report, found, OUTDATED, "", self.clock.now()).await?;
                return Ok(Came::Settled);
            }
            Err(error) => return self.later_or_elsewhere(report, &error).await,
        }
        let deadline = deadline::deadline();
        self.store.report_posting(report, self.clock.now()).await?;
        if report.kind == ReportKind::Answer {
            // A person who reads that the operation has ended may look for what it created, or for what it deleted.
            self.inventory.invalidate();
        }
        // Not earlier: an operation that joins a call from here on knows that this message may have been sent without it.
        let words = self.words(report, self.clock.now()).await?;
        match self.create(report, &words, deadline).await? {
            Ok(message) => {
                // After an earlier attempt, Discord may have returned that attempt's message, which shows an older version.
                let is_fresh = report.posting_since.is_none();
                let version = if is_fresh { report.version() } else { OUTDATED };
                let digest = if is_fresh { words.said.digest() } else { String::new() };
                let id = MessageId(message.id.get());
                // This comes first, so that a process that ends in between posts again: nothing else starts the question's time.
                self.time_begins(report).await?;
                self.store.report_posted(report, id, version, &digest, self.clock.now()).await?;
                Ok(Came::Settled)
            }
            // On create, this means that the nonce belongs to a message that was posted and then deleted.
            Err(error) if Trouble::of(&error) == Trouble::UnknownMessage => {
                self.deleted(report, &words).await?;
                Ok(Came::Settled)
            }
            Err(error) => self.not_said(report, &words, &error, deadline).await,
        }
    }

    /// Handles a message that was deleted. If people still need it, it is posted again; the next generation is recorded first.
    async fn deleted(&self, report: &Report, words: &Words) -> Result<(), store::Error> {
        match report.kind {
            ReportKind::Progress => self.store.report_deleted(report).await,
            ReportKind::Question | ReportKind::Stuck | ReportKind::Warning if !words.is_over => {
                self.store.report_deleted(report).await
            }
            ReportKind::Question
            | ReportKind::Answer
            | ReportKind::Notify
            | ReportKind::Stuck
            | ReportKind::Repaired
            | ReportKind::Direct
            | ReportKind::Warning => self.drop_report(report, &words.listed(), "it was said and then deleted").await,
        }
    }

    /// Records that a report is not sent. Operations that a call lists, and that are not in `told`, get a call of their own.
    async fn drop_report(&self, report: &Report, told: &[OperationId], why: &str) -> Result<(), store::Error> {
        match report.kind {
            ReportKind::Stuck => self.store.call_given_up(report, told, why).await,
            ReportKind::Progress
            | ReportKind::Answer
            | ReportKind::Notify
            | ReportKind::Repaired
            | ReportKind::Question
            | ReportKind::Direct
            | ReportKind::Warning => self.store.report_given_up(report, why).await,
        }
    }

    /// Posts the message, as a reply to the progress message if that is possible.
    async fn create(
        &self,
        report: &Report,
        words: &Words,
        deadline: Instant,
    ) -> Result<serenity::Result<Posted>, store::Error> {
        let id = report.operation.operation.id;
        let to = match (report.kind, report.leader) {
            (ReportKind::Progress | ReportKind::Notify | ReportKind::Warning, _) => None,
            // A reply to the message that lists all.
            (ReportKind::Stuck, Some(leader)) => self.store.call_message(leader).await?,
            (ReportKind::Stuck, None) if words.called.len() > 1 => None,
            (ReportKind::Answer | ReportKind::Stuck | ReportKind::Repaired | ReportKind::Question, _) => {
                self.store.progress_message(id).await?
            }
            (ReportKind::Direct, _) => match self.store.announcement(id).await? {
                Announcement::Said(channel, message) => Some((channel, message)),
                Announcement::Unsaid | Announcement::GivenUp => None,
            },
        };
        let reply_to = to.filter(|(channel, _)| *channel == report.channel);
        let said = &words.said;
        let nonce = report.kind.nonce(id, report.generation);
        let channel = delivery::channel_id(report.channel);
        let sent = self.send(channel, said, (nonce.clone(), reply_to), deadline).await;
        if reply_to.is_some() && sent.as_ref().is_err_and(|error| Trouble::of(error) == Trouble::CannotReply) {
            return Ok(self.send(channel, said, (nonce, None), deadline).await);
        }
        Ok(sent)
    }

    pub(super) async fn send(
        &self,
        channel: DiscordChannel,
        said: &Message,
        (nonce, reply_to): (String, Option<(ChannelId, MessageId)>),
        deadline: Instant,
    ) -> serenity::Result<Posted> {
        let message = delivery::create(said, nonce, reply_to);
        deadline::in_time(deadline, wire::post(&self.http, channel, &message, delivery::file(said))).await
    }

    /// From now on people can read the question or the warning, so its time begins.
    async fn time_begins(&self, report: &Report) -> Result<(), store::Error> {
        let operation = &report.operation.operation;
        let is_unread = match report.kind {
            ReportKind::Question => operation.question.is_some_and(|question| question.shown_at.is_none()),
            ReportKind::Warning => operation.warning.is_some_and(|warning| warning.until.is_none()),
            _ => false,
        };
        let instruction =
            if report.kind == ReportKind::Question { Instruction::QuestionShown } else { Instruction::WarningShown };
        if is_unread {
            let instructed = Instructed { instruction, by: operation.requester.user, at: self.clock.now() };
            self.store.instruct(operation.id, instructed, None).await?;
        }
        Ok(())
    }

    /// Decides what to do about a message that Discord did not accept.
    async fn not_said(
        &self,
        report: &Report,
        words: &Words,
        error: &serenity::Error,
        deadline: Instant,
    ) -> Result<Came, store::Error> {
        let id = report.operation.operation.id;
        let (kind, cause) = (report.kind.word(), wire::describe(error));
        match Trouble::of(error) {
            Trouble::ChannelGone | Trouble::ThreadArchived | Trouble::NoAccess | Trouble::DirectMessagesClosed => {
                tracing::warn!(operation.id = %id, channel.id = report.channel.0, kind, cause, "may not post here");
                self.give_up(report, words, &cause, deadline).await
            }
            Trouble::Later if !words.is_over => self.later_or_elsewhere(report, error).await,
            Trouble::Later | Trouble::TooManyEdits => self.later(report, error).await,
            trouble @ (Trouble::UnknownMessage
            | Trouble::CannotReply
            | Trouble::InteractionOver
            | Trouble::AlreadyAnswered
            | Trouble::TokenRefused
            | Trouble::Refused) => {
                tracing::error!(operation.id = %id, kind, cause, attempts = report.attempts, "Discord refuses a message");
                if report.attempts >= MOST_REFUSALS && trouble != Trouble::TokenRefused {
                    return self.give_up(report, words, &cause, deadline).await;
                }
                self.again(report, self.retry_at(report.attempts.max(3))).await
            }
        }
    }

    /// Gives a message up in its channel. The report is over only once the people who must know have been reached another way, or cannot
    /// be.
    async fn give_up(
        &self,
        report: &Report,
        words: &Words,
        cause: &str,
        deadline: Instant,
    ) -> Result<Came, store::Error> {
        if let Some(channel) = self.moves_to(report).filter(|_| !words.is_over) {
            self.store.report_moved(report, channel).await?;
            return Ok(Came::Settled);
        }
        let told = match self.post_elsewhere(report, words, deadline).await {
            Ok(told) => told,
            Err(error) => return self.later(report, &error).await,
        };
        if report.kind == ReportKind::Warning && report.message.is_none() {
            let operation = &report.operation.operation;
            let instructed = Instructed {
                instruction: Instruction::WarningRefused,
                by: operation.requester.user,
                at: self.clock.now(),
            };
            self.store.instruct(operation.id, instructed, None).await?;
        }
        self.drop_report(report, &told, cause).await?;
        Ok(Came::Settled)
    }

    pub(super) async fn later(&self, report: &Report, error: &serenity::Error) -> Result<Came, store::Error> {
        let (id, kind, cause) = (report.operation.operation.id, report.kind.word(), wire::describe(error));
        tracing::info!(operation.id = %id, kind, cause, attempts = report.attempts, "could not post, trying again");
        let at = self.retry_at(report.attempts);
        self.store.report_failed(report, at, MOST_OUTAGES).await?;
        Ok(Came::Again(at))
    }

    /// Schedules another attempt after a refusal, which counts toward giving up.
    async fn again(&self, report: &Report, at: Timestamp) -> Result<Came, store::Error> {
        self.store.report_failed(report, at, u32::MAX).await?;
        Ok(Came::Again(at))
    }

    fn retry_at(&self, attempts: u32) -> Timestamp {
        self.clock.now() + pauses::before_another_try(attempts.into())
    }
}

/// Whether a posted message may accept an edit later: a thread may be reopened, or a right may return. If the channel is out of reach,
/// urgent messages go elsewhere at once.
fn may_be_heard_again(report: &Report, trouble: Trouble) -> bool {
    let must_be_seen = matches!(report.kind, ReportKind::Stuck | ReportKind::Question);
    let is_out_of_reach = trouble == Trouble::NoAccess && !must_be_seen;
    report.attempts < MOST_EDITS_REFUSED && (trouble == Trouble::ThreadArchived || is_out_of_reach)
}

/// The pause before the next attempt; it doubles each time.
fn patience(attempts: u32) -> SignedDuration {
    TIRED_PAUSE.saturating_mul(1 << attempts.min(10)).min(LONGEST_PATIENCE)
}
