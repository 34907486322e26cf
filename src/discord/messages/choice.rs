//! What a suggestion adds to the name of a Snapshot. Discord renders neither markdown nor mentions there.

use super::{
    lengths::CHOICE,
    text::{plain, shorten},
};
use crate::{access::Denial, operation::ids::RoleId};

/// The longest name of a person that leaves room for the Snapshot's name.
const LONGEST_NAME: usize = 20;

/// Marks what DigitalOcean took on its own, without a shutdown.
pub const BACKUP: &str = "Backup, taken live";

/// The prefix of a safety Snapshot, which a restore took.
pub const SAFETY: &str = "🛟 ";

/// The value of the choice that explains why there are no others. It must not be the name of a Droplet or Snapshot, because those are
/// looked up only for people with the right.
pub const NO_RIGHT: &str = "no-right";

/// Why a person gets no suggestions: ``You need @Operator to take Snapshots``. `name` returns the name of a role. `wanted` follows "to".
pub fn denied(denial: &Denial, wanted: &str, name: impl Fn(RoleId) -> Option<String>) -> String {
    let why = match denial {
        Denial::MissingRole { roles, .. } => {
            let named: Vec<String> =
                roles.iter().filter_map(|role| name(*role)).map(|role| format!("@{}", plain(&role, 30))).collect();
            if named.is_empty() {
                format!("You need another role to {wanted}")
            } else {
                format!("You need {} to {wanted}", named.join(" or "))
            }
        }
        Denial::NobodyConfigured { .. } => format!("Only server admins may {wanted}"),
        Denial::NotInGuild | Denial::ForeignGuild => "I don't work here".to_owned(),
    };
    shorten(&why, CHOICE)
}

/// Who took the Snapshot, if their name is known.
pub fn taken_by(name: Option<&String>) -> String {
    name.map_or_else(|| "by me".to_owned(), |name| plain(name, LONGEST_NAME))
}

/// The key at the end of a choice's label. Some clients submit the label instead of the value.
pub fn last_key(text: &str) -> &str {
    text.rsplit(" · ").next().unwrap_or_default().trim()
}

/// The key at the beginning of a choice's label. Some clients submit the label instead of the value.
pub fn key(text: &str) -> &str {
    text.split(" · ").next().unwrap_or_default().trim()
}
