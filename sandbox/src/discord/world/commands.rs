//! Commands of the world: registered in a Guild or globally, and found by the words that a person types.
//!
//! REST registers them, simulated users run them; `command_form` determines which ones Discord accepts.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::World;
use crate::discord::{
    api_error::{ApiError, Form},
    command::{Command, Leaf},
    command_form,
    event::Event,
    permission::Permissions,
    snowflake::Snowflake,
};

/// The maximum number of commands in a scope.
const MOST: usize = 100;

impl World {
    /// Everything that a person may run in a Channel, which Discord's client lists after a slash.
    pub fn offered_commands(&self, channel: Snowflake, user: Snowflake) -> Vec<Leaf> {
        let Some(place) = self.channels.get(&channel) else { return Vec::new() };
        let permissions = self.permissions_in(channel, user);
        let may = permissions.contains(Permissions::VIEW_CHANNEL | Permissions::USE_APPLICATION_COMMANDS);
        let reachable = |command: &&Command| {
            let context = i32::from(place.guild.is_none());
            let fits = command.json["contexts"].as_array().is_none_or(|contexts| contexts.contains(&context.into()));
            let wanted = command.json["default_member_permissions"].as_str().and_then(|bits| bits.parse().ok());
            let right = wanted.is_none_or(|bits| {
                if bits == 0 {
                    permissions == Permissions::ALL
                } else {
                    permissions.contains(Permissions::from_bits(bits))
                }
            });
            let here = command.guild.is_none() || command.guild == place.guild;
            here && fits && (right || place.guild.is_none())
        };
        if !may {
            return Vec::new();
        }
        self.commands.values().filter(reachable).flat_map(leaves).collect()
    }

    /// The command with these words, no matter who may run it.
    pub fn registered(&self, guild: Option<Snowflake>, path: &[String]) -> Option<Leaf> {
        let here = |command: &&Command| command.guild.is_none() || command.guild == guild;
        self.commands.values().filter(here).flat_map(leaves).find(|leaf| leaf.path == path)
    }

    /// The commands of a scope, as Discord returns them.
    pub(in crate::discord) fn commands_json(&self, guild: Option<Snowflake>) -> Value {
        let mut found: Vec<_> = self.commands.values().filter(|command| command.guild == guild).collect();
        found.sort_by_key(|command| command.id);
        found.into_iter().map(|command| command.json.clone()).collect()
    }

    /// Replaces all commands of a scope; a command that keeps its name keeps its id.
    pub(in crate::discord) fn overwrite_commands(
        &mut self,
        guild: Option<Snowflake>,
        list: &Value,
    ) -> Result<Value, ApiError> {
        let list = list.as_array().ok_or(ApiError::INVALID_JSON)?;
        if list.len() > MOST {
            return Err(ApiError::TOO_MANY_COMMANDS);
        }
        let mut form = Form::default();
        let mut names = BTreeSet::new();
        for (at, command) in list.iter().enumerate() {
            command_form::check(&at.to_string(), command, &mut form);
            if !names.insert((command["name"].as_str(), command["type"].as_u64().unwrap_or(1))) {
                let what = "Application command names must be unique";
                form.wrong(at.to_string(), "APPLICATION_COMMANDS_DUPLICATE_NAME", what);
            }
        }
        form.done()?;
        let fresh = list.iter().filter(|command| self.command_named(guild, &command["name"]).is_none()).count();
        self.count_creates(guild, fresh)?;
        let kept: Vec<Command> = list.iter().map(|command| self.registration(guild, command)).collect();
        self.commands.retain(|_, command| command.guild != guild);
        self.commands.extend(kept.into_iter().map(|command| (command.id, command)));
        self.tell(Event::CommandsChanged { guild });
        Ok(self.commands_json(guild))
    }

