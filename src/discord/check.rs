//! What the bot finds on Discord, read over REST without a gateway connection: its identity, its guilds, and its rights in each channel.
//!
//! `app::check` calls this and words the result. Nothing is written to Discord.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use secrecy::SecretString;
use serenity::{
    http::Http,
    model::{Permissions, id},
};

use super::{
    Error,
    rights::{self, Member, Role},
    wire::{self, Route, Trouble},
};
use crate::operation::ids::{ChannelId, GuildId, RoleId};

/// The id of the application that a bot belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApplicationId(pub u64);

/// The rights that the bot needs in each channel where it is used, and in the threads below it.
pub const RIGHTS: [(Permissions, &str); 5] = [
    (Permissions::VIEW_CHANNEL, "View Channels"),
    (Permissions::SEND_MESSAGES, "Send Messages"),
    (Permissions::SEND_MESSAGES_IN_THREADS, "Send Messages in Threads"),
    (Permissions::EMBED_LINKS, "Embed Links"),
    (Permissions::READ_MESSAGE_HISTORY, "Read Message History"),
];

/// The bot's account, used over REST only.
#[derive(Debug)]
pub struct Account {
    http: Http,
    me: id::UserId,
    application: id::ApplicationId,
    /// The bot's name.
    pub name: String,
}

/// A guild that the configuration names.
#[derive(Debug)]
pub enum Guild {
    /// The bot is not a member, or the guild does not exist.
    Absent,
    /// The bot is a member.
    Present {
        /// The guild's name.
        name: String,
        /// Whether the bot was invited with the scope `applications.commands`.
        commands: bool,
        /// The names of its roles, `@everyone` included.
        roles: BTreeMap<RoleId, String>,
        /// The roles that the bot may ping.
        mentionable: BTreeSet<RoleId>,
        /// The text channels that the bot can see.
        channels: Vec<Place>,
    },
}

/// A channel, and the [`RIGHTS`] that the bot lacks there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The channel's name, without `#`.
    pub name: String,
    /// The missing rights, by Discord's names.
    pub lacks: Vec<&'static str>,
}

/// The channel that receives every outcome.
#[derive(Debug)]
pub enum Notify {
    /// The channel does not exist, or the bot cannot see it.
    Unseen,
    /// The channel belongs to a guild that is not served, or to no guild.
    Elsewhere,
    /// The channel is a forum or a category, in which nobody can post.
    Forum {
        /// The channel's name, without `#`.
        name: String,
    },
    /// The channel exists, and the bot can see it.
    Seen(Place),
}

impl Account {
    /// Logs in by the same route as the bot.
    pub async fn open(
        token: SecretString,
        connect_to: Option<SocketAddr>,
        extra_ca_pem: Option<String>,
    ) -> Result<Self, Error> {
        let http = wire::http(&Route { token, connect_to, extra_ca_pem })?;
        let application = wire::application(&http).await.map_err(|error| refused(&error))?;
        let me = wire::me(&http).await.map_err(|error| refused(&error))?;
        Ok(Self { application: application.id, me: me.id, name: me.username, http })
    }

    /// The application that the token belongs to.
    pub fn application(&self) -> ApplicationId {
        ApplicationId(self.application.get())
    }

    /// The link that invites the bot with exactly the rights that it needs.
    pub fn invite(&self) -> String {
        let rights = RIGHTS.iter().fold(Permissions::empty(), |sum, (right, _)| sum | *right);
        format!(
            "https://discord.com/oauth2/authorize?client_id={}&scope=bot+applications.commands&permissions={}",
            self.application,
            rights.bits()
        )
    }

    /// Reads a guild.
    pub async fn guild(&self, guild: GuildId) -> Result<Guild, Error> {
        let requested = id::GuildId::new(guild.0);
        let Some(found) = there(rights::guild(&self.http, requested).await)? else { return Ok(Guild::Absent) };
        let Some(member) = there(rights::member(&self.http, requested, self.me).await)? else {
            return Ok(Guild::Absent);
        };
        self.http.set_application_id(self.application);
        let commands = there(self.http.get_guild_commands(requested).await)?.is_some();
        let channels = there(rights::channels(&self.http, requested).await)?.unwrap_or_default();
        let places = channels.iter().filter(|channel| channel.is_plain());
        let places = places.filter_map(|channel| place(&found, channel, &member)).collect();
        let roles = found.roles.iter().map(|role| (RoleId(role.id.get()), role.name.clone())).collect();
        let may_ping_all = |role: &&Role| {
            (member.roles.contains(&role.id) || role.id.get() == guild.0)
                && role.permissions.intersects(Permissions::MENTION_EVERYONE | Permissions::ADMINISTRATOR)
        };
        let is_loud = found.roles.iter().any(|role| may_ping_all(&role));
        let mentionable = found.roles.iter().filter(|role| role.mentionable || is_loud);
        let mentionable = mentionable.map(|role| RoleId(role.id.get())).collect();
        Ok(Guild::Present { name: found.name.clone(), commands, roles, mentionable, channels: places })
    }

    /// Reads the channel that receives every outcome. It must be in one of these guilds.
    pub async fn notify(&self, channel: ChannelId, guilds: &BTreeSet<GuildId>) -> Result<Notify, Error> {
        let asked = there(rights::channel(&self.http, id::ChannelId::new(channel.0)).await)?;
        let Some(channel) = asked else { return Ok(Notify::Unseen) };
        let guild_id = channel.guild_id.filter(|guild| guilds.contains(&GuildId(guild.get())));
        let Some(guild_id) = guild_id else { return Ok(Notify::Elsewhere) };
        if !channel.takes_messages() {
            return Ok(Notify::Forum { name: channel.name });
        }
        let guild = rights::guild(&self.http, guild_id).await.map_err(|error| refused(&error))?;
        let member = rights::member(&self.http, guild_id, self.me).await.map_err(|error| refused(&error))?;
        let parent = match channel.parent() {
            Some(parent) => there(rights::channel(&self.http, parent).await)?,
            None => None,
        };
        let seen = place(&guild, parent.as_ref().unwrap_or(&channel), &member);
        Ok(seen.map_or(Notify::Unseen, |seen| Notify::Seen(Place { name: channel.name.clone(), ..seen })))
    }
}

/// The rights that the bot lacks in a channel; `None` if the bot cannot see the channel.
fn place(guild: &rights::Guild, channel: &rights::Channel, member: &Member) -> Option<Place> {
    let has = rights::granted(guild, member, channel);
    let lacks = RIGHTS.iter().filter(|(right, _)| !has.contains(*right)).map(|(_, name)| *name).collect();
    has.contains(Permissions::VIEW_CHANNEL).then(|| Place { name: channel.name.clone(), lacks })
}

/// The answer, or `None` if Discord reports that the resource does not exist or is not accessible.
fn there<T>(answer: serenity::Result<T>) -> Result<Option<T>, Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) => match Trouble::of(&error) {
            Trouble::NoAccess | Trouble::ChannelGone | Trouble::Refused => Ok(None),
            _ => Err(refused(&error)),
        },
    }
}

fn refused(error: &serenity::Error) -> Error {
    match Trouble::of(error) {
        Trouble::TokenRefused => Error::TokenRefused,
        _ => Error::Unanswered(wire::describe(error)),
    }
}
