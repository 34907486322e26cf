//! Why the bot cannot be on Discord at all, by what its operator does next. Failures of single messages never get here.

use std::time::Duration;

/// Why the bot stopped or did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Discord does not accept the token.
    #[error("log in to Discord: it refuses DISCORD_TOKEN; copy the bot's token again from the Developer Portal")]
    TokenRefused,
    /// Discord closed the gateway permanently.
    #[error("stay on Discord's gateway: {0}")]
    GatewayRefused(&'static str),
    /// Discord returned an invalid gateway address.
    #[error("use the gateway's address that Discord gave")]
    BadGateway,
    /// The root certificate cannot be read.
    #[error("read the certificate in EXTRA_CA_FILE")]
    BadCertificate(#[source] reqwest::Error),
    /// The HTTP client cannot be built.
    #[error("build the HTTP client")]
    Client(#[source] reqwest::Error),
    /// The relay cannot listen on loopback.
    #[error("listen on loopback, between Discord's gateway and this bot")]
    Relay(#[source] std::io::Error),
    /// The connection to the gateway ended although the bot was not stopped.
    #[error("stay on Discord's gateway: the connection ended")]
    Ended(#[source] Option<Box<serenity::Error>>),
    /// The gateway could not be reached for too long.
    #[error(
        "stay on Discord's gateway: not connected for {} s, whatever was tried; the log says what Discord answered",
        .0.as_secs()
    )]
    Deaf(Duration),
    /// Discord gave no usable answer to a request that is sent once.
    #[error("get an answer from Discord: {0}")]
    Unanswered(String),
    /// The bot was stopped before it was connected.
    #[error("connect to Discord: stopped before that")]
    Stopped,
}

impl Error {
    /// The error of the gateway client when it gives up.
    pub(super) fn of_gateway(error: serenity::Error) -> Self {
        use serenity::gateway::GatewayError;
        match error {
            serenity::Error::Gateway(GatewayError::InvalidAuthentication | GatewayError::NoAuthentication) => {
                Self::TokenRefused
            }
            serenity::Error::Gateway(GatewayError::InvalidGatewayIntents | GatewayError::DisallowedGatewayIntents) => {
                Self::GatewayRefused("it refuses the intents, of which this bot uses only GUILDS")
            }
            serenity::Error::Gateway(GatewayError::InvalidShardData | GatewayError::OverloadedShard) => {
                Self::GatewayRefused("the bot is in more guilds than one connection may serve")
            }
            other => Self::Ended(Some(Box::new(other))),
        }
    }
}
