//! A person in a Channel who runs commands, types, presses and reads as Discord's client allows.
//!
//! Scenario tests, the terminal demo and the browser page all act through this. What the client would not allow is refused before the bot
//! receives it, unless the request is deliberately forged.

use serde_json::{Map, Value, json};

use super::{
    command::Leaf,
    component,
    interaction::{Choice, First, InteractionKind, NewInteraction, Response},
    message::Message,
    modal::{self, Modal},
    permission::Permissions,
    refused::Refused,
    shared::Shared,
    snowflake::Snowflake,
    transcript,
    typed::{self, Typed},
    world::World,
};

/// A person in a Channel.
#[derive(Clone, Debug)]
pub struct SimulatedUser {
    shared: Shared,
    /// The person.
    pub user: Snowflake,
    /// The Channel in which they act.
    pub channel: Snowflake,
}

impl SimulatedUser {
    pub(super) fn new(shared: Shared, user: Snowflake, channel: Snowflake) -> Self {
        Self { shared, user, channel }
    }

    /// Prepares a command: `ada.slash("snapshot take").with("droplet", "1").send()`.
    pub fn slash(&self, path: &str) -> Slash<'_> {
        let words = path.trim_start_matches('/').split_whitespace().map(str::to_owned).collect();
        Slash { by: self, path: words, options: Vec::new(), forged: false }
    }

    /// Types a whole command as a person would: `/snapshot take droplet:web-1 power:live`.
    pub async fn run(&self, line: &str) -> Result<Response, Refused> {
        let offered = self.world(|world| world.offered_commands(self.channel, self.user));
        let Typed { path, options } = typed::parse(line, &offered)?;
        let slash = Slash { by: self, path, options: Vec::new(), forged: false };
        options.into_iter().fold(slash, |slash, (name, value)| slash.with(&name, value)).send().await
    }

    /// Types part of an option and returns the suggestions; other options may already be filled in.
    pub async fn autocomplete(
        &self,
        path: &str,
        focused: &str,
        partial: &str,
        others: &[(&str, Value)],
    ) -> Result<Vec<Choice>, Refused> {
        let slash = others.iter().fold(self.slash(path), |slash, (name, value)| slash.with(name, value.clone()));
        let interaction = self.world(|world| {
            let leaf = self.offered(world, &slash.path)?;
            let mut given = slash.values(world, &leaf, false)?;
            let option = leaf.options.iter().find(|option| option["name"] == focused);
            let option = option.ok_or_else(|| Refused::UnknownOption(focused.to_owned()))?;
            // A half-typed value is text, whatever the option's type.
            given.push(json!({"name": focused, "type": option["type"], "value": partial, "focused": true}));
            Ok(slash.interact(world, InteractionKind::Autocomplete, given, leaf.command))
        })?;
        match self.first_response(interaction).await? {
            Response::Choices(choices) => Ok(choices),
            Response::Message(_)
            | Response::Thinking(_)
            | Response::Updated(_)
            | Response::WillUpdate(_)
            | Response::Form(_) => Ok(Vec::new()),
        }
    }

    /// Presses a button.
    pub async fn press(&self, message: Snowflake, custom_id: &str) -> Result<Response, Refused> {
        let interaction = self.world(|world| {
            self.usable(world, message, custom_id)?;
            Ok(self.touch(world, message, custom_id, json!({"custom_id": custom_id, "component_type": 2, "id": 2})))
        })?;
        self.first_response(interaction).await
    }

    /// Chooses from a menu.
    pub async fn choose(&self, message: Snowflake, custom_id: &str, values: &[&str]) -> Result<Response, Refused> {
        let interaction = self.world(|world| {
            let menu = self.usable(world, message, custom_id)?;
            let offered = menu["options"].as_array().cloned().unwrap_or_default();
            if let Some(value) = values.iter().find(|value| !offered.iter().any(|option| option["value"] == **value)) {
                return Err(Refused::UnknownComponent((*value).to_owned()));
            }
            let bounds = menu["min_values"].as_u64().unwrap_or(1)..=menu["max_values"].as_u64().unwrap_or(1);
            if !bounds.contains(&(values.len() as u64)) {
                let wanted = format!("{} to {} choices", bounds.start(), bounds.end());
                return Err(Refused::BadValue { option: custom_id.to_owned(), value: values.join(", "), wanted });
            }
            Ok(self.touch(world, message, custom_id, chosen(custom_id, values)))
        })?;
        self.first_response(interaction).await
    }

    /// Chooses a value that a menu may not offer, or from a menu that the Message may not have, as a tampered client could.
    pub async fn forge_choice(
        &self,
        message: Snowflake,
        custom_id: &str,
        values: &[&str],
    ) -> Result<Response, Refused> {
        let interaction = self.world(|world| self.touch(world, message, custom_id, chosen(custom_id, values)));
        self.first_response(interaction).await
    }

    /// The last form with this custom id that was shown to this person.
    pub fn open_form(&self, custom_id: &str) -> Option<Modal> {
        self.world(|world| {
            let shown = world.interactions.values().rev().filter(|interaction| interaction.user == self.user);
            shown.into_iter().find_map(|interaction| match &interaction.first {
                First::Given(Response::Form(modal)) if modal.custom_id == custom_id => Some((**modal).clone()),
                _ => None,
            })
        })
    }

    /// Fills in a form, by its inputs' custom ids, and submits it.
    pub async fn submit(&self, modal: &Modal, typed: &[(&str, &str)]) -> Result<Response, Refused> {
        let data = modal.filled(typed)?;
        let interaction = self.world(|world| self.send(world, modal.source, &modal.custom_id, data));
        self.first_response(interaction).await
    }

    /// Submits a form that was never shown, as a tampered client could.
    pub async fn forge_form(&self, custom_id: &str, typed: &[(&str, &str)]) -> Result<Response, Refused> {
        let data = modal::submission(custom_id, typed);
        let interaction = self.world(|world| self.send(world, None, custom_id, data));
        self.first_response(interaction).await
    }

    /// Presses a button that the Message may not have, as a tampered client could.
    pub async fn forge_press(&self, message: Snowflake, custom_id: &str) -> Result<Response, Refused> {
        let data = json!({"custom_id": custom_id, "component_type": 2, "id": 2});
        let interaction = self.world(|world| self.touch(world, message, custom_id, data));
        self.first_response(interaction).await
    }

    /// Forges this many simultaneous presses without waiting for the answers.
    pub fn forge_presses(&self, message: Snowflake, custom_id: &str, count: usize) {
        for _ in 0..count {
            let data = json!({"custom_id": custom_id, "component_type": 2, "id": 2});
            self.world(|world| self.touch(world, message, custom_id, data));
        }
    }

    /// The person's id.
    pub fn id(&self) -> Snowflake {
        self.user
    }

    /// Posts a Message.
    pub fn say(&self, content: &str) -> Option<Snowflake> {
        self.world(|world| world.say(self.channel, self.user, content))
    }

    /// The Messages that this person sees in the Channel, in order.
    pub fn messages(&self) -> Vec<Message> {
        self.world(|world| {
            if !world.may(self.channel, self.user, Permissions::NONE) {
                return Vec::new();
            }
            world.messages_in(self.channel).filter(|message| message.is_seen_by(self.user)).cloned().collect()
        })
    }

    /// The button with this label on the latest Message that has one that can be pressed: the Message, and the button's custom id. Text in
    /// parentheses after the label does not matter.
    pub fn button(&self, label: &str) -> Option<(Snowflake, String)> {
        let is_called =
            |shown: &str| shown.strip_prefix(label).is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("));
        self.messages().iter().rev().find_map(|message| {
            let mut usable = message.components().filter(|component| component["disabled"] != true);
            let button = usable.find(|button| button["label"].as_str().is_some_and(is_called))?;
            Some((message.id, button["custom_id"].as_str()?.to_owned()))
        })
    }

    /// Everything that this person sees in the Channel, as text.
    pub fn transcript(&self) -> String {
        self.world(|world| transcript::render(world, self.channel, self.user))
    }

    /// How often this person was pinged in the Channel.
    pub fn pings(&self) -> usize {
        let here = |world: &mut World| {
            world.pings().iter().filter(|ping| ping.user == self.user && ping.channel == self.channel).count()
        };
        self.world(here)
    }

    fn world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut self.shared.world())
    }

    fn offered(&self, world: &World, path: &[String]) -> Result<Leaf, Refused> {
        let offered = world.offered_commands(self.channel, self.user);
        let found = offered.into_iter().find(|leaf| leaf.path == path);
        found.ok_or_else(|| Refused::UnknownCommand(path.join(" ")))
    }

    /// The component, if this person sees it and it is not disabled.
    fn usable(&self, world: &World, message: Snowflake, custom_id: &str) -> Result<Value, Refused> {
        if !world.may(self.channel, self.user, Permissions::NONE) {
            return Err(Refused::NoAccess);
        }
        let seen = world.messages_in(self.channel).find(|found| found.id == message && found.is_seen_by(self.user));
        let component = component::find(&seen.ok_or(Refused::UnknownMessage)?.body.components, custom_id);
        let usable = component.filter(|component| component["disabled"] != true);
        usable.cloned().ok_or_else(|| Refused::UnknownComponent(custom_id.to_owned()))
    }

    fn touch(&self, world: &mut World, message: Snowflake, custom_id: &str, data: Value) -> Snowflake {
        world.interact(NewInteraction {
            kind: InteractionKind::Component,
            name: custom_id.to_owned(),
            user: self.user,
            channel: self.channel,
            source: Some(message),
            data,
        })
    }

    fn send(&self, world: &mut World, source: Option<Snowflake>, custom_id: &str, data: Value) -> Snowflake {
        world.interact(NewInteraction {
            kind: InteractionKind::Modal,
            name: custom_id.to_owned(),
            user: self.user,
            channel: self.channel,
            source,
            data,
        })
    }

    /// Waits for the first response, for as long as Discord does.
    async fn first_response(&self, interaction: Snowflake) -> Result<Response, Refused> {
        let patience = self.world(|world| world.settings.acknowledge_within);
        let given = self.shared.until(|world| {
            let found = world.interaction(interaction)?;
            if found.first == First::Awaited && world.is_late(found) {
                world.expire(interaction);
            }
            match &world.interaction(interaction)?.first {
                First::Awaited => None,
                First::Died => Some(Err(Refused::DidNotRespond)),
                First::Given(response) => Some(Ok(response.clone())),
            }
        });
        if let Ok(response) = tokio::time::timeout(patience, given).await {
            return response;
        }
        self.world(|world| world.expire(interaction));
        Err(Refused::DidNotRespond)
    }
}

