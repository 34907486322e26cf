//! Guilds, as far as a bot can read them: Channels, Roles, Members.

use serde_json::Value;

use super::{
    super::{
        api_error::{ApiError, Form},
        permission::Permissions,
        snowflake::Snowflake,
        world::World,
    },
    Call, Reply, id,
};

impl World {
    pub(super) fn guild_route(&self, call: &Call<'_>, guild: Snowflake, rest: &[&str]) -> Result<Reply, ApiError> {
        let found = self.guilds.get(&guild).ok_or(ApiError::UNKNOWN_GUILD)?;
        if !found.members.contains_key(&self.bot.id) {
            return Err(ApiError::MISSING_ACCESS);
        }
        if call.method != "GET" {
            return Err(ApiError::METHOD_NOT_ALLOWED);
        }
        match rest {
            [] => self.guild_json(guild).map_or(Err(ApiError::UNKNOWN_GUILD), |mut json| {
                if call.flag("with_counts") {
                    json["approximate_member_count"] = found.members.len().into();
                    json["approximate_presence_count"] = found.members.len().into();
                }
                Reply::ok(json)
            }),
            ["channels"] => {
                let own = self.channels.values().filter(|channel| channel.guild == Some(guild));
                let plain = own.filter(|channel| !channel.kind.is_thread());
                let seen = plain.filter(|channel| self.may(channel.id, self.bot.id, Permissions::NONE));
                Reply::ok(seen.map(|channel| self.channel_json(channel.id)).collect())
            }
            ["roles"] => Reply::ok(self.roles_json(guild)),
            ["members", "search"] => self.search_members(call, guild),
            ["members", "@me"] => self.member_json(guild, self.bot.id).map_or(Err(ApiError::UNKNOWN_MEMBER), Reply::ok),
            ["members", user] => {
                let user = id(user)?;
                if !self.users.contains_key(&user) {
                    return Err(ApiError::UNKNOWN_USER);
                }
                self.member_json(guild, user).map_or(Err(ApiError::UNKNOWN_MEMBER), Reply::ok)
            }
            // Listing all Members requires a privileged intent, which this application does not have.
            ["members"] => Err(ApiError::MISSING_ACCESS),
            _ => Err(ApiError::NOT_FOUND),
        }
    }

    fn search_members(&self, call: &Call<'_>, guild: Snowflake) -> Result<Reply, ApiError> {
        let mut form = Form::default();
        let query = call.query.get("query").map(|query| query.to_lowercase());
        if query.as_ref().is_none_or(String::is_empty) {
            form.required("query");
        }
        let limit = call.query.get("limit").map_or(Some(1), |limit| limit.parse::<usize>().ok());
        if !limit.is_some_and(|limit| (1..=1000).contains(&limit)) {
            form.wrong("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 1000.");
        }
        form.done()?;
        let (query, limit) = (query.unwrap_or_default(), limit.unwrap_or(1));
        let members = self.guilds.get(&guild).into_iter().flat_map(|guild| guild.members.keys());
        let fitting = members.filter(|user| self.user_name(**user).to_lowercase().starts_with(&query));
        Reply::ok(fitting.take(limit).filter_map(|user| self.member_json(guild, *user)).collect::<Value>())
    }
}
