//! Asks Discord who is a member of a guild and what their roles allow, for cases without an interaction.
//!
//! The scheduler asks before it acts on a person's behalf. Only two answers count against the person: that they have left the guild, or
//! that they have no sufficient role. Every other answer, or none, counts as silence.

use std::{collections::BTreeSet, sync::Arc};

use parking_lot::Mutex;
use serde::Deserialize;
use serenity::{
    http::{Http, HttpError, LightMethod, Request, Route},
    model::{Permissions, id},
};

use super::wire;
use crate::{
    access::{Person, Policy, Right},
    operation::ids::{GuildId, RoleId, UserId},
    schedule::OwnerSeen,
};

/// The codes 10007 and 10013: no user with this id is in the guild, or exists.
const UNKNOWN: [isize; 2] = [10007, 10013];

/// Access to Discord, set once the bot has logged in. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Members(Arc<Mutex<Option<Arc<Http>>>>);

/// The parts of a member that are needed.
#[derive(Debug, Deserialize)]
struct Member {
    roles: Vec<id::RoleId>,
}

/// The parts of a role that are needed.
#[derive(Debug, Deserialize)]
struct Role {
    id: id::RoleId,
    #[serde(default)]
    permissions: Permissions,
}

/// The parts of a guild that are needed.
#[derive(Debug, Deserialize)]
struct Guild {
    owner_id: id::UserId,
}

impl Members {
    pub(super) fn learn(&self, http: &Arc<Http>) {
        *self.0.lock() = Some(Arc::clone(http));
    }

    /// Whether the owner of a schedule may still have one.
    pub async fn owner(&self, policy: &Policy, guild: GuildId, user: UserId) -> OwnerSeen {
        let http = self.0.lock().clone();
        let Some(http) = http else { return OwnerSeen::Silence };
        let asked = ask(&http, policy, guild, user).await;
        wire::count(&asked);
        match asked {
            Ok(true) => OwnerSeen::Good,
            Ok(false) => OwnerSeen::Lost,
            Err(error) if says_unknown(&error) => OwnerSeen::Lost,
            Err(error) => {
                tracing::info!(
                    cause = wire::describe(&error),
                    "could not learn whether a schedule's owner is a member"
                );
                OwnerSeen::Silence
            }
        }
    }
}

/// Whether a person may have schedules. The roles are checked first, since most owners have a sufficient one.
async fn ask(http: &Http, policy: &Policy, guild: GuildId, user: UserId) -> serenity::Result<bool> {
    let (guild_id, user_id) = (id::GuildId::new(guild.0.max(1)), id::UserId::new(user.0.max(1)));
    let member: Member = get(http, Route::GuildMember { guild_id, user_id }).await?;
    let roles: BTreeSet<RoleId> = member.roles.iter().map(|role| RoleId(role.get())).collect();
    let plain = Person { guild: Some(guild), user, roles, administrator: false, manage_guild: false };
    if policy.authorize(&plain, Right::Restore).is_ok() {
        return Ok(true);
    }
    // The person may still be the guild's owner or an administrator.
    let all: Vec<Role> = get(http, Route::GuildRoles { guild_id }).await?;
    let everyone = guild_id.get();
    let held = all.iter().filter(|role| role.id.get() == everyone || member.roles.contains(&role.id));
    let permissions = held.fold(Permissions::empty(), |all, role| all | role.permissions);
    let owns = get::<Guild>(http, Route::Guild { guild_id }).await?.owner_id == user_id;
    let person = Person {
        administrator: owns || permissions.administrator(),
        manage_guild: owns || permissions.manage_guild(),
        ..plain
    };
    Ok(policy.authorize(&person, Right::Restore).is_ok())
}

async fn get<T: serde::de::DeserializeOwned>(http: &Http, route: Route<'_>) -> serenity::Result<T> {
    http.fire(Request::new(route, LightMethod::Get)).await
}

fn says_unknown(error: &serenity::Error) -> bool {
    matches!(error, serenity::Error::Http(HttpError::UnsuccessfulRequest(response)) if UNKNOWN.contains(&response.error.code))
}
