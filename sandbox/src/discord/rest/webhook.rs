//! Responses to Interactions: the first one, the original Message, and follow-ups by the Interaction's token.

use serde_json::Value;

use super::{
    super::{
        api_error::ApiError,
        body::{Draft, EPHEMERAL},
        interaction::{First, Interaction, Response},
        snowflake::Snowflake,
        world::{World, span},
    },
    Call, Reply, id,
};

impl World {
    pub(super) fn callback(&mut self, call: &Call<'_>, id: Snowflake, token: &str) -> Result<Reply, ApiError> {
        let resource = self.respond(id, token, (call.body, call.files))?;
        if call.body["type"] == 4 {
            self.check_pings(call, &call.body["data"]);
        }
        if call.flag("with_response") { Reply::ok(resource) } else { Reply::nothing() }
    }

    pub(super) fn webhook(
        &mut self,
        call: &Call<'_>,
        application: &str,
        token: &str,
        rest: &[&str],
    ) -> Result<Reply, ApiError> {
        if id(application)? != self.bot.id {
            return Err(ApiError::UNKNOWN_WEBHOOK);
        }
        let found = self.interactions.values().find(|interaction| interaction.token == token);
        let interaction = found.cloned().ok_or(ApiError::INVALID_WEBHOOK_TOKEN)?;
        if self.now() >= interaction.created + span(self.settings.token_life) {
            return Err(ApiError::INVALID_WEBHOOK_TOKEN);
        }
        // Before the first response this webhook does not exist.
        let original = match &interaction.first {
            First::Awaited | First::Died | First::Given(Response::Choices(_) | Response::Form(_)) => {
                return Err(ApiError::UNKNOWN_WEBHOOK);
            }
            First::Given(
                Response::Message(id) | Response::Thinking(id) | Response::Updated(id) | Response::WillUpdate(id),
            ) => *id,
        };
        match (call.method, rest) {
            ("POST", []) => self.follow_up(call, &interaction, original),
            (_, ["messages", "@original"]) => self.own_response(call, original),
            (_, ["messages", message]) => {
                let message = id(message)?;
                let occasion = self.messages.get(&message).and_then(|message| message.occasion.as_ref());
                let own = occasion.is_some_and(|occasion| occasion.interaction == interaction.id);
                if !own && message != original {
                    return Err(ApiError::UNKNOWN_MESSAGE);
                }
                self.own_response(call, message)
            }
            (_, []) => Err(ApiError::METHOD_NOT_ALLOWED),
            _ => Err(ApiError::NOT_FOUND),
        }
    }

    fn own_response(&mut self, call: &Call<'_>, message: Snowflake) -> Result<Reply, ApiError> {
        let found = self.messages.get(&message).filter(|message| !message.deleted);
        let found = found.ok_or(ApiError::UNKNOWN_MESSAGE)?;
        match call.method {
            "GET" => Reply::ok(self.message_json(message)),
            "PATCH" => {
                let draft = Draft::edit(call.body, call.files, &found.body)?;
                self.change(message, draft);
                Reply::ok(self.message_json(message))
            }
            "DELETE" => {
                self.delete_message(message);
                Reply::nothing()
            }
            _ => Err(ApiError::METHOD_NOT_ALLOWED),
        }
    }

    /// Posts a further Message; after a deferral, the first one replaces "thinking".
    fn follow_up(&mut self, call: &Call<'_>, of: &Interaction, original: Snowflake) -> Result<Reply, ApiError> {
        let draft = Draft::with_files(call.body, call.files)?;
        self.check_pings(call, call.body);
        let thinking = self.messages.get(&original).is_some_and(|message| message.is_loading() && !message.deleted);
        let message = if thinking {
            self.change(original, draft);
            original
        } else {
            self.answer(of, draft)
        };
        Reply::ok(self.message_json(message))
    }

    fn check_pings(&mut self, call: &Call<'_>, message: &Value) {
        let ephemeral = message["flags"].as_u64().unwrap_or(0) & EPHEMERAL != 0;
        if message["allowed_mentions"].is_null() && !ephemeral {
            self.complain("a response was sent without `allowed_mentions`".to_owned(), Some(call.number));
        }
    }
}
