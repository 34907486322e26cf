//! What commands and buttons need: the rooms they enter, in the order they enter them, and who is asking.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use serenity::model::{guild::Member, id::GuildId};

use super::{doors::Doors, messages::Wording, names::Names};
use crate::{
    access::{Person, Policy},
    clock::Clock,
    inventory::Inventory,
    operation::ids::{self, ChannelId, DropletId, MessageId, OperationId, RoleId, UserId},
    store::{self, Store},
};

/// The rooms behind the face.
pub(super) struct Face {
    pub(super) store: Arc<Store>,
    pub(super) inventory: Arc<Inventory>,
    pub(super) policy: Policy,
    pub(super) clock: Clock,
    pub(super) doors: Doors,
    pub(super) commands: CommandIds,
    pub(super) wording: Wording,
    pub(super) names: Names,
}

/// Where a progress message is, for a link.
pub(super) type Way = (ids::GuildId, ChannelId, MessageId);

impl Face {
    /// Where people see an operation's progress, where there is such a message.
    pub(super) async fn way_to(
        &self,
        operation: OperationId,
        progress: Option<(ChannelId, MessageId)>,
    ) -> Result<Option<Way>, store::Error> {
        let guild = self.store.operation(operation).await?.map(|found| found.operation.asker.guild);
        Ok(guild.zip(progress).map(|(guild, (channel, message))| (guild, channel, message)))
    }

    /// The operation that runs on a Droplet, if any: for a kind answer; the store decides when one is created.
    pub(super) async fn running_on(&self, droplet: DropletId) -> Result<Option<OperationId>, store::Error> {
        let running = self.store.running().await?;
        let mut ids = running.iter().map(|stored| &stored.operation);
        Ok(ids.find(|operation| operation.target.droplet == Some(droplet)).map(|operation| operation.id))
    }
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
