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
        schedule::{self as words, InQuestion, Told},
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
    schedule::{Schedule, notice::Notice, run::Run},
    store::{self, Said, ScheduleMessage, ScheduleSnapshot, Store},
};

/// The pause after the store did not answer.
const STORE_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The slowest that something is tried again.
const SLOWEST: SignedDuration = SignedDuration::from_secs(60);
/// Before another try to post what no channel takes.
const UNHEARD_PAUSE: SignedDuration = SignedDuration::from_hours(1);
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
    /// Where it speaks when the channel of a schedule is gone, in this order.
    other_channels: Vec<ChannelId>,
    me: UserId,
}

/// What a notice is about, as far as it is still known.
#[derive(Default)]
struct Known {
    run: Option<Run>,
    /// Those that failed.
    operations: Vec<Operation>,
    /// All of the schedule, where somebody is asked about some.
    snapshots: Option<Vec<ScheduleSnapshot>>,
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
        for (schedule, notice) in all() {
            known.push(self.known(schedule, notice).await?);
        }
        let price_per_gb = self.wording.price_per_gb;
        let told: Vec<Told<'_>> = all()
            .zip(&known)
            .map(|((schedule, notice), Known { run, operations, snapshots })| Told {
                schedule,
                notice,
                operations,
                run: run.as_ref(),
                asked: snapshots.as_deref().map(|snapshots| InQuestion { snapshots, price_per_gb }),
            })
            .collect();
        let role = self.wording.failure_role.filter(|_| all().any(|(_, notice)| notice.calls_role()));
        let role = self.roles.callable(role, message.channel, schedule.guild);
        let named = |restorer: &RoleId| {
            role.is_none() && self.roles.callable(Some(*restorer), message.channel, schedule.guild).is_some()
        };
        let restorers = self.restorers.iter().copied().filter(named).collect();
        Ok(words::notice(&told, &restorers, message.number).calling(role))
    }

    async fn known(&self, schedule: &Schedule, notice: &Notice) -> Result<Known, store::Error> {
        let mut known = Known::default();
        match notice {
            Notice::Failed { operation, .. } | Notice::Undeleted { operation, .. } => {
                known.operations.extend(self.store.operation(*operation).await?.map(|stored| stored.operation));
            }
            Notice::Group { run, .. } => {
                if let Some(run) = self.store.run(*run).await? {
                    known.operations = group_reporter::explained(&self.store, &run).await?;
                    known.run = Some(run);
                }
            }
            Notice::Deletions { .. } | Notice::Doubtful { .. } => {
                known.snapshots = Some(self.store.schedule_snapshots(schedule.id).await?);
            }
            _ => {}
        }
        Ok(known)
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
                if let Some(other) = self.channel_after(message) {
                    tracing::warn!(schedule.id = %id, channel.id = message.channel.0, other.id = other.0, cause, "speaks in another channel");
                    return self.store.schedule_message_lost(message, other).await;
                }
                tracing::error!(schedule.id = %id, channel.id = message.channel.0, cause, "there is no channel in which a schedule can speak");
                let retry_at = self.clock.now().checked_add(UNHEARD_PAUSE).unwrap_or(Timestamp::MAX);
                self.store.schedule_message_unheard(message, retry_at).await
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

    /// Where a message is posted next whose channel does not take it.
    fn channel_after(&self, message: &ScheduleMessage) -> Option<ChannelId> {
        let tried = self.other_channels.iter().rposition(|channel| *channel == message.channel);
        let home = message.stored.schedule.channel;
        self.other_channels.iter().skip(tried.map_or(0, |tried| tried + 1)).find(|channel| **channel != home).copied()
    }

    /// Twice as late each time, up to a minute.
    fn retry_at(&self, attempts: i64) -> Timestamp {
        self.clock.now() + SignedDuration::from_secs(1 << attempts.clamp(0, 6)).min(SLOWEST)
    }
}
