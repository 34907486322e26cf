//! What Discord's client tells a person instead of doing what they asked.

/// Why a person could not do something, or got nothing back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The person does not see the Channel, or may not use commands there.
    #[error("this person may not do that in this Channel")]
    NoAccess,
    /// No such command is offered here to this person.
    #[error("no command `/{0}` is offered here")]
    UnknownCommand(String),
    /// The command has no such option.
    #[error("the command has no option `{0}`")]
    UnknownOption(String),
    /// A required option was left out.
    #[error("the option `{0}` is required")]
    MissingOption(String),
    /// A value that Discord's client does not take.
    #[error("`{value}` does not fit the option `{option}`: {wanted}")]
    BadValue {
        /// The option.
        option: String,
        /// What was given.
        value: String,
        /// What would fit.
        wanted: String,
    },
    /// The Message is not there, or not for this person.
    #[error("this person sees no such Message")]
    UnknownMessage,
    /// The Message has no such component, or it is disabled.
    #[error("the Message has no component `{0}` that could be used")]
    UnknownComponent(String),
    /// The bot did not respond in time.
    #[error("The application did not respond")]
    DidNotRespond,
}
