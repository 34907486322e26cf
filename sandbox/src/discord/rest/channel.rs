//! Channels and their Messages, which the bot reads, posts, edits and deletes with its own token.

use serde_json::json;

use super::{
    super::{
        api_error::{ApiError, Form},
        body::Draft,
        event::Event,
        message::{Message, NewMessage},
        permission::Permissions,
        snowflake::{Snowflake, from_json},
        world::World,
    },
    Call, Reply, id,
};

impl World {
    pub(super) fn channel_route(
        &mut self,
        call: &Call<'_>,
        channel: Snowflake,
        rest: &[&str],
    ) -> Result<Reply, ApiError> {
        if !self.channels.contains_key(&channel) {
            return Err(ApiError::UNKNOWN_CHANNEL);
        }
        if !self.may(channel, self.bot.id, Permissions::NONE) {
            return Err(ApiError::MISSING_ACCESS);
        }
        match (call.method, rest) {
            ("GET", []) => Reply::ok(self.channel_json(channel)),
            ("POST", ["typing"]) => {
                self.check_may_send(channel)?;
                self.tell(Event::Typing { channel });
                Reply::nothing()
            }
            ("GET", ["messages"]) => self.list_messages(call, channel),
            ("POST", ["messages"]) => self.create_message(call, channel),
            ("GET", ["messages", message]) => {
                let message = self.public_message(channel, id(message)?)?.id;
                if !self.may(channel, self.bot.id, Permissions::READ_MESSAGE_HISTORY) {
                    return Err(ApiError::MISSING_ACCESS);
                }
                Reply::ok(self.message_json(message))
            }
            ("PATCH", ["messages", message]) => self.edit_message(call, channel, id(message)?),
            ("DELETE", ["messages", message]) => {
                let message = self.public_message(channel, id(message)?)?;
                let (message, own) = (message.id, message.author == self.bot.id);
                if !own && !self.may(channel, self.bot.id, Permissions::MANAGE_MESSAGES) {
                    return Err(ApiError::MISSING_PERMISSIONS);
                }
                self.delete_message(message);
                Reply::nothing()
            }
            (_, [] | ["typing" | "messages"] | ["messages", _]) => Err(ApiError::METHOD_NOT_ALLOWED),
            _ => Err(ApiError::NOT_FOUND),
        }
    }

    fn public_message(&self, channel: Snowflake, id: Snowflake) -> Result<&Message, ApiError> {
        let found = self.messages.get(&id).filter(|message| message.channel == channel && message.is_public());
        found.ok_or(ApiError::UNKNOWN_MESSAGE)
    }

    /// Threads require a separate permission for sending; a person may refuse direct Messages.
    fn check_may_send(&self, channel: Snowflake) -> Result<(), ApiError> {
        let place = self.channels.get(&channel).ok_or(ApiError::UNKNOWN_CHANNEL)?;
        let closed = place.recipient.and_then(|person| self.users.get(&person)).is_some_and(|user| user.dms_closed);
        if closed {
            return Err(ApiError::DMS_CLOSED);
        }
        let thread = place.kind.is_thread();
        let wanted = if thread { Permissions::SEND_MESSAGES_IN_THREADS } else { Permissions::SEND_MESSAGES };
        if self.may(channel, self.bot.id, wanted) { Ok(()) } else { Err(ApiError::MISSING_PERMISSIONS) }
    }

    fn create_message(&mut self, call: &Call<'_>, channel: Snowflake) -> Result<Reply, ApiError> {
        let mut draft = Draft::with_files(call.body, call.files)?;
        self.check_may_send(channel)?;
        if !draft.body.embeds.is_empty() && !self.may(channel, self.bot.id, Permissions::EMBED_LINKS) {
            return Err(ApiError::MISSING_PERMISSIONS);
        }
        if !draft.body.attachments.is_empty() && !self.may(channel, self.bot.id, Permissions::ATTACH_FILES) {
            return Err(ApiError::MISSING_PERMISSIONS);
        }
        if let Some(nonce) = draft.nonce.as_ref().filter(|_| draft.enforce_nonce)
            && let Some(first) = self.with_nonce(self.bot.id, nonce)
        {
            // A Message that was posted and deleted is not posted again: discord-api-docs#6647.
            let first = if first.deleted { Err(ApiError::UNKNOWN_MESSAGE) } else { Ok(first.id) }?;
            return Reply::ok(self.message_json(first));
        }
        if let Some(reference) = draft.reference {
            if !self.may(channel, self.bot.id, Permissions::READ_MESSAGE_HISTORY) {
                return Err(ApiError::NO_REPLY_WITHOUT_HISTORY);
            }
            if self.public_message(channel, reference.message).is_err() {
                if reference.must_exist {
                    let mut form = Form::default();
                    form.wrong("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message");
                    form.done()?;
                }
                draft.reference = None;
            }
        }
        if !draft.says_whom_it_pings {
            self.complain("a Message was sent without `allowed_mentions`".to_owned(), Some(call.number));
        }
        let author = self.bot.id;
        let message = self.post(NewMessage { channel, author, draft, only_for: None, occasion: None });
        Reply::ok(self.message_json(message))
    }

    fn edit_message(&mut self, call: &Call<'_>, channel: Snowflake, message: Snowflake) -> Result<Reply, ApiError> {
        let found = self.public_message(channel, message)?;
        if found.author != self.bot.id {
            return Err(ApiError::NOT_YOUR_MESSAGE);
        }
        self.check_old_edits(found)?;
        let draft = Draft::edit(call.body, call.files, &found.body)?;
        self.change(message, draft);
        Reply::ok(self.message_json(message))
    }

    /// Without the permission to read earlier Messages, Discord returns an empty list.
    fn list_messages(&self, call: &Call<'_>, channel: Snowflake) -> Result<Reply, ApiError> {
        let limit = call.query.get("limit").map_or(Some(50), |limit| limit.parse::<usize>().ok());
        let Some(limit) = limit.filter(|limit| (1..=100).contains(limit)) else {
            let mut form = Form::default();
            form.wrong("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.");
            form.done()?;
            return Err(ApiError::NOT_FOUND);
        };
        if !self.may(channel, self.bot.id, Permissions::READ_MESSAGE_HISTORY) {
            return Reply::ok(json!([]));
        }
        let at = |key: &str| call.query.get(key).and_then(|text| from_json(&text.as_str().into()));
        let public = || self.messages_in(channel).filter(|message| message.is_public()).map(|message| message.id);
        let before = |bound: Snowflake, most: usize| -> Vec<Snowflake> {
            public().rev().filter(|message| *message < bound).take(most).collect()
        };
        let after = |bound: Snowflake, most: usize| -> Vec<Snowflake> {
            let mut found: Vec<_> = public().filter(|message| *message > bound).take(most).collect();
            found.reverse();
            found
        };
        // Newest first, in all cases.
        let found = match (at("around"), at("before"), at("after")) {
            (Some(around), _, _) => {
                let half = limit / 2;
                let middle = public().filter(|message| *message == around);
                after(around, half).into_iter().chain(middle).chain(before(around, half)).collect()
            }
            (None, Some(bound), _) => before(bound, limit),
            (None, None, Some(bound)) => after(bound, limit),
            (None, None, None) => before(Snowflake::new(u64::MAX), limit),
        };
        Reply::ok(found.into_iter().map(|message| self.message_json(message)).collect())
    }
}
