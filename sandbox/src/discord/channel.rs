//! Channels: text Channels, Threads and direct Messages, with the overwrites that allow and deny permissions.

use super::{permission::Overwrite, snowflake::Snowflake};

/// The kind of a Channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// An ordinary text Channel.
    Text,
    /// Two people, or a person and the bot.
    Direct,
    /// A Thread visible to everybody who sees its parent.
    PublicThread,
    /// A Thread visible to those who were added.
    PrivateThread,
}

impl ChannelKind {
    /// Whether it belongs to another Channel and follows its permissions.
    pub fn is_thread(self) -> bool {
        match self {
            Self::PublicThread | Self::PrivateThread => true,
            Self::Text | Self::Direct => false,
        }
    }

    pub(super) fn number(self) -> u8 {
        match self {
            Self::Text => 0,
            Self::Direct => 1,
            Self::PublicThread => 11,
            Self::PrivateThread => 12,
        }
    }
}

/// A place where people and the bot post Messages.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Its id.
    pub id: Snowflake,
    /// Its kind.
    pub kind: ChannelKind,
    /// Its Guild; `None` for direct Messages.
    pub guild: Option<Snowflake>,
    /// Its name, without `#`.
    pub name: String,
    /// The Channel that a Thread belongs to.
    pub parent: Option<Snowflake>,
    /// The person in a direct Channel.
    pub recipient: Option<Snowflake>,
    /// What it allows and denies beyond the Guild's permissions.
    pub overwrites: Vec<Overwrite>,
}
