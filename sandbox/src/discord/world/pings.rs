//! Whom a new Message pings. An edit pings nobody, and embeds never ping.

use std::collections::BTreeSet;

use super::World;
use crate::discord::{
    message::{Message, Ping},
    permission::Permissions,
    snowflake::Snowflake,
};

impl World {
    /// Whom a Message pinged, as `@name`.
    pub fn pinged_by(&self, message: Snowflake) -> Vec<String> {
        let pinged = self.pings.iter().filter(|ping| ping.message == message);
        pinged.map(|ping| format!("@{}", self.user_name(ping.user))).collect()
    }

    /// Records whom a new Message pings: those it may mention and who can see it, except its author.
    pub(in crate::discord) fn ping(&mut self, message: &Message, replied: Option<Snowflake>) {
        let Some(channel) = self.channels.get(&message.channel) else { return };
        let guild = channel.guild.and_then(|guild| self.guilds.get(&guild));
        let loud = self.may(message.channel, message.author, Permissions::MENTION_EVERYONE);
        let mut pinged: BTreeSet<Snowflake> = message.mentions.users.iter().copied().chain(replied).collect();
        if let Some(guild) = guild {
            for role in message.mentions.roles.iter().filter_map(|role| guild.roles.get(role)) {
                if role.mentionable || loud {
                    let holders = guild.members.values().filter(|member| member.roles.contains(&role.id));
                    pinged.extend(holders.map(|member| member.user));
                }
            }
            if message.mentions.everyone && loud {
                pinged.extend(guild.members.keys());
            }
        }
        pinged.retain(|user| *user != message.author && self.may(message.channel, *user, Permissions::NONE));
        self.pings.extend(pinged.into_iter().map(|user| Ping { user, message: message.id, channel: message.channel }));
    }
}
