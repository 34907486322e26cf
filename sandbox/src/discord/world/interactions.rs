//! Interactions of the world: dispatched to the bot, and answered by it.
//!
//! Simulated users create them; REST answers them. The first response has three seconds and exactly one try.
//! <https://discord.com/developers/docs/interactions/receiving-and-responding>

use serde_json::{Value, json};

use super::{World, span};
use crate::discord::{
    api_error::{ApiError, Form},
    attachment::Upload,
    body::{Draft, EPHEMERAL, LOADING},
    command_form,
    event::Event,
    gateway::intent::Intent,
    interaction::{Choice, First, Interaction, InteractionKind, NewInteraction, Response},
    message::{NewMessage, Occasion},
    modal::Modal,
    snowflake::Snowflake,
};

const PONG: u64 = 1;

const MESSAGE: u64 = 4;

const DEFERRED_MESSAGE: u64 = 5;

const DEFERRED_UPDATE: u64 = 6;

const UPDATE: u64 = 7;

const CHOICES: u64 = 8;

const FORM: u64 = 9;

impl World {
    /// An Interaction by id.
    pub fn interaction(&self, id: Snowflake) -> Option<&Interaction> {
        self.interactions.get(&id)
    }

    /// The oldest Interaction that still waits for its first response.
    pub fn awaited(&self) -> Option<&Interaction> {
        self.interactions.values().find(|interaction| interaction.first == First::Awaited)
    }

    /// Makes the next Interaction reach the bot twice, as Discord's gateway may do.
    pub fn dispatch_next_twice(&mut self) {
        self.dispatch_twice = true;
    }

    /// Makes the next Interaction reach the bot without this field, so that no bot can parse it.
    pub fn dispatch_next_without(&mut self, field: &'static str) {
        self.leave_out = Some(field);
    }

    pub(in crate::discord) fn interact(&mut self, new: NewInteraction) -> Snowflake {
        let id = self.ids.next_at(self.settings.now.get());
        let twice = std::mem::take(&mut self.dispatch_twice);
        let interaction = Interaction {
            id,
            token: format!("aW50ZXJhY3Rpb246{id}"),
            kind: new.kind,
            name: new.name,
            user: new.user,
            channel: new.channel,
            source: new.source,
            created: self.now(),
            first: First::Awaited,
            excused: twice || !self.sessions.anybody_online(),
        };
        let mut payload = self.payload(&interaction, &new.data);
        if let (Some(field), Some(fields)) = (self.leave_out.take(), payload.as_object_mut()) {
            fields.remove(field);
        }
        self.interactions.insert(id, interaction);
        for _ in 0..=u8::from(twice) {
            self.dispatch("INTERACTION_CREATE", Intent::Always, &payload);
        }
        self.tell(Event::InteractionCreated { interaction: id });
        id
    }

    fn payload(&self, interaction: &Interaction, data: &Value) -> Value {
        let (user, channel) = (interaction.user, interaction.channel);
        let guild = self.channels.get(&channel).and_then(|channel| channel.guild);
        let kind = match interaction.kind {
            InteractionKind::Command => 2,
            InteractionKind::Component => 3,
            InteractionKind::Autocomplete => 4,
            InteractionKind::Modal => 5,
        };
        let permissions = self.permissions_in(channel, user).bits().to_string();
        let mut place = self.channel_json(channel);
        place["permissions"] = permissions.as_str().into();
        let mut payload = json!({
            "version": 1, "id": interaction.id, "application_id": self.bot.id, "type": kind,
            "token": interaction.token, "data": data, "channel_id": channel, "channel": place,
            "app_permissions": self.permissions_in(channel, self.bot.id).bits().to_string(), "locale": "en-US",
            "entitlements": [], "entitlement_sku_ids": [], "context": i32::from(guild.is_none()),
            "authorizing_integration_owners": self.integration_owners(channel), "attachment_size_limit": 10_485_760,
        });
        match guild.and_then(|guild| Some((guild, self.member_json(guild, user)?))) {
            Some((guild, mut member)) => {
                member["permissions"] = permissions.into();
                payload["member"] = member;
                payload["guild_id"] = guild.into();
                payload["guild_locale"] = "en-US".into();
                payload["guild"] = json!({"id": guild, "locale": "en-US", "features": []});
            }
            None => payload["user"] = self.user_json(user),
        }
        if let Some(source) = interaction.source {
            payload["message"] = self.message_json(source);
        }
        payload
    }

    pub(in crate::discord) fn is_late(&self, interaction: &Interaction) -> bool {
        self.now() >= interaction.created + span(self.settings.acknowledge_within)
    }