    /// Creates a command, or replaces the one of the same name. Returns whether it is new.
    pub(in crate::discord) fn create_command(
        &mut self,
        guild: Option<Snowflake>,
        command: &Value,
    ) -> Result<(bool, Value), ApiError> {
        let mut form = Form::default();
        command_form::check("", command, &mut form);
        form.done()?;
        let fresh = self.command_named(guild, &command["name"]).is_none();
        if fresh && self.commands.values().filter(|command| command.guild == guild).count() >= MOST {
            return Err(ApiError::TOO_MANY_COMMANDS);
        }
        self.count_creates(guild, usize::from(fresh))?;
        let command = self.registration(guild, command);
        let json = command.json.clone();
        self.commands.insert(command.id, command);
        self.tell(Event::CommandsChanged { guild });
        Ok((fresh, json))
    }

    /// Changes the given fields of a command.
    pub(in crate::discord) fn change_command(&mut self, command: &Command, change: &Value) -> Result<Value, ApiError> {
        let mut json = command.json.clone();
        for (key, value) in change.as_object().ok_or(ApiError::INVALID_JSON)? {
            json[key] = value.clone();
        }
        let mut form = Form::default();
        command_form::check("", &json, &mut form);
        form.done()?;
        let mut changed = self.registration(command.guild, &json);
        changed.id = command.id;
        changed.json["id"] = command.id.into();
        let json = changed.json.clone();
        self.commands.insert(command.id, changed);
        self.tell(Event::CommandsChanged { guild: command.guild });
        Ok(json)
    }

    fn command_named(&self, guild: Option<Snowflake>, name: &Value) -> Option<Snowflake> {
        self.commands.values().find(|command| command.guild == guild && *name == command.name).map(|command| command.id)
    }

    fn count_creates(&mut self, guild: Option<Snowflake>, fresh: usize) -> Result<(), ApiError> {
        let (now, most) = (self.now(), self.settings.command_creates_a_day);
        let creates = self.command_creates.entry(guild).or_default();
        creates.retain(|at| *at > now - SignedDuration::from_hours(24));
        if creates.len() + fresh > most {
            return Err(ApiError::TOO_MANY_COMMAND_CREATES);
        }
        creates.extend(std::iter::repeat_n(now, fresh));
        Ok(())
    }

    fn registration(&mut self, guild: Option<Snowflake>, sent: &Value) -> Command {
        let id = self.command_named(guild, &sent["name"]).unwrap_or_else(|| self.ids.next());
        let name = sent["name"].as_str().unwrap_or_default().to_owned();
        let or = |key: &str, default: Value| if sent[key].is_null() { default } else { sent[key].clone() };
        let mut json = json!({
            "id": id, "application_id": self.bot.id, "version": self.ids.next(), "name": name,
            "type": or("type", 1.into()), "description": or("description", "".into()),
            "name_localizations": sent["name_localizations"],
            "description_localizations": sent["description_localizations"],
            "default_member_permissions": sent["default_member_permissions"],
            "contexts": sent["contexts"], "integration_types": or("integration_types", json!([0])),
            "nsfw": or("nsfw", false.into()),
        });
        match guild {
            Some(guild) => json["guild_id"] = guild.into(),
            None => json["dm_permission"] = or("dm_permission", true.into()),
        }
        if let Some(options) = sent["options"].as_array().filter(|options| !options.is_empty()) {
            json["options"] = options.iter().map(command_form::kept_option).collect();
        }
        Command { id, guild, name, json }
    }
}

/// The ways to run a command: itself, or each of its subcommands.
fn leaves(command: &Command) -> Vec<Leaf> {
    let mut found = Vec::new();
    descend(command, vec![command.name.clone()], &command.json, &mut found);
    found
}

fn descend(command: &Command, path: Vec<String>, json: &Value, found: &mut Vec<Leaf>) {
    let options = json["options"].as_array().map_or(&[][..], Vec::as_slice);
    let (below, own): (Vec<_>, Vec<_>) =
        options.iter().partition(|option| option["type"].as_u64().is_some_and(|kind| kind <= 2));
    if below.is_empty() {
        let description = json["description"].as_str().unwrap_or_default().to_owned();
        found.push(Leaf { command: command.id, path, description, options: own.into_iter().cloned().collect() });
        return;
    }
    for option in below {
        let word = option["name"].as_str().unwrap_or_default().to_owned();
        descend(command, path.iter().cloned().chain([word]).collect(), option, found);
    }
}
