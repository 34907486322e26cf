//! Gateway sessions: numbered events, kept for replay, and orders by tests for open connections.
//!
//! The world dispatches into them whether or not the bot is connected; a resume receives what it missed.

use std::{collections::VecDeque, time::Duration};

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use super::intent::{Intent, MESSAGE_CONTENT};

/// How many events a session keeps for a resume.
const REPLAYED: usize = 10_000;

/// An order for a connection.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::discord) enum Order {
    /// Send this payload.
    Send(Value),
    /// Close with this code.
    Close(u16),
}

/// One session, with the events that it may have to replay.
#[derive(Debug)]
pub(in crate::discord) struct Session {
    pub(in crate::discord) id: String,
    intents: u64,
    sequence: u64,
    sent: VecDeque<(u64, Value)>,
    /// The connection that currently serves it, with its number.
    pub(in crate::discord) connection: Option<(usize, mpsc::UnboundedSender<Order>)>,
}

/// Every session that a bot could still resume.
#[derive(Debug)]
pub(in crate::discord) struct Sessions {
    heartbeat_interval: Duration,
    /// The gateway's URL, once the server knows it.
    pub(in crate::discord) url: String,
    pub(in crate::discord) list: Vec<Session>,
    pub(in crate::discord) begun: usize,
    connections: usize,
    pub(in crate::discord) resumed: usize,
    pub(in crate::discord) deaf: bool,
    pub(in crate::discord) handshakes: usize,
    /// Whether all handshakes are left unanswered.
    pub(in crate::discord) held: watch::Sender<bool>,
    /// The close code for clients that want a session, if they are refused.
    pub(in crate::discord) refusing: Option<u16>,
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

    /// Records a handshake, and waits until handshakes are answered.
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

    /// Dispatches a Message of another user, whose text is hidden from bots without the corresponding intent.
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

    /// The close code for clients that want a session, if they are refused.
    pub(super) fn refusing(&self) -> Option<u16> {
        self.refusing
    }

    /// Whether heartbeats are answered.
    pub(super) fn hears(&self) -> bool {
        !self.deaf
    }

    pub(in crate::discord) fn open(
        &mut self,
        intents: u64,
        connection: usize,
        wire: mpsc::UnboundedSender<Order>,
    ) -> &mut Session {
        self.begun += 1;
        let id = format!("session-{}", self.begun);
        let (sent, connection) = (VecDeque::new(), Some((connection, wire)));
        self.list.push(Session { id, intents, sequence: 0, sent, connection });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// Resumes a session. Returns whether that was possible.
    pub(in crate::discord) fn resume(
        &mut self,
        id: &str,
        seen: u64,
        connection: usize,
        wire: mpsc::UnboundedSender<Order>,
    ) -> bool {
        let Some(session) = self.list.iter_mut().find(|session| session.id == id) else { return false };
        let missed = session.sent.iter().filter(|(sequence, _)| *sequence > seen);
        for (_, payload) in missed {
            // If the connection is already gone, its end is recorded elsewhere.
            let _ = wire.send(Order::Send(payload.clone()));
        }
        session.connection = Some((connection, wire));
        session.tell("RESUMED", &json!({"_trace": []}));
        self.resumed += 1;
        true
    }

    /// Records the end of a connection. A clean close also ends the session.
    pub(in crate::discord) fn hang_up(&mut self, connection: usize, goodbye: bool) {
        let of = |session: &Session| session.connection.as_ref().is_some_and(|(number, _)| *number == connection);
        if goodbye {
            self.list.retain(|session| !of(session));
        }
        for session in self.list.iter_mut().filter(|session| of(session)) {
            session.connection = None;
        }
    }

    pub(in crate::discord) fn order(&mut self, order: &Order) {
        for (_, wire) in self.list.iter().filter_map(|session| session.connection.as_ref()) {
            // An error means the same as above.
            let _ = wire.send(order.clone());
        }
    }
}

impl Session {
    pub(in crate::discord) fn tell(&mut self, name: &str, data: &Value) {
        self.sequence += 1;
        let payload = json!({"op": 0, "t": name, "s": self.sequence, "d": data});
        if let Some((_, wire)) = &self.connection {
            // An error means the same as above.
            let _ = wire.send(Order::Send(payload.clone()));
        }
        self.sent.push_back((self.sequence, payload));
        if self.sent.len() > REPLAYED {
            self.sent.pop_front();
        }
    }
}
