//! A relay on loopback between Discord's gateway and serenity. It repairs events that serenity cannot read.
//!
//! serenity 0.12 silently takes an event for one of an unknown kind if one field has an unexpected form; see [`super::mend`]. Then people get
//! no answer, and a bot whose own user has such a flag never connects. serenity handles READY itself, but its gateway address can be chosen,
//! so it connects to this relay, and the relay connects to Discord. Interactions go past serenity: [`super::interactions`] reads them.
//! Everything else passes through unchanged, close codes included. The token stays on loopback until it leaves over TLS.

use std::{
    io,
    io::Read as _,
    net::Ipv4Addr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use flate2::read::ZlibDecoder;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _, future::select, stream::FuturesUnordered};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use serenity::{
    constants::GATEWAY_VERSION,
    model::event::{Event, GatewayEvent},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    accept_async_with_config, connect_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{interactions::INTERACTION, mend::mend};

/// How long one side may take to close after the other has closed.
const GOODBYE: Duration = Duration::from_secs(1);
/// The pause after the system could not accept a connection.
const PAUSE: Duration = Duration::from_secs(1);
/// Discord's gateway opcodes (<https://discord.com/developers/docs/topics/opcodes-and-status-codes>).
const DISPATCH: u8 = 0;
const IDENTIFY: u8 = 2;
const PRESENCE: u8 = 3;
const VOICE_STATE: u8 = 4;
const RESUME: u8 = 6;
const REQUEST_MEMBERS: u8 = 8;
const INVALID_SESSION: u8 = 9;

/// The events with which Discord opens or resumes a session.
const OPENING: [&str; 2] = ["READY", "RESUMED"];
/// The events that the bot needs to receive interactions. Events that are new to serenity do not concern it.
const NEEDED: [&str; 3] = ["READY", "RESUMED", "GUILD_CREATE"];

/// The relay, listening but not yet running.
#[derive(Debug)]
pub(super) struct Relay {
    listener: TcpListener,
    gateway: Url,
    session: watch::Sender<Option<u64>>,
}

/// The part of a gateway message that says what it is.
#[derive(Default, Deserialize)]
struct Header {
    op: Option<u8>,
    /// The event's name.
    t: Option<String>,
}

/// An event whose content is not read yet.
#[derive(Deserialize)]
struct Unread<'a> {
    s: u64,
    #[serde(borrow)]
    d: &'a RawValue,
}

/// An event whose content is a text.
#[derive(Serialize)]
struct Enclosed<'a> {
    op: u8,
    s: u64,
    t: &'a str,
    d: &'a str,
}

impl Relay {
    /// Listens for serenity on behalf of the gateway at this address.
    pub(super) async fn open(gateway: &str) -> io::Result<Self> {
        let gateway = Url::parse(&format!("{gateway}?v={GATEWAY_VERSION}")).map_err(io::Error::other)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self { listener, gateway, session: watch::Sender::new(None) })
    }

    /// The session that Discord opened or resumed, identified by the number of its connection; `None` once that connection has ended.
    pub(super) fn session(&self) -> watch::Receiver<Option<u64>> {
        self.session.subscribe()
    }

    /// The address for serenity to connect to.
    pub(super) fn url(&self) -> io::Result<String> {
        self.listener.local_addr().map(|address| format!("ws://{address}"))
    }

    /// Forwards messages in both directions until the bot has left and every connection has ended. A connection that was still being opened
    /// when the bot left must be able to close cleanly.
    pub(super) async fn run(self, left: CancellationToken) {
        let Self { listener, gateway, session } = self;
        let mut count = 0;
        let mut work = FuturesUnordered::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(()) = work.next() => continue,
                () = left.cancelled(), if work.is_empty() => return,
            };
            match accepted {
                Ok((serenity, _)) => {
                    count += 1;
                    work.push(numbered(count, serenity, &gateway, &session).boxed());
                }
                Err(error) => {
                    tracing::warn!(%error, "could not take a connection to the gateway");
                    work.push(sleep(PAUSE).boxed());
                }
            }
        }
    }
}

/// One connection, during which the session that Discord opens has this number.
async fn numbered(number: u64, serenity: TcpStream, gateway: &Url, session: &watch::Sender<Option<u64>>) {
    let note_session = |is_open: bool| {
        session.send_replace(is_open.then_some(number));
    };
    connection(serenity, gateway, note_session).await;
    // A later connection may have a session by now.
    session.send_if_modified(|open| open.take_if(|open| *open == number).is_some());
}

