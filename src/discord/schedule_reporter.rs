//! Says what there is to say about schedules: each has one message that is edited as it goes, and new ones where somebody must look.
//!
//! As the other reporter, it compares what is stored with what is shown, and writes down what it is about to do. `app` runs it alongside that
//! one.

use std::{collections::BTreeSet, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serenity::{http::Http, model::id::UserId};
use tokio_util::sync::CancellationToken;

use super::{
    delivery,
    global_rate_limit::GlobalRateLimit,
    group_reporter,
    incident::chain,
    messages::{
        Wording,
        message::Message,
        schedule::{self as words, Told},
    },
    roles::RoleNames,
    standing,
    state::AppState,
    wire::{self, Trouble},
};
use crate::{
    access::Right,
    clock::Clock,
    operation::{
        Operation,
        ids::{ChannelId, MessageId, RoleId},
    },
    schedule::{notice::Notice, run::Run},
    store::{self, Said, ScheduleMessage, Store},
};

/// The pause after the store did not answer.
const STORE_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The slowest that something is tried again.
const SLOWEST: SignedDuration = SignedDuration::from_secs(60);
/// How many messages are looked at together.
const DUE: usize = 50;
/// Before a message that Discord refuses for reasons unknown is given up.
const MOST_REFUSALS: i64 = 8;
/// Discord remembers a nonce for some minutes; later, what may have arrived is looked for.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(2);
/// How many of a channel's latest messages are looked through.
const LOOKED_THROUGH: u8 = 50;

/// The voice of the schedules. Clones speak for the same bot; run one.
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
    notify_channel: Option<ChannelId>,
    me: UserId,
}

