//! Gateway sessions: numbered events, kept for replay, and the orders that tests give to open connections.
//!
//! The world dispatches into them whether or not the bot is connected; a resume gets what it missed.

use std::{collections::VecDeque, time::Duration};

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use super::{
    super::{event::Event, snowflake::Snowflake, world::World},
    intent::{Intent, MESSAGE_CONTENT},
};

/// How many events a session keeps for a resume.
const REPLAYED: usize = 10_000;

/// What a connection is to do.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::discord) enum Order {
    /// Send this payload.
    Send(Value),
    /// Close with this code.
    Close(u16),
}

#[derive(Debug)]
struct Session {
    id: String,
    intents: u64,
    sequence: u64,
    sent: VecDeque<(u64, Value)>,
    /// The connection that serves it now, by number.
    connection: Option<(usize, mpsc::UnboundedSender<Order>)>,
}

/// Every session that a bot could still resume.
#[derive(Debug)]
pub(in crate::discord) struct Sessions {
    heartbeat_interval: Duration,
    /// Where the gateway is, once the server knows.
    pub(in crate::discord) url: String,
    list: Vec<Session>,
    begun: usize,
    connections: usize,
    resumed: usize,
    deaf: bool,
    handshakes: usize,
    /// Whether nobody's handshake is answered.
    held: watch::Sender<bool>,
    /// With which code whoever wants a session is sent away.
    refusing: Option<u16>,
}

impl Sessions {
    pub(in crate::discord) fn new(heartbeat_interval: Duration) -> Self {
        Self {
            heartbeat_interval,
            url: String::new(),
            list: Vec::new(),
            begun: 0,
            connections: 0,
            resumed: 0,
            deaf: false,
            handshakes: 0,
            held: watch::Sender::new(false),
            refusing: None,
        }
    }

    /// Notes a handshake, and waits until handshakes are answered.
    pub(in crate::discord) fn opening(&mut self) -> impl Future<Output = ()> + Send + use<> {
        self.handshakes += 1;
        let mut held = self.held.subscribe();
        async move { drop(held.wait_for(|held| !held).await) }
    }

    /// Whether a bot is connected.
    pub(in crate::discord) fn anybody_online(&self) -> bool {
        self.list.iter().any(|session| session.connection.is_some())
    }

    pub(in crate::discord) fn begun(&self) -> usize {
        self.begun
    }

    pub(in crate::discord) fn dispatch(&mut self, name: &str, intent: Intent, data: &Value) {
        for session in self.list.iter_mut().filter(|session| intent.is_in(session.intents)) {
            session.tell(name, data);
        }
    }

    /// Dispatches a Message of somebody else, whose text is hidden from bots without the intent for it.
    pub(in crate::discord) fn dispatch_content(&mut self, name: &str, intent: Intent, data: &Value) {
        for session in self.list.iter_mut().filter(|session| intent.is_in(session.intents)) {
            let mut data = data.clone();
            if session.intents & MESSAGE_CONTENT == 0 {
                data["content"] = "".into();
                data["embeds"] = json!([]);
                data["components"] = json!([]);
            }
            session.tell(name, &data);
        }
    }

    pub(super) fn hello(&self) -> Value {
        json!({"op": 10, "d": {"heartbeat_interval": self.heartbeat_interval.as_millis(), "_trace": []}})
    }

    /// A number for a new connection.
    pub(super) fn connection(&mut self) -> usize {
        self.connections += 1;
        self.connections
    }

    /// The code with which whoever wants a session is sent away.
    pub(super) fn refusing(&self) -> Option<u16> {
        self.refusing
    }

    /// Whether heartbeats are answered.
    pub(super) fn hears(&self) -> bool {
        !self.deaf
    }

    fn open(&mut self, intents: u64, connection: usize, wire: mpsc::UnboundedSender<Order>) -> &mut Session {
        self.begun += 1;
        let id = format!("session-{}", self.begun);
        let (sent, connection) = (VecDeque::new(), Some((connection, wire)));
        self.list.push(Session { id, intents, sequence: 0, sent, connection });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// Takes a session up again; says whether that was possible.
    fn resume(&mut self, id: &str, seen: u64, connection: usize, wire: mpsc::UnboundedSender<Order>) -> bool {
        let Some(session) = self.list.iter_mut().find(|session| session.id == id) else { return false };
        let missed = session.sent.iter().filter(|(sequence, _)| *sequence > seen);
        for (_, payload) in missed {
            // Should the connection be gone already, its end is noted elsewhere.
            let _ = wire.send(Order::Send(payload.clone()));
        }
        session.connection = Some((connection, wire));
        session.tell("RESUMED", &json!({"_trace": []}));
        self.resumed += 1;
        true
    }

    /// Notes the end of a connection. A clean goodbye ends the session, too.
    fn hang_up(&mut self, connection: usize, goodbye: bool) {
        let of = |session: &Session| session.connection.as_ref().is_some_and(|(number, _)| *number == connection);
        if goodbye {
            self.list.retain(|session| !of(session));
        }
        for session in self.list.iter_mut().filter(|session| of(session)) {
            session.connection = None;
        }
    }

    fn order(&mut self, order: &Order) {
        for (_, wire) in self.list.iter().filter_map(|session| session.connection.as_ref()) {
            // As above.
            let _ = wire.send(order.clone());
        }
    }
}

impl Session {
    fn tell(&mut self, name: &str, data: &Value) {
        self.sequence += 1;
        let payload = json!({"op": 0, "t": name, "s": self.sequence, "d": data});
        if let Some((_, wire)) = &self.connection {
            // As above.
            let _ = wire.send(Order::Send(payload.clone()));
        }
        self.sent.push_back((self.sequence, payload));
        if self.sent.len() > REPLAYED {
            self.sent.pop_front();
        }
    }
}

impl World {
    /// Whether the bot is connected to the gateway.
    pub fn is_bot_online(&self) -> bool {
        self.sessions.anybody_online()
    }

