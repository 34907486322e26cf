//! Guilds of the world and the users in them: created by tests and the demo, rendered as JSON for the bot.
//!
//! Knows nothing of REST. Changes while the bot is connected are dispatched to it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::World;
use crate::discord::{
    channel::ChannelKind,
    event::Event,
    gateway::intent::Intent,
    guild::{Guild, Member, Role, User},
    permission::Permissions,
    snowflake::Snowflake,
};

impl World {
    /// Creates a person.
    pub fn add_user(&mut self, name: &str) -> Snowflake {
        let id = self.ids.next();
        self.users.insert(id, User { id, name: name.to_owned(), bot: false, dms_closed: false, flags: 0 });
        id
    }

    /// Creates a Guild with the bot as a Member with the usual permissions. No simulated user acts as its owner.
    pub fn add_guild(&mut self, name: &str) -> Snowflake {
        let owner = self.add_user(&format!("{name}'s owner"));
        let id = self.ids.next();
        let everyone = Role { id, name: "@everyone".to_owned(), permissions: Permissions::USUAL, mentionable: false };
        let guild = Guild {
            id,
            name: name.to_owned(),
            owner,
            roles: BTreeMap::from([(id, everyone)]),
            members: BTreeMap::new(),
        };
        self.guilds.insert(id, guild);
        self.join(id, owner, &[]);
        self.invite_bot(id);
        id
    }

    /// Creates a Role.
    pub fn add_role(&mut self, guild: Snowflake, name: &str, permissions: Permissions) -> Snowflake {
        let id = self.ids.next();
        let role = Role { id, name: name.to_owned(), permissions, mentionable: false };
        if let Some(guild) = self.guilds.get_mut(&guild) {
            let position = guild.roles.len();
            let data = json!({"guild_id": guild.id, "role": role_json(&role, position)});
            guild.roles.insert(id, role);
            self.dispatch("GUILD_ROLE_CREATE", Intent::Guilds, &data);
        }
        id
    }

    /// Makes a Role mentionable by everyone.
    pub fn set_mentionable(&mut self, role: Snowflake) {
        for guild in self.guilds.values_mut() {
            if let Some(found) = guild.roles.get_mut(&role) {
                found.mentionable = true;
            }
        }
    }

    /// Changes the permissions that a Role grants; everyone's Role has the Guild's id.
    pub fn set_role_permissions(&mut self, guild: Snowflake, role: Snowflake, permissions: Permissions) {
        let Some(found) = self.guilds.get_mut(&guild).and_then(|guild| guild.roles.get_mut(&role)) else { return };
        found.permissions = permissions;
        let role = role_json(found, 1);
        self.dispatch("GUILD_ROLE_UPDATE", Intent::Guilds, &json!({"guild_id": guild, "role": role}));
    }

    /// Makes a user a Member with these Roles, or gives a Member exactly these Roles.
    pub fn join(&mut self, guild: Snowflake, user: Snowflake, roles: &[Snowflake]) {
        let joined = self.now();
        let Some(found) = self.guilds.get_mut(&guild) else { return };
        let known = found.members.contains_key(&user);
        let member = found.members.entry(user).or_insert(Member { user, roles: BTreeSet::new(), joined });
        member.roles = roles.iter().copied().collect();
        let name = if known { "GUILD_MEMBER_UPDATE" } else { "GUILD_MEMBER_ADD" };
        if let Some(mut data) = self.member_json(guild, user) {
            data["guild_id"] = guild.into();
            self.dispatch(name, Intent::GuildMembers, &data);
        }
    }

    /// Removes a user from a Guild.
    pub fn leave(&mut self, guild: Snowflake, user: Snowflake) {
        if let Some(found) = self.guilds.get_mut(&guild) {
            found.members.remove(&user);
        }
        let data = json!({"guild_id": guild, "user": self.user_json(user)});
        self.dispatch("GUILD_MEMBER_REMOVE", Intent::GuildMembers, &data);
    }

    /// Sets whether a person refuses direct Messages.
    pub fn close_dms(&mut self, user: Snowflake, closed: bool) {
        if let Some(user) = self.users.get_mut(&user) {
            user.dms_closed = closed;
        }
    }

    /// Sets the flags of an account.
    pub fn set_flags(&mut self, user: Snowflake, flags: u64) {
        if let Some(user) = self.users.get_mut(&user) {
            user.flags = flags;
        }
    }

    /// Sets whether Members are sent without the fields that Discord sometimes omits.
    pub fn send_scant_members(&mut self, scant: bool) {
        self.scant_members = scant;
    }

    /// Removes the bot from a Guild, which also deletes its commands there.
    pub fn kick_bot(&mut self, guild: Snowflake) {
        let bot = self.bot.id;
        if let Some(found) = self.guilds.get_mut(&guild) {
            found.members.remove(&bot);
        }
        self.commands.retain(|_, command| command.guild != Some(guild));
        self.dispatch("GUILD_DELETE", Intent::Guilds, &json!({"id": guild}));
        self.tell(Event::BotLeft { guild });
    }

    /// Adds the bot to a Guild.
    pub fn invite_bot(&mut self, guild: Snowflake) {
        let bot = self.bot.id;
        self.join(guild, bot, &[]);
        if let Some(data) = self.guild_create_json(guild) {
            self.dispatch("GUILD_CREATE", Intent::Guilds, &data);
        }
        self.tell(Event::BotJoined { guild });
    }

