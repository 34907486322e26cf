//! The configuration: turns environment variables into a `Config`, or reports every problem at once. Secrets stay sealed.
//!
//! `main` reads the process's environment; the demo and tests provide a lookup of their own. It opens no file except the certificate and
//! the secrets whose paths it was given, and decides only whether a value can be used.

mod database_url;
mod env_file;
mod problem;
mod secret_file;
mod services;
mod value;
mod variable;

use std::{collections::BTreeSet, net::SocketAddr};

use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

pub use self::{
    database_url::{is_same_database, passwords_in},
    env_file::{ENV_FILE, EnvFile, Line},
    problem::{Problem, Problems, Warning},
    secret_file::{SecretFile, Unusable},
    services::{DigitalOcean, Discord, Simulator},
    variable::{Unset, VARIABLES, Variable, env_example, misspelled},
};
use self::{
    secret_file::Content,
    value::{Mismatch, mismatch},
};
use crate::{
    access::{AdminsMay, Policy, Roles},
    operation::ids::{ChannelId, GuildId, RoleId},
    ping::{Address, Reach},
    telemetry::LogFormat,
};

/// All settings that are known before the bot starts. Its `Debug` output shows no secret.
#[derive(Clone, Debug)]
pub struct Config {
    /// How to reach Discord, and which channels and roles to use there.
    pub discord: Discord,
    /// How to reach DigitalOcean, and which Droplets to use there.
    pub digitalocean: DigitalOcean,
    /// Who may do what, and in which guilds.
    pub policy: Policy,
    /// The database's URL, which may hold a password.
    pub database_url: SecretString,
    /// The file that contains the URL, if it came from one.
    pub database_url_file: Option<SecretFile>,
    /// What to call so that a monitor notices when the bot falls silent.
    pub pings: Pings,
    /// Time limits, and how long history is kept.
    pub timing: Timing,
    /// How much one person may request.
    pub limits: Limits,
    /// The price of a Snapshot in dollars per GB and month.
    pub snapshot_price_per_gb: f64,
    /// The address that serves `/healthz`, `/readyz` and `/metrics`, if any.
    pub http_addr: Option<SocketAddr>,
    /// The format of log lines.
    pub log_format: LogFormat,
    /// Which log lines are written, in the syntax of `RUST_LOG`; already validated.
    pub log_filter: String,
    /// Settings that work, but are probably not intended.
    pub warnings: Vec<Warning>,
}

/// What to call so that a monitor notices when the bot falls silent.
#[derive(Clone, Debug)]
pub struct Pings {
    /// The address to call while the bot makes progress.
    pub heartbeat: Option<Address>,
    /// Which addresses may be called.
    pub reach: Reach,
}

/// How much one person may request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Commands and presses within ten seconds.
    pub interactions: usize,
    /// Operations that run simultaneously.
    pub operations: usize,
    /// The minimum time from one take of a Droplet to the next, regardless of who requests them.
    pub take_cooldown: Option<SignedDuration>,
}

/// Time limits, and how long history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The shortest pause between two looks at running Actions.
    pub poll_interval: SignedDuration,
    /// How long a graceful shutdown may take before people are asked.
    pub shutdown_timeout: SignedDuration,
    /// How long a question stays open before the safe answer is taken.
    pub decision_timeout: SignedDuration,
    /// How long a request whose answer was lost may still take effect at DigitalOcean.
    pub settle_time: SignedDuration,
    /// How long operations are kept after their end.
    pub keep_history: SignedDuration,
}

impl Config {
    /// Reads the configuration from the process's environment.
    pub fn from_env() -> Result<Self, Problems> {
        Self::from_lookup(environment)
    }

    /// Reads the configuration from `lookup`, name by name. An empty value counts as not set.
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

    /// Reads only the database's URL, for commands that need nothing else.
    pub fn database_from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<SecretString, Problems> {
        let mut read = Reader { lookup, problems: Vec::new() };
        let found = read.secret(Content::DatabaseUrl);
        found.map(|(url, _)| url).ok_or(Problems(read.problems))
    }

    /// Reads only the address of `/healthz`, for commands that query it; if it is not set, that counts as a problem here.
    pub fn http_addr_from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<SocketAddr, Problems> {
        let mut read = Reader { lookup, problems: Vec::new() };
        if let Some(address) = read.optional(variable::HTTP_ADDR, value::address) {
            return Ok(address);
        }
        if read.problems.is_empty() {
            read.wrong(variable::HTTP_ADDR, mismatch("not set", "the address at which the bot serves /healthz"));
        }
        Err(Problems(read.problems))
    }

