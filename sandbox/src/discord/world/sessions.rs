//! Gateway sessions in the world: who is connected, and what tests do to connections.

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::World;
use crate::discord::{
    event::Event,
    gateway::{
        intent::Intent,
        session::{Order, Session},
    },
    snowflake::Snowflake,
};

impl World {
    /// Whether the bot is connected to the gateway.
    pub fn is_bot_online(&self) -> bool {
        self.sessions.anybody_online()
    }

    /// How many sessions were started (by IDENTIFY), and how many times one was resumed.
    pub fn sessions_begun_and_resumed(&self) -> (usize, usize) {
        (self.sessions.begun, self.sessions.resumed)
    }

    /// Closes every gateway connection with this code. Codes after which Discord requires a new session also end the session.
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

    /// Sets whether heartbeats are left unanswered.
    pub fn ignore_heartbeats(&mut self, ignored: bool) {
        self.sessions.deaf = ignored;
    }

    /// How many handshakes were started, whether answered or not.
    pub fn handshakes(&self) -> usize {
        self.sessions.handshakes
    }

    /// Sets whether new connections wait for the answer to their handshake.
    pub fn hold_gateway(&mut self, held: bool) {
        self.sessions.held.send_replace(held);
    }

    /// Refuses all new sessions with this code; `None` accepts them again.
    pub fn refuse_sessions(&mut self, code: Option<u16>) {
        self.sessions.refusing = code;
    }

    pub(in crate::discord) fn identify(
        &mut self,
        intents: u64,
        connection: usize,
        wire: &mpsc::UnboundedSender<Order>,
    ) {
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

    pub(in crate::discord) fn resume(
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

    pub(in crate::discord) fn hang_up(&mut self, connection: usize, goodbye: bool) {
        self.sessions.hang_up(connection, goodbye);
        self.tell(Event::BotOffline);
    }

    /// Sends the Members that a bot requested over its connection.
    pub(in crate::discord) fn send_members(&mut self, guild: Snowflake, nonce: &Value, connection: usize) {
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
