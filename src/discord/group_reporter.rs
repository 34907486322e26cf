//! Reports on runs of groups that people began. Each run has one message that is edited, and a new one at the end, which pings them.
//!
//! Like the other reporters, it compares what is stored with what is shown, and records each message before it sends it. `app` runs it
//! together with them. Runs of schedules are reported by their schedules.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use serenity::{
    http::Http,
    model::id::{ChannelId, UserId},
};
use tokio_util::sync::CancellationToken;

use super::{
    delivery, direct_message,
    global_rate_limit::GlobalRateLimit,
    messages::{group as words, message::Message},
    passes,
    pauses::{self, NONCE_MEMORY},
    posted,
    reporter::deadline::{deadline, in_time},
    state::AppState,
    wire::{self, Trouble},
};
use crate::{
    clock::Clock,
    operation::{
        Operation,
        ids::{self, MessageId},
    },
    schedule::run::Run,
    store::{self, Announcement, DIRECT, GroupMessage, STATUS, Store},
};

/// How many messages are handled together.
const DUE: usize = 50;
/// After this many refusals, the bot gives a message up.
const MOST_REFUSALS: i64 = 8;
/// An outage counts as at most this many refusals, however long it lasts.
const MOST_OUTAGES: i64 = 5;
/// Not the version of any run. A message with it is edited.
const OUTDATED: i64 = 0;
/// The pause before the bot looks again for the announcement that a direct message links to.
const DIRECT_PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// The reporter of groups. Clones share one bot; run only one.
#[derive(Clone)]
pub struct GroupReporter {
    http: Arc<Http>,
    store: Arc<Store>,
    clock: Clock,
    global_rate_limit: GlobalRateLimit,
    notify_channel: Option<ids::ChannelId>,
    me: UserId,
}

/// The operations that explain how a run ended.
pub(super) async fn explained(store: &Store, run: &Run) -> Result<Vec<Operation>, store::Error> {
    let mut operations = Vec::new();
    for id in words::explained(run) {
        operations.extend(store.operation(id).await?.map(|stored| stored.operation));
    }
    Ok(operations)
}

impl GroupReporter {
    pub(super) fn new(
        http: Arc<Http>,
        state: &AppState,
        global_rate_limit: GlobalRateLimit,
        notify_channel: Option<ids::ChannelId>,
        me: UserId,
    ) -> Self {
        let (store, clock) = (Arc::clone(&state.store), state.clock.clone());
        Self { http, store, clock, global_rate_limit, notify_channel, me }
    }

    /// Sends what is due until `shutdown`, then what is due at that moment, and returns.
    pub async fn run(self, shutdown: CancellationToken) {
        let bell = &self.store.changes().group_messages;
        let pass = || Box::pin(self.say_all());
        passes::repeat(pass, (&self.store, &self.clock, bell), shutdown, "groups").await;
    }

    async fn say_all(&self) -> Result<Option<Timestamp>, store::Error> {
        let now = self.clock.now();
        if let Some(over) = self.global_rate_limit.over_at(now) {
            return Ok(Some(over));
        }
        let mut channels = BTreeMap::<ids::ChannelId, Vec<GroupMessage>>::new();
        for message in self.store.due_group_messages(now, DUE).await? {
            channels.entry(message.run.plan.channel).or_default().push(message);
        }
        // In parallel, so that a message that Discord holds back delays no other channel.
        try_join_all(channels.into_values().map(|messages| self.say_in_turn(messages))).await?;
        self.store.next_group_message_due().await
    }

