//! What a suggestion adds to the name of a Snapshot. No markdown is rendered there, and no mention.

use super::{
    lengths::CHOICE,
    text::{plain, shorten},
};
use crate::{access::Denial, operation::ids::RoleId};

/// The longest name of a person that leaves room for the Snapshot's own.
const LONGEST_NAME: usize = 20;

/// DigitalOcean made it by itself, and asks nobody to shut anything down for it.
pub const BACKUP: &str = "Backup, taken live";

/// Stands before a Snapshot that a restore took for safety.
pub const SAFETY: &str = "🛟 ";

/// The value of the choice that says why there is no other. It must not be the name of a Droplet or Snapshot, because those are looked up only for people with the right.
pub const NO_RIGHT: &str = "no-right";

/// Why somebody is offered nothing: ``You need @Operator to take Snapshots``. `name` knows what roles are called.
/// `wanted` follows "to".
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

/// Who took it, if it is known what they are called.
pub fn taken_by(name: Option<&String>) -> String {
    name.map_or_else(|| "by me".to_owned(), |name| plain(name, LONGEST_NAME))
}

/// The same for a label that ends with it.
pub fn last_key(text: &str) -> &str {
    text.rsplit(" · ").next().unwrap_or_default().trim()
}

/// What a choice stands for whose label begins with it: some clients submit what they showed in place of the value.
pub fn key(text: &str) -> &str {
    text.split(" · ").next().unwrap_or_default().trim()
}
