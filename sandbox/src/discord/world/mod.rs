//! The complete state of the simulated Discord, behind one lock that the server holds.
//!
//! The other files add operations on it (`impl World`); this one defines the fields and notifies watchers of changes.

mod channels;
mod commands;
mod complaints;
mod faults;
mod guilds;
mod interactions;
mod messages;
mod permissions;
mod pings;
mod sessions;

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::{broadcast, watch};

use super::{
    channel::Channel,
    command::Command,
    event::Event,
    fault::Disturbance,
    gateway::{intent::Intent, session::Sessions},
    guild::{Guild, User},
    interaction::Interaction,
    journal::{Answer, Complaint, Request},
    message::{Message, Ping},
    presence::{Presence, UPDATES},
    rate_limit::Buckets,
    settings::Settings,
    snowflake::{Counter, Snowflake},
};
use crate::control::{fault::Faults, gate::Gate, journal::Journal};

/// How many events a slow watcher may lag behind before it misses some.
const EVENTS_KEPT: usize = 4096;

/// The bot's identity: the application and its user share one id here, as they do for recent applications.
#[derive(Clone, Debug)]
pub(super) struct Bot {
    pub(super) id: Snowflake,
    pub(super) name: String,
    /// Whether the token is accepted; a test may revoke it.
    pub(super) token_good: bool,
}

/// The complete state.
#[derive(Debug)]
pub struct World {
    pub(super) settings: Settings,
    pub(super) started: Timestamp,
    pub(super) ids: Counter,
    pub(super) bot: Bot,
    pub(super) users: BTreeMap<Snowflake, User>,
    pub(super) guilds: BTreeMap<Snowflake, Guild>,
    pub(super) channels: BTreeMap<Snowflake, Channel>,
    pub(super) messages: BTreeMap<Snowflake, Message>,
    pub(super) commands: BTreeMap<Snowflake, Command>,
    /// When commands were created, by scope, for the daily limit.
    pub(super) command_creates: BTreeMap<Option<Snowflake>, Vec<Timestamp>>,
    pub(super) interactions: BTreeMap<Snowflake, Interaction>,
    pub(super) pings: Vec<Ping>,
    pub(super) sessions: Sessions,
    pub(super) journal: Journal<Request, Answer>,
    pub(super) complaints: Vec<Complaint>,
    pub(super) faults: Faults<Disturbance>,
    pub(super) gate: Gate,
    /// What the bot displays next to its name, and when it recently changed that.
    pub(super) presence: Presence,
    pub(super) presence_changes: Vec<Timestamp>,
    pub(super) buckets: Buckets,
    /// Whether the next Interaction is dispatched twice.
    pub(super) dispatch_twice: bool,
    /// Whether Members are sent without the fields that Discord sometimes omits.
    pub(super) scant_members: bool,
    /// A field that is omitted from the next Interaction.
    pub(super) leave_out: Option<&'static str>,
    events: broadcast::Sender<Event>,
    changes: watch::Sender<u64>,
}

impl World {
    pub(super) fn new(settings: Settings) -> Self {
        let mut ids = Counter::new();
        let bot = Bot { id: ids.next(), name: settings.bot_name.clone(), token_good: true };
        let user = User { id: bot.id, name: bot.name.clone(), bot: true, dms_closed: false, flags: 0 };
        Self {
            started: settings.now.get(),
            ids,
            users: BTreeMap::from([(bot.id, user)]),
            bot,
            guilds: BTreeMap::new(),
            channels: BTreeMap::new(),
            messages: BTreeMap::new(),
            commands: BTreeMap::new(),
            command_creates: BTreeMap::new(),
            interactions: BTreeMap::new(),
            pings: Vec::new(),
            sessions: Sessions::new(settings.heartbeat_interval),
            journal: Journal::default(),
            complaints: Vec::new(),
            faults: Faults::default(),
            gate: Gate::default(),
            presence: Presence::default(),
            presence_changes: Vec::new(),
            buckets: Buckets::default(),
            dispatch_twice: false,
            scant_members: false,
            leave_out: None,
            events: broadcast::Sender::new(EVENTS_KEPT),
            changes: watch::Sender::new(0),
            settings,
        }
    }

    /// The bot's user id, which is also its application id.
    pub fn bot(&self) -> Snowflake {
        self.bot.id
    }

    /// What the bot displays next to its name.
    pub fn presence(&self) -> &Presence {
        &self.presence
    }

    /// How often the bot has changed its presence in the last 20 seconds.
    pub fn presence_changes(&self) -> usize {
        self.presence_changes.len()
    }

    /// Displays a presence. Returns false if the bot changes it too often.
    pub(super) fn show_presence(&mut self, presence: Presence) -> bool {
        let now = self.now();
        self.presence_changes.retain(|at| now.duration_since(*at) < SignedDuration::from_secs(20));
        self.presence_changes.push(now);
        self.presence = presence;
        self.tell(Event::PresenceChanged);
        self.presence_changes.len() <= UPDATES
    }

    /// Revokes the bot's token, or accepts it again: while it is revoked, requests get 401 and the gateway closes with 4004.
    pub fn accept_token(&mut self, good: bool) {
        self.bot.token_good = good;
    }

    /// Does what *Reset Token* in the Developer Portal does: from now on this is the bot's token, and the earlier one is refused. Sessions
    /// that were opened with the earlier one stay until they are closed.
    pub fn reset_token(&mut self, token: &str) {
        token.clone_into(&mut self.settings.token);
    }

    /// Resets the token as [`World::reset_token`] does, with a token of another application, and so of another bot.
    pub fn replace_application(&mut self, token: &str) {
        self.bot.id = self.ids.next();
        self.reset_token(token);
    }

    /// The current time by the clock that was passed in.
    pub fn now(&self) -> Timestamp {
        self.settings.now.get()
    }

    pub(super) fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Notifies all watchers of an event.
    pub(super) fn tell(&self, event: Event) {
        // It is not an error if nothing is listening.
        let _ = self.events.send(event);
        self.changes.send_modify(|version| *version += 1);
    }

    /// Sends a gateway event to every session that requested its kind.
    pub(super) fn dispatch(&mut self, name: &'static str, intent: Intent, data: &Value) {
        self.sessions.dispatch(name, intent, data);
    }
}

/// Converts a duration for the calendar library; absurdly long ones never end.
pub(super) fn span(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
