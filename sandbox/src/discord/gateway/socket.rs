//! One gateway connection: hello, identify or resume, heartbeats, and whatever the session orders it to send.
//!
//! Run by the server for each WebSocket. <https://discord.com/developers/docs/events/gateway>

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    super::{presence::Presence, shared::Shared, snowflake::from_json},
    session::Order,
};

const UNKNOWN_OPCODE: u16 = 4001;
const DECODE_ERROR: u16 = 4002;
const NOT_AUTHENTICATED: u16 = 4003;
const AUTHENTICATION_FAILED: u16 = 4004;
const ALREADY_AUTHENTICATED: u16 = 4005;
const RATE_LIMITED: u16 = 4008;

/// Serves a connection to its end.
pub(in crate::discord) async fn serve(mut socket: WebSocket, shared: Shared, stop: CancellationToken) {
    let (wire, mut orders) = mpsc::unbounded_channel();
    let (number, hello) = {
        let mut world = shared.world();
        (world.sessions.connection(), world.sessions.hello())
    };
    let mut connection = Connection { shared, number, wire, known: false };
    let mut goodbye = false;
    if send(&mut socket, &hello).await {
        loop {
            let order = tokio::select! {
                () = stop.cancelled() => Some(Order::Close(1001)),
                order = orders.recv() => order,
                frame = socket.recv() => match frame {
                    Some(Ok(Message::Text(text))) => connection.hear(text.as_str()),
                    Some(Ok(Message::Close(frame))) => {
                        // With 1000 or 1001 a bot gives up its session.
                        goodbye = frame.is_some_and(|frame| matches!(frame.code, 1000 | 1001));
                        break;
                    }
                    Some(Ok(Message::Binary(_))) => Some(Order::Close(DECODE_ERROR)),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => None,
                    Some(Err(_)) | None => break,
                },
            };
            match order {
                None => {}
                Some(Order::Send(payload)) if send(&mut socket, &payload).await => {}
                Some(Order::Send(_)) => break,
                Some(Order::Close(code)) => {
                    let frame = CloseFrame { code, reason: "closed by the simulated Discord".into() };
                    // The peer may be gone; all we want is to close.
                    let _ = socket.send(Message::Close(Some(frame))).await;
                    break;
                }
            }
        }
    }
    connection.shared.world().hang_up(connection.number, goodbye);
}

async fn send(socket: &mut WebSocket, payload: &Value) -> bool {
    socket.send(Message::Text(payload.to_string().into())).await.is_ok()
}

struct Connection {
    shared: Shared,
    number: usize,
    wire: mpsc::UnboundedSender<Order>,
    known: bool,
}

impl Connection {
    /// The reaction to a payload from the bot.
    fn hear(&mut self, text: &str) -> Option<Order> {
        let Ok(payload) = serde_json::from_str::<Value>(text) else { return Some(Order::Close(DECODE_ERROR)) };
        let data = &payload["d"];
        let mut world = self.shared.world();
        match payload["op"].as_u64() {
            Some(1) => world.sessions.hears().then(|| Order::Send(json!({"op": 11}))),
            Some(2 | 6) if self.known => Some(Order::Close(ALREADY_AUTHENTICATED)),
            Some(2 | 6) if !world.is_token(data["token"].as_str().unwrap_or_default()) => {
                Some(Order::Close(AUTHENTICATION_FAILED))
            }
            Some(2 | 6) if world.sessions.refusing().is_some() => world.sessions.refusing().map(Order::Close),
            Some(2) => {
                self.known = true;
                world.identify(data["intents"].as_u64().unwrap_or(0), self.number, &self.wire);
                None
            }
            Some(6) => {
                let session = data["session_id"].as_str().unwrap_or_default();
                let seen = data["seq"].as_u64().unwrap_or(0);
                self.known = world.resume(session, seen, self.number, &self.wire);
                (!self.known).then(|| Order::Send(json!({"op": 9, "d": false})))
            }
            Some(3 | 4 | 8) if !self.known => Some(Order::Close(NOT_AUTHENTICATED)),
            Some(8) => {
                if let Some(guild) = from_json(&data["guild_id"]) {
                    world.send_members(guild, &data["nonce"], self.number);
                }
                None
            }
            Some(3) => match Presence::read(data) {
                Some(presence) => (!world.show_presence(presence)).then_some(Order::Close(RATE_LIMITED)),
                None => Some(Order::Close(DECODE_ERROR)),
            },
            // Voice state has no effect here.
            Some(4) => None,
            _ => Some(Order::Close(UNKNOWN_OPCODE)),
        }
    }
}
