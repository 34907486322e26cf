//! Intents: which kinds of events a bot requested when it identified.
//! <https://discord.com/developers/docs/events/gateway#gateway-intents>

/// The intent that an event requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::discord) enum Intent {
    /// No intent is required.
    Always,
    Guilds,
    GuildMembers,
    GuildMessages,
    DirectMessages,
}

/// The intent for seeing the texts of others.
pub(super) const MESSAGE_CONTENT: u64 = 1 << 15;

impl Intent {
    /// Whether a bot with these intents receives the event.
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
