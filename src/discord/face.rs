//! What commands and buttons need: the rooms they enter, in the order they enter them, and who is asking.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use serenity::model::{guild::Member, id::GuildId};

use super::doors::Doors;
use crate::{
    access::{Person, Policy},
    clock::Clock,
    inventory::Inventory,
    operation::ids::{self, RoleId, UserId},
    store::Store,
};

/// The rooms behind the face.
pub(super) struct Face {
    pub(super) store: Arc<Store>,
    pub(super) inventory: Arc<Inventory>,
    pub(super) policy: Policy,
    pub(super) clock: Clock,
    pub(super) doors: Doors,
    pub(super) commands: CommandIds,
}

/// The id of our command in each guild, for mentions that can be clicked.
#[derive(Debug, Default)]
pub(super) struct CommandIds(Mutex<HashMap<ids::GuildId, u64>>);

impl CommandIds {
    pub(super) fn learn(&self, guild: ids::GuildId, command: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(guild, command);
    }

    pub(super) fn of(&self, guild: ids::GuildId) -> Option<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&guild).copied()
    }
}

/// Who is asking, as Discord's payload says at this moment.
pub(super) fn person(guild: Option<GuildId>, user: serenity::model::id::UserId, member: Option<&Member>) -> Person {
    let permissions = member.and_then(|member| member.permissions).unwrap_or_default();
    let roles = member.map(|member| member.roles.iter().map(|role| RoleId(role.get())).collect()).unwrap_or_default();
    Person {
        guild: guild.map(|guild| ids::GuildId(guild.get())),
        user: UserId(user.get()),
        roles,
        administrator: permissions.administrator(),
        manage_guild: permissions.manage_guild(),
    }
}
