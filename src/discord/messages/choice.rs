//! What a suggestion adds to the name of a Snapshot. Discord renders neither markdown nor mentions there.

use super::{
    lengths::CHOICE,
    text::{plain, shorten},
};
use crate::{access::Denial, operation::ids::RoleId, text::length};

/// Stands between the parts of a label.
const BETWEEN: &str = " · ";

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

/// A label: a description, then the key by which the thing is found. The description is cut, never the key.
pub fn keyed(said: &str, key: &str) -> String {
    let room = CHOICE.saturating_sub(length(BETWEEN) + length(key));
    if said.is_empty() || room == 0 { key.to_owned() } else { format!("{}{BETWEEN}{key}", shorten(said, room)) }
}

/// The key at the end of a label, since some clients submit the label instead of the value. A text that is no label is its own key.
pub fn key(text: &str) -> &str {
    text.rsplit(BETWEEN).next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_said_gives_way_to_the_key() {
        assert_eq!(keyed("New York 3", "nyc3"), "New York 3 · nyc3");
        assert_eq!((keyed("", "nyc3"), key("nyc3")), ("nyc3".to_owned(), "nyc3"));
        let long = keyed(&"👩\u{200d}🚀".repeat(40), "nyc3");
        assert!(long.ends_with("🚀… · nyc3") && length(&long) <= CHOICE, "{long}");
    }

    proptest! {
        #[test]
        fn a_label_fits_and_leads_back_to_its_key(said: String, key in "[a-z0-9:-]{1,100}") {
            let label = keyed(&said, &key);
            prop_assert!(length(&label) <= CHOICE, "{label}");
            prop_assert_eq!(super::key(&label), key);
        }
    }
}
