//! Checks who may do what, and who hears about problems.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use super::Findings;
use crate::{
    access::{AdminsMay, Right},
    config::Config,
    discord::check::{Notify, Place},
    operation::ids::RoleId,
};

pub(super) fn tell_roles(
    config: &Config,
    known: &BTreeMap<RoleId, String>,
    findings: &mut Findings<'_>,
) -> io::Result<()> {
    let served = config.policy.guilds().count();
    if served > 1 {
        let who = match config.policy.admins_may() {
            AdminsMay::Everything => "members with Administrator or Manage Server",
            AdminsMay::Nothing => "members with one of RESTORE_ROLES",
        };
        findings.note(&format!(
            "rights: all {served} guilds share one account, so {who} in any of them may restore, launch and delete everything",
        ))?;
    }
    if !config.policy.names_roles() {
        return findings.note(
            "roles: none is configured, so only members with Administrator or Manage Server may do anything; \
             set TAKE_ROLES to let others",
        );
    }
    // The roles that may view include those that may do more.
    let unknown = config.policy.sufficient(Right::View).into_iter().filter(|role| !known.contains_key(role));
    let unknown: Vec<String> = unknown.map(|role| role.to_string()).collect();
    if unknown.is_empty() {
        findings.fine("roles: every one of VIEW_ROLES, TAKE_ROLES and RESTORE_ROLES is there")?;
    } else {
        let next = "copy the ids again, with Developer Mode on";
        findings.missing(&format!("roles: no guild that is served has {}", unknown.join(", ")), next)?;
    }
    for (right, what) in
        [(Right::View, "look"), (Right::Take, "take Snapshots"), (Right::Restore, "restore, launch and delete")]
    {
        findings.note(&format!("who may {what}: {}", who_may(config, right, known)))?;
    }
    Ok(())
}

/// The roles that carry a right, by name, and the people who need no role.
fn who_may(config: &Config, right: Right, known: &BTreeMap<RoleId, String>) -> String {
    let named = |role: RoleId| known.get(&role).map_or_else(|| role.to_string(), |name| format!("@{name} ({role})"));
    let roles = config.policy.sufficient(right).into_iter().map(named);
    let admins = match config.policy.admins_may() {
        AdminsMay::Everything => Some("members with Administrator or Manage Server".to_owned()),
        AdminsMay::Nothing => None,
    };
    roles.chain(admins).collect::<Vec<_>>().join(", ")
}

/// Checks the one role that may be pinged. The configuration has already ruled out that it is a guild's own id.
pub(super) fn tell_failure_role(
    config: &Config,
    known: &BTreeMap<RoleId, String>,
    mentionable: &BTreeSet<RoleId>,
    findings: &mut Findings<'_>,
) -> io::Result<()> {
    let Some(role) = config.discord.failure_role else { return Ok(()) };
    if !known.contains_key(&role) {
        let next = "copy its id again, with Developer Mode on";
        return findings.missing(&format!("FAILURE_ROLE: no guild that is served has {role}"), next);
    }
    if mentionable.contains(&role) {
        findings.fine(&format!("FAILURE_ROLE {role}: is called when a Droplet does not come back or a schedule fails"))
    } else {
        findings.note(&format!(
            "FAILURE_ROLE {role}: it is not mentionable, so nobody is pinged; allow anyone to mention it under Server Settings, Roles"
        ))
    }
}

pub(super) fn tell_notify((what, hears): (&str, &str), found: Notify, findings: &mut Findings<'_>) -> io::Result<()> {
    match found {
        Notify::Unseen => {
            findings.missing(&format!("{what}: the bot does not see it"), "give its role View Channels there")
        }
        Notify::Elsewhere => {
            findings.missing(&format!("{what}: it is in no guild that is served"), "choose a channel of such a guild")
        }
        Notify::Forum { name } => findings.missing(
            &format!("{what}: #{name} is a forum or a category, in which nobody can write"),
            "choose a text channel, or a post of the forum",
        ),
        Notify::Seen(Place { name, lacks }) if lacks.is_empty() => findings.fine(&format!("{what}: #{name} {hears}")),
        Notify::Seen(Place { name, lacks }) => findings
            .missing(&format!("{what}: in #{name} the bot lacks {}", lacks.join(", ")), "give its role that right"),
    }
}
