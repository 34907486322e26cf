//! `snapshot-bot check` checks whether the bot has everything it needs. It prints one line for each item, and what to do if something is
//! missing.
//!
//! It changes nothing at Discord or DigitalOcean (`digitalocean::probes` explains how), nor in the database. Called by `main`.

mod people;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    sync::Arc,
};

use secrecy::ExposeSecret;

use crate::{
    clock::Clock,
    config::Config,
    digitalocean::{
        client::{Client, Settings},
        error::{Error as CloudError, Outage},
        http_types::TransportError,
        metadata,
        probes::{PROBES, Seen},
        queries,
    },
    discord::{
        check::{Account, Guild, Place},
        incident::chain,
    },
    operation::ids::RoleId,
    ping::Reach,
    store::{self, Condition, Store},
};
use people::{tell_failure_role, tell_notify, tell_roles};

/// The result of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckResult {
    /// The bot can do its work.
    Fine,
    /// The bot cannot do its work, or not all of it.
    SomethingMissing,
}

/// What each scope is for. Only the first few are needed for what every bot does.
const PURPOSES: &[(&str, &[&str], Need)] = &[
    ("seeing Droplets and what runs", &["actions:read", "droplet:read", "image:read", "snapshot:read"], Need::Always),
    ("taking Snapshots", &["droplet:update", "image:create"], Need::Always),
    ("minding DROPLET_TAG", &["tag:read"], Need::WithTag),
    ("restoring", &["droplet:admin"], Need::ToChoose),
    ("keeping DigitalOcean's Backups", &["image:update"], Need::ToChoose),
    ("deleting Snapshots", &["image:delete, snapshot:delete"], Need::ToChoose),
    (
        "launching a Droplet",
        &["droplet:create", "regions:read", "sizes:read", "ssh_key:read", "tag:create"],
        Need::ToChoose,
    ),
    ("knowing the account again when the token changes", &["account:read"], Need::ToChoose),
    ("finding Volumes and addresses left over", &["block_storage:read", "reserved_ip:read"], Need::ToChoose),
];

/// Which bots need a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Always,
    WithTag,
    ToChoose,
}

/// The printed lines, and the overall result.
struct Findings<'a> {
    out: &'a mut dyn Write,
    result: CheckResult,
}

impl Findings<'_> {
    fn fine(&mut self, what: &str) -> io::Result<()> {
        writeln!(self.out, "✓ {what}")
    }

    /// Prints information about something that prevents nothing.
    fn note(&mut self, what: &str) -> io::Result<()> {
        writeln!(self.out, "· {what}")
    }

    fn missing(&mut self, what: &str, next: &str) -> io::Result<()> {
        self.result = CheckResult::SomethingMissing;
        writeln!(self.out, "✗ {what}: {next}")
    }
}

/// Checks everything and prints the results.
pub async fn run(config: &Config, out: &mut dyn Write) -> io::Result<CheckResult> {
    let mut findings = Findings { out, result: CheckResult::Fine };
    database(config, &mut findings).await?;
    digitalocean(config, &mut findings).await?;
    if let Some(droplet) = metadata::own_droplet(&config.digitalocean.api_url).await {
        findings.note(&format!("this machine is Droplet {droplet}; the bot will not shut it down"))?;
    }
    pings(config, &mut findings).await?;
    let invite = discord(config, &mut findings).await?;
    match invite {
        Some(link) => writeln!(findings.out, "\nInvite the bot, or change its rights, with this link:\n{link}")?,
        None => writeln!(findings.out, "\nThe invite link follows once Discord accepts the token.")?,
    }
    Ok(findings.result)
}

