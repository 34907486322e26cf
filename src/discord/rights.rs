//! Computes the bot's permissions in a channel. Discord sends them only for the channel of an interaction, so they are computed as Discord
//! does it (<https://discord.com/developers/docs/topics/permissions#permission-overwrites>).
//!
//! Only the fields that matter are read: users and emojis in a guild or a member may have forms that serenity's own types refuse.

use serde::Deserialize;
use serenity::{
    http::{Http, LightMethod, Request, Route},
    model::{Permissions, id},
};

/// The parts of a guild that determine permissions.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Guild {
    pub(super) id: id::GuildId,
    pub(super) name: String,
    owner_id: id::UserId,
    pub(super) roles: Vec<Role>,
}

/// A role of a guild.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Role {
    pub(super) id: id::RoleId,
    pub(super) name: String,
    #[serde(default = "Permissions::empty")]
    pub(super) permissions: Permissions,
    #[serde(default)]
    pub(super) mentionable: bool,
}

/// The bot's membership in a guild.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) user: id::UserId,
    pub(super) roles: Vec<id::RoleId>,
}

/// A channel or thread of a guild.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Channel {
    #[serde(rename = "type")]
    kind: u64,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) guild_id: Option<id::GuildId>,
    #[serde(default)]
    parent_id: Option<id::ChannelId>,
    #[serde(default)]
    permission_overwrites: Vec<Overwrite>,
    #[serde(default)]
    thread_metadata: Option<Thread>,
}

/// A channel's permission overwrite for a role or a member.
#[derive(Clone, Debug, Deserialize)]
struct Overwrite {
    /// The id of the role or the user.
    id: id::GenericId,
    allow: Permissions,
    deny: Permissions,
}

#[derive(Clone, Debug, Deserialize)]
struct Thread {
    #[serde(default)]
    locked: bool,
}

/// Discord's numbers for kinds of channels (<https://discord.com/developers/docs/resources/channel#channel-object-channel-types>).
const TEXT: u64 = 0;
const VOICE: u64 = 2;
const NEWS: u64 = 5;
const THREADS: [u64; 3] = [10, 11, 12];
const STAGE: u64 = 13;

impl Channel {
    /// Whether people post there. A category or a forum only holds other channels.
    pub(super) fn takes_messages(&self) -> bool {
        self.is_plain() || self.is_thread() || [VOICE, STAGE].contains(&self.kind)
    }

    /// Whether it is an ordinary text channel.
    pub(super) fn is_plain(&self) -> bool {
        [TEXT, NEWS].contains(&self.kind)
    }

    fn is_thread(&self) -> bool {
        THREADS.contains(&self.kind)
    }

    /// The channel whose permissions count, since a thread has none of its own.
    pub(super) fn parent(&self) -> Option<id::ChannelId> {
        self.parent_id.filter(|_| self.is_thread())
    }

    /// The rights that are needed to post there, by Discord's names.
    pub(super) fn to_write(&self) -> Vec<(Permissions, &'static str)> {
        let send = if self.is_thread() {
            (Permissions::SEND_MESSAGES_IN_THREADS, "Send Messages in Threads")
        } else {
            (Permissions::SEND_MESSAGES, "Send Messages")
        };
        let is_locked = self.thread_metadata.as_ref().is_some_and(|thread| thread.locked);
        let opens = is_locked.then_some((Permissions::MANAGE_THREADS, "Manage Threads"));
        [(Permissions::VIEW_CHANNEL, "View Channel"), send].into_iter().chain(opens).collect()
    }
}

/// A member's permissions in a channel that is not a thread.
pub(super) fn granted(guild: &Guild, member: &Member, channel: &Channel) -> Permissions {
    let everyone = guild.id.get();
    let held = guild.roles.iter().filter(|role| role.id.get() == everyone || member.roles.contains(&role.id));
    let base = held.fold(Permissions::empty(), |all, role| all | role.permissions);
    if guild.owner_id == member.user || base.administrator() {
        return Permissions::all();
    }
    let changed_by = |granted: Permissions, whose: &dyn Fn(u64) -> bool| {
        let changes = || channel.permission_overwrites.iter().filter(|changes| whose(changes.id.get()));
        let denied = changes().fold(Permissions::empty(), |all, changes| all | changes.deny);
        let allowed = changes().fold(Permissions::empty(), |all, changes| all | changes.allow);
        (granted - denied) | allowed
    };
    let granted = changed_by(base, &|id| id == everyone);
    let granted = changed_by(granted, &|id| member.roles.iter().any(|role| role.get() == id));
    changed_by(granted, &|id| id == member.user.get())
}

