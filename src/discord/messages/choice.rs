//! What a suggestion adds to the name of a Snapshot. No markdown is rendered there, and no mention.

use super::text::plain;

/// The longest name of a person that leaves room for the Snapshot's own.
const LONGEST_NAME: usize = 20;

/// DigitalOcean made it by itself, and asks nobody to shut anything down for it.
pub const BACKUP: &str = "Backup, taken live";

/// Who took it, if it is known what they are called.
pub fn taken_by(name: Option<&String>) -> String {
    name.map_or_else(|| "by this bot".to_owned(), |name| format!("by {}", plain(name, LONGEST_NAME)))
}

/// What a choice stands for whose label begins with it: some clients submit what they showed in place of the value.
pub fn key(text: &str) -> &str {
    text.split(" · ").next().unwrap_or_default().trim()
}
