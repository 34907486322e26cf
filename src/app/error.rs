//! Why the bot cannot run, grouped by who has to act.

use std::net::SocketAddr;

use super::token::Unfit;
use crate::{
    digitalocean::client::Unusable,
    discord::{self, incident::chain},
    store,
};

/// Why the bot cannot run, grouped by who has to act.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is not usable.
    #[error("could not {}", chain(.0))]
    Store(store::Error),
    /// Discord does not accept the bot.
    #[error("could not {}", chain(.0))]
    Discord(discord::Error),
    /// DigitalOcean refuses the token.
    #[error(
        "could not log in to DigitalOcean: it refuses DIGITALOCEAN_TOKEN; make a new one under API > Tokens in the control panel"
    )]
    DigitalOceanToken,
    /// The token may belong to another account.
    #[error(
        "could not go on: DIGITALOCEAN_TOKEN is not known to be of the account that the operations in this database belong to: it \
         sees neither the same team nor any Droplet, Action or Snapshot of theirs; set a token of that account, or, if this is one, \
         start once with `snapshot-bot run --same-account`; another account needs a DATABASE_URL of its own"
    )]
    OtherAccount,
    /// DigitalOcean does not say which account the token belongs to.
    #[error(
        "could not go on yet: DigitalOcean does not answer, so DIGITALOCEAN_TOKEN is not known to be of the account that the operations \
         in this database belong to; it is tried again"
    )]
    UnprovenToken,
    /// The client for DigitalOcean cannot be built.
    #[error("could not prepare for DigitalOcean: {}", chain(.0))]
    DigitalOcean(Unusable),
    /// `HTTP_ADDR` cannot be served.
    #[error("could not listen on HTTP_ADDR {address}: {source}")]
    Http {
        /// The configured address.
        address: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// One of the bot's loops died.
    #[error("could not go on: a part of the bot ended unexpectedly")]
    Died,
}

// The messages above contain the whole chain of causes, so none of these is a `source`, which would be printed again.
impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<discord::Error> for Error {
    fn from(error: discord::Error) -> Self {
        Self::Discord(error)
    }
}

impl From<Unfit> for Error {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Refused => Self::DigitalOceanToken,
            Unfit::OtherAccount => Self::OtherAccount,
            Unfit::Unproven => Self::UnprovenToken,
        }
    }
}

impl From<Unusable> for Error {
    fn from(error: Unusable) -> Self {
        Self::DigitalOcean(error)
    }
}