    /// Every value that must not appear in any output: tokens, and the password in the database's URL.
    pub fn secrets(&self) -> Vec<SecretString> {
        let tokens = [self.discord.token.clone(), self.digitalocean.token.clone()];
        tokens.into_iter().chain(passwords_in(&self.database_url)).collect()
    }
}

/// A variable of the process's environment.
pub fn environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Reads variables one after the other and collects the problems.
struct Reader<L> {
    lookup: L,
    problems: Vec<Problem>,
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    /// Reads all variables before giving up, so that all problems are found in one run.
    fn config(&mut self) -> Option<Config> {
        let discord_token = self.secret(Content::DiscordToken);
        let guilds = self.required(variable::DISCORD_GUILD_ID, value::snowflakes);
        let digitalocean_token = self.secret(Content::DigitalOceanToken);
        let api_url = self.api_url();
        let droplet_tag = self.optional(variable::DROPLET_TAG, value::tag);
        let roles = Roles {
            view: self.roles(variable::VIEW_ROLES),
            take: self.roles(variable::TAKE_ROLES),
            restore: self.roles(variable::RESTORE_ROLES),
        };
        let admins = self.admins_may(&roles);
        let database_url = self.secret(Content::DatabaseUrl);
        let notify_channel = self.optional(variable::NOTIFY_CHANNEL_ID, value::snowflake).map(ChannelId);
        let report_channel = self.optional(variable::REPORT_CHANNEL_ID, value::snowflake).map(ChannelId);
        let failure_role = self.failure_role(guilds.as_ref());
        let pings = self.pings();
        let timing = self.timing();
        let limits = self.limits();
        let snapshot_price_per_gb = self.required(variable::SNAPSHOT_PRICE_PER_GB, value::dollars);
        let http_addr = self.optional(variable::HTTP_ADDR, value::address);
        let log_format = self.required(variable::LOG_FORMAT, value::log_format);
        let log_filter = self.required(variable::RUST_LOG, value::log_filter);
        let simulator = self.simulator();
        let (database_url, database_url_file) = database_url?;
        let warnings = self.database_in_the_clear(&database_url).into_iter().collect();
        let (token, token_file) = discord_token?;
        let discord = Discord { token, token_file, notify_channel, report_channel, failure_role, simulator };
        let (token, token_file) = digitalocean_token?;
        Some(Config {
            discord,
            digitalocean: DigitalOcean { token, token_file, api_url: api_url?, droplet_tag },
            policy: Policy::new(guilds?.into_iter().map(GuildId), roles).with_admins(admins?),
            database_url,
            database_url_file,
            pings: pings?,
            timing: timing?,
            limits: limits?,
            snapshot_price_per_gb: snapshot_price_per_gb?,
            http_addr,
            log_format: log_format?,
            log_filter: log_filter?,
            warnings,
        })
    }

    /// Reads a secret from its variable, or from the file named by another variable; only one of the two may be set.
    fn secret(&mut self, content: Content) -> Option<(SecretString, Option<SecretFile>)> {
        let (variable, in_file) = content.variables();
        match (self.value(variable), self.value(in_file)) {
            (_, None) => Some((self.required(variable, |text| content.parse(text))?, None)),
            (Some(_), Some(_)) => {
                let wanted = format!("one of {} and {}", variable.name, in_file.name);
                self.wrong(in_file, mismatch(format!("set together with {}", variable.name), wanted));
                None
            }
            (None, Some(path)) => {
                let file = SecretFile::new(&path, content);
                match file.read_as_value() {
                    Ok(secret) => Some((secret, Some(file))),
                    Err(wrong) => {
                        self.wrong(in_file, wrong);
                        None
                    }
                }
            }
        }
    }

