//! The single table of environment variables: name, meaning, default, example. `.env.example` is rendered from it.
//!
//! `config` reads through it, so a variable that is not in this table cannot be read. It knows nothing of how values are parsed.

use std::fmt::Write as _;

use super::problem::Warning;

/// What happens when the variable is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unset {
    /// The bot does not start.
    Refused,
    /// This value is used.
    Default(&'static str),
    /// The feature that it belongs to is off; described in a word or two.
    Absent(&'static str),
}

/// One environment variable.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in full sentences.
    pub meaning: &'static str,
    /// What happens if it is not set.
    pub unset: Unset,
    /// A realistic value. For a secret, only its form.
    pub example: &'static str,
    /// Whether its value must never be displayed.
    pub secret: bool,
}

const fn variable(name: &'static str, unset: Unset, example: &'static str, meaning: &'static str) -> Variable {
    Variable { name, meaning, unset, example, secret: false }
}

const fn secret(name: &'static str, unset: Unset, example: &'static str, meaning: &'static str) -> Variable {
    Variable { name, meaning, unset, example, secret: true }
}

macro_rules! table {
    ($($constant:ident = $kind:ident($unset:expr, $example:literal, $meaning:literal);)*) => {
        $(pub(super) const $constant: Variable = $kind(stringify!($constant), $unset, $example, $meaning);)*
        /// Every variable, in the order in which people encounter them.
        pub const VARIABLES: &[Variable] = &[$($constant),*];
    };
}

use Unset::{Absent, Default, Refused};

table! {
    DISCORD_TOKEN = secret(Refused, "MTIz…three.parts.with-dots",
        "The bot's token: Discord Developer Portal, your application, Bot, Reset Token.");
    DISCORD_TOKEN_FILE = variable(Absent("none"), "/run/secrets/discord_token",
        "A file with the bot's token, instead of DISCORD_TOKEN. The bot reads files with secrets again on SIGHUP, and when a \
         token is refused, so a new token needs no restart. A new token must be of the same application.");
    DISCORD_GUILD_ID = variable(Refused, "123456789012345678",
        "The ids of the guilds to serve, separated by commas. The bot registers its commands there and refuses everything from \
         other guilds. Discord shows ids once Developer Mode is on (User Settings, Advanced).");
    DIGITALOCEAN_TOKEN = secret(Refused, "dop_v1_…64 hexadecimal digits",
        "The API token: DigitalOcean, API, Generate New Token. docs/scopes.md lists the scopes it needs. Another token must be \
         of the same account, because a database belongs to one account.");
    DIGITALOCEAN_TOKEN_FILE = variable(Absent("none"), "/run/secrets/digitalocean_token",
        "A file with the API token, instead of DIGITALOCEAN_TOKEN.");
    DIGITALOCEAN_API_URL = variable(Default("https://api.digitalocean.com"), "https://api.digitalocean.com",
        "The URL of the API: scheme, host and port only. Plain http is accepted for loopback only, for simulators. A host other \
         than DigitalOcean's own needs ALLOW_OTHER_API_HOST.");
    ALLOW_OTHER_API_HOST = variable(Default("no"), "yes",
        "yes allows DIGITALOCEAN_API_URL to name a host that is neither DigitalOcean's nor loopback, such as your own proxy. The \
         bot sends the API token to that host.");
    DROPLET_TAG = variable(Absent("all Droplets"), "snapshot-bot",
        "The bot sees and changes only Droplets with this tag. Tags are case-sensitive.");
    VIEW_ROLES = variable(Absent("none"), "123456789012345678",
        "The ids of the roles that may view, separated by commas. Members with Administrator or Manage Server may do everything \
         in any case (see ADMINS_MAY); with no role configured, only they may. A guild's own id stands for everyone in it.");
    TAKE_ROLES = variable(Absent("none"), "123456789012345678,234567890123456789",
        "The ids of the roles that may take Snapshots; they may view as well.");
    RESTORE_ROLES = variable(Absent("none"), "123456789012345678",
        "The ids of the roles that may do everything: restore, launch and delete too.");
    ADMINS_MAY = variable(Default("everything"), "everything",
        "What Administrator and Manage Server allow by themselves: everything or nothing. With nothing, only roles count, so \
         RESTORE_ROLES must be set.");
    DATABASE_URL = secret(Default("sqlite://snapshot-bot.db"), "postgres://user:password@host/snapshot_bot",
        "Where the bot stores its state: a SQLite file, or PostgreSQL, which also allows a second bot to stand by. Use one \
         database for each DigitalOcean account.");
    DATABASE_URL_FILE = variable(Absent("none"), "/run/secrets/database_url",
        "A file with the database's URL, instead of DATABASE_URL. When the bot reads it again, it may have another user or \
         password, but not another database.");
    NOTIFY_CHANNEL_ID = variable(Absent("none"), "123456789012345678",
        "A channel that also gets every result.");
    REPORT_CHANNEL_ID = variable(Absent("none"), "123456789012345678",
        "A channel that gets a report on the first of each month: what Snapshots cost, and what may be left over.");
    FAILURE_ROLE = variable(Absent("none"), "123456789012345678",
        "The id of the one role that the bot may ping: when a Droplet is off and does not come back, and when a schedule fails \
         or loses its owner. It is pinged in addition to the people concerned. What a person began and what then failed calls that \
         person alone. It must not be a guild's own id. Allow anyone to mention it (Server Settings, Roles), or nobody is pinged.");
    HEARTBEAT_URL = secret(Absent("none"), "https://hc-ping.com/your-key",
        "A URL that the bot calls about once a minute while it is the active one and its scheduler makes progress, so that \
         another service notices when it takes no more Snapshots. It must be https; its path may hold a key.");
    ALLOW_PRIVATE_URLS = variable(Default("no"), "yes",
        "yes lets HEARTBEAT_URL and the ping-url of schedules point into private networks and to this machine, where http is \
         allowed too.");
    POLL_INTERVAL = variable(Default("5s"), "5s",
        "The shortest pause between two reads of running Actions: 10ms to 5m.");
    SHUTDOWN_TIMEOUT = variable(Default("2m"), "2m",
        "How long a graceful shutdown may take before the bot asks people what to do: 10ms to 1h.");
    DECISION_TIMEOUT = variable(Default("10m"), "10m",
        "How long that question stays open before the bot takes the safe answer: 10ms to 24h.");
    SETTLE_TIME = variable(Default("30s"), "30s",
        "How long a request whose answer was lost may still take effect at DigitalOcean: 10ms to 1h. If this is shorter than it \
         really takes, you risk a second Snapshot.");
    KEEP_HISTORY = variable(Default("365d"), "90d",
        "How long the bot keeps operations after their end, with what happened to them and how long it took: 7d to 3650d. It \
         always keeps who asked for each Snapshot.");
    TAKE_COOLDOWN = variable(Absent("none"), "10m",
        "The minimum time between two takes of a Droplet, no matter who asks: 10ms to 24h.");
    OPERATIONS_PER_PERSON = variable(Default("10"), "10",
        "How many operations of one person may run at once.");
    INTERACTIONS_PER_PERSON = variable(Default("20"), "20",
        "How many commands and button presses the bot accepts from one person within ten seconds.");
    SNAPSHOT_PRICE_PER_GB = variable(Default("0.06"), "0.06",
        "Dollars per GB and month, for the costs that the bot shows.");
    HTTP_ADDR = variable(Absent("off"), "127.0.0.1:8080",
        "Serves /healthz, /readyz and /metrics at this address.");
    LOG_FORMAT = variable(Default("pretty"), "json",
        "The format of log lines: pretty or json.");
    RUST_LOG = variable(Default("info"), "info,snapshot_bot=debug",
        "Which log lines to write: a level, or levels by module. Libraries never log more than info.");
    DISCORD_CONNECT_TO = variable(Absent("discord.com"), "127.0.0.1:8443",
        "For simulators only: a loopback address to connect to instead of discord.com:443. Name, TLS and paths stay the same. \
         Needs EXTRA_CA_FILE.");
    EXTRA_CA_FILE = variable(Absent("none"), "/tmp/simulator/ca.pem",
        "For simulators only: a PEM file with the one root certificate to trust there. Needs DISCORD_CONNECT_TO.");
}

