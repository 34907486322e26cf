//! Reports on schedules. Each has one message that is edited as it goes, and new messages where people must act.
//!
//! Like the reporter of operations, it compares what is stored with what is shown, and records each message before it sends it. `app` runs
//! it together with that one.

mod known;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use serenity::{http::Http, model::id::UserId};
use tokio_util::sync::CancellationToken;

use super::{
    delivery, direct_message,
    global_rate_limit::GlobalRateLimit,
    messages::{
        Wording,
        message::Message,
        schedule::{self as words, InQuestion, NoticeFacts},
    },
    passes,
    pauses::{self, NONCE_MEMORY},
    posted,
    reporter::deadline::{deadline, in_time},
    roles::RoleNames,
    schedule_facts,
    state::AppState,
    wire::{self, Trouble},
};
use crate::{
    access::Right,
    clock::Clock,
    operation::ids::{ChannelId, MessageId, RoleId},
    schedule::notice::Notice,
    store::{self, Said, ScheduleMessage, Store, Version},
};
use known::Known;

/// The pause before another attempt to post what no channel accepts.
const UNHEARD_PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// How many messages are handled together, in all channels.
const DUE: usize = 500;
/// After this many refusals for unknown reasons, the bot gives a message up.
const MOST_REFUSALS: i64 = 8;

/// The reporter of schedules. Clones share one bot.
#[derive(Clone)]
pub struct ScheduleReporter {
    http: Arc<Http>,
    store: Arc<Store>,
    clock: Clock,
    wording: Arc<Wording>,
    global_rate_limit: GlobalRateLimit,
    roles: Arc<RoleNames>,
    /// The roles that may take a schedule over.
    restorers: BTreeSet<RoleId>,
    /// Where it posts when the channel of a schedule is gone, in this order.
    other_channels: Vec<ChannelId>,
    me: UserId,
}

/// The result of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// There is nothing more to do for now.
    Settled,
    /// Discord holds it back or does not answer. Try again at this moment.
    Later(Timestamp),
}

impl ScheduleReporter {
    pub(super) fn new(
        http: Arc<Http>,
        state: &AppState,
        global_rate_limit: GlobalRateLimit,
        other_channels: Vec<ChannelId>,
        me: UserId,
    ) -> Self {
        Self {
            http,
            store: Arc::clone(&state.store),
            clock: state.clock.clone(),
            wording: Arc::new(state.wording.clone()),
            global_rate_limit,
            roles: Arc::clone(&state.roles),
            restorers: state.policy.sufficient(Right::Restore),
            other_channels,
            me,
        }
    }

    /// Sends what is due until `shutdown`, then what is due at that moment, and returns.
    pub async fn run(self, shutdown: CancellationToken) {
        let bell = &self.store.changes().schedule_messages;
        let pass = || Box::pin(self.say_all());
        passes::repeat(pass, (&self.store, &self.clock, bell), shutdown, "schedules").await;
    }

    async fn say_all(&self) -> Result<Option<Timestamp>, store::Error> {
        let now = self.clock.now();
        if let Some(over) = self.global_rate_limit.over_at(now) {
            return Ok(Some(over));
        }
        let mut channels = BTreeMap::<ChannelId, Vec<ScheduleMessage>>::new();
        for message in self.store.due_schedule_messages(now, DUE).await? {
            channels.entry(message.channel).or_default().push(message);
        }
        // In parallel, so that a message that Discord holds back delays no other channel.
        try_join_all(channels.into_values().map(|messages| self.say_in_turn(messages))).await?;
        self.store.next_schedule_message_due().await
    }