    /// The Guilds the bot is in.
    pub fn guilds_of_bot(&self) -> Vec<Snowflake> {
        self.guilds.values().filter(|guild| guild.members.contains_key(&self.bot.id)).map(|guild| guild.id).collect()
    }

    /// A Guild by id.
    pub fn guild(&self, id: Snowflake) -> Option<&Guild> {
        self.guilds.get(&id)
    }

    /// Every user, the bot included.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values()
    }

    /// A user by id.
    pub fn user(&self, id: Snowflake) -> Option<&User> {
        self.users.get(&id)
    }

    /// A user by name.
    pub fn user_named(&self, name: &str) -> Option<Snowflake> {
        self.users.values().find(|user| user.name == name).map(|user| user.id)
    }

    /// A user's name, or the id if there is no such user.
    pub fn user_name(&self, id: Snowflake) -> String {
        self.users.get(&id).map_or_else(|| id.to_string(), |user| user.name.clone())
    }

    pub(in crate::discord) fn user_json(&self, id: Snowflake) -> Value {
        let known = self.users.get(&id);
        let (name, bot, flags) = known.map_or(("deleted", false, 0), |user| (user.name.as_str(), user.bot, user.flags));
        let mut user = json!({
            "id": id, "username": name, "global_name": null, "avatar": null, "banner": null, "accent_color": null,
            "discriminator": if bot { "0001" } else { "0" }, "public_flags": flags, "flags": flags,
            "avatar_decoration_data": null, "collectibles": null, "primary_guild": null,
        });
        if bot {
            user["bot"] = true.into();
        }
        user
    }

    pub(in crate::discord) fn member_json(&self, guild: Snowflake, user: Snowflake) -> Option<Value> {
        let member = self.guilds.get(&guild)?.members.get(&user)?;
        if self.scant_members {
            return Some(json!({"user": self.user_json(user), "roles": member.roles}));
        }
        Some(json!({
            "user": self.user_json(user), "nick": null, "avatar": null, "banner": null, "roles": member.roles,
            "joined_at": member.joined.to_string(), "premium_since": null, "deaf": false, "mute": false, "flags": 0,
            "pending": false, "communication_disabled_until": null,
        }))
    }

    pub(in crate::discord) fn guild_json(&self, id: Snowflake) -> Option<Value> {
        let guild = self.guilds.get(&id)?;
        Some(json!({
            "id": id, "name": guild.name, "icon": null, "description": null, "home_header": null, "splash": null,
            "discovery_splash": null, "features": [], "banner": null, "owner_id": guild.owner,
            "application_id": null, "region": "deprecated", "afk_channel_id": null, "afk_timeout": 300,
            "system_channel_id": null, "system_channel_flags": 0, "widget_enabled": false, "widget_channel_id": null,
            "verification_level": 0, "roles": self.roles_json(id), "default_message_notifications": 0,
            "mfa_level": 0, "explicit_content_filter": 0, "max_presences": null, "max_members": 500_000,
            "max_stage_video_channel_users": 50, "max_video_channel_users": 25, "vanity_url_code": null,
            "premium_tier": 0, "premium_subscription_count": 0, "preferred_locale": "en-US",
            "rules_channel_id": null, "safety_alerts_channel_id": null, "public_updates_channel_id": null,
            "premium_progress_bar_enabled": false, "nsfw": false, "nsfw_level": 0, "emojis": [], "stickers": [],
            "incidents_data": null,
        }))
    }

    pub(in crate::discord) fn roles_json(&self, guild: Snowflake) -> Value {
        let roles = self.guilds.get(&guild).map(|guild| &guild.roles);
        roles.into_iter().flat_map(BTreeMap::values).enumerate().map(|(at, role)| role_json(role, at)).collect()
    }

    /// The data of `GUILD_CREATE`: the Guild and everything in it that the bot may know.
    pub(in crate::discord) fn guild_create_json(&self, id: Snowflake) -> Option<Value> {
        let guild = self.guilds.get(&id)?;
        let bot = guild.members.get(&self.bot.id)?;
        let (threads, channels): (Vec<_>, Vec<_>) = self
            .channels
            .values()
            .filter(|channel| channel.guild == Some(id))
            .partition(|channel| channel.kind.is_thread());
        let mut json = self.guild_json(id)?;
        json["joined_at"] = bot.joined.to_string().into();
        json["large"] = false.into();
        json["unavailable"] = false.into();
        json["member_count"] = guild.members.len().into();
        json["channels"] = channels.iter().map(|channel| self.channel_json(channel.id)).collect();
        json["threads"] = threads
            .iter()
            .filter(|thread| thread.kind != ChannelKind::PrivateThread)
            .map(|thread| self.channel_json(thread.id))
            .collect();
        // Without the GUILD_MEMBERS intent Discord sends only the bot's own Member.
        json["members"] = json!([self.member_json(id, self.bot.id)]);
        for empty in ["voice_states", "presences", "stage_instances", "guild_scheduled_events", "soundboard_sounds"] {
            json[empty] = json!([]);
        }
        Some(json)
    }
}

fn role_json(role: &Role, position: usize) -> Value {
    json!({
        "id": role.id, "name": role.name, "description": null, "permissions": role.permissions.bits().to_string(),
        "position": position, "color": 0, "colors": {"primary_color": 0, "secondary_color": null, "tertiary_color": null},
        "hoist": false, "managed": false, "mentionable": role.mentionable, "icon": null, "unicode_emoji": null,
        "flags": 0,
    })
}
