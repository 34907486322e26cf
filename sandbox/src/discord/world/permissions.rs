//! What a Member may do in a Channel, computed as Discord computes it.
//!
//! Called by REST (may the bot?), by simulated users (may the person?) and by tests that change permissions. Knows no REST.
//! <https://discord.com/developers/docs/topics/permissions>

use super::World;
use crate::discord::{
    channel::Channel,
    guild::Guild,
    permission::{Permissions, Subject},
    snowflake::Snowflake,
};

impl World {
    /// What a Member may do in a Guild before Channel overwrites apply; nothing for non-members.
    pub fn guild_permissions(&self, guild: Snowflake, user: Snowflake) -> Permissions {
        self.guilds.get(&guild).map_or(Permissions::NONE, |guild| base(guild, user))
    }

    /// What a user may do in a Channel, by Discord's own algorithm; a Thread follows its parent.
    pub fn permissions_in(&self, channel: Snowflake, user: Snowflake) -> Permissions {
        let Some(channel) = self.channels.get(&channel) else { return Permissions::NONE };
        let Some(guild_id) = channel.guild else {
            let takes_part = channel.recipient == Some(user) || user == self.bot.id;
            return if takes_part { Permissions::USUAL } else { Permissions::NONE };
        };
        let Some(guild) = self.guilds.get(&guild_id) else { return Permissions::NONE };
        let rules = channel.parent.filter(|_| channel.kind.is_thread()).and_then(|parent| self.channels.get(&parent));
        overwritten(base(guild, user), guild, rules.unwrap_or(channel), user)
    }

    /// Whether a user sees a Channel and has these permissions there.
    pub fn may(&self, channel: Snowflake, user: Snowflake, wanted: Permissions) -> bool {
        self.permissions_in(channel, user).contains(Permissions::VIEW_CHANNEL | wanted)
    }
}

fn base(guild: &Guild, user: Snowflake) -> Permissions {
    let Some(member) = guild.members.get(&user) else { return Permissions::NONE };
    if guild.owner == user {
        return Permissions::ALL;
    }
    let roles = guild.roles.values().filter(|role| role.id == guild.id || member.roles.contains(&role.id));
    let sum = roles.fold(Permissions::NONE, |sum, role| sum | role.permissions);
    if sum.contains(Permissions::ADMINISTRATOR) { Permissions::ALL } else { sum }
}

fn overwritten(base: Permissions, guild: &Guild, channel: &Channel, user: Snowflake) -> Permissions {
    if base.contains(Permissions::ADMINISTRATOR) || !guild.members.contains_key(&user) {
        return base;
    }
    let member = &guild.members[&user];
    let level = |about: &dyn Fn(Subject) -> bool, before: Permissions| {
        let of_level = channel.overwrites.iter().filter(|overwrite| about(overwrite.subject));
        let (deny, allow) = of_level.fold((Permissions::NONE, Permissions::NONE), |(deny, allow), overwrite| {
            (deny | overwrite.deny, allow | overwrite.allow)
        });
        (before & !deny) | allow
    };
    let everyone = level(&|subject| subject == Subject::Role(guild.id), base);
    let of_roles = |subject| matches!(subject, Subject::Role(role) if role != guild.id && member.roles.contains(&role));
    let roles = level(&of_roles, everyone);
    level(&|subject| subject == Subject::Member(user), roles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discord::settings::Settings;

    const SEND: Permissions = Permissions::SEND_MESSAGES;

    fn guild_with_ada() -> (World, Snowflake, Snowflake, Snowflake, Snowflake) {
        let mut world = World::new(Settings::default());
        let guild = world.add_guild("Acme");
        let role = world.add_role(guild, "operators", Permissions::NONE);
        let (channel, ada) = (world.add_channel(guild, "ops"), world.add_user("ada"));
        world.join(guild, ada, &[role]);
        (world, guild, role, channel, ada)
    }

    #[test]
    fn a_members_overwrite_beats_a_roles_which_beats_everyones() {
        let (mut world, guild, role, channel, ada) = guild_with_ada();
        assert!(world.may(channel, ada, SEND));
        world.set_overwrite(channel, Subject::Role(guild), Permissions::NONE, SEND);
        assert!(!world.may(channel, ada, SEND));
        world.set_overwrite(channel, Subject::Role(role), SEND, Permissions::NONE);
        assert!(world.may(channel, ada, SEND));
        world.set_overwrite(channel, Subject::Member(ada), Permissions::NONE, SEND);
        assert!(!world.may(channel, ada, SEND));
    }

    #[test]
    fn an_administrator_may_do_everything_whatever_overwrites_say() {
        let (mut world, guild, role, channel, ada) = guild_with_ada();
        world.set_overwrite(channel, Subject::Member(ada), Permissions::NONE, Permissions::ALL);
        assert!(!world.may(channel, ada, Permissions::NONE));
        world.set_role_permissions(guild, role, Permissions::ADMINISTRATOR);
        assert!(world.may(channel, ada, Permissions::MANAGE_GUILD));
    }

    #[test]
    fn a_thread_follows_its_parent_and_a_stranger_sees_nothing() {
        let (mut world, guild, _, channel, ada) = guild_with_ada();
        let thread = world.add_thread(channel, "details");
        world.set_overwrite(channel, Subject::Role(guild), Permissions::NONE, Permissions::VIEW_CHANNEL);
        assert!(!world.may(thread, ada, Permissions::NONE));
        let stranger = world.add_user("eve");
        world.set_overwrite(channel, Subject::Role(guild), Permissions::ALL, Permissions::NONE);
        assert!(!world.may(channel, stranger, Permissions::NONE));
    }
}
