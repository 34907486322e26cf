//! What happened in the world, told to anyone who watches: a browser page, a terminal demo, a waiting test.

use super::snowflake::Snowflake;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A Message appeared.
    MessageCreated {
        /// Which.
        message: Snowflake,
    },
    /// A Message was edited, or a "thinking" one was filled.
    MessageUpdated {
        /// Which.
        message: Snowflake,
    },
    /// A Message was deleted.
    MessageDeleted {
        /// Which.
        message: Snowflake,
    },
    /// The bot types.
    Typing {
        /// Where.
        channel: Snowflake,
    },
    /// A person did something that the bot must answer.
    InteractionCreated {
        /// Which.
        interaction: Snowflake,
    },
    /// The bot gave its first response.
    InteractionAcknowledged {
        /// Which.
        interaction: Snowflake,
    },
    /// Nobody answered in time.
    InteractionDied {
        /// Which.
        interaction: Snowflake,
    },
    /// The commands of a Guild, or the global ones, changed.
    CommandsChanged {
        /// The Guild; none for global commands.
        guild: Option<Snowflake>,
    },
    /// A Channel was deleted.
    ChannelDeleted {
        /// Which.
        channel: Snowflake,
    },
    /// The bot was invited.
    BotJoined {
        /// Where.
        guild: Snowflake,
    },
    /// The bot was kicked.
    BotLeft {
        /// From where.
        guild: Snowflake,
    },
    /// The bot is ready on the gateway, for the first time or resumed.
    BotOnline,
    /// A gateway connection of the bot ended.
    BotOffline,
    /// A request arrived.
    Requested {
        /// Its number in the journal.
        number: usize,
    },
    /// A request was answered, or cut.
    Answered {
        /// Its number in the journal.
        number: usize,
    },
    /// The bot changed what stands next to its name.
    PresenceChanged,
    /// The bot did something wrong.
    Complained,
}
