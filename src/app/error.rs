//! Why the bot cannot run, by who must do something about it.

use std::net::SocketAddr;

use super::token::Unfit;
use crate::{
    digitalocean::client::Unusable,
    discord::{self, incident::chain},
    store,
};

/// Why the bot cannot run, by who must do something about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is not usable.
    #[error("could not {}", chain(.0))]
    Store(store::Error),
    /// Discord does not let us in.
    #[error("could not {}", chain(.0))]
    Discord(discord::Error),
    /// DigitalOcean refuses the token.
    #[error(
        "could not log in to DigitalOcean: it refuses DIGITALOCEAN_TOKEN; make a new one under API > Tokens in the control panel"
    )]
    DigitalOceanToken,
    /// The token may be another account's.
    #[error(
        "could not go on: DIGITALOCEAN_TOKEN is not known to be of the account that the operations in this database belong to: it \
         sees neither the same team nor any Droplet, Action or Snapshot of theirs; set a token of that account, or, if this is one, \
         start once with `snapshot-bot run --same-account`; another account needs a DATABASE_URL of its own"
    )]
    OtherAccount,
    /// DigitalOcean does not say whose token it is.
    #[error(
        "could not go on yet: DigitalOcean does not answer, so DIGITALOCEAN_TOKEN is not known to be of the account that the operations \
         in this database belong to; it is tried again"
    )]
    UnprovenToken,
    /// The client of DigitalOcean cannot be built.
    #[error("could not prepare for DigitalOcean: {}", chain(.0))]
    DigitalOcean(Unusable),
    /// `HTTP_ADDR` cannot be served.
    #[error("could not listen on HTTP_ADDR {address}: {source}")]
    Http {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A loop of ours died.
    #[error("could not go on: a part of the bot ended unexpectedly")]
    Died,
}

// The texts above tell the whole chain of causes, so none of these is offered as a source to be told once more.
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