/// Reads a guild.
pub(super) async fn guild(http: &Http, guild_id: id::GuildId) -> serenity::Result<Guild> {
    get(http, Route::Guild { guild_id }).await
}

/// Reads the bot's membership in a guild.
pub(super) async fn member(http: &Http, guild_id: id::GuildId, user_id: id::UserId) -> serenity::Result<Member> {
    #[derive(Deserialize)]
    struct Found {
        #[serde(default)]
        roles: Vec<id::RoleId>,
    }
    let found: Found = get(http, Route::GuildMember { guild_id, user_id }).await?;
    Ok(Member { user: user_id, roles: found.roles })
}

/// Reads a channel.
pub(super) async fn channel(http: &Http, channel_id: id::ChannelId) -> serenity::Result<Channel> {
    get(http, Route::Channel { channel_id }).await
}

/// Reads the channels of a guild, without those that cannot be parsed.
pub(super) async fn channels(http: &Http, guild_id: id::GuildId) -> serenity::Result<Vec<Channel>> {
    let listed: Vec<serde_json::Value> = get(http, Route::GuildChannels { guild_id }).await?;
    Ok(listed.into_iter().filter_map(|channel| serde_json::from_value(channel).ok()).collect())
}

async fn get<T: serde::de::DeserializeOwned>(http: &Http, route: Route<'_>) -> serenity::Result<T> {
    http.fire(Request::new(route, LightMethod::Get)).await
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const BOT: u64 = 9;

    fn guild_with(permissions: Permissions) -> Guild {
        let role = |id: &str, permissions: Permissions| json!({"id": id, "name": id, "permissions": permissions});
        let roles = [role("1", Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES), role("2", permissions)];
        // The flags exceed 32 bits, which Discord may send.
        let emoji = json!({"id": "3", "user": {"id": "4", "public_flags": 1_u64 << 50}});
        let guild = json!({"id": "1", "name": "Acme", "owner_id": "5", "roles": roles, "emojis": [emoji]});
        serde_json::from_value(guild).unwrap()
    }

    fn channel(kind: u64, overwrites: &Value) -> Channel {
        serde_json::from_value(json!({"id": "6", "type": kind, "permission_overwrites": overwrites})).unwrap()
    }

    fn change(id: &str, allow: Permissions, deny: Permissions) -> Value {
        json!({"id": id, "type": 0, "allow": allow, "deny": deny})
    }

    #[test]
    fn a_channel_changes_what_roles_allow_and_a_member_s_own_change_counts_most() {
        let bot = Member { user: id::UserId::new(BOT), roles: vec![id::RoleId::new(2)] };
        let (nothing, send) = (Permissions::empty(), Permissions::SEND_MESSAGES);
        let may_send = |guild: &Guild, changes: &Value| granted(guild, &bot, &channel(0, changes)).contains(send);
        let plain = guild_with(nothing);
        assert!(may_send(&plain, &json!([])));
        assert!(!may_send(&plain, &json!([change("1", nothing, send)])));
        assert!(may_send(&plain, &json!([change("1", nothing, send), change("2", send, nothing)])));
        let against_us = json!([change("1", nothing, send), change("2", send, nothing), change("9", nothing, send)]);
        assert!(!may_send(&plain, &against_us));
        assert!(may_send(&guild_with(Permissions::ADMINISTRATOR), &against_us));
        assert!(!may_send(&plain, &json!([change("2", nothing, send)])), "of a role that it has");
        assert!(may_send(&plain, &json!([change("8", nothing, send)])), "of a role that it lacks");
    }

    #[test]
    fn a_forum_takes_no_messages_and_its_posts_do() {
        for (kind, takes) in [(0, true), (2, true), (4, false), (5, true), (11, true), (15, false), (16, false)] {
            assert_eq!(channel(kind, &json!([])).takes_messages(), takes, "{kind}");
        }
        let names = |channel: &Channel| channel.to_write().into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names(&channel(0, &json!([]))), ["View Channel", "Send Messages"]);
        let locked = json!({"id": "7", "type": 11, "parent_id": "6", "thread_metadata": {"locked": true}});
        let locked: Channel = serde_json::from_value(locked).unwrap();
        assert_eq!(names(&locked), ["View Channel", "Send Messages in Threads", "Manage Threads"]);
        assert_eq!(locked.parent(), Some(id::ChannelId::new(6)));
    }
}