/// The text of `.env.example`.
pub fn env_example() -> String {
    let mut text = String::from(
        "# Configuration of snapshot-bot. Copy this file to `.env` and fill in the required values; the others have defaults.\n\
         # A variable that is set in the environment takes precedence over this file; an empty value counts as unset.\n",
    );
    for Variable { name, meaning, unset, example, .. } in VARIABLES {
        text.push('\n');
        for line in wrapped(meaning, 110) {
            let _ = writeln!(text, "# {line}");
        }
        let _ = match unset {
            Refused => writeln!(text, "# Required, for example {example}\n{name}="),
            Default(value) => writeln!(text, "# {name}={value}"),
            Absent(absence) => writeln!(text, "# Default: {absence}\n# {name}={example}"),
        };
    }
    text
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Names that resemble a known one, such as `DISCORD_GUILDID`, with the name that was probably meant.
pub fn misspelled(names: impl IntoIterator<Item = String>) -> Vec<Warning> {
    let known = |name: &str| VARIABLES.iter().any(|variable| variable.name == name);
    let unknown = names.into_iter().filter(|name| !known(name));
    let mut warnings: Vec<_> = unknown
        .filter_map(|unknown| {
            let nearest = VARIABLES.iter().min_by_key(|variable| distance(&unknown, variable.name))?;
            // One error in five letters: `HTTP_ADD` is a misspelling, `HTTP_PROXY` and `LOG_LEVEL` belong to other programs.
            let near = distance(&unknown, nearest.name) <= nearest.name.len() / 5;
            near.then_some(Warning::Misspelled { unknown, meant: nearest.name })
        })
        .collect();
    warnings.sort_by_key(ToString::to_string);
    warnings
}

/// The edit distance of two names, ignoring case.
fn distance(a: &str, b: &str) -> usize {
    strsim::levenshtein(&a.to_ascii_uppercase(), &b.to_ascii_uppercase())
}