async fn database(config: &Config, findings: &mut Findings<'_>) -> io::Result<()> {
    let kind = if config.database_url.expose_secret().starts_with("sqlite:") { "SQLite" } else { "PostgreSQL" };
    match Store::inspect(&config.database_url).await {
        Ok(condition) => {
            let tables = match condition {
                Condition::Empty => "the first start makes its tables",
                Condition::Older => "the next start brings its tables up to date",
                Condition::UpToDate => "tables are up to date",
            };
            findings.fine(&format!("database: {kind}, can be written, {tables}"))
        }
        Err(store::Error::InUse { path }) => {
            findings.fine(&format!("database: {} is in use by a running snapshot-bot, as it should be", path.display()))
        }
        Err(error) => findings
            .missing(&format!("database: could not {}", chain(&error)), "set DATABASE_URL to one that can be used"),
    }
}

/// Checks whether the addresses that the bot would ping may be called, without calling them.
async fn pings(config: &Config, findings: &mut Findings<'_>) -> io::Result<()> {
    let reach = config.pings.reach;
    if reach == Reach::Everywhere {
        findings.note(
            "ALLOW_PRIVATE_URLS: the ping-url of a schedule may lead into private networks and to this machine",
        )?;
    }
    let Some(address) = &config.pings.heartbeat else { return Ok(()) };
    match reach.check(address).await {
        Ok(()) => {
            findings.fine(&format!("HEARTBEAT_URL: {address} is called about once a minute while the bot gets on"))
        }
        Err(error) => findings.missing(&format!("HEARTBEAT_URL: {error}"), "correct it, or look at this machine's DNS"),
    }
}

async fn digitalocean(config: &Config, findings: &mut Findings<'_>) -> io::Result<()> {
    let settings = Settings::new(config.digitalocean.api_url.clone(), config.digitalocean.token.clone());
    let clock = Clock::wall();
    let client = match Client::new(&settings, Arc::new(move || clock.now())) {
        Ok(client) => client,
        Err(error) => return findings.missing(&format!("DigitalOcean: {error}"), "copy DIGITALOCEAN_TOKEN again"),
    };
    match client.run(queries::account()).await {
        Err(error @ CloudError::Unauthorized { .. }) => {
            let next = "make a new DIGITALOCEAN_TOKEN under API > Tokens in the control panel";
            return findings.missing(&format!("DigitalOcean: {error}"), next);
        }
        Err(CloudError::Unavailable { outage: Outage::Transport(TransportError::Connect { reason }), .. }) => {
            let host = config.digitalocean.api_url.host_str().unwrap_or("its host");
            return unreachable(host, &reason, findings);
        }
        Err(error @ (CloudError::Unavailable { .. } | CloudError::Throttled { .. })) => {
            return findings.missing(&format!("DigitalOcean: {error}"), "try again later; see status.digitalocean.com");
        }
        // A token without `account:read` is still accepted; the scope is listed below.
        Ok(_) | Err(_) => findings.fine("DigitalOcean: accepts the token")?,
    }
    let mut seen: Vec<(&str, Seen)> = Vec::new();
    for probe in PROBES {
        let is_missing =
            |scope| seen.iter().any(|(seen, found)| *seen == scope && matches!(found, Seen::Missing { .. }));
        let hidden = probe.behind.is_some_and(is_missing);
        let found = if hidden { Seen::Hidden } else { probe.read(client.run(probe.call()).await) };
        seen.push((probe.scope, found));
    }
    for (purpose, scopes, need) in PURPOSES {
        let needed = match need {
            Need::Always => true,
            Need::WithTag => config.digitalocean.droplet_tag.is_some(),
            Need::ToChoose => false,
        };
        scopes_for(purpose, scopes, needed, &seen, findings)?;
    }
    findings.note(
        "DigitalOcean lists no token's scopes: those that write were tried on things that cannot exist, so nothing happened",
    )
}

/// Reports that no connection was possible, which is more often this machine's fault than DigitalOcean's.
fn unreachable(host: &str, reason: &str, findings: &mut Findings<'_>) -> io::Result<()> {
    // The standard library's message if a name has no address.
    let (what, next) = if reason.contains("failed to lookup address") {
        (format!("could not resolve {host}"), "check this machine's DNS or firewall")
    } else {
        (format!("could not connect to {host}: {reason}"), "check this machine's network, proxy and firewall")
    };
    findings.missing(&format!("DigitalOcean: {what}"), next)
}

