//! The configuration: environment variables in, a `Config` or every problem at once out. Secrets stay sealed.
//!
//! `main` reads the process's environment, the demo and tests bring a lookup of their own. It opens nothing but the
//! certificate file it was told of, and decides nothing but whether a value can be used.

mod problem;
mod value;
mod variable;

use std::{collections::BTreeSet, net::SocketAddr};

use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use tracing_subscriber::EnvFilter;
use url::{Url, form_urlencoded};

use self::value::{Mismatch, mismatch};
pub use self::{
    problem::{Problem, Problems, Warning},
    variable::{Unset, VARIABLES, Variable, env_example, misspelled},
};
use crate::{
    access::{Policy, Roles},
    operation::ids::{ChannelId, GuildId, RoleId},
    telemetry::LogFormat,
};

/// Everything that is decided before the bot starts. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Config {
    /// How to reach Discord and whom to serve there.
    pub discord: Discord,
    /// How to reach DigitalOcean and what to see there.
    pub digitalocean: DigitalOcean,
    /// Who may do what, and in which guilds.
    pub policy: Policy,
    /// The database's URL, which may hold a password.
    pub database_url: SecretString,
    /// How long things may take.
    pub timing: Timing,
    /// Dollars per GB and month of a Snapshot.
    pub snapshot_price_per_gb: f64,
    /// Where `/healthz`, `/readyz` and `/metrics` are served, if at all.
    pub http_addr: Option<SocketAddr>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines are written, in the words of `RUST_LOG`; known to be well formed.
    pub log_filter: String,
}

/// How to reach Discord and whom to serve there.
#[derive(Clone, Debug)]
pub struct Discord {
    /// The bot's token.
    pub token: SecretString,
    /// A channel that also hears of every outcome.
    pub notify_channel: Option<ChannelId>,
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
    /// The API's origin: https, or http on loopback.
    pub api_url: Url,
    /// The tag that a Droplet must have to be seen and touched.
    pub droplet_tag: Option<String>,
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The shortest pause between two looks at running Actions.
    pub poll_interval: SignedDuration,
    /// How long a graceful shutdown may take before people are asked.
    pub shutdown_timeout: SignedDuration,
    /// How long the question stays open before the safe answer is taken.
    pub decision_timeout: SignedDuration,
    /// How long a request whose answer was lost may still take effect at DigitalOcean.
    pub settle_time: SignedDuration,
    /// How long operations are kept after their end.
    pub keep_history: SignedDuration,
}

impl Config {
    /// The configuration in the process's environment.
    pub fn from_env() -> Result<Self, Problems> {
        Self::from_lookup(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// The configuration that `lookup` knows, name by name. An empty value counts as not set.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Problems> {
        let mut read = Reader { lookup, problems: Vec::new() };
        let config = read.config();
        let Reader { mut problems, .. } = read;
        problems.sort_by_key(|problem| VARIABLES.iter().position(|variable| variable.name == problem.variable));
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            Some(_) | None => Err(Problems(problems)),
        }
    }

    /// Every value that must appear nowhere: tokens, and the password in the database's URL.
    pub fn secrets(&self) -> Vec<SecretString> {
        let database = Url::parse(self.database_url.expose_secret()).ok();
        let passwords = database.iter().flat_map(passwords).map(SecretString::from);
        [self.discord.token.clone(), self.digitalocean.token.clone()].into_iter().chain(passwords).collect()
    }
}

/// The passwords in a URL, as they are written there and as they are meant.
fn passwords(url: &Url) -> BTreeSet<String> {
    let written = url.password().map(str::to_owned);
    // Unlike in a form, a plus is a plus here.
    let form = written.as_ref().map(|written| written.replace('+', "%2B").replace('&', "%26"));
    let meant = form.as_ref().and_then(|form| form_urlencoded::parse(form.as_bytes()).next()).map(|(meant, _)| meant);
    let asked = url.query_pairs().filter(|(name, _)| name == "password").map(|(_, value)| value);
    let meant: Vec<String> = meant.into_iter().chain(asked).map(std::borrow::Cow::into_owned).collect();
    written.into_iter().chain(meant).collect()
}

