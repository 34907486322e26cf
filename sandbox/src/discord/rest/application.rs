//! The bot's own application, its user, and its commands.

use serde_json::{Value, json};

use super::{
    super::{api_error::ApiError, command::Command, permission::Permissions, snowflake::from_json, world::World},
    Call, Reply, id,
};

impl World {
    pub(super) fn users_route(&mut self, call: &Call<'_>) -> Result<Reply, ApiError> {
        match (call.method, call.path) {
            ("GET", ["users", "@me"]) => {
                let mut user = self.user_json(self.bot.id);
                user["mfa_enabled"] = true.into();
                user["locale"] = "en-US".into();
                user["verified"] = true.into();
                user["email"] = Value::Null;
                Reply::ok(user)
            }
            ("GET", ["users", "@me", "guilds"]) => {
                let guilds = self.guilds_of_bot().into_iter().filter_map(|guild| self.guilds.get(&guild));
                let brief = |permissions: Permissions| permissions.bits().to_string();
                Reply::ok(
                    guilds
                        .map(|guild| {
                            json!({
                                "id": guild.id, "name": guild.name, "icon": null, "banner": null, "owner": false,
                                "permissions": brief(self.guild_permissions(guild.id, self.bot.id)), "features": [],
                            })
                        })
                        .collect(),
                )
            }
            ("POST", ["users", "@me", "channels"]) => {
                let person = from_json(&call.body["recipient_id"]).ok_or(ApiError::UNKNOWN_USER)?;
                match self.users.get(&person) {
                    None => Err(ApiError::UNKNOWN_USER),
                    // A bot cannot send Messages to itself.
                    Some(user) if user.bot => Err(ApiError::DMS_CLOSED),
                    Some(_) => {
                        let channel = self.direct_channel(person);
                        Reply::ok(self.channel_json(channel))
                    }
                }
            }
            ("DELETE", ["users", "@me", "guilds", guild]) => {
                let guild = id(guild)?;
                if !self.guilds_of_bot().contains(&guild) {
                    return Err(ApiError::UNKNOWN_GUILD);
                }
                self.kick_bot(guild);
                Reply::nothing()
            }
            ("GET", ["users", user]) => {
                let user = id(user)?;
                if self.users.contains_key(&user) {
                    Reply::ok(self.user_json(user))
                } else {
                    Err(ApiError::UNKNOWN_USER)
                }
            }
            _ => Err(ApiError::NOT_FOUND),
        }
    }

    pub(super) fn own_application(&self, call: &Call<'_>) -> Result<Reply, ApiError> {
        if call.method != "GET" {
            return Err(ApiError::METHOD_NOT_ALLOWED);
        }
        let owner = self.guilds.values().next().map_or(self.bot.id, |guild| guild.owner);
        Reply::ok(json!({
            "id": self.bot.id, "name": self.bot.name, "icon": null, "description": "", "type": null,
            "bot": self.user_json(self.bot.id), "summary": "", "bot_public": false, "bot_require_code_grant": false,
            "verify_key": "0".repeat(64), "flags": 0, "flags_new": "0", "redirect_uris": [],
            "interactions_endpoint_url": null, "role_connections_verification_url": null,
            "owner": self.user_json(owner), "approximate_guild_count": self.guilds_of_bot().len(),
            "approximate_user_install_count": 0, "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0, "team": null, "eligible_oauth2_scopes": [],
            "integration_types_config": {"0": {}}, "tags": [], "rpc_origins": [],
        }))
    }

    pub(super) fn application_route(
        &mut self,
        call: &Call<'_>,
        application: &str,
        rest: &[&str],
    ) -> Result<Reply, ApiError> {
        if id(application)? != self.bot.id {
            return Err(ApiError::MISSING_ACCESS);
        }
        let (guild, rest) = match rest {
            ["commands", rest @ ..] => (None, rest),
            ["guilds", guild, "commands", rest @ ..] => {
                let guild = id(guild)?;
                if !self.guilds_of_bot().contains(&guild) {
                    return Err(ApiError::MISSING_ACCESS);
                }
                (Some(guild), rest)
            }
            _ => return Err(ApiError::NOT_FOUND),
        };
        match (call.method, rest) {
            ("GET", []) => Reply::ok(self.commands_json(guild)),
            ("PUT", []) => self.overwrite_commands(guild, call.body).and_then(Reply::ok),
            ("POST", []) => match self.create_command(guild, call.body)? {
                (true, json) => Reply::created(json),
                (false, json) => Reply::ok(json),
            },
            (_, []) => Err(ApiError::METHOD_NOT_ALLOWED),
            // Permission overwrites for commands are not simulated.
            ("GET", ["permissions"]) if guild.is_some() => Reply::ok(json!([])),
            (method, [command]) => {
                let command = id(command)?;
                let found = self.commands.get(&command).filter(|command| command.guild == guild);
                let command = found.cloned().ok_or(ApiError::UNKNOWN_COMMAND)?;
                self.one_command(method, call.body, &command)
            }
            _ => Err(ApiError::NOT_FOUND),
        }
    }

    fn one_command(&mut self, method: &str, body: &Value, command: &Command) -> Result<Reply, ApiError> {
        match method {
            "GET" => Reply::ok(command.json.clone()),
            "PATCH" => self.change_command(command, body).and_then(Reply::ok),
            "DELETE" => {
                self.commands.remove(&command.id);
                self.tell(super::super::event::Event::CommandsChanged { guild: command.guild });
                Reply::nothing()
            }
            _ => Err(ApiError::METHOD_NOT_ALLOWED),
        }
    }
}