fn scopes_for(
    purpose: &str,
    scopes: &[&str],
    needed: bool,
    seen: &[(&'static str, Seen)],
    findings: &mut Findings<'_>,
) -> io::Result<()> {
    let of = |wanted: fn(&Seen) -> bool| {
        let found = seen.iter().filter(|(scope, seen)| scopes.contains(scope) && wanted(seen));
        found.map(|(scope, _)| *scope).collect::<Vec<_>>().join(", ")
    };
    let missing = of(|seen| matches!(seen, Seen::Missing { .. }));
    let said = seen.iter().find_map(|(scope, seen)| match seen {
        Seen::Missing { message } if scopes.contains(scope) => Some(message.trim_end_matches('.')),
        Seen::Missing { .. } | Seen::Allowed | Seen::NotRefused | Seen::Hidden | Seen::Unclear(_) => None,
    });
    let said = said.map(|said| format!(", DigitalOcean says: \"{said}\"")).unwrap_or_default();
    let unclear = seen.iter().find_map(|(scope, seen)| match seen {
        Seen::Unclear(error) if scopes.contains(scope) => Some((scope, error)),
        Seen::Unclear(_) | Seen::Allowed | Seen::NotRefused | Seen::Missing { .. } | Seen::Hidden => None,
    });
    let hidden = of(|seen| *seen == Seen::Hidden);
    if !hidden.is_empty() && !needed {
        return findings.note(&format!("scopes for {purpose}: {hidden} cannot be seen without droplet:update"));
    }
    let hidden = if hidden.is_empty() { hidden } else { format!(" ({hidden} cannot be seen without it)") };
    match (missing.is_empty(), unclear) {
        (false, _) if needed => {
            let next = "make a token that has it under API > Tokens, and set DIGITALOCEAN_TOKEN";
            findings.missing(&format!("scopes for {purpose}: the token may lack {missing}{hidden}{said}"), next)
        }
        (false, _) => {
            findings.note(&format!("scopes for {purpose}: the token may lack {missing}, so that is not possible{said}"))
        }
        (true, Some((scope, error))) if needed => {
            findings.missing(&format!("scopes for {purpose}: {scope} cannot be seen, {error}"), "try again later")
        }
        (true, Some((scope, error))) => {
            findings.note(&format!("scopes for {purpose}: {scope} cannot be seen, {error}"))
        }
        (true, None) => {
            let (all, tried) = (scopes.join(", "), of(|seen| *seen == Seen::NotRefused));
            let tried = match tried {
                none if none.is_empty() => none,
                tried if tried == all => " (not refused)".to_owned(),
                some => format!(" ({some}: not refused)"),
            };
            findings.fine(&format!("scopes for {purpose}: {all}{tried}"))
        }
    }
}

/// Checks everything about Discord. Returns the invite link if the bot could log in.
async fn discord(config: &Config, findings: &mut Findings<'_>) -> io::Result<Option<String>> {
    let simulator = config.discord.simulator.as_ref();
    let connect_to = simulator.map(|simulator| simulator.connect_to);
    let root = simulator.map(|simulator| simulator.root_certificate.clone());
    let account = match Account::open(config.discord.token.clone(), connect_to, root).await {
        Ok(account) => account,
        Err(error) => {
            findings.missing("Discord", &format!("could not {}", chain(&error)))?;
            return Ok(None);
        }
    };
    findings.fine(&format!("Discord: accepts the token of {}", account.name))?;
    let (mut roles, mut mentionable) = (BTreeMap::new(), BTreeSet::new());
    for guild in config.policy.guilds() {
        match account.guild(guild).await {
            Ok(found) => tell_guild(&format!("guild {guild}"), found, (&mut roles, &mut mentionable), findings)?,
            Err(error) => findings.missing(&format!("guild {guild}"), &format!("could not {}", chain(&error)))?,
        }
    }
    tell_roles(config, &roles, findings)?;
    tell_failure_role(config, &roles, &mentionable, findings)?;
    let channels = [
        ("NOTIFY_CHANNEL_ID", config.discord.notify_channel, "hears of every outcome"),
        ("REPORT_CHANNEL_ID", config.discord.report_channel, "hears once a month what Snapshots cost"),
    ];
    for (variable, channel, hears) in channels {
        let Some(channel) = channel else { continue };
        let found = account.notify(channel, &config.policy.guilds().collect()).await;
        let what = format!("{variable} {channel}");
        match found {
            Ok(found) => tell_notify((&what, hears), found, findings)?,
            Err(error) => findings.missing(&what, &format!("could not {}", chain(&error)))?,
        }
    }
    Ok(Some(account.invite()))
}

fn tell_guild(
    guild: &str,
    found: Guild,
    (known, loud): (&mut BTreeMap<RoleId, String>, &mut BTreeSet<RoleId>),
    findings: &mut Findings<'_>,
) -> io::Result<()> {
    let Guild::Present { name, commands, roles, mentionable, channels } = found else {
        let next = "invite it with the link below, or correct DISCORD_GUILD_ID";
        return findings.missing(&format!("{guild}: the bot is not in it"), next);
    };
    known.extend(roles);
    loud.extend(mentionable);
    let guild = format!("{guild} ({name})");
    if commands {
        findings.fine(&format!("{guild}: the bot is in it and may register commands"))?;
    } else {
        let next = "open the link below once more for this guild";
        findings.missing(&format!("{guild}: invited without the scope applications.commands"), next)?;
    }
    let (fit, unfit): (Vec<&Place>, Vec<&Place>) = channels.iter().partition(|place| place.lacks.is_empty());
    if fit.is_empty() {
        let next = "give its role these rights in a channel, or invite it with the link below";
        findings
            .missing(&format!("{guild}: there is no channel in which it has all the rights that it needs"), next)?;
    } else {
        let names: Vec<String> = fit.iter().map(|place| format!("#{}", place.name)).collect();
        findings.fine(&format!("{guild}: can work in {}", names.join(", ")))?;
    }
    for place in unfit {
        findings.note(&format!(
            "{guild}: cannot work in #{}, where it lacks {}",
            place.name,
            place.lacks.join(", ")
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_page_about_scopes_has_those_that_are_looked_for() {
        let page = include_str!("../../docs/scopes.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | ")).map(|(_, scopes)| scopes);
        let told: BTreeSet<BTreeSet<&str>> = rows
            .filter(|scopes| scopes.starts_with('`'))
            .map(|scopes| scopes.split('`').skip(1).step_by(2).collect())
            .collect();
        let looked_for: BTreeSet<BTreeSet<&str>> = PURPOSES
            .iter()
            .map(|(_, scopes, _)| scopes.iter().flat_map(|scopes| scopes.split(", ")).collect())
            .collect();
        assert_eq!(told, looked_for);
    }

    #[test]
    fn a_name_without_an_address_is_this_machines_fault() {
        // These are the messages of the standard library and the network; the test looks up nothing.
        for (reason, expected) in [
            (
                "failed to lookup address information: Name or service not known",
                "✗ DigitalOcean: could not resolve api.digitalocean.com: check this machine's DNS or firewall\n",
            ),
            (
                "Connection refused (os error 111)",
                "✗ DigitalOcean: could not connect to api.digitalocean.com: Connection refused (os error 111): check this \
                 machine's network, proxy and firewall\n",
            ),
        ] {
            let mut out = Vec::new();
            let mut findings = Findings { out: &mut out, result: CheckResult::Fine };
            unreachable("api.digitalocean.com", reason, &mut findings).unwrap();
            assert_eq!(findings.result, CheckResult::SomethingMissing);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
