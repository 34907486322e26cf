//! Who is a member of a guild and what their roles allow, asked of Discord when nobody has just spoken.
//!
//! The scheduler asks before it acts on somebody's behalf. Only an answer counts that says that they have left, or names roles that do not
//! do; whatever else comes back, or does not, is silence.

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

/// 10007 and 10013: nobody of this id is in the guild, or anywhere.
const UNKNOWN: [isize; 2] = [10007, 10013];

/// A way to ask, once the bot has logged in. Clones ask the same way.
#[derive(Clone, Debug, Default)]
pub struct Members(Arc<Mutex<Option<Arc<Http>>>>);

/// What is needed of a member.
#[derive(Debug, Deserialize)]
struct Member {
    roles: Vec<id::RoleId>,
}

/// What is needed of a role.
#[derive(Debug, Deserialize)]
struct Role {
    id: id::RoleId,
    #[serde(default)]
    permissions: Permissions,
}

/// What is needed of a guild.
#[derive(Debug, Deserialize)]
struct Guild {
    owner_id: id::UserId,
}

impl Members {
    pub(super) fn learn(&self, http: &Arc<Http>) {
        *self.0.lock() = Some(Arc::clone(http));
    }

    /// Whether the owner of a schedule still may do what it takes to have one.
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

/// Whether somebody may. Roles alone are looked at first: most owners hold one that does.
async fn ask(http: &Http, policy: &Policy, guild: GuildId, user: UserId) -> serenity::Result<bool> {
    let (guild_id, user_id) = (id::GuildId::new(guild.0.max(1)), id::UserId::new(user.0.max(1)));
    let member: Member = get(http, Route::GuildMember { guild_id, user_id }).await?;
    let roles: BTreeSet<RoleId> = member.roles.iter().map(|role| RoleId(role.get())).collect();
    let plain = Person { guild: Some(guild), user, roles, administrator: false, manage_guild: false };
    if policy.authorize(&plain, Right::Restore).is_ok() {
        return Ok(true);
    }
    // By running the guild, perhaps.
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
