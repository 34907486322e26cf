//! What Discord's client tells a person instead of doing what they requested.

/// Why a person's action was impossible, or had no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The person does not see the Channel, or may not use commands there.
    #[error("this person may not do that in this Channel")]
    NoAccess,
    /// This person is offered no such command here.
    #[error("no command `/{0}` is offered here")]
    UnknownCommand(String),
    /// The command has no such option.
    #[error("the command has no option `{0}`")]
    UnknownOption(String),
    /// A required option was left out.
    #[error("the option `{0}` is required")]
    MissingOption(String),
    /// Discord's client does not accept this value.
    #[error("`{value}` does not fit the option `{option}`: {wanted}")]
    BadValue {
        /// The option.
        option: String,
        /// The given value.
        value: String,
        /// What would be valid.
        wanted: String,
    },
    /// The Message does not exist, or this person cannot see it.
    #[error("this person sees no such Message")]
    UnknownMessage,
    /// The Message has no such component, or it is disabled.
    #[error("the Message has no component `{0}` that could be used")]
    UnknownComponent(String),
    /// The bot did not respond in time.
    #[error("The application did not respond")]
    DidNotRespond,
}
