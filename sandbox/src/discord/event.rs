//! What happened in the world, for observers: a browser page, a terminal demo, a waiting test.

use super::snowflake::Snowflake;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A Message appeared.
    MessageCreated {
        /// The new Message.
        message: Snowflake,
    },
    /// A Message was edited, or a "thinking" one was filled.
    MessageUpdated {
        /// The changed Message.
        message: Snowflake,
    },
    /// A Message was deleted.
    MessageDeleted {
        /// The deleted Message.
        message: Snowflake,
    },
    /// The bot is typing.
    Typing {
        /// The Channel in which it types.
        channel: Snowflake,
    },
    /// A person did something that the bot must answer.
    InteractionCreated {
        /// The new Interaction.
        interaction: Snowflake,
    },
    /// The bot sent its first response.
    InteractionAcknowledged {
        /// The Interaction that was answered.
        interaction: Snowflake,
    },
    /// The bot did not answer an Interaction in time.
    InteractionDied {
        /// The Interaction that was not answered.
        interaction: Snowflake,
    },
    /// The commands of a Guild, or the global ones, changed.
    CommandsChanged {
        /// The Guild; `None` for global commands.
        guild: Option<Snowflake>,
    },
    /// A Channel was deleted.
    ChannelDeleted {
        /// The deleted Channel.
        channel: Snowflake,
    },
    /// The bot was added to a Guild.
    BotJoined {
        /// The Guild that it joined.
        guild: Snowflake,
    },
    /// The bot was removed from a Guild.
    BotLeft {
        /// The Guild that it left.
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
    /// A request was answered, or its connection cut.
    Answered {
        /// Its number in the journal.
        number: usize,
    },
    /// The bot changed its presence.
    PresenceChanged,
    /// The bot did something wrong.
    Complained,
}