    /// Sends what is due in one channel.
    async fn say_in_turn(&self, messages: Vec<GroupMessage>) -> Result<(), store::Error> {
        for message in &messages {
            match self.say(message).await {
                Ok(()) => {}
                Err(store::Error::LeaseLost) => tracing::debug!("the message of a group moved on meanwhile"),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn say(&self, message: &GroupMessage) -> Result<(), store::Error> {
        let said = match message.number {
            STATUS => words::status(&message.run, &explained(&self.store, &message.run).await?),
            DIRECT => return self.say_directly(message).await,
            _ => words::ended(&message.run, &explained(&self.store, &message.run).await?),
        };
        match message.message {
            Some(posted) => self.edit(message, posted, &said).await,
            None => self.post(message, &said).await,
        }
    }

    async fn edit(&self, message: &GroupMessage, posted: MessageId, said: &Message) -> Result<(), store::Error> {
        let place = (delivery::channel_id(message.run.plan.channel), delivery::message_id(posted));
        let edit = delivery::edit(said);
        match in_time(deadline(), wire::edit(&self.http, place, &edit)).await {
            Ok(()) => self.shown(message, posted, message.run.version).await,
            Err(error) => match Trouble::of(&error) {
                // A post reopens an archived thread.
                Trouble::UnknownMessage | Trouble::TooManyEdits | Trouble::ThreadArchived => {
                    self.store.group_message_lost(message).await
                }
                trouble => self.not_said(message, trouble, &error).await,
            },
        }
    }

    async fn post(&self, message: &GroupMessage, said: &Message) -> Result<(), store::Error> {
        let place = (delivery::channel_id(message.run.plan.channel), "");
        let Some(posted) = self.put(message, place, said).await? else { return Ok(()) };
        match posted {
            Ok((posted, version)) => self.shown(message, posted, version).await,
            Err(error) => match Trouble::of(&error) {
                // The message was posted and then deleted. A one-off message is not repeated.
                Trouble::UnknownMessage if message.number == STATUS => self.store.group_message_lost(message).await,
                Trouble::UnknownMessage => {
                    self.store.group_message_given_up(message, "it was said and then deleted").await
                }
                Trouble::ChannelGone | Trouble::ThreadArchived | Trouble::NoAccess if message.number != STATUS => {
                    match self.tell_elsewhere(message, said).await {
                        Ok(()) => self.store.group_message_given_up(message, &wire::describe(&error)).await,
                        Err(error) => self.not_said(message, Trouble::of(&error), &error).await,
                    }
                }
                trouble => self.not_said(message, trouble, &error).await,
            },
        }
    }

    /// Sends the direct message once the announcement exists. If the person accepts none, the bot mentions them in the channel instead.
    async fn say_directly(&self, message: &GroupMessage) -> Result<(), store::Error> {
        let plan = &message.run.plan;
        let said = match self.store.run_announcement(&message.run).await? {
            Announcement::Said(channel, posted) => (channel, posted),
            Announcement::Unsaid => {
                let again = self.clock.now() + DIRECT_PAUSE;
                return self.store.group_message_failed(message, again, message.attempts).await;
            }
            Announcement::GivenUp => {
                let why = "the asker was told directly in place of the channel";
                return self.store.group_message_given_up(message, why).await;
            }
        };
        let owner = UserId::new(plan.owner.0.max(1));
        let refused = match in_time(deadline(), wire::direct_channel(&self.http, owner)).await {
            Ok(channel) => {
                let lead = words::lead(&message.run, said);
                match self.put(message, (channel, "d"), &lead).await? {
                    None => return Ok(()),
                    Some(Ok((posted, version))) => return self.shown(message, posted, version).await,
                    Some(Err(error)) => error,
                }
            }
            Err(error) => error,
        };
        match Trouble::of(&refused) {
            trouble @ (Trouble::Later | Trouble::TokenRefused) => self.not_said(message, trouble, &refused).await,
            Trouble::UnknownMessage => self.store.group_message_given_up(message, "it was said and then deleted").await,
            _ => self.post(message, &words::lead_in_channel(&message.run, said)).await,
        }
    }

    /// Posts a message unless an earlier attempt did, and returns it with the version that it shows. `None` means that it is unknown
    /// whether it was posted; the bot looks for it again later.
    async fn put(
        &self,
        message: &GroupMessage,
        (channel, letter): (ChannelId, &str),
        said: &Message,
    ) -> Result<Option<serenity::Result<(MessageId, i64)>>, store::Error> {
        match self.posted_before(message, channel).await {
            Ok(None) => {}
            // The version that it shows is unknown, so the bot edits it.
            Ok(Some(found)) => return Ok(Some(Ok((found, OUTDATED)))),
            Err(error) => {
                self.not_said(message, Trouble::of(&error), &error).await?;
                return Ok(None);
            }
        }
        self.store.group_message_posting(message, self.clock.now()).await?;
        let nonce = format!("{}-g{}g{}{letter}", message.run.plan.id, message.number, message.generation);
        let create = delivery::create(said, nonce, None);
        let posted = in_time(deadline(), wire::post(&self.http, channel, &create, None)).await;
        let version = if message.posting_since.is_none() { message.run.version } else { OUTDATED };
        Ok(Some(posted.map(|posted| (MessageId(posted.id.get()), version))))
    }

    /// Reports how a run ended in the channel for all outcomes if its own channel cannot be reached, else to the owner by direct message.
    async fn tell_elsewhere(&self, message: &GroupMessage, said: &Message) -> serenity::Result<()> {
        let plan = &message.run.plan;
        let nonce = |letter: char| format!("{}-g{}g{}{letter}", plan.id, message.number, message.generation);
        if let Some(channel) = self.notify_channel.filter(|channel| *channel != plan.channel) {
            let create = delivery::create(said, nonce('n'), None);
            match in_time(deadline(), wire::post(&self.http, delivery::channel_id(channel), &create, None)).await {
                Ok(_) => return Ok(()),
                Err(error) if Trouble::of(&error) == Trouble::Later => return Err(error),
                Err(error) => {
                    tracing::warn!(run.id = %plan.id, cause = wire::describe(&error), "may not post here either");
                }
            }
        }
        direct_message::tell(&self.http, plan.owner, said, nonce('d')).await
    }

    async fn shown(&self, message: &GroupMessage, posted: MessageId, version: i64) -> Result<(), store::Error> {
        self.store.group_message_shown(message, posted, version, self.clock.now()).await
    }

    /// The message, if an earlier attempt posted it longer ago than Discord remembers its nonce.
    async fn posted_before(&self, message: &GroupMessage, channel: ChannelId) -> serenity::Result<Option<MessageId>> {
        let is_remembered = |since| self.clock.now().duration_since(since) < NONCE_MEMORY;
        if message.posting_since.is_none_or(is_remembered) {
            return Ok(None);
        }
        let marker = words::marker(message.run.plan.id, message.number);
        posted::find(&self.http, self.me, ids::ChannelId(channel.get()), &marker).await
    }

    async fn not_said(
        &self,
        message: &GroupMessage,
        trouble: Trouble,
        error: &serenity::Error,
    ) -> Result<(), store::Error> {
        let (id, cause) = (message.run.plan.id, wire::describe(error));
        let may_pass = matches!(trouble, Trouble::Later | Trouble::TooManyEdits | Trouble::TokenRefused);
        if may_pass || message.attempts < MOST_REFUSALS {
            tracing::info!(run.id = %id, cause, attempts = message.attempts, "could not post, trying again");
            let pause = pauses::before_another_try(message.attempts);
            let most = if may_pass { MOST_OUTAGES } else { i64::MAX };
            return self.store.group_message_failed(message, self.clock.now() + pause, most).await;
        }
        tracing::error!(run.id = %id, cause, "how a group gets on cannot be said");
        self.store.group_message_given_up(message, &cause).await
    }
}
