//! How to reach Discord and DigitalOcean.

use std::net::SocketAddr;

use secrecy::SecretString;
use url::Url;

use super::SecretFile;
use crate::operation::ids::{ChannelId, RoleId};

/// How to reach Discord and whom to serve there.
#[derive(Clone, Debug)]
pub struct Discord {
    /// The bot's token.
    pub token: SecretString,
    /// The file that it came from, if it did.
    pub token_file: Option<SecretFile>,
    /// A channel that also hears of every outcome.
    pub notify_channel: Option<ChannelId>,
    /// The channel that hears once a month what Snapshots cost.
    pub report_channel: Option<ChannelId>,
    /// The one role that the bot may ping, when people are called.
    pub failure_role: Option<RoleId>,
    /// A simulator to connect to in place of discord.com.
    pub simulator: Option<Simulator>,
}

/// A simulated Discord on loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulator {
    /// What to connect to in place of discord.com:443.
    pub connect_to: SocketAddr,
    /// The one root certificate to trust there, as PEM.
    pub root_certificate: String,
}

/// How to reach DigitalOcean and what to see there.
#[derive(Clone, Debug)]
pub struct DigitalOcean {
    /// The API token.
    pub token: SecretString,
    /// The file that it came from, if it did.
    pub token_file: Option<SecretFile>,
    /// The API's origin: https, or http on loopback.
    pub api_url: Url,
    /// The tag that a Droplet must have to be seen and touched.
    pub droplet_tag: Option<String>,
}
