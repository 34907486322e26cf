//! What commands and buttons need: the modules that they use, in order of use, and the person who asks.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use serenity::model::{guild::Member, id::GuildId};

use super::{
    intake::Intake,
    limits::{Limits, People, RefusalLog},
    messages::{
        Wording,
        help::Mentions,
        refusal::{MayCancel, Occupant},
    },
    names::Names,
    roles::RoleNames,
};
use crate::{
    access::{Denial, Person, Policy, Right},
    clock::Clock,
    inventory::Inventory,
    operation::{
        Operation,
        ids::{self, ChannelId, DropletId, MessageId, OperationId, RoleId, UserId},
    },
    ping::Reach,
    store::{self, Store},
};

/// The state that commands, buttons and the reporters share.
pub(super) struct AppState {
    pub(super) store: Arc<Store>,
    pub(super) inventory: Arc<Inventory>,
    pub(super) policy: Policy,
    pub(super) clock: Clock,
    pub(super) intake: Intake,
    pub(super) commands: CommandIds,
    pub(super) wording: Wording,
    /// The Droplet that this process runs on, if known.
    pub(super) own_droplet: Option<DropletId>,
    pub(super) names: Names,
    pub(super) roles: Arc<RoleNames>,
    pub(super) limits: Limits,
    /// Which addresses schedules may call.
    pub(super) reach: Reach,
    pub(super) people: People,
    pub(super) refusals: RefusalLog,
}

impl AppState {
    /// Whether a person may see an operation. They may see those of their own guild, and all operations if they may restore, since all
    /// guilds share one account.
    pub(super) fn may_see(&self, who: &Person, operation: &Operation) -> bool {
        who.guild == Some(operation.requester.guild) || self.policy.authorize(who, Right::Restore).is_ok()
    }

    /// The running operations that a person may see, oldest first.
    pub(super) async fn running_for(&self, who: &Person) -> Result<Vec<Operation>, store::Error> {
        let may_see_all = self.policy.authorize(who, Right::Restore).is_ok();
        let running = match who.guild.filter(|_| !may_see_all) {
            Some(guild) => self.store.running_in(guild).await?,
            None => self.store.running().await?,
        };
        Ok(running
            .into_iter()
            .map(|stored| stored.operation)
            .filter(|operation| self.may_see(who, operation))
            .collect())
    }

    /// What keeps a Droplet or a Snapshot busy, limited to what this person may see.
    pub(super) async fn occupant(
        &self,
        who: &Person,
        operation: OperationId,
        progress: Option<(ChannelId, MessageId)>,
    ) -> Result<Occupant, store::Error> {
        let Some(found) = self.store.operation(operation).await?.map(|found| found.operation) else {
            return Ok(Occupant::Here { operation, progress: None, cancel: MayCancel::Nobody });
        };
        let guild = found.requester.guild;
        Ok(if who.guild == Some(guild) {
            let needed = Right::over(found.requester.user, who.user);
            let can_be = found.is_running() && found.outcome.is_none() && found.cancelled.is_none();
            let cancel = match self.policy.authorize(who, needed) {
                _ if !can_be => MayCancel::Nobody,
                Ok(_) => MayCancel::Asker,
                Err(Denial::MissingRole { roles, .. }) => MayCancel::Others(roles),
                Err(_) => MayCancel::Others(Vec::new()),
            };
            let progress = progress.map(|(channel, message)| (guild, channel, message));
            Occupant::Here { operation, progress, cancel }
        } else {
            let may_cancel = self.may_see(who, &found).then_some(operation);
            Occupant::Elsewhere { kind: Box::new(found.kind), may_cancel }
        })
    }
}

/// The ids of the bot's commands in each guild, for clickable mentions.
#[derive(Debug, Default)]
pub(super) struct CommandIds(Mutex<HashMap<ids::GuildId, Mentions>>);

impl CommandIds {
    pub(super) fn learn(&self, guild: ids::GuildId, mentions: Mentions) {
        self.0.lock().insert(guild, mentions);
    }

    /// The mentions of the bot's commands in this guild.
    pub(super) fn of(&self, guild: ids::GuildId) -> Mentions {
        self.0.lock().get(&guild).cloned().unwrap_or_default()
    }
}

/// The person who asks, as in Discord's present payload.
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
