//! Channels: text Channels, Threads and direct Messages, with the overwrites that give and take rights.

use super::{permission::Overwrite, snowflake::Snowflake};

/// What sort of Channel it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// An ordinary one.
    Text,
    /// Two people, or a person and the bot.
    Direct,
    /// A Thread that everybody sees who sees its parent.
    PublicThread,
    /// A Thread for those who were added.
    PrivateThread,
}

impl ChannelKind {
    /// Whether it hangs below another Channel and follows its rights.
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

/// A place where people and the bot talk.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Its id.
    pub id: Snowflake,
    /// What sort it is.
    pub kind: ChannelKind,
    /// Its Guild; none for direct Messages.
    pub guild: Option<Snowflake>,
    /// Its name, without `#`.
    pub name: String,
    /// The Channel a Thread belongs to.
    pub parent: Option<Snowflake>,
    /// The person in a direct Channel.
    pub recipient: Option<Snowflake>,
    /// What it gives and takes over the Guild's rights.
    pub overwrites: Vec<Overwrite>,
}
