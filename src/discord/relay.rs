//! A relay on loopback between Discord's gateway and serenity. It repairs events that serenity cannot read, or answers them itself.
//!
//! serenity 0.12 silently takes an event for one of an unknown kind if one field has an unexpected form, such as a user's flag beyond 32
//! bits or a member without `deaf`. The person then gets no answer, and a bot whose own user has such a flag never connects. A raw event
//! handler sees the rest of such an event, which would be enough for interactions, but serenity handles READY itself. Its gateway address
//! can be chosen, however, so serenity connects to this relay, and the relay connects to Discord. Everything else passes through unchanged,
//! close codes included. The token stays on loopback until it leaves over TLS.

use std::{
    io,
    io::Read as _,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use flate2::read::ZlibDecoder;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _, future::select, stream::FuturesUnordered};
use serde::Deserialize;
use serde_json::{Value, json};
use serenity::{
    builder::{CreateAutocompleteResponse, CreateInteractionResponse, CreateInteractionResponseMessage},
    constants::GATEWAY_VERSION,
    http::Http,
    model::{
        event::{Event, GatewayEvent},
        id::InteractionId,
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    accept_async_with_config, connect_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{messages::reply, wire};

/// How long one side may take to close after the other has closed.
const GOODBYE: Duration = Duration::from_secs(1);
/// The pause after the system could not accept a connection.
const PAUSE: Duration = Duration::from_secs(1);
/// Discord's numbers for interactions that can be answered: a command, a press or choice, an autocomplete request, a form.
const SUGGESTING: u64 = 4;
const ANSWERABLE: [u64; 4] = [2, 3, SUGGESTING, 5];

/// Discord's gateway opcodes (<https://discord.com/developers/docs/topics/opcodes-and-status-codes>).
const IDENTIFY: u8 = 2;
const PRESENCE: u8 = 3;
const VOICE_STATE: u8 = 4;
const RESUME: u8 = 6;
const REQUEST_MEMBERS: u8 = 8;
const INVALID_SESSION: u8 = 9;

const INTERACTION: &str = "INTERACTION_CREATE";
/// The events that the bot needs to receive interactions. Events that are new to serenity do not concern it.
const NEEDED: [&str; 4] = [INTERACTION, "READY", "RESUMED", "GUILD_CREATE"];

/// The relay, listening but not yet running.
#[derive(Debug)]
pub(super) struct Relay {
    listener: TcpListener,
    gateway: Url,
    http: Arc<Http>,
    session: watch::Sender<Option<u64>>,
}

/// An interaction that serenity could not read beyond these fields.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unreadable {
    id: u64,
    token: String,
    kind: u64,
}

impl Relay {
    /// Listens for serenity on behalf of the gateway at this address.
    pub(super) async fn open(gateway: &str, http: Arc<Http>) -> io::Result<Self> {
        let gateway = Url::parse(&format!("{gateway}?v={GATEWAY_VERSION}")).map_err(io::Error::other)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self { listener, gateway, http, session: watch::Sender::new(None) })
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
        let Self { listener, gateway, http, session } = self;
        let (session, mut count) = (&session, 0);
        let (found, mut unreadable) = mpsc::unbounded_channel();
        let mut work = FuturesUnordered::new();
        loop {
            tokio::select! {
                           accepted = listener.accept() => match accepted {
                               Ok((serenity, _)) => {
                                   count += 1;
                                   let (number, gateway, found) = (count, gateway.clone(), found.clone());
                                   let passed = async move {
                                       let note = |is_open: bool| {
            session.send_replace(is_open.then_some(number));
            };
                                       connection(serenity, gateway, found, note).await;
                                       // A later connection may have a session by now.
                                       session.send_if_modified(|open| open.take_if(|open| *open == number).is_some());
                                   };
                                   work.push(passed.boxed());
                               }
                               Err(error) => {
                                   tracing::warn!(%error, "could not take a connection to the gateway");
                                   work.push(sleep(PAUSE).boxed());
                               }
                           },
                           Some(()) = work.next() => {}
                           Some(interaction) = unreadable.recv() => work.push(answer(Arc::clone(&http), interaction).boxed()),
                           () = left.cancelled(), if work.is_empty() => return,
                       }
        }
    }
}

