//! What the bot finds on Discord, read over REST without connecting: who it is, its guilds, its rights in each channel.
//!
//! Called by `app::check`, which puts it into words. Writes nothing on Discord.

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

/// The application that a bot belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApplicationId(pub u64);

/// The rights that the bot needs in a channel where it is used, and in threads below it.
pub const RIGHTS: [(Permissions, &str); 5] = [
    (Permissions::VIEW_CHANNEL, "View Channels"),
    (Permissions::SEND_MESSAGES, "Send Messages"),
    (Permissions::SEND_MESSAGES_IN_THREADS, "Send Messages in Threads"),
    (Permissions::EMBED_LINKS, "Embed Links"),
    (Permissions::READ_MESSAGE_HISTORY, "Read Message History"),
];

/// The bot's account, over REST alone.
#[derive(Debug)]
pub struct Account {
    http: Http,
    me: id::UserId,
    application: id::ApplicationId,
    /// Its name.
    pub name: String,
}

/// One of the guilds that are to be served.
#[derive(Debug)]
pub enum Guild {
    /// The bot is not in it, or there is no such guild.
    Absent,
    /// The bot is in it.
    Present {
        /// Its name.
        name: String,
        /// Whether it was invited with the scope `applications.commands`.
        commands: bool,
        /// The names of its roles, everyone's included.
        roles: BTreeMap<RoleId, String>,
        /// Those of them that the bot may ping.
        mentionable: BTreeSet<RoleId>,
        /// The text channels that the bot sees.
        channels: Vec<Place>,
    },
}

/// A channel, and which of [`RIGHTS`] the bot lacks there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its name, without `#`.
    pub name: String,
    /// What is missing, in Discord's words.
    pub lacks: Vec<&'static str>,
}

/// The channel that also hears of every outcome.
#[derive(Debug)]
pub enum Notify {
    /// There is no such channel, or the bot does not see it.
    Unseen,
    /// It belongs to a guild that is not served, or to none.
    Elsewhere,
    /// It is a forum, or a category: nobody can write there.
    Forum {
        /// Its name, without `#`.
        name: String,
    },
    /// It is there.
    Seen(Place),
}

impl Account {
    /// Logs in, by the same way as the bot.
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

    /// The link that invites the bot with exactly the rights it needs.
    pub fn invite(&self) -> String {
        let rights = RIGHTS.iter().fold(Permissions::empty(), |sum, (right, _)| sum | *right);
        format!(
            "https://discord.com/oauth2/authorize?client_id={}&scope=bot+applications.commands&permissions={}",
            self.application,
            rights.bits()
        )
    }

    /// Looks at a guild.
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

    /// Looks at the channel that also hears of every outcome, which must be in one of these guilds.
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

/// What the bot lacks in a channel; none if it does not even see it.
fn place(guild: &rights::Guild, channel: &rights::Channel, member: &Member) -> Option<Place> {
    let has = rights::granted(guild, member, channel);
    let lacks = RIGHTS.iter().filter(|(right, _)| !has.contains(*right)).map(|(_, name)| *name).collect();
    has.contains(Permissions::VIEW_CHANNEL).then(|| Place { name: channel.name.clone(), lacks })
}

/// Nothing where Discord says that it is not there, or not for us.
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
