//! The names of the guilds' roles, and the guild of each channel. Learned from the gateway, in memory only.

use std::collections::{HashMap, HashSet};

use parking_lot::{Mutex, MutexGuard};
use serenity::model::guild::{Guild, Role};

use crate::operation::ids::{ChannelId, GuildId, RoleId};

/// What the gateway has reported.
#[derive(Debug, Default)]
pub(super) struct RoleNames(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    names: HashMap<RoleId, String>,
    guilds: HashMap<GuildId, HashSet<RoleId>>,
    channels: HashMap<ChannelId, GuildId>,
}

impl RoleNames {
    /// Remembers a guild's roles and channels.
    pub(super) fn learn_guild(&self, guild: &Guild) {
        let id = GuildId(guild.id.get());
        let mut known = self.known();
        let roles = guild.roles.values().map(|role| (RoleId(role.id.get()), role.name.clone()));
        known.names.extend(roles);
        known.guilds.insert(id, guild.roles.keys().map(|role| RoleId(role.get())).collect());
        let channels = guild.channels.keys().chain(guild.threads.iter().map(|thread| &thread.id));
        known.channels.extend(channels.map(|channel| (ChannelId(channel.get()), id)));
    }

    /// Remembers a new role, or its new name.
    pub(super) fn learn(&self, role: &Role) {
        let (id, mut known) = (RoleId(role.id.get()), self.known());
        known.names.insert(id, role.name.clone());
        known.guilds.entry(GuildId(role.guild_id.get())).or_default().insert(id);
    }

    /// Forgets a role that was deleted.
    pub(super) fn forget(&self, guild: GuildId, role: RoleId) {
        if let Some(roles) = self.known().guilds.get_mut(&guild) {
            roles.remove(&role);
        }
    }

    /// The name of a role, if known.
    pub(super) fn name(&self, role: RoleId) -> Option<String> {
        self.known().names.get(&role).cloned()
    }

    /// The role, unless it is known not to exist in the guild of the channel. A channel belongs to `home` unless it is known to be in
    /// another guild. Before the gateway has reported, the role counts as existing: a superfluous mention pings nobody, a missing one wakes
    /// nobody.
    pub(super) fn callable(&self, role: Option<RoleId>, channel: ChannelId, home: GuildId) -> Option<RoleId> {
        let known = self.known();
        let guild = known.channels.get(&channel).unwrap_or(&home);
        role.filter(|role| known.guilds.get(guild).is_none_or(|roles| roles.contains(role)))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_called_where_it_exists_and_where_nothing_is_known() {
        let (here, there, role) = (GuildId(1), GuildId(2), RoleId(7));
        let names = RoleNames::default();
        assert_eq!(names.callable(Some(role), ChannelId(5), here), Some(role), "nothing is known yet");
        {
            let mut known = names.known();
            known.guilds.insert(here, HashSet::from([role]));
            known.guilds.insert(there, HashSet::new());
            known.channels.insert(ChannelId(6), there);
        }
        assert_eq!(names.callable(Some(role), ChannelId(5), here), Some(role));
        assert_eq!(names.callable(Some(role), ChannelId(5), there), None);
        assert_eq!(names.callable(Some(role), ChannelId(6), here), None, "the channel is in the other guild");
        names.forget(here, role);
        assert_eq!(names.callable(Some(role), ChannelId(5), here), None);
        assert_eq!(names.callable(None, ChannelId(5), here), None);
    }
}