    /// Sends what is due in one channel. Once a message has to wait, the rest waits as long.
    async fn say_in_turn(&self, messages: Vec<ScheduleMessage>) -> Result<(), store::Error> {
        let mut waits_until = None;
        for message in &messages {
            let came = match waits_until {
                None => self.say(message).await,
                Some(until) => self.store.schedule_message_failed(message, until).await.map(|()| Came::Later(until)),
            };
            match came {
                Ok(Came::Settled) => {}
                Ok(Came::Later(until)) => waits_until = Some(until),
                Err(store::Error::LeaseLost) => tracing::debug!("a schedule's message moved on meanwhile"),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn say(&self, message: &ScheduleMessage) -> Result<Came, store::Error> {
        if self.is_of_an_earlier_week(message) {
            self.store.schedule_message_lost(message, message.channel).await?;
            return Ok(Came::Settled);
        }
        let said = self.words(message).await?;
        match message.message {
            Some(posted) => self.edit(message, posted, &said).await,
            None => self.post(message, &said).await,
        }
    }

    /// Whether a status message is from before this week's Monday. It is then posted as a new message, so that people need not scroll.
    fn is_of_an_earlier_week(&self, message: &ScheduleMessage) -> bool {
        let zone = message.stored.schedule.rule.time_zone();
        let week = |at: Timestamp| at.to_zoned(zone.clone()).date().iso_week_date();
        let monday_of = |at: Timestamp| (week(at).year(), week(at).week());
        let posted = message.posting_since.filter(|_| message.said == Said::Status && message.message.is_some());
        posted.is_some_and(|posted| monday_of(posted) < monday_of(self.clock.now()))
    }

    async fn words(&self, message: &ScheduleMessage) -> Result<Message, store::Error> {
        let schedule = &message.stored.schedule;
        Ok(match &message.said {
            Said::Status => {
                let standing = schedule_facts::of(&self.store, schedule, self.clock.now()).await?;
                words::status(&standing, &self.wording)
            }
            Said::Once(notice) => self.told(message, notice).await?,
        })
    }

    /// The text of a one-off notice: about its schedule, and about the others that it covers.
    async fn told(&self, message: &ScheduleMessage, notice: &Notice) -> Result<Message, store::Error> {
        let schedule = &message.stored.schedule;
        let others = self.store.told_with((schedule.id, message.number)).await?;
        let all = || {
            let others = others.iter().map(|(stored, notice)| (&stored.schedule, notice));
            [(schedule, notice)].into_iter().chain(others)
        };
        let mut known = Vec::new();
        for (schedule, notice) in all() {
            known.push(Known::about(&self.store, schedule, notice).await?);
        }
        let price_per_gb = self.wording.price_per_gb;
        let told: Vec<NoticeFacts<'_>> = all()
            .zip(&known)
            .map(|((schedule, notice), Known { run, operations, snapshots })| NoticeFacts {
                schedule,
                notice,
                operations,
                run: run.as_ref(),
                asked: snapshots.as_deref().map(|snapshots| InQuestion { snapshots, price_per_gb }),
            })
            .collect();
        let role =
            self.wording.failure_role.filter(|_| all().any(|(schedule, notice)| notice.calls_role(&schedule.owner)));
        let role = self.roles.callable(role, message.channel, schedule.guild);
        let named = |restorer: &RoleId| {
            role.is_none() && self.roles.callable(Some(*restorer), message.channel, schedule.guild).is_some()
        };
        let restorers = self.restorers.iter().copied().filter(named).collect();
        Ok(words::notice(&told, &restorers, message.number).calling(role))
    }

    async fn edit(&self, message: &ScheduleMessage, posted: MessageId, said: &Message) -> Result<Came, store::Error> {
        let (version, digest) = (message.version, said.digest());
        if message.shown_digest.as_deref() == Some(&digest) {
            return self.shown(message, posted, (version, &digest)).await;
        }
        let place = (delivery::channel_id(message.channel), delivery::message_id(posted));
        let edit = delivery::edit(said);
        match in_time(deadline(), wire::edit(&self.http, place, &edit)).await {
            Ok(()) => self.shown(message, posted, (version, &digest)).await,
            Err(error) => match Trouble::of(&error) {
                // The message was deleted, is too old to be edited as often as it changes, or its thread must be reopened, which a post
                // does.
                Trouble::UnknownMessage | Trouble::TooManyEdits | Trouble::ThreadArchived => {
                    self.store.schedule_message_lost(message, message.channel).await?;
                    Ok(Came::Settled)
                }
                trouble => self.not_said(message, said, (trouble, &error)).await,
            },
        }
    }

    async fn post(&self, message: &ScheduleMessage, said: &Message) -> Result<Came, store::Error> {
        let (version, digest) = (message.version, said.digest());
        match self.posted_before(message).await {
            Ok(None) => {}
            // The version that it shows is unknown, so the bot edits it.
            Ok(Some(found)) => return self.shown(message, found, (store::OUTDATED, "")).await,
            // It is unknown whether it was posted.
            Err(error) => return self.not_said(message, said, (Trouble::of(&error), &error)).await,
        }
        let deadline = deadline();
        self.store.schedule_message_posting(message, self.clock.now()).await?;
        let nonce = format!("{}-w{}g{}", message.stored.schedule.id, message.number, message.generation);
        let channel = delivery::channel_id(message.channel);
        let create = delivery::create(said, nonce, None);
        match in_time(deadline, wire::post(&self.http, channel, &create, None)).await {
            Ok(posted) => {
                let shown =
                    if message.posting_since.is_none() { (version, digest.as_str()) } else { (store::OUTDATED, "") };
                self.shown(message, MessageId(posted.id.get()), shown).await
            }
            Err(error) => match Trouble::of(&error) {
                // The message was posted and then deleted. A one-off notice is not repeated.
                Trouble::UnknownMessage if message.said == Said::Status => {
                    self.store.schedule_message_lost(message, message.channel).await?;
                    Ok(Came::Settled)
                }
                Trouble::UnknownMessage => {
                    self.store.schedule_message_given_up(message, "it was said and then deleted").await?;
                    Ok(Came::Settled)
                }
                trouble => self.not_said(message, said, (trouble, &error)).await,
            },
        }
    }

    async fn shown(
        &self,
        message: &ScheduleMessage,
        posted: MessageId,
        shown: (Version, &str),
    ) -> Result<Came, store::Error> {
        self.store.schedule_message_shown(message, posted, shown, self.clock.now()).await?;
        Ok(Came::Settled)
    }

    /// The message, if an earlier attempt posted it longer ago than Discord remembers its nonce.
    async fn posted_before(&self, message: &ScheduleMessage) -> serenity::Result<Option<MessageId>> {
        let is_remembered = |since| self.clock.now().duration_since(since) < NONCE_MEMORY;
        if message.posting_since.is_none_or(is_remembered) {
            return Ok(None);
        }
        let marker = words::marker(message.stored.schedule.id, message.number);
        posted::find(&self.http, self.me, message.channel, &marker).await
    }

    async fn not_said(
        &self,
        message: &ScheduleMessage,
        said: &Message,
        (trouble, error): (Trouble, &serenity::Error),
    ) -> Result<Came, store::Error> {
        let (id, cause) = (message.stored.schedule.id, wire::describe(error));
        match trouble {
            Trouble::ChannelGone | Trouble::ThreadArchived | Trouble::NoAccess | Trouble::DirectMessagesClosed => {
                if let Some(other) = self.channel_after(message) {
                    tracing::warn!(schedule.id = %id, channel.id = message.channel.0, other.id = other.0, cause, "speaks in another channel");
                    self.store.schedule_message_lost(message, other).await?;
                    return Ok(Came::Settled);
                }
                match self.tell_owner(message, said).await {
                    Ok(true) => {
                        self.store.schedule_message_given_up(message, &cause).await?;
                        return Ok(Came::Settled);
                    }
                    Ok(false) => {}
                    Err(error) if Trouble::of(&error) == Trouble::Later => return self.later(message, &error).await,
                    Err(error) => {
                        tracing::warn!(schedule.id = %id, cause = wire::describe(&error), "may not write to its owner either");
                    }
                }
                tracing::error!(schedule.id = %id, channel.id = message.channel.0, cause, "there is no channel in which a schedule can speak");
                let retry_at = self.clock.now().checked_add(UNHEARD_PAUSE).unwrap_or(Timestamp::MAX);
                self.store.schedule_message_unheard(message, retry_at).await?;
                Ok(Came::Settled)
            }
            Trouble::Later | Trouble::TooManyEdits => self.later(message, error).await,
            Trouble::UnknownMessage
            | Trouble::CannotReply
            | Trouble::InteractionOver
            | Trouble::AlreadyAnswered
            | Trouble::TokenRefused
            | Trouble::Refused => {
                tracing::error!(schedule.id = %id, cause, attempts = message.attempts, "Discord refuses a message");
                if message.attempts >= MOST_REFUSALS && trouble != Trouble::TokenRefused {
                    self.store.schedule_message_given_up(message, &cause).await?;
                } else {
                    self.store.schedule_message_failed(message, self.retry_at(message.attempts.max(3))).await?;
                }
                Ok(Came::Settled)
            }
        }
    }

    async fn later(&self, message: &ScheduleMessage, error: &serenity::Error) -> Result<Came, store::Error> {
        let (id, cause) = (message.stored.schedule.id, wire::describe(error));
        tracing::info!(schedule.id = %id, cause, attempts = message.attempts, "could not post, trying again");
        let at = self.retry_at(message.attempts);
        self.store.schedule_message_failed(message, at).await?;
        Ok(Came::Later(at))
    }

    /// Sends a one-off notice to the owner by direct message if no channel accepts it. Returns whether that worked.
    async fn tell_owner(&self, message: &ScheduleMessage, said: &Message) -> serenity::Result<bool> {
        if message.said == Said::Status {
            return Ok(false);
        }
        let schedule = &message.stored.schedule;
        let nonce = format!("{}-w{}g{}d", schedule.id, message.number, message.generation);
        direct_message::tell(&self.http, schedule.owner.user, said, nonce).await?;
        Ok(true)
    }

    /// The next channel for a message that its channel does not accept.
    fn channel_after(&self, message: &ScheduleMessage) -> Option<ChannelId> {
        let tried = self.other_channels.iter().rposition(|channel| *channel == message.channel);
        let home = message.stored.schedule.channel;
        self.other_channels.iter().skip(tried.map_or(0, |tried| tried + 1)).find(|channel| **channel != home).copied()
    }

    fn retry_at(&self, attempts: i64) -> Timestamp {
        self.clock.now() + pauses::before_another_try(attempts)
    }
}