    /// The token goes to DigitalOcean or to this machine; to any other host only with a second, explicit setting.
    fn api_url(&mut self) -> Option<Url> {
        let may_go_elsewhere =
            self.required(variable::ALLOW_OTHER_API_HOST, |text| value::word(text, [("yes", true), ("no", false)]));
        let url = self.required(variable::DIGITALOCEAN_API_URL, value::origin)?;
        if value::is_loopback(&url) || url.host_str() == Some("api.digitalocean.com") || may_go_elsewhere? {
            return Some(url);
        }
        let found = format!("{:?}, where the API token would be sent", url.host_str().unwrap_or_default());
        let wanted = "api.digitalocean.com or loopback; with ALLOW_OTHER_API_HOST=yes any host";
        self.wrong(variable::DIGITALOCEAN_API_URL, mismatch(found, wanted));
        None
    }

    fn pings(&mut self) -> Option<Pings> {
        let reaches = [("yes", Reach::Everywhere), ("no", Reach::Public)];
        let reach = self.required(variable::ALLOW_PRIVATE_URLS, |text| value::word(text, reaches))?;
        let heartbeat = self.optional(variable::HEARTBEAT_URL, |text| value::address_to_call(text, reach));
        Some(Pings { heartbeat, reach })
    }

    /// Refuses a guild's own id as a role, since it means everyone in the guild.
    fn failure_role(&mut self, guilds: Option<&BTreeSet<u64>>) -> Option<RoleId> {
        let role = self.optional(variable::FAILURE_ROLE, value::snowflake)?;
        if guilds.is_some_and(|guilds| guilds.contains(&role)) {
            let found = format!("{role}, which stands for everyone in that guild");
            self.wrong(variable::FAILURE_ROLE, mismatch(found, "the id of a role that some people have"));
            return None;
        }
        Some(RoleId(role))
    }

    /// If admins have no rights, some role must be able to do everything: otherwise no one could.
    fn admins_may(&mut self, roles: &Roles) -> Option<AdminsMay> {
        let words = [("everything", AdminsMay::Everything), ("nothing", AdminsMay::Nothing)];
        let admins = self.required(variable::ADMINS_MAY, |text| value::word(text, words))?;
        if admins == AdminsMay::Nothing && roles.restore.is_empty() {
            let found = "nothing, while RESTORE_ROLES names nobody";
            self.wrong(
                variable::ADMINS_MAY,
                mismatch(found, "RESTORE_ROLES set too: somebody must be able to restore"),
            );
            return None;
        }
        Some(admins)
    }

    /// By default, PostgreSQL's client encrypts only if the server offers it, and trusts any server.
    fn database_in_the_clear(&self, url: &SecretString) -> Option<Warning> {
        let url = Url::parse(url.expose_secret()).ok().filter(|url| url.scheme() != "sqlite")?;
        let asked = |names: &[&str]| {
            url.query_pairs().filter(|(key, _)| names.contains(&&**key)).last().map(|(_, value)| value.into_owned())
        };
        let host = asked(&["host", "hostaddr"]).or_else(|| url.host_str().map(str::to_owned))?;
        let bare = host.trim_matches(['[', ']']);
        let is_here = bare.is_empty()
            || bare.starts_with(['/', '%'])
            || bare == "localhost"
            || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        let from_environment = || (self.lookup)("PGSSLMODE").filter(|mode| !mode.is_empty());
        let sslmode = asked(&["sslmode", "ssl-mode"]).or_else(from_environment).unwrap_or_else(|| "prefer".to_owned());
        let sslmode = sslmode.to_ascii_lowercase();
        let is_clear = matches!(sslmode.as_str(), "disable" | "allow" | "prefer");
        (is_clear && !is_here).then_some(Warning::DatabaseInTheClear { sslmode })
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

    fn limits(&mut self) -> Option<Limits> {
        let interactions = self.required(variable::INTERACTIONS_PER_PERSON, value::count);
        let operations = self.required(variable::OPERATIONS_PER_PERSON, value::count);
        let longest = SignedDuration::from_hours(24);
        let take_cooldown = self.optional(variable::TAKE_COOLDOWN, |text| value::duration(text, longest));
        Some(Limits { interactions: interactions?, operations: operations?, take_cooldown })
    }

    fn roles(&mut self, variable: Variable) -> BTreeSet<RoleId> {
        self.optional(variable, value::snowflakes).unwrap_or_default().into_iter().map(RoleId).collect()
    }

    /// Both or neither must be set: without a root the address could not be trusted, and without an address the root would be pointless.
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

    /// The value or its default; if there is neither, that is a problem.
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
        self.problems.push(Problem { variable: name, line: None, found, wanted, example });
    }
}

fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.')
}