fn chosen(custom_id: &str, values: &[&str]) -> Value {
    json!({"custom_id": custom_id, "component_type": 3, "id": 2, "values": values})
}

/// A command with its options, before it is sent.
#[derive(Clone, Debug)]
pub struct Slash<'a> {
    by: &'a SimulatedUser,
    path: Vec<String>,
    options: Vec<(String, Value)>,
    forged: bool,
}

impl Slash<'_> {
    /// Fills in an option; a choice may be given by its name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.options.push((name.to_owned(), value.into()));
        self
    }

    /// Sends the values unchecked, as a tampered client could.
    #[must_use]
    pub fn forged(mut self) -> Self {
        self.forged = true;
        self
    }

    /// Sends the command and waits for the first response.
    pub async fn send(self) -> Result<Response, Refused> {
        let interaction = self.by.world(|world| self.dispatch(world))?;
        self.by.first_response(interaction).await
    }

    fn dispatch(&self, world: &mut World) -> Result<Snowflake, Refused> {
        let by = self.by;
        let leaf = if self.forged {
            let guild = world.channels.get(&by.channel).and_then(|channel| channel.guild);
            let known = world.registered(guild, &self.path);
            known.unwrap_or_else(|| Leaf {
                command: Snowflake::new(1),
                path: self.path.clone(),
                description: String::new(),
                options: Vec::new(),
            })
        } else {
            by.offered(world, &self.path)?
        };
        let given = self.values(world, &leaf, true)?;
        Ok(self.interact(world, InteractionKind::Command, given, leaf.command))
    }

    /// The options as sent; validated unless the command is forged.
    fn values(&self, world: &World, leaf: &Leaf, complete: bool) -> Result<Vec<Value>, Refused> {
        let mut given = Vec::new();
        for (name, value) in &self.options {
            let option = leaf.options.iter().find(|option| option["name"] == name.as_str());
            let (kind, value) = match option {
                Some(option) if self.forged => (option["type"].clone(), value.clone()),
                Some(option) => (option["type"].clone(), typed::value(world, self.by.channel, option, value)?),
                None if self.forged => (json!(3), value.clone()),
                None => return Err(Refused::UnknownOption(name.clone())),
            };
            given.push(json!({"name": name, "type": kind, "value": value}));
        }
        let required = leaf.options.iter().filter(|option| complete && !self.forged && option["required"] == true);
        for option in required {
            if !given.iter().any(|given| given["name"] == option["name"]) {
                return Err(Refused::MissingOption(option["name"].as_str().unwrap_or_default().to_owned()));
            }
        }
        Ok(given)
    }

    fn interact(&self, world: &mut World, kind: InteractionKind, given: Vec<Value>, command: Snowflake) -> Snowflake {
        let resolved = resolved(world, (self.by.user, self.by.channel), &given);
        let (first, below) = self.path.split_first().map_or(("", &[][..]), |(first, below)| (first.as_str(), below));
        // A subcommand is an option that contains the person's options; a group is one more level around it.
        let options = below.iter().rev().enumerate().fold(given, |inner, (depth, word)| {
            vec![json!({"name": word, "type": if depth == 0 { 1 } else { 2 }, "options": inner})]
        });
        let registered = world.commands.get(&command).and_then(|command| command.guild);
        let mut data = json!({"id": command, "name": first, "type": 1, "options": options});
        if let Some(guild) = registered {
            data["guild_id"] = guild.into();
        }
        if !resolved.is_empty() {
            data["resolved"] = Value::Object(resolved);
        }
        let (user, channel) = (self.by.user, self.by.channel);
        world.interact(NewInteraction { kind, name: self.path.join(" "), user, channel, source: None, data })
    }
}