/// One connection, from the handshake to the close.
async fn connection(
    serenity: TcpStream,
    gateway: Url,
    found: mpsc::UnboundedSender<Unreadable>,
    note_session: impl Fn(bool),
) {
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
            let Some(message) = readable(message, &found) else { continue };
            if opcode(&message) == Some(INVALID_SESSION) {
                is_identified.store(false, Ordering::Relaxed);
                note_session(false);
            }
            let opens = opens_session(&message);
            if to_serenity.send(message).await.is_err() || is_goodbye {
                return is_goodbye;
            }
            if opens {
                note_session(true);
            }
        }
        false
    };
    let up = async {
        while let Some(Ok(message)) = from_serenity.next().await {
            let is_goodbye = message.is_close();
            match opcode(&message) {
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

/// The opcode of a message.
fn opcode(message: &Message) -> Option<u8> {
    #[derive(Deserialize)]
    struct Payload {
        op: u8,
    }
    let Message::Text(text) = message else { return None };
    serde_json::from_str(text).ok().map(|Payload { op }| op)
}

/// Whether a message says that Discord has opened or resumed a session, in a form that serenity can read.
fn opens_session(message: &Message) -> bool {
    #[derive(Deserialize)]
    struct Event {
        t: Option<String>,
    }
    let Message::Text(text) = message else { return false };
    let event = serde_json::from_str(text).ok().and_then(|Event { t }| t);
    event.is_some_and(|event| ["READY", "RESUMED"].contains(&&*event)) && is_read(text)
}

/// The message for serenity, repaired if necessary; `None` if it concerns only the connection.
fn readable(message: Message, found: &mpsc::UnboundedSender<Unreadable>) -> Option<Message> {
    let text = match message {
        Message::Text(text) => text,
        Message::Binary(compressed) => {
            let mut text = String::new();
            match ZlibDecoder::new(&*compressed).read_to_string(&mut text) {
                Ok(_) => text,
                Err(_) => return Some(Message::Binary(compressed)),
            }
        }
        goodbye @ Message::Close(_) => return Some(goodbye),
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return None,
    };
    let (text, unreadable) = mended(text);
    if let Some(unreadable) = unreadable {
        // The receiver is gone while the bot stops.
        let _ = found.send(unreadable);
    }
    Some(Message::Text(text))
}

/// The event in a form that serenity can read, and the interaction in it if it cannot be repaired.
fn mended(text: String) -> (String, Option<Unreadable>) {
    if is_read(&text) {
        return (text, None);
    }
    let Ok(mut event) = serde_json::from_str::<Value>(&text) else { return (text, None) };
    let name = event["t"].as_str().unwrap_or_default().to_owned();
    mend(&mut event);
    let mended = event.to_string();
    if is_read(&mended) {
        tracing::info!(event = name, "Discord sent an event in a form that is new to us; it was read all the same");
        return (mended, None);
    }
    if NEEDED.contains(&&*name) {
        tracing::warn!(event = name, "Discord sent an event that cannot be read");
    }
    // The event is lost either way: serenity counts an event of an unknown kind too, so a resume does not request it again.
    let interaction = (name == INTERACTION).then(|| unreadable(&event["d"])).flatten();
    (text, interaction)
}

/// Whether serenity can read this event.
fn is_read(text: &str) -> bool {
    !matches!(serde_json::from_str(text), Ok(GatewayEvent::Dispatch(_, Event::Unknown(_))) | Err(_))
}

fn unreadable(interaction: &Value) -> Option<Unreadable> {
    let id = interaction["id"].as_str()?.parse().ok().filter(|id| *id > 0)?;
    let (token, kind) = (interaction["token"].as_str()?.to_owned(), interaction["type"].as_u64()?);
    ANSWERABLE.contains(&kind).then_some(Unreadable { id, token, kind })
}

/// Converts known differences to the form that serenity expects: flags of 32 bits, and members with all their fields.
fn mend(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            for key in ["flags", "public_flags"] {
                if let Some(flags) = fields.get_mut(key).filter(|flags| !flags.is_null()) {
                    *flags = json!(flags.as_u64().unwrap_or_default() & u64::from(u32::MAX));
                }
            }
            let is_member = fields.get("user").is_some_and(Value::is_object)
                && ["roles", "joined_at", "permissions", "nick"].iter().any(|key| fields.contains_key(*key));
            if is_member {
                for (key, usual) in
                    [("deaf", json!(false)), ("mute", json!(false)), ("flags", json!(0)), ("roles", json!([]))]
                {
                    let field = fields.entry(key).or_insert(Value::Null);
                    if field.is_null() {
                        *field = usual;
                    }
                }
            }
            fields.values_mut().for_each(mend);
        }
        Value::Array(items) => items.iter_mut().for_each(mend),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Answers an interaction by its id and token, which is all that is known.
async fn answer(http: Arc<Http>, Unreadable { id, token, kind }: Unreadable) {
    let response = if kind == SUGGESTING {
        CreateInteractionResponse::Autocomplete(CreateAutocompleteResponse::new())
    } else {
        let message = CreateInteractionResponseMessage::new().content(reply::unreadable()).ephemeral(true);
        CreateInteractionResponse::Message(message)
    };
    let answered = http.create_interaction_response(InteractionId::new(id), &token, &response, Vec::new()).await;
    wire::count(&answered);
    if let Err(error) = answered {
        tracing::warn!(
            interaction.id = id,
            cause = wire::describe(&error),
            "could not answer an interaction that cannot be read"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(user: Value, member: Option<Value>) -> Value {
        let mut interaction = json!({
            "version": 1, "id": "7", "application_id": "8", "type": 2, "token": "abc", "channel_id": "9", "locale": "en-US",
            "data": {"id": "1", "name": "snapshot", "type": 1}, "entitlements": [], "attachment_size_limit": 1,
            "authorizing_integration_owners": {}
        });
        match member {
            Some(mut member) => {
                member["user"] = user;
                interaction["member"] = member;
                interaction["guild_id"] = json!("5");
            }
            None => interaction["user"] = user,
        }
        json!({"op": 0, "s": 3, "t": "INTERACTION_CREATE", "d": interaction})
    }

    fn ada(flags: u64) -> Value {
        json!({"id": "4", "username": "ada", "discriminator": "0", "global_name": null, "avatar": null, "public_flags": flags})
    }

    #[test]
    fn what_can_be_read_and_what_is_new_passes_as_it_is() {
        let text = command(ada(64), None).to_string();
        assert_eq!(mended(text.clone()), (text, None));
        let new = json!({"op": 0, "s": 3, "t": "SOMETHING_NEW", "d": {"a": 1}}).to_string();
        assert_eq!(mended(new.clone()), (new, None));
        let heartbeat = r#"{"op":11}"#.to_owned();
        assert_eq!(mended(heartbeat.clone()), (heartbeat, None));
    }

    #[test]
    fn flags_beyond_32_bits_and_members_that_lack_fields_are_mended() {
        let members =
            [json!({"roles": [], "permissions": "0"}), json!({"permissions": "0", "deaf": null, "nick": null})];
        for event in [command(ada(1 << 44 | 64), None)]
            .into_iter()
            .chain(members.map(|member| command(ada(1 << 50), Some(member))))
        {
            let text = event.to_string();
            assert!(!is_read(&text), "serenity reads it by now: {text}");
            let (mended, unreadable) = mended(text);
            assert_eq!(unreadable, None);
            assert!(is_read(&mended), "{mended}");
        }
    }

    #[tokio::test]
    async fn connections_end_with_either_side_and_say_nothing_before_they_are_identified() {
        let gateway = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let relay =
            Relay::open(&format!("ws://{}", gateway.local_addr().unwrap()), Arc::new(Http::new(""))).await.unwrap();
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
        let relay =
            Relay::open(&format!("ws://{}", gateway.local_addr().unwrap()), Arc::new(Http::new(""))).await.unwrap();
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

    #[test]
    fn an_interaction_that_nobody_can_read_is_answered_by_id_and_token() {
        let mut event = command(ada(0), None);
        event["d"]["data"] = json!("something else");
        let (text, unreadable) = mended(event.to_string());
        assert_eq!(text, event.to_string());
        assert_eq!(unreadable, Some(Unreadable { id: 7, token: "abc".to_owned(), kind: 2 }));
        let Ok(GatewayEvent::Dispatch(3, _)) = serde_json::from_str(&text) else {
            panic!("the sequence is lost: {text}")
        };
    }
}
