//! Guilds, their Roles and Members, and the users behind them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{permission::Permissions, snowflake::Snowflake};

/// A person, or the bot.
#[derive(Clone, Debug)]
pub struct User {
    /// Its id.
    pub id: Snowflake,
    /// The user name, as shown in transcripts.
    pub name: String,
    /// Whether this is the bot.
    pub bot: bool,
    /// Whether this person refuses direct Messages.
    pub dms_closed: bool,
    /// The account's flags; Discord has some beyond the 32nd bit.
    pub flags: u64,
}

/// A Role of a Guild.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its id; everyone's Role has the Guild's own.
    pub id: Snowflake,
    /// Its name.
    pub name: String,
    /// The permissions that it grants.
    pub permissions: Permissions,
    /// Whether everyone may ping it.
    pub mentionable: bool,
}

/// A user in a Guild.
#[derive(Clone, Debug)]
pub struct Member {
    /// The user.
    pub user: Snowflake,
    /// Its Roles, except everyone's.
    pub roles: BTreeSet<Snowflake>,
    /// When it joined.
    pub joined: Timestamp,
}

/// A Guild, which people call a server.
#[derive(Clone, Debug)]
pub struct Guild {
    /// Its id.
    pub id: Snowflake,
    /// Its name.
    pub name: String,
    /// The owner, who may do everything.
    pub owner: Snowflake,
    /// Its Roles.
    pub roles: BTreeMap<Snowflake, Role>,
    /// Its Members.
    pub members: BTreeMap<Snowflake, Member>,
}
