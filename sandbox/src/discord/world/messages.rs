//! Messages of the world: created, edited, deleted, and rendered as JSON for the bot.
//!
//! REST and Interactions create them through this file, operators delete them. Knows no requests.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{World, span};
use crate::discord::{
    api_error::ApiError,
    attachment::Attachment,
    body::{Draft, EPHEMERAL, LOADING, SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS},
    event::Event,
    gateway::intent::Intent,
    mention::Mentions,
    message::{Edit, Message, NewMessage, Ping},
    permission::Permissions,
    snowflake::Snowflake,
};

impl World {
    /// Posts a Message as a person.
    pub fn say(&mut self, channel: Snowflake, author: Snowflake, content: &str) -> Option<Snowflake> {
        let draft = Draft::new(&json!({"content": content})).ok()?;
        Some(self.post(NewMessage { channel, author, draft, only_for: None, occasion: None }))
    }

    /// A Message by id, even a deleted one.
    pub fn message(&self, id: Snowflake) -> Option<&Message> {
        self.messages.get(&id)
    }

    /// Every existing Message of a Channel, in order, no matter who sees it.
    pub fn messages_in(&self, channel: Snowflake) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.values().filter(move |message| message.channel == channel && !message.deleted)
    }

    /// All pings so far, in order.
    pub fn pings(&self) -> &[Ping] {
        &self.pings
    }

    /// Deletes a Message, as an operator can.
    pub fn delete_message(&mut self, id: Snowflake) {
        let Some(message) = self.messages.get_mut(&id).filter(|message| !message.deleted) else { return };
        message.deleted = true;
        let (channel, public) = (message.channel, message.only_for.is_none());
        if public {
            let guild = self.channels.get(&channel).and_then(|channel| channel.guild);
            let data = json!({"id": id, "channel_id": channel, "guild_id": guild});
            self.dispatch("MESSAGE_DELETE", Intent::GuildMessages, &data);
        }
        self.tell(Event::MessageDeleted { message: id });
    }

    /// Adds a Message to its Channel, and pings those whom it may ping.
    pub(in crate::discord) fn post(&mut self, new: NewMessage) -> Snowflake {
        let NewMessage { channel, author, mut draft, only_for, occasion } = new;
        self.number_files(&mut draft);
        let reference = draft.reference.map(|reference| reference.message);
        let replied = reference
            .filter(|_| draft.allowed.replied_user())
            .and_then(|reference| self.messages.get(&reference))
            .map(|message| message.author);
        let flags = (draft.flags & (SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | LOADING))
            | if only_for.is_some() { EPHEMERAL } else { 0 };
        let at = self.now();
        let message = Message {
            id: self.ids.next_at(at),
            channel,
            author,
            mentions: draft.allowed.of(Mentions::in_text(&draft.body.content)),
            body: draft.body,
            flags,
            nonce: draft.nonce,
            reference,
            occasion,
            only_for,
            at,
            edits: Vec::new(),
            deleted: false,
        };
        let id = message.id;
        if only_for.is_none() && flags & (SUPPRESS_NOTIFICATIONS | LOADING) == 0 {
            self.ping(&message, replied);
        }
        self.messages.insert(id, message);
        self.announce("MESSAGE_CREATE", id);
        self.tell(Event::MessageCreated { message: id });
        id
    }

    /// Changes the contents of a Message. Filling a "thinking" Message counts as its first appearance and pings; any other edit does not.
    pub(in crate::discord) fn change(&mut self, id: Snowflake, mut draft: Draft) {
        let now = self.now();
        self.number_files(&mut draft);
        let Some(message) = self.messages.get_mut(&id) else { return };
        message.mentions = draft.allowed.of(Mentions::in_text(&draft.body.content));
        let before = std::mem::replace(&mut message.body, draft.body);
        if message.is_loading() {
            message.flags &= !LOADING;
            if message.only_for.is_none() {
                let shown = message.clone();
                self.ping(&shown, None);
            }
        } else {
            message.edits.push(Edit { at: now, before });
        }
        self.announce("MESSAGE_UPDATE", id);
        self.tell(Event::MessageUpdated { message: id });
    }

    fn number_files(&mut self, draft: &mut Draft) {
        for file in draft.body.attachments.iter_mut().filter(|file| file.id.is_none()) {
            file.id = Some(self.ids.next());
        }
    }

    /// The first Message of this author with this nonce, while nonces are remembered; deleted ones count.
    pub(in crate::discord) fn with_nonce(&self, author: Snowflake, nonce: &Value) -> Option<&Message> {
        let since = self.now() - span(self.settings.nonce_memory);
        self.messages
            .values()
            .find(|message| message.author == author && message.nonce.as_ref() == Some(nonce) && message.at >= since)
    }

    /// Refuses an edit beyond the limit for Messages older than an hour.
    pub(in crate::discord) fn check_old_edits(&self, message: &Message) -> Result<(), ApiError> {
        let an_hour_ago = self.now() - SignedDuration::from_hours(1);
        let recent = message.edits.iter().filter(|edit| edit.at > an_hour_ago).count();
        if message.at < an_hour_ago && recent >= self.settings.old_edits_an_hour {
            return Err(ApiError::TOO_MANY_OLD_EDITS);
        }
        Ok(())
    }

    fn announce(&mut self, event: &'static str, id: Snowflake) {
        let Some(message) = self.messages.get(&id).filter(|message| message.is_public()) else { return };
        let (channel, author) = (message.channel, message.author);
        if !self.may(channel, self.bot.id, Permissions::NONE) {
            return;
        }
        let guild = self.channels.get(&channel).and_then(|channel| channel.guild);
        let mut data = self.message_json(id);
        if let Some(guild) = guild {
            data["guild_id"] = guild.into();
            if let Some(mut member) = self.member_json(guild, author) {
                member.as_object_mut().map(|member| member.remove("user"));
                data["member"] = member;
            }
        }
        let intent = if guild.is_some() { Intent::GuildMessages } else { Intent::DirectMessages };
        let named = self.messages[&id].mentions.users.contains(&self.bot.id);
        if author == self.bot.id || guild.is_none() || named {
            self.dispatch(event, intent, &data);
        } else {
            self.sessions.dispatch_content(event, intent, &data);
        }
    }

    pub(in crate::discord) fn message_json(&self, id: Snowflake) -> Value {
        let mut json = self.bare_message_json(id);
        let Some(reference) = self.messages.get(&id).and_then(|message| message.reference) else { return json };
        json["type"] = 19.into();
        let channel = json["channel_id"].clone();
        let guild = self.messages.get(&id).and_then(|message| self.channels.get(&message.channel)?.guild);
        json["message_reference"] = json!({"type": 0, "message_id": reference, "channel_id": channel});
        if let Some(guild) = guild {
            json["message_reference"]["guild_id"] = guild.into();
        }
        let there = self.messages.get(&reference).is_some_and(|message| !message.deleted);
        json["referenced_message"] = if there { self.bare_message_json(reference) } else { Value::Null };
        json
    }

    fn bare_message_json(&self, id: Snowflake) -> Value {
        let Some(message) = self.messages.get(&id) else { return Value::Null };
        let mut json = json!({
            "id": id, "type": 0, "channel_id": message.channel, "author": self.user_json(message.author),
            "content": message.body.content, "embeds": message.body.embeds, "components": message.body.components,
            "attachments": message.body.attachments.iter().map(Attachment::json).collect::<Value>(), "timestamp": message.at.to_string(),
            "edited_timestamp": message.edits.last().map(|edit| edit.at.to_string()), "flags": message.flags,
            "mentions": message.mentions.users.iter().map(|user| self.user_json(*user)).collect::<Value>(),
            "mention_roles": message.mentions.roles, "mention_everyone": message.mentions.everyone,
            "pinned": false, "tts": false,
        });
        if let Some(nonce) = &message.nonce {
            json["nonce"] = nonce.clone();
        }
        if let Some(occasion) = &message.occasion {
            json["application_id"] = self.bot.id.into();
            json["webhook_id"] = self.bot.id.into();
            let kind = if occasion.command.is_some() { 2 } else { 3 };
            json["interaction_metadata"] = json!({
                "id": occasion.interaction, "type": kind, "user": self.user_json(occasion.user),
                "authorizing_integration_owners": self.integration_owners(message.channel),
            });
            if let Some(command) = &occasion.command {
                json["type"] = 20.into();
                json["interaction"] = json!({
                    "id": occasion.interaction, "type": 2, "name": command, "user": self.user_json(occasion.user),
                });
            } else {
                let pressed = self.interactions.get(&occasion.interaction).and_then(|interaction| interaction.source);
                json["interaction_metadata"]["interacted_message_id"] = json!(pressed.unwrap_or(id));
            }
        }
        json
    }

    /// Who installed the application where this Channel is: the Guild, or no one for direct Messages.
    pub(in crate::discord) fn integration_owners(&self, channel: Snowflake) -> Value {
        match self.channels.get(&channel).and_then(|channel| channel.guild) {
            Some(guild) => json!({"0": guild}),
            None => json!({"0": "0"}),
        }
    }
}