impl ScheduleReporter {
    pub(super) fn new(
        http: Arc<Http>,
        state: &AppState,
        global_rate_limit: GlobalRateLimit,
        notify_channel: Option<ChannelId>,
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
            notify_channel,
            me,
        }
    }

    /// Says what is due until `shutdown`, then what is due at that moment, and returns.
    pub async fn run(self, shutdown: CancellationToken) {
        loop {
            let rung = self.store.changes().schedule_messages.notified();
            let is_last = shutdown.is_cancelled();
            let wake = self.say_all().await.unwrap_or_else(|error| {
                tracing::warn!(cause = chain(&error), "could not learn what is to be said about schedules");
                Some(self.clock.now() + STORE_PAUSE)
            });
            if is_last {
                return;
            }
            let asleep = async {
                match wake {
                    Some(wake) => self.clock.sleep_until(wake).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = rung => {}
                () = asleep => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    async fn say_all(&self) -> Result<Option<Timestamp>, store::Error> {
        let now = self.clock.now();
        if let Some(over) = self.global_rate_limit.over_at(now) {
            return Ok(Some(over));
        }
        for message in self.store.due_schedule_messages(now, DUE).await? {
            match self.say(&message).await {
                Ok(()) => {}
                Err(store::Error::LeaseLost) => tracing::debug!("a schedule's message moved on meanwhile"),
                Err(error) => return Err(error),
            }
        }
        self.store.next_schedule_message_due().await
    }

    async fn say(&self, message: &ScheduleMessage) -> Result<(), store::Error> {
        if self.is_of_an_earlier_week(message) {
            return self.store.schedule_message_lost(message, message.channel).await;
        }
        let said = self.words(message).await?;
        match message.message {
            Some(posted) => self.edit(message, posted, &said).await,
            None => self.post(message, &said).await,
        }
    }

    /// Whether a status message is from before this week's Monday: it is posted as a new one then, so that people need not scroll.
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
                let standing = standing::of(&self.store, schedule, self.clock.now()).await?;
                words::status(&standing, &self.wording)
            }
            Said::Once(notice) => self.told(message, notice).await?,
        })
    }

    /// A message that says something once: of its schedule, and of those that it tells of next to it.
    async fn told(&self, message: &ScheduleMessage, notice: &Notice) -> Result<Message, store::Error> {
        let schedule = &message.stored.schedule;
        let others = self.store.told_with((schedule.id, message.number)).await?;
        let all = || {
            let others = others.iter().map(|(stored, notice)| (&stored.schedule, notice));
            [(schedule, notice)].into_iter().chain(others)
        };
        let mut known = Vec::new();
        for (_, notice) in all() {
            known.push(self.known(notice).await?);
        }
        let told: Vec<Told<'_>> = all()
            .zip(&known)
            .map(|((schedule, notice), (run, operations))| Told { schedule, notice, operations, run: run.as_ref() })
            .collect();
        let role = self.wording.failure_role.filter(|_| all().any(|(_, notice)| notice.calls_role()));
        let role = self.roles.callable(role, message.channel, schedule.guild);
        let named = |restorer: &RoleId| {
            role.is_none() && self.roles.callable(Some(*restorer), message.channel, schedule.guild).is_some()
        };
        let restorers = self.restorers.iter().copied().filter(named).collect();
        Ok(words::notice(&told, &restorers, message.number).calling(role))
    }

    /// What a notice is about: the run of a group, and the operations that failed.
    async fn known(&self, notice: &Notice) -> Result<(Option<Run>, Vec<Operation>), store::Error> {
        match notice {
            Notice::Failed { operation, .. } => {
                let failed = self.store.operation(*operation).await?.map(|stored| stored.operation);
                Ok((None, failed.into_iter().collect()))
            }
            Notice::Group { run, .. } => {
                let Some(run) = self.store.run(*run).await? else { return Ok((None, Vec::new())) };
                let operations = group_reporter::explained(&self.store, &run).await?;
                Ok((Some(run), operations))
            }
            _ => Ok((None, Vec::new())),
        }
    }

    async fn edit(&self, message: &ScheduleMessage, posted: MessageId, said: &Message) -> Result<(), store::Error> {
        let (version, digest) = (message.version, said.digest());
        if message.shown_digest.as_deref() == Some(&digest) {
            return self.store.schedule_message_shown(message, posted, (version, &digest), self.clock.now()).await;
        }
        let place = (delivery::channel_id(message.channel), delivery::message_id(posted));
        let edited = wire::edit(&self.http, place, &delivery::edit(said)).await;
        wire::count(&edited);
        match edited {
            Ok(()) => self.store.schedule_message_shown(message, posted, (version, &digest), self.clock.now()).await,
            Err(error) => match Trouble::of(&error) {
                // Somebody deleted it, or it is too old to be edited as often as it changes.
                Trouble::UnknownMessage | Trouble::TooManyEdits => {
                    self.store.schedule_message_lost(message, message.channel).await
                }
                trouble => self.not_said(message, trouble, &error).await,
            },
        }
    }

    async fn post(&self, message: &ScheduleMessage, said: &Message) -> Result<(), store::Error> {
        let (version, digest) = (message.version, said.digest());
        if let Some(found) = self.posted_before(message).await {
            // What it shows is not known, so it is edited once more.
            return self.store.schedule_message_shown(message, found, (store::OUTDATED, ""), self.clock.now()).await;
        }
        self.store.schedule_message_posting(message, self.clock.now()).await?;
        let nonce = format!("{}-w{}g{}", message.stored.schedule.id, message.number, message.generation);
        let channel = delivery::channel_id(message.channel);
        let posted = wire::post(&self.http, channel, &delivery::create(said, nonce, None), None).await;
        wire::count(&posted);
        match posted {
            Ok(posted) => {
                let shown =
                    if message.posting_since.is_none() { (version, digest.as_str()) } else { (store::OUTDATED, "") };
                self.store.schedule_message_shown(message, MessageId(posted.id.get()), shown, self.clock.now()).await
            }
            Err(error) => match Trouble::of(&error) {
                // It was posted and then deleted. What is said once was said.
                Trouble::UnknownMessage if message.said == Said::Status => {
                    self.store.schedule_message_lost(message, message.channel).await
                }
                Trouble::UnknownMessage => {
                    self.store.schedule_message_given_up(message, "it was said and then deleted").await
                }
                trouble => self.not_said(message, trouble, &error).await,
            },
        }
    }

    /// The message, if an earlier try has posted it longer ago than Discord remembers its nonce.
    async fn posted_before(&self, message: &ScheduleMessage) -> Option<MessageId> {
        let since = message.posting_since?;
        if self.clock.now().duration_since(since) < REMEMBERED {
            return None;
        }
        let channel = delivery::channel_id(message.channel);
        let listed = wire::messages(&self.http, channel, LOOKED_THROUGH, None).await.ok()?;
        let marker = words::marker(message.stored.schedule.id, message.number);
        let is_it = |listed: &wire::Listed| {
            let footers = listed.embeds.iter().filter_map(|embed| embed.footer.as_ref());
            let mut texts = footers.map(|footer| footer.text.as_str()).chain([listed.content.as_str()]);
            listed.author.id == self.me && texts.any(|text| text.ends_with(&marker))
        };
        listed.iter().find(|listed| is_it(listed)).map(|found| MessageId(found.id.get()))
    }

    async fn not_said(
        &self,
        message: &ScheduleMessage,
        trouble: Trouble,
        error: &serenity::Error,
    ) -> Result<(), store::Error> {
        let (id, cause) = (message.stored.schedule.id, wire::describe(error));
        match trouble {
            Trouble::ChannelGone | Trouble::ThreadArchived | Trouble::NoAccess | Trouble::DirectMessagesClosed => {
                let other = self.notify_channel.filter(|channel| *channel != message.channel);
                if let Some(other) = other {
                    tracing::warn!(schedule.id = %id, channel.id = message.channel.0, cause, "speaks in the notify channel");
                    return self.store.schedule_message_lost(message, other).await;
                }
                tracing::error!(schedule.id = %id, channel.id = message.channel.0, cause, "there is no channel in which a schedule can speak");
                self.store.schedule_message_given_up(message, &cause).await
            }
            Trouble::Later | Trouble::TooManyEdits => {
                tracing::info!(schedule.id = %id, cause, attempts = message.attempts, "could not post, trying again");
                self.store.schedule_message_failed(message, self.retry_at(message.attempts)).await
            }
            Trouble::UnknownMessage
            | Trouble::CannotReply
            | Trouble::InteractionOver
            | Trouble::AlreadyAnswered
            | Trouble::TokenRefused
            | Trouble::Refused => {
                tracing::error!(schedule.id = %id, cause, attempts = message.attempts, "Discord refuses a message");
                if message.attempts >= MOST_REFUSALS && trouble != Trouble::TokenRefused {
                    return self.store.schedule_message_given_up(message, &cause).await;
                }
                self.store.schedule_message_failed(message, self.retry_at(message.attempts.max(3))).await
            }
        }
    }

    /// Twice as late each time, up to a minute.
    fn retry_at(&self, attempts: i64) -> Timestamp {
        self.clock.now() + SignedDuration::from_secs(1 << attempts.clamp(0, 6)).min(SLOWEST)
    }
}
