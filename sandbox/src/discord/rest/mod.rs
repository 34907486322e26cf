//! REST: routing of requests, and authorization.
//!
//! Called by the server with the world locked; each file below handles one part of the API. Knows no connections.

mod application;
mod channel;
mod guild;
pub(super) mod payload;
mod webhook;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{api_error::ApiError, attachment::Upload, snowflake::Snowflake, world::World};

/// A parsed request.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a [&'a str],
    pub(super) query: BTreeMap<String, String>,
    pub(super) body: &'a Value,
    /// The files that came with the JSON.
    pub(super) files: &'a [Upload],
    /// The `authorization` header.
    pub(super) authorization: Option<&'a str>,
    /// Its number in the journal.
    pub(super) number: usize,
}

/// A successful answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// Null if there is none.
    pub(super) body: Value,
}

impl Reply {
    #[expect(clippy::unnecessary_wraps, reason = "ends a route as a refusal would")]
    fn ok(body: Value) -> Result<Self, ApiError> {
        Ok(Self { status: 200, body })
    }

    #[expect(clippy::unnecessary_wraps, reason = "ends a route as a refusal would")]
    fn created(body: Value) -> Result<Self, ApiError> {
        Ok(Self { status: 201, body })
    }

    #[expect(clippy::unnecessary_wraps, reason = "ends a route as a refusal would")]
    fn nothing() -> Result<Self, ApiError> {
        Ok(Self { status: 204, body: Value::Null })
    }
}

impl Call<'_> {
    fn flag(&self, key: &str) -> bool {
        self.query.get(key).is_some_and(|value| value == "true" || value == "1")
    }
}

/// An id from a path; anything else identifies nothing.
fn id(part: &str) -> Result<Snowflake, ApiError> {
    part.parse().map_err(|_| ApiError::NOT_FOUND)
}

impl World {
    pub(super) fn is_token(&self, token: &str) -> bool {
        self.bot.token_good && token.strip_prefix("Bot ").unwrap_or(token) == self.settings.token
    }

    /// Executes a request.
    pub(super) fn route(&mut self, call: &Call<'_>) -> Result<Reply, ApiError> {
        match (call.method, call.path) {
            ("GET", ["gateway"]) => return Reply::ok(json!({"url": self.sessions.url})),
            ("POST", ["interactions", interaction, token, "callback"]) => {
                return self.callback(call, id(interaction)?, token);
            }
            (_, ["webhooks", application, token, rest @ ..]) => return self.webhook(call, application, token, rest),
            _ => {}
        }
        let token = call.authorization.and_then(|header| header.strip_prefix("Bot "));
        if !token.is_some_and(|token| self.is_token(token)) {
            return Err(ApiError::UNAUTHORIZED);
        }
        match call.path {
            ["gateway", "bot"] => self.gateway_bot(call),
            ["users", ..] => self.users_route(call),
            ["applications", "@me"] | ["oauth2", "applications", "@me"] => self.own_application(call),
            ["applications", application, rest @ ..] => self.application_route(call, application, rest),
            ["guilds", guild, rest @ ..] => self.guild_route(call, id(guild)?, rest),
            ["channels", channel, rest @ ..] => self.channel_route(call, id(channel)?, rest),
            _ => Err(ApiError::NOT_FOUND),
        }
    }

    fn gateway_bot(&self, call: &Call<'_>) -> Result<Reply, ApiError> {
        if call.method != "GET" {
            return Err(ApiError::METHOD_NOT_ALLOWED);
        }
        let remaining = 1000_usize.saturating_sub(self.sessions.begun());
        Reply::ok(json!({
            "url": self.sessions.url, "shards": 1,
            "session_start_limit":
                {"total": 1000, "remaining": remaining, "reset_after": 86_400_000, "max_concurrency": 1},
        }))
    }
}
