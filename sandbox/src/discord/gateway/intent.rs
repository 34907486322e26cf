//! Intents: which kinds of events a bot asked for when it identified.
//! <https://discord.com/developers/docs/events/gateway#gateway-intents>

/// What an event needs to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::discord) enum Intent {
    /// Nothing.
    Always,
    Guilds,
    GuildMembers,
    GuildMessages,
    DirectMessages,
}

/// Whether texts of others are shown.
pub(super) const MESSAGE_CONTENT: u64 = 1 << 15;

impl Intent {
    /// Whether a bot that asked for these intents gets the event.
    pub(in crate::discord) fn is_in(self, intents: u64) -> bool {
        let bit = match self {
            Self::Always => return true,
            Self::Guilds => 0,
            Self::GuildMembers => 1,
            Self::GuildMessages => 9,
            Self::DirectMessages => 12,
        };
        intents & (1 << bit) != 0
    }
}
