//! Why a person lacks a right, and who could change that.

use crate::{
    access::{Denial, Right},
    operation::ids::RoleId,
};

/// Why a person may not do this, and who could change that.
pub fn denied(denial: &Denial) -> String {
    match denial {
        Denial::MissingRole { right, .. } | Denial::NobodyConfigured { right } => denied_to(denial, doing(*right)),
        Denial::NotInGuild | Denial::ForeignGuild => denied_to(denial, ""),
    }
}

/// Why a person may not do what they wanted, and who could change that.
pub(super) fn denied_to(denial: &Denial, wanted: &str) -> String {
    match denial {
        Denial::NotInGuild => {
            "I work in a server's channels, not in direct messages. Use the command there.".to_owned()
        }
        Denial::ForeignGuild => "I don't serve this server. My operator can add it to `DISCORD_GUILD_ID`.".to_owned(),
        Denial::MissingRole { roles, .. } => {
            format!("You need {} to {wanted}. Ask a server admin.", any_of(roles))
        }
        Denial::NobodyConfigured { right } => format!(
            "Only members with **Administrator** or **Manage Server** may {wanted}, because no role is configured for it. \
             My operator can set `{}`.",
            variable(*right)
        ),
    }
}

/// `@A, @B or @C`
pub(super) fn any_of(roles: &[RoleId]) -> String {
    let roles: Vec<String> = roles.iter().take(10).map(|role| format!("<@&{role}>")).collect();
    alternatives(&roles)
}

/// `a, b or c`
pub(super) fn alternatives(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn doing(right: Right) -> &'static str {
    match right {
        Right::View => "see Snapshots",
        Right::Take => "take Snapshots",
        Right::Restore => "restore, launch or delete",
    }
}

fn variable(right: Right) -> &'static str {
    match right {
        Right::View => "VIEW_ROLES",
        Right::Take => "TAKE_ROLES",
        Right::Restore => "RESTORE_ROLES",
    }
}