/// One connection, from the handshake to the close.
async fn connection(serenity: TcpStream, gateway: &Url, note_session: impl Fn(bool)) {
    let config =
        || Some(WebSocketConfig { max_message_size: None, max_frame_size: None, ..WebSocketConfig::default() });
    // Connect to Discord first, so that serenity does not consider itself connected before it is.
    let discord = match connect_async_with_config(gateway.as_str(), config(), true).await {
        Ok((discord, _)) => discord,
        Err(error) => return tracing::info!(%error, "could not connect to Discord's gateway"),
    };
    // Without this, small messages wait for the peer's acknowledgment.
    let _ = serenity.set_nodelay(true);
    let Ok(serenity) = accept_async_with_config(serenity, config()).await else { return };
    let ((mut to_discord, mut from_discord), (mut to_serenity, mut from_serenity)) =
        (discord.split(), serenity.split());
    let is_identified = AtomicBool::new(false);
    let down = async {
        while let Some(Ok(message)) = from_discord.next().await {
            let is_goodbye = message.is_close();
            let Some(message) = uncompressed(message) else { continue };
            let header = Header::of(&message);
            if header.op == Some(INVALID_SESSION) {
                is_identified.store(false, Ordering::Relaxed);
                note_session(false);
            }
            let (message, is_read) = readable(message, &header);
            if to_serenity.send(message).await.is_err() || is_goodbye {
                return is_goodbye;
            }
            if is_read && header.t.is_some_and(|name| OPENING.contains(&&*name)) {
                note_session(true);
            }
        }
        false
    };
    let up = async {
        while let Some(Ok(message)) = from_serenity.next().await {
            let is_goodbye = message.is_close();
            match Header::of(&message).op {
                Some(IDENTIFY | RESUME) => is_identified.store(true, Ordering::Relaxed),
                // Discord would close the connection, and serenity would stop the bot. IDENTIFY contains the presence too.
                Some(PRESENCE | VOICE_STATE | REQUEST_MEMBERS) if !is_identified.load(Ordering::Relaxed) => continue,
                _ => {}
            }
            if to_discord.send(message).await.is_err() || is_goodbye {
                return is_goodbye;
            }
        }
        false
    };
    let (mut down, mut up) = (std::pin::pin!(down.fuse()), std::pin::pin!(up.fuse()));
    let was_goodbye = tokio::select! {
        was_goodbye = &mut down => was_goodbye,
        was_goodbye = &mut up => was_goodbye,
    };
    // If one side breaks without a close, the other ends too: serenity reconnects as soon as its own side ends.
    if was_goodbye {
        drop(timeout(GOODBYE, select(down, up)).await);
    }
}

