//! The one HTTP client for Discord, and what its errors mean for the caller.
//!
//! serenity gets a client of ours, to set timeouts and to reach simulators at another address: serenity ignores its own proxy setting while
//! its rate limiter is on.

use std::{net::SocketAddr, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serenity::{
    builder::{
        CreateAllowedMentions, CreateAttachment, CreateInteractionResponseFollowup, CreateMessage,
        EditInteractionResponse, EditMessage,
    },
    http::{Http, HttpBuilder, HttpError, LightMethod, Multipart, MultipartUpload, Request},
    model::id::{ApplicationId, ChannelId, MessageId, UserId},
};

use super::Error;
use crate::store::deadlines;

/// The connect timeout. Connecting takes milliseconds, so a server that does not answer within this time is not there.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);

/// How to reach Discord.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// The bot's token.
    pub(super) token: SecretString,
    /// Where to connect instead of discord.com. Only simulators set it.
    pub(super) connect_to: Option<SocketAddr>,
    /// The only root certificate to trust there, as PEM.
    pub(super) extra_ca_pem: Option<String>,
}

/// serenity's client with our settings.
pub(super) fn http(route: &Route) -> Result<Http, Error> {
    let mut client = reqwest::Client::builder()
        .connect_timeout(CONNECT_DEADLINE)
        .timeout(deadlines::REQUEST)
        .user_agent(concat!("DiscordBot (snapshot-bot, ", env!("CARGO_PKG_VERSION"), ")"));
    if let Some(pem) = &route.extra_ca_pem {
        let root = reqwest::Certificate::from_pem(pem.as_bytes()).map_err(Error::BadCertificate)?;
        client = client.tls_built_in_root_certs(false).add_root_certificate(root);
    }
    if let Some(address) = route.connect_to {
        // A proxy from the environment would connect to the real Discord instead.
        client = client.no_proxy().resolve("discord.com", address);
    }
    let client = client.build().map_err(Error::Client)?;
    Ok(HttpBuilder::new(route.token.expose_secret())
        .client(client)
        .default_allowed_mentions(CreateAllowedMentions::new())
        .build())
}

/// The code that serenity gives to an error that it cannot read.
const NOT_DISCORDS: isize = -1;

/// What a failed request means for its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// 10008: the message does not exist (any more).
    UnknownMessage,
    /// 10003, 50008: the channel does not exist, or it is a forum.
    ChannelGone,
    /// 50083: the thread is archived. A post reopens it, unless it is locked; an edit does not.
    ThreadArchived,
    /// 50001, 50013: the bot lacks a permission.
    NoAccess,
    /// 50007, 50278: the person accepts no direct messages.
    DirectMessagesClosed,
    /// 160002, 50035 about the reference: a reply is not possible, but a message may be.
    CannotReply,
    /// 30046: too many edits of an old message.
    TooManyEdits,
    /// 10062, 50027: the interaction has expired.
    InteractionOver,
    /// 40060: the interaction was already answered, most likely by an earlier attempt.
    AlreadyAnswered,
    /// 401: the token is refused.
    TokenRefused,
    /// Refused in another way: a bug in the bot, or new rules at Discord.
    Refused,
    /// 429, 5xx, timeout, no connection, or a page that is not Discord's: try again later.
    Later,
}

impl Trouble {
    pub(super) fn of(error: &serenity::Error) -> Self {
        let serenity::Error::Http(HttpError::UnsuccessfulRequest(response)) = error else {
            return Self::Later;
        };
        match response.error.code {
            10008 => Self::UnknownMessage,
            10003 | 50008 => Self::ChannelGone,
            50083 => Self::ThreadArchived,
            50001 | 50013 => Self::NoAccess,
            50007 | 50278 => Self::DirectMessagesClosed,
            160_002 => Self::CannotReply,
            50035 if response.error.errors.iter().any(|error| error.path.starts_with("message_reference")) => {
                Self::CannotReply
            }
            30046 => Self::TooManyEdits,
            10062 | 10015 | 50027 => Self::InteractionOver,
            40060 => Self::AlreadyAnswered,
            // A body without a Discord error did not come from Discord: it is a proxy's page, whatever its status.
            NOT_DISCORDS => Self::Later,
            _ => match response.status_code.as_u16() {
                401 => Self::TokenRefused,
                429 | 500.. => Self::Later,
                _ => Self::Refused,
            },
        }
    }

    /// Whether the same request would be refused again.
    pub(super) fn is_final(self) -> bool {
        match self {
            Self::Later | Self::TokenRefused => false,
            Self::UnknownMessage
            | Self::ChannelGone
            | Self::ThreadArchived
            | Self::NoAccess
            | Self::DirectMessagesClosed
            | Self::CannotReply
            | Self::TooManyEdits
            | Self::InteractionOver
            | Self::AlreadyAnswered
            | Self::Refused => true,
        }
    }
}

/// The parts of the bot's user that are needed. Discord's answers hold users whose flags serenity's own types may refuse to read, although
/// the request succeeded.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Me {
    /// The user's id.
    pub(super) id: UserId,
    /// The user's name.
    pub(super) username: String,
}

/// The bot's application.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Application {
    /// The application's id.
    pub(super) id: ApplicationId,
}

/// A posted message.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Posted {
    /// The message's id.
    pub(super) id: MessageId,
}

/// A listed message, with the fields that tell whether it is the bot's.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Listed {
    /// The message's id.
    pub(super) id: MessageId,
    /// Its author.
    pub(super) author: Author,
    /// Its text.
    #[serde(default)]
    pub(super) content: String,
    /// Its embeds.
    #[serde(default)]
    pub(super) embeds: Vec<Framed>,
}

