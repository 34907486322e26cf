//! How to reach Discord and DigitalOcean.

use std::net::SocketAddr;

use secrecy::SecretString;
use url::Url;

use super::SecretFile;
use crate::operation::ids::{ChannelId, RoleId};

/// How to reach Discord, and which channels and roles to use there.
#[derive(Clone, Debug)]
pub struct Discord {
    /// The bot's token.
    pub token: SecretString,
    /// The file that contains the token, if it came from one.
    pub token_file: Option<SecretFile>,
    /// The channel that also receives every outcome.
    pub notify_channel: Option<ChannelId>,
    /// The channel that receives the monthly cost of Snapshots.
    pub report_channel: Option<ChannelId>,
    /// The one role that the bot may ping when it calls people.
    pub failure_role: Option<RoleId>,
    /// A simulator to connect to instead of discord.com.
    pub simulator: Option<Simulator>,
}

/// A simulated Discord on loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulator {
    /// The address to connect to instead of discord.com:443.
    pub connect_to: SocketAddr,
    /// The only root certificate to trust there, as PEM.
    pub root_certificate: String,
}

/// How to reach DigitalOcean, and which Droplets to use there.
#[derive(Clone, Debug)]
pub struct DigitalOcean {
    /// The API token.
    pub token: SecretString,
    /// The file that contains the token, if it came from one.
    pub token_file: Option<SecretFile>,
    /// The API's origin: https, or http on loopback.
    pub api_url: Url,
    /// The tag that a Droplet must have for the bot to use it.
    pub droplet_tag: Option<String>,
}