/// Reads one variable after the other and keeps what is wrong with each.
struct Reader<L> {
    lookup: L,
    problems: Vec<Problem>,
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    /// Reads everything before it gives up on anything, so that all problems are found in one go.
    fn config(&mut self) -> Option<Config> {
        let discord_token = self.required(variable::DISCORD_TOKEN, value::token);
        let guilds = self.required(variable::DISCORD_GUILD_ID, value::snowflakes);
        let digitalocean_token = self.required(variable::DIGITALOCEAN_TOKEN, value::token);
        let api_url = self.required(variable::DIGITALOCEAN_API_URL, value::origin);
        let droplet_tag = self.optional(variable::DROPLET_TAG, value::tag);
        let roles = Roles {
            view: self.roles(variable::VIEW_ROLES),
            take: self.roles(variable::TAKE_ROLES),
            restore: self.roles(variable::RESTORE_ROLES),
        };
        let database_url = self.required(variable::DATABASE_URL, value::database);
        let notify_channel = self.optional(variable::NOTIFY_CHANNEL_ID, value::snowflake).map(ChannelId);
        let timing = self.timing();
        let snapshot_price_per_gb = self.required(variable::SNAPSHOT_PRICE_PER_GB, value::dollars);
        let http_addr = self.optional(variable::HTTP_ADDR, value::address);
        let log_format = self.required(variable::LOG_FORMAT, log_format);
        let log_filter = self.required(variable::RUST_LOG, log_filter);
        let simulator = self.simulator();
        Some(Config {
            discord: Discord { token: discord_token?, notify_channel, simulator },
            digitalocean: DigitalOcean { token: digitalocean_token?, api_url: api_url?, droplet_tag },
            policy: Policy::new(guilds?.into_iter().map(GuildId), roles),
            database_url: database_url?,
            timing: timing?,
            snapshot_price_per_gb: snapshot_price_per_gb?,
            http_addr,
            log_format: log_format?,
            log_filter: log_filter?,
        })
    }

    fn timing(&mut self) -> Option<Timing> {
        let at_most = |longest| move |text: &str| value::duration(text, longest);
        let hour = SignedDuration::from_hours(1);
        let poll_interval = self.required(variable::POLL_INTERVAL, at_most(SignedDuration::from_mins(5)));
        let shutdown_timeout = self.required(variable::SHUTDOWN_TIMEOUT, at_most(hour));
        let decision_timeout = self.required(variable::DECISION_TIMEOUT, at_most(hour * 24));
        let settle_time = self.required(variable::SETTLE_TIME, at_most(hour));
        let keep_history = self.required(variable::KEEP_HISTORY, value::days);
        Some(Timing {
            poll_interval: poll_interval?,
            shutdown_timeout: shutdown_timeout?,
            decision_timeout: decision_timeout?,
            settle_time: settle_time?,
            keep_history: keep_history?,
        })
    }

    fn roles(&mut self, variable: Variable) -> BTreeSet<RoleId> {
        self.optional(variable, value::snowflakes).unwrap_or_default().into_iter().map(RoleId).collect()
    }

    /// Both or neither: an address alone could not be trusted, and a root alone would be trusted for nothing.
    fn simulator(&mut self) -> Option<Simulator> {
        let (address, root) = (variable::DISCORD_CONNECT_TO, variable::EXTRA_CA_FILE);
        match (self.value(address), self.value(root)) {
            (Some(_), None) => self.wrong(root, mismatch("not set", "set together with DISCORD_CONNECT_TO")),
            (None, Some(_)) => self.wrong(address, mismatch("not set", "set together with EXTRA_CA_FILE")),
            (Some(_), Some(_)) | (None, None) => {}
        }
        let connect_to = self.optional(address, value::loopback);
        let root_certificate = self.optional(root, value::certificate);
        Some(Simulator { connect_to: connect_to?, root_certificate: root_certificate? })
    }

    fn value(&self, variable: Variable) -> Option<String> {
        (self.lookup)(variable.name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn optional<T>(&mut self, variable: Variable, parse: impl Fn(&str) -> Result<T, Mismatch>) -> Option<T> {
        match parse(&self.value(variable)?) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.wrong(variable, wrong);
                None
            }
        }
    }

    /// The value or its default; without either, that is a problem.
    fn required<T>(&mut self, variable: Variable, parse: impl Fn(&str) -> Result<T, Mismatch>) -> Option<T> {
        match (self.value(variable), variable.unset) {
            (Some(_), _) => self.optional(variable, parse),
            (None, Unset::Default(default)) => parse(default).ok(),
            (None, Unset::Refused | Unset::Absent(_)) => {
                self.wrong(variable, mismatch("not set", first_sentence(variable.meaning)));
                None
            }
        }
    }

    fn wrong(&mut self, Variable { name, example, .. }: Variable, Mismatch { found, wanted }: Mismatch) {
        self.problems.push(Problem { variable: name, found, wanted, example });
    }
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.')
}

fn log_format(text: &str) -> Result<LogFormat, Mismatch> {
    match text.to_ascii_lowercase().as_str() {
        "pretty" => Ok(LogFormat::Pretty),
        "json" => Ok(LogFormat::Json),
        _ => Err(mismatch(value::shown(text), "pretty or json")),
    }
}

fn log_filter(text: &str) -> Result<String, Mismatch> {
    let wanted = "a level (error, warn, info, debug, trace, off), or module=level, separated by commas";
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(why) => Err(mismatch(format!("{}: {why}", value::shown(text)), wanted)),
    }
}