/// The author of a message.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Author {
    /// The user's id.
    pub(super) id: UserId,
}

/// An embed of a message.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Framed {
    /// Its footer.
    pub(super) footer: Option<Footer>,
}

/// The footer of an embed.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Footer {
    /// The footer's text.
    pub(super) text: String,
}

/// The latest messages of a channel, or the latest before one.
pub(super) async fn messages(
    http: &Http,
    channel: ChannelId,
    limit: u8,
    before: Option<MessageId>,
) -> serenity::Result<Vec<Listed>> {
    let route = serenity::http::Route::ChannelMessages { channel_id: channel };
    let before = before.map(|before| ("before", before.to_string()));
    let params = [("limit", limit.to_string())].into_iter().chain(before).collect();
    http.fire(Request::new(route, LightMethod::Get).params(Some(params))).await
}

/// Reads the bot's user.
pub(super) async fn me(http: &Http) -> serenity::Result<Me> {
    http.fire(Request::new(serenity::http::Route::UserMe, LightMethod::Get)).await
}

/// Reads the bot's application.
pub(super) async fn application(http: &Http) -> serenity::Result<Application> {
    http.fire(Request::new(serenity::http::Route::Oauth2ApplicationCurrent, LightMethod::Get)).await
}

/// Opens the channel for direct messages with a person.
pub(super) async fn direct_channel(http: &Http, person: UserId) -> serenity::Result<ChannelId> {
    #[derive(Deserialize)]
    struct Opened {
        id: ChannelId,
    }
    let body = serde_json::to_vec(&serde_json::json!({ "recipient_id": person }))?;
    let request = Request::new(serenity::http::Route::UserMeDmChannels, LightMethod::Post).body(Some(body));
    http.fire::<Opened>(request).await.map(|opened| opened.id)
}

/// Posts a message, with its file if it has one.
pub(super) async fn post(
    http: &Http,
    channel: ChannelId,
    message: &CreateMessage,
    file: Option<CreateAttachment>,
) -> serenity::Result<Posted> {
    let route = serenity::http::Route::ChannelMessages { channel_id: channel };
    http.fire(with(Request::new(route, LightMethod::Post), message, file)?).await
}

/// A request with a body, and a file if there is one.
fn with<'a>(
    request: Request<'a>,
    body: &impl serde::Serialize,
    file: Option<CreateAttachment>,
) -> Result<Request<'a>, serde_json::Error> {
    Ok(match file {
        None => request.body(Some(serde_json::to_vec(body)?)),
        Some(file) => request.multipart(Some(Multipart {
            upload: MultipartUpload::Attachments(vec![file]),
            fields: Vec::new(),
            payload_json: Some(serde_json::to_string(body)?),
        })),
    })
}

/// Edits a message.
pub(super) async fn edit(
    http: &Http,
    (channel, message): (ChannelId, MessageId),
    edit: &EditMessage,
) -> serenity::Result<()> {
    let route = serenity::http::Route::ChannelMessage { channel_id: channel, message_id: message };
    done(http, Request::new(route, LightMethod::Patch).body(Some(serde_json::to_vec(edit)?))).await
}

/// Fills in the answer to a deferred interaction.
pub(super) async fn fill_in(
    http: &Http,
    token: &str,
    edit: &EditInteractionResponse,
    file: Option<CreateAttachment>,
) -> serenity::Result<()> {
    let Some(application_id) = http.application_id() else { return Err(HttpError::ApplicationIdMissing.into()) };
    let route = serenity::http::Route::WebhookOriginalInteractionResponse { application_id, token };
    done(http, with(Request::new(route, LightMethod::Patch), edit, file)?).await
}

/// Sends a follow-up message to an interaction.
pub(super) async fn follow_up(
    http: &Http,
    token: &str,
    message: &CreateInteractionResponseFollowup,
    file: Option<CreateAttachment>,
) -> serenity::Result<()> {
    let Some(application_id) = http.application_id() else { return Err(HttpError::ApplicationIdMissing.into()) };
    let route = serenity::http::Route::WebhookFollowupMessages { application_id, token };
    done(http, with(Request::new(route, LightMethod::Post), message, file)?).await
}

/// Sends a request and ignores the body of the answer: once Discord accepted it, it is done.
async fn done(http: &Http, request: Request<'_>) -> serenity::Result<()> {
    http.request(request).await.map(drop)
}

/// Whether a request that failed may still have been carried out. It was not if it never left, or if Discord refused or postponed it.
pub(super) fn may_have_arrived(error: &serenity::Error) -> bool {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(response)) => response.status_code.is_server_error(),
        serenity::Error::Http(HttpError::Request(request)) => !request.is_connect() && !request.is_builder(),
        _ => true,
    }
}

/// Counts a request by its result.
pub(super) fn count<T>(result: &Result<T, serenity::Error>) {
    let status = match result {
        Ok(_) => "ok".to_owned(),
        Err(serenity::Error::Http(HttpError::UnsuccessfulRequest(response))) => {
            response.status_code.as_str().to_owned()
        }
        Err(_) => "none".to_owned(),
    };
    metrics::counter!("snapshot_bot_requests_total", "service" => "discord", "status" => status).increment(1);
}

/// Describes the error without the address, since the address of an interaction holds its token.
pub(super) fn describe(error: &serenity::Error) -> String {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(response)) => {
            format!("{} {}: {error}", response.status_code.as_u16(), response.error.code)
        }
        serenity::Error::Http(HttpError::Request(request)) if request.is_timeout() => "no answer in time".to_owned(),
        serenity::Error::Http(HttpError::Request(request)) if request.is_connect() => "no connection".to_owned(),
        other => other.to_string(),
    }
}