impl Header {
    fn of(message: &Message) -> Self {
        let Message::Text(text) = message else { return Self::default() };
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// The message as text if it was compressed; `None` if it concerns only the connection.
fn uncompressed(message: Message) -> Option<Message> {
    match message {
        Message::Text(_) | Message::Close(_) => Some(message),
        Message::Binary(compressed) => {
            let mut text = String::new();
            let is_text = ZlibDecoder::new(&*compressed).read_to_string(&mut text).is_ok();
            Some(if is_text { Message::Text(text) } else { Message::Binary(compressed) })
        }
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => None,
    }
}

/// The message for serenity, repaired if necessary, and whether serenity can read it.
fn readable(message: Message, header: &Header) -> (Message, bool) {
    let Message::Text(text) = message else { return (message, false) };
    let name = header.t.as_deref().unwrap_or_default();
    if name == INTERACTION {
        return (Message::Text(enclosed(&text).unwrap_or(text)), false);
    }
    if is_read(&text) {
        return (Message::Text(text), true);
    }
    let Ok(mut event) = serde_json::from_str::<Value>(&text) else { return (Message::Text(text), false) };
    mend(&mut event);
    let mended = event.to_string();
    if is_read(&mended) {
        tracing::info!(event = name, "Discord sent an event in a form that is new to us; it was read all the same");
        return (Message::Text(mended), true);
    }
    if NEEDED.contains(&name) {
        tracing::warn!(event = name, "Discord sent an event that cannot be read");
    }
    // The event is lost either way: serenity counts an event of an unknown kind too, so a resume does not request it again.
    (Message::Text(text), false)
}

/// An interaction's event with its content as one text, which serenity does not read.
fn enclosed(text: &str) -> Option<String> {
    let Unread { s, d } = serde_json::from_str(text).ok()?;
    serde_json::to_string(&Enclosed { op: DISPATCH, s, t: INTERACTION, d: d.get() }).ok()
}

/// Whether serenity can read this event.
fn is_read(text: &str) -> bool {
    !matches!(serde_json::from_str(text), Ok(GatewayEvent::Dispatch(_, Event::Unknown(_))) | Err(_))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn passed(event: &Value) -> (Value, bool) {
        let message = Message::text(event.to_string());
        let header = Header::of(&message);
        let (Message::Text(text), is_read) = readable(message, &header) else { panic!("{event}") };
        (serde_json::from_str(&text).unwrap(), is_read)
    }

    fn ready(flags: u64) -> Value {
        let user =
            json!({"id": "4", "username": "bot", "discriminator": "0", "avatar": null, "bot": true, "flags": flags});
        json!({"op": 0, "s": 1, "t": "READY", "d": {
            "v": 10, "user": user, "guilds": [], "session_id": "a", "resume_gateway_url": "wss://b",
            "application": {"id": "8", "flags": 0}
        }})
    }

    #[test]
    fn what_can_be_read_and_what_is_new_passes_as_it_is() {
        for event in [ready(64), json!({"op": 11})] {
            assert_eq!(passed(&event), (event, true));
        }
        let new = json!({"op": 0, "s": 3, "t": "SOMETHING_NEW", "d": {"a": 1}});
        assert_eq!(passed(&new), (new, false));
    }

    #[test]
    fn an_interaction_goes_past_serenity_as_a_text_and_keeps_its_number() {
        let interaction = json!({"id": "7", "user": {"flags": 1_u64 << 44}, "text": "\"quoted\""});
        let (event, _) = passed(&json!({"op": 0, "s": 3, "t": INTERACTION, "d": interaction}));
        let Ok(GatewayEvent::Dispatch(3, Event::Unknown(seen))) = serde_json::from_str(&event.to_string()) else {
            panic!("{event}")
        };
        let text = seen.value.as_str().unwrap();
        assert_eq!((&*seen.kind, serde_json::from_str(text).ok()), (INTERACTION, Some(interaction)));
    }

    #[test]
    fn a_new_flag_of_the_bots_own_user_does_not_keep_it_from_connecting() {
        let event = ready(1 << 44 | 64);
        assert!(!is_read(&event.to_string()), "serenity reads it by now");
        assert_eq!(passed(&event), (ready(64), true));
    }

    #[tokio::test]
    async fn connections_end_with_either_side_and_say_nothing_before_they_are_identified() {
        let gateway = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let relay = Relay::open(&format!("ws://{}", gateway.local_addr().unwrap())).await.unwrap();
        let (url, left) = (relay.url().unwrap(), CancellationToken::new());
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(relay.run(left.clone()));
        let connect = async || {
            let (serenity, discord) = tokio::join!(connect_async_with_config(&url, None, true), async {
                accept_async_with_config(gateway.accept().await.unwrap().0, None).await.unwrap()
            });
            (serenity.unwrap().0, discord)
        };
        // If one side breaks, the other ends too, and the next connection can follow.
        let (mut serenity, mut discord) = connect().await;
        serenity.send(Message::text("last words")).await.unwrap();
        drop(serenity);
        assert_eq!(discord.next().await.unwrap().unwrap(), Message::text("last words"));
        while discord.next().await.is_some_and(|heard| heard.is_ok()) {}
        let (mut serenity, discord) = connect().await;
        drop(discord);
        while serenity.next().await.is_some_and(|heard| heard.is_ok()) {}

        let (mut serenity, mut discord) = connect().await;
        discord.send(Message::text("hello")).await.unwrap();
        assert_eq!(serenity.next().await.unwrap().unwrap(), Message::text("hello"));

        // The relay holds back what Discord would close the connection for until serenity has identified.
        let (presence, identify) = (r#"{"op":3,"d":{}}"#, r#"{"op":2,"d":{}}"#);
        for said in [presence, identify, presence] {
            serenity.send(Message::text(said)).await.unwrap();
        }
        for heard in [identify, presence] {
            assert_eq!(discord.next().await.unwrap().unwrap(), Message::text(heard));
        }
        let invalid = r#"{"op":9,"d":false}"#;
        discord.send(Message::text(invalid)).await.unwrap();
        assert_eq!(serenity.next().await.unwrap().unwrap(), Message::text(invalid));
        for said in [presence, identify] {
            serenity.send(Message::text(said)).await.unwrap();
        }
        assert_eq!(discord.next().await.unwrap().unwrap(), Message::text(identify));
        left.cancel();
        serenity.close(None).await.unwrap();
        while discord.next().await.is_some_and(|heard| heard.is_ok()) {}
        tasks.join_next().await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_session_stands_from_ready_or_resumed_until_its_connection_ends_or_discord_calls_it_invalid() {
        let gateway = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let relay = Relay::open(&format!("ws://{}", gateway.local_addr().unwrap())).await.unwrap();
        let (url, left, mut session) = (relay.url().unwrap(), CancellationToken::new(), relay.session());
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(relay.run(left.clone()));
        for ending in [None, Some(r#"{"op":9,"d":false}"#)] {
            let (serenity, discord) = tokio::join!(connect_async_with_config(&url, None, true), async {
                accept_async_with_config(gateway.accept().await.unwrap().0, None).await.unwrap()
            });
            let (mut serenity, mut discord) = (serenity.unwrap().0, discord);
            assert_eq!(*session.borrow(), None);
            discord.send(Message::text(r#"{"op":0,"s":1,"t":"RESUMED","d":{"_trace":[]}}"#)).await.unwrap();
            session.wait_for(Option::is_some).await.unwrap();
            if let Some(invalid) = ending {
                discord.send(Message::text(invalid)).await.unwrap();
                session.wait_for(Option::is_none).await.unwrap();
            }
            drop(discord);
            while serenity.next().await.is_some_and(|heard| heard.is_ok()) {}
            session.wait_for(Option::is_none).await.unwrap();
        }
        left.cancel();
        tasks.join_next().await.unwrap().unwrap();
    }
}