    /// Processes the first response. Returns the resource for `with_response`.
    pub(in crate::discord) fn respond(
        &mut self,
        id: Snowflake,
        token: &str,
        (json, files): (&Value, &[Upload]),
    ) -> Result<Value, ApiError> {
        let found = self.interactions.get(&id).filter(|interaction| interaction.token == token);
        let interaction = found.cloned().ok_or(ApiError::UNKNOWN_INTERACTION)?;
        match interaction.first {
            First::Given(_) => return Err(ApiError::ALREADY_ACKNOWLEDGED),
            First::Died => return Err(ApiError::UNKNOWN_INTERACTION),
            First::Awaited if self.is_late(&interaction) => {
                self.expire(id);
                return Err(ApiError::UNKNOWN_INTERACTION);
            }
            First::Awaited => {}
        }
        let kind = json["type"].as_u64().unwrap_or(0);
        let response = self.first_response(&interaction, kind, (&json["data"], files))?;
        let resource = self.resource(&interaction, kind, &response);
        if let Some(interaction) = self.interactions.get_mut(&id) {
            interaction.first = First::Given(response);
        }
        self.tell(Event::InteractionAcknowledged { interaction: id });
        Ok(resource)
    }

    fn first_response(
        &mut self,
        of: &Interaction,
        kind: u64,
        (data, files): (&Value, &[Upload]),
    ) -> Result<Response, ApiError> {
        match (kind, of.kind, of.source) {
            (MESSAGE, InteractionKind::Command | InteractionKind::Component | InteractionKind::Modal, _) => {
                let draft = Draft::with_files(data, files)?;
                Ok(Response::Message(self.answer(of, draft)))
            }
            (DEFERRED_MESSAGE, InteractionKind::Command | InteractionKind::Component | InteractionKind::Modal, _) => {
                let flags = data["flags"].as_u64().unwrap_or(0) & EPHEMERAL | LOADING;
                let draft = Draft::thinking(flags);
                Ok(Response::Thinking(self.answer(of, draft)))
            }
            (DEFERRED_UPDATE, InteractionKind::Component | InteractionKind::Modal, Some(source)) => {
                Ok(Response::WillUpdate(source))
            }
            (UPDATE, InteractionKind::Component | InteractionKind::Modal, Some(source)) => {
                let before = self.messages.get(&source).map(|message| message.body.clone()).unwrap_or_default();
                let draft = Draft::edit(data, files, &before)?;
                self.change(source, draft);
                Ok(Response::Updated(source))
            }
            (CHOICES, InteractionKind::Autocomplete, _) => choices(data).map(Response::Choices),
            (FORM, InteractionKind::Command | InteractionKind::Component, _) => {
                let mut form = Form::default();
                let modal = Modal::read(data, of.source, &mut form);
                form.done()?;
                Ok(Response::Form(Box::new(modal)))
            }
            _ => {
                let mut form = Form::default();
                // A form cannot be answered by a form, and pong (1) is for webhooks only.
                let what = format!("Value {kind} is no valid response to this interaction (not {PONG})");
                form.wrong("type", "INTERACTION_APPLICATION_COMMAND_INVALID_CALLBACK_TYPE", what);
                form.done()?;
                Err(ApiError::INVALID_JSON)
            }
        }
    }

    /// Posts a Message that answers an Interaction; no Channel permission is required.
    pub(in crate::discord) fn answer(&mut self, interaction: &Interaction, draft: Draft) -> Snowflake {
        let occasion = Occasion {
            interaction: interaction.id,
            user: interaction.user,
            command: (interaction.kind == InteractionKind::Command).then(|| interaction.name.clone()),
        };
        self.post(NewMessage {
            channel: interaction.channel,
            author: self.bot.id,
            only_for: (draft.flags & EPHEMERAL != 0).then_some(interaction.user),
            draft,
            occasion: Some(occasion),
        })
    }

    fn resource(&self, interaction: &Interaction, kind: u64, response: &Response) -> Value {
        let number = match interaction.kind {
            InteractionKind::Command => 2,
            InteractionKind::Component => 3,
            InteractionKind::Autocomplete => 4,
            InteractionKind::Modal => 5,
        };
        let mut json = json!({"interaction": {"id": interaction.id, "type": number}});
        let message = match response {
            Response::Message(id) | Response::Thinking(id) | Response::Updated(id) => *id,
            Response::WillUpdate(_) | Response::Choices(_) | Response::Form(_) => return json,
        };
        let shown = self.messages.get(&message);
        json["interaction"]["response_message_id"] = message.into();
        json["interaction"]["response_message_loading"] = (kind == DEFERRED_MESSAGE).into();
        json["interaction"]["response_message_ephemeral"] =
            shown.is_some_and(|message| message.only_for.is_some()).into();
        if kind != DEFERRED_MESSAGE {
            json["resource"] = json!({"type": kind, "message": self.message_json(message)});
        }
        json
    }
}

fn choices(data: &Value) -> Result<Vec<Choice>, ApiError> {
    let list = data["choices"].as_array().map_or(&[][..], Vec::as_slice);
    let mut form = Form::default();
    if list.len() > 25 {
        form.wrong("data.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.");
    }
    for (at, choice) in list.iter().enumerate() {
        command_form::choice(&format!("data.choices.{at}"), choice, &mut form);
    }
    form.done()?;
    let choice = |choice: &Value| Choice {
        name: choice["name"].as_str().unwrap_or_default().to_owned(),
        value: choice["value"].clone(),
    };
    Ok(list.iter().map(choice).collect())
}
