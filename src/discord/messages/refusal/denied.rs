//! Why somebody may not, and who could change that.

use super::sentences::alternatives;
use crate::{
    access::{Denial, Right},
    operation::ids::RoleId,
};

/// Why somebody may not, and who could change that.
pub fn denied(denial: &Denial) -> String {
    match denial {
        Denial::NotInGuild => {
            "I work in a server's channels, not in direct messages. Use the command there.".to_owned()
        }
        Denial::ForeignGuild => {
            "I don't serve this server. Whoever runs me can add it to `DISCORD_GUILD_ID`.".to_owned()
        }
        Denial::MissingRole { right, roles } => {
            format!("You need {} to {}. Ask a server admin.", any_of(roles), doing(*right))
        }
        Denial::NobodyConfigured { right } => format!(
            "Only members with **Administrator** or **Manage Server** may {}, because no role is configured for it. Whoever runs \
             me can set `{}`.",
            doing(*right),
            variable(*right)
        ),
    }
}

/// `@A, @B or @C`
pub(super) fn any_of(roles: &[RoleId]) -> String {
    let roles: Vec<String> = roles.iter().take(10).map(|role| format!("<@&{role}>")).collect();
    alternatives(&roles)
}

fn doing(right: Right) -> &'static str {
    match right {
        Right::View => "see Snapshots and what is running",
        Right::Take => "take Snapshots",
        Right::Restore => "restore, launch and delete, leave a Droplet off, or decide about what others asked for",
    }
}

fn variable(right: Right) -> &'static str {
    match right {
        Right::View => "VIEW_ROLES",
        Right::Take => "TAKE_ROLES",
        Right::Restore => "RESTORE_ROLES",
    }
}
