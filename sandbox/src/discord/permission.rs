//! Permissions: the bits, and what a Channel allows and denies.
//!
//! <https://discord.com/developers/docs/topics/permissions>

use std::ops::{BitAnd, BitOr, Not};

use super::snowflake::Snowflake;

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u64);

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self(0);
    /// Everything, whatever overwrites say.
    pub const ADMINISTRATOR: Self = Self(1 << 3);
    /// Manage Server, as Discord's client calls it.
    pub const MANAGE_GUILD: Self = Self(1 << 5);
    /// See a Channel.
    pub const VIEW_CHANNEL: Self = Self(1 << 10);
    /// Post in a Channel.
    pub const SEND_MESSAGES: Self = Self(1 << 11);
    /// Delete and pin the Messages of others.
    pub const MANAGE_MESSAGES: Self = Self(1 << 13);
    /// Post embeds.
    pub const EMBED_LINKS: Self = Self(1 << 14);
    /// Attach files.
    pub const ATTACH_FILES: Self = Self(1 << 15);
    /// Read earlier Messages.
    pub const READ_MESSAGE_HISTORY: Self = Self(1 << 16);
    /// Ping everyone, and Roles that are not mentionable.
    pub const MENTION_EVERYONE: Self = Self(1 << 17);
    /// Use slash commands.
    pub const USE_APPLICATION_COMMANDS: Self = Self(1 << 31);
    /// Post in Threads.
    pub const SEND_MESSAGES_IN_THREADS: Self = Self(1 << 38);
    /// What a new Guild grants to everyone, as far as this world knows it.
    pub const USUAL: Self = Self(
        Self::VIEW_CHANNEL.0
            | Self::SEND_MESSAGES.0
            | Self::EMBED_LINKS.0
            | Self::ATTACH_FILES.0
            | Self::READ_MESSAGE_HISTORY.0
            | Self::USE_APPLICATION_COMMANDS.0
            | Self::SEND_MESSAGES_IN_THREADS.0,
    );
    /// Every bit that Discord has defined so far.
    pub const ALL: Self = Self((1 << 50) - 1);

    /// The set with these bits.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits, which Discord sends as a decimal string.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Whether all of `others` are in this set.
    pub fn contains(self, others: Self) -> bool {
        self & others == others
    }
}

impl BitOr for Permissions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Permissions {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Permissions {
    type Output = Self;

    fn not(self) -> Self {
        Self(!self.0)
    }
}

/// The Role or Member of an overwrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A Role; the Guild's own id means everyone.
    Role(Snowflake),
    /// One Member.
    Member(Snowflake),
}

/// What a Channel allows or denies a Role or Member, overriding the Guild.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overwrite {
    /// The Role or Member to which it applies.
    pub subject: Subject,
    /// The permissions that it allows.
    pub allow: Permissions,
    /// The permissions that it denies; on the same level, `allow` takes precedence.
    pub deny: Permissions,
}