    /// How many sessions were begun (by IDENTIFY), and how many times one was resumed.
    pub fn sessions_begun_and_resumed(&self) -> (usize, usize) {
        (self.sessions.begun, self.sessions.resumed)
    }

    /// Closes every gateway connection with this code. Codes after which Discord demands a new session end it.
    pub fn close_gateway(&mut self, code: u16) {
        self.sessions.order(&Order::Close(code));
        if matches!(code, 1000 | 1001 | 4004 | 4007 | 4009..=4014) {
            self.sessions.list.clear();
        }
    }

    /// Asks the bot to reconnect and resume (op 7).
    pub fn ask_to_reconnect(&mut self) {
        self.sessions.order(&Order::Send(json!({"op": 7, "d": null})));
    }

    /// Tells the bot that its session is invalid (op 9), and whether it may resume.
    pub fn invalidate_session(&mut self, resumable: bool) {
        self.sessions.order(&Order::Send(json!({"op": 9, "d": resumable})));
        if !resumable {
            self.sessions.list.clear();
        }
    }

    /// Whether heartbeats are left unanswered.
    pub fn ignore_heartbeats(&mut self, ignored: bool) {
        self.sessions.deaf = ignored;
    }

    /// How many handshakes were begun, answered or not.
    pub fn handshakes(&self) -> usize {
        self.sessions.handshakes
    }

    /// Whether new connections wait for the answer to their handshake.
    pub fn hold_gateway(&mut self, held: bool) {
        self.sessions.held.send_replace(held);
    }

    /// Sends whoever wants a session away with this code; nobody with none.
    pub fn refuse_sessions(&mut self, code: Option<u16>) {
        self.sessions.refusing = code;
    }

    pub(super) fn identify(&mut self, intents: u64, connection: usize, wire: &mpsc::UnboundedSender<Order>) {
        let guilds = self.guilds_of_bot();
        let (user, bot) = (self.user_json(self.bot.id), self.bot.id);
        let mut ready = json!({
            "v": 10, "user": user, "application": {"id": bot, "flags": 0}, "shard": [0, 1],
            "guilds": guilds.iter().map(|guild| json!({"id": guild, "unavailable": true})).collect::<Value>(),
            "private_channels": [], "relationships": [], "_trace": [],
        });
        ready["user"]["verified"] = true.into();
        ready["user"]["mfa_enabled"] = true.into();
        ready["user"]["email"] = Value::Null;
        let url = self.sessions.url.clone();
        let session = self.sessions.open(intents, connection, wire.clone());
        ready["session_id"] = session.id.as_str().into();
        ready["resume_gateway_url"] = url.into();
        session.tell("READY", &ready);
        if Intent::Guilds.is_in(intents) {
            let creates: Vec<_> = guilds.into_iter().filter_map(|guild| self.guild_create_json(guild)).collect();
            if let Some(session) = self.sessions.list.last_mut() {
                for create in &creates {
                    session.tell("GUILD_CREATE", create);
                }
            }
        }
        self.tell(Event::BotOnline);
    }

    pub(super) fn resume(
        &mut self,
        id: &str,
        seen: u64,
        connection: usize,
        wire: &mpsc::UnboundedSender<Order>,
    ) -> bool {
        let resumed = self.sessions.resume(id, seen, connection, wire.clone());
        if resumed {
            self.tell(Event::BotOnline);
        }
        resumed
    }

    pub(super) fn hang_up(&mut self, connection: usize, goodbye: bool) {
        self.sessions.hang_up(connection, goodbye);
        self.tell(Event::BotOffline);
    }

    /// Sends the Members that a bot asked for over its connection.
    pub(super) fn send_members(&mut self, guild: Snowflake, nonce: &Value, connection: usize) {
        let chunk = self.members_chunk(guild, nonce);
        let of = |session: &&mut Session| session.connection.as_ref().is_some_and(|(number, _)| *number == connection);
        if let Some(session) = self.sessions.list.iter_mut().find(of) {
            session.tell("GUILD_MEMBERS_CHUNK", &chunk);
        }
    }

    fn members_chunk(&self, guild: Snowflake, nonce: &Value) -> Value {
        let members = self.guilds.get(&guild).map(|guild| guild.members.keys());
        let members: Value = members.into_iter().flatten().filter_map(|user| self.member_json(guild, *user)).collect();
        json!({"guild_id": guild, "members": members, "chunk_index": 0, "chunk_count": 1, "nonce": nonce})
    }
}