/// The objects that ids among the options refer to. For a channel, Discord includes the requester's permissions there.
fn resolved(world: &World, (requester, channel): (Snowflake, Snowflake), given: &[Value]) -> Map<String, Value> {
    let guild = world.channels.get(&channel).and_then(|channel| channel.guild);
    let mut found = Map::new();
    let mut put = |kind: &str, id: Snowflake, json: Value| {
        found.entry(kind).or_insert_with(|| json!({}))[id.to_string()] = json;
    };
    for option in given {
        let Some(id) = option["value"].as_str().and_then(|value| value.parse::<Snowflake>().ok()) else { continue };
        let kind = option["type"].as_u64();
        if matches!(kind, Some(6 | 9)) && world.users.contains_key(&id) {
            put("users", id, world.user_json(id));
            if let Some(guild) = guild
                && let Some(mut member) = world.member_json(guild, id)
            {
                member.as_object_mut().map(|member| member.remove("user"));
                member["permissions"] = world.permissions_in(channel, id).bits().to_string().into();
                put("members", id, member);
            }
        }
        if kind == Some(7) && world.channels.contains_key(&id) {
            let mut json = world.channel_json(id);
            json["permissions"] = world.permissions_in(id, requester).bits().to_string().into();
            put("channels", id, json);
        }
        if matches!(kind, Some(8 | 9))
            && let Some(guild) = guild
            && let Some(role) = world
                .roles_json(guild)
                .as_array()
                .and_then(|roles| roles.iter().find(|role| role["id"] == Value::from(id)))
        {
            put("roles", id, role.clone());
        }
    }
    found
}
