//! What a choice is called: name first, then what tells it from its namesakes, within Discord's 100 characters.
//!
//! Used by [`super`] alone. Foreign names are cut at characters and lose what could break a line.

use jiff::{SignedDuration, Timestamp};

use super::Choice;
use crate::{
    digitalocean::model::{Droplet, DropletStatus, Snapshot},
    operation::ids::DropletId,
};

/// Discord refuses longer names of choices, and empty ones.
const LONGEST: usize = 100;

/// `web-1 · nyc3 · 25 GB · off`; a running Droplet does not say so.
pub(super) fn droplet(droplet: &Droplet) -> Choice<DropletId> {
    let status = match &droplet.status {
        DropletStatus::Active => None,
        DropletStatus::New => Some("new".to_owned()),
        DropletStatus::Off => Some("off".to_owned()),
        DropletStatus::Archive => Some("archived".to_owned()),
        DropletStatus::Other(word) => Some(word.clone()),
    };
    let details = [droplet.region.clone(), droplet.disk_gb.map(|gb| format!("{gb} GB")), status];
    Choice { label: label(&droplet.name, &droplet.id.to_string(), details), id: droplet.id }
}

/// `web-1-20261122-1740-7f3kq2xa · 3 days old · 12.4 GB`, and one more detail that the inventory cannot know, such as who took
/// it.
pub fn snapshot_label(snapshot: &Snapshot, detail: Option<String>, now: Timestamp) -> String {
    let age = snapshot.created_at.map(|made| age(now.duration_since(made)));
    let size = snapshot.size_gigabytes.map(|gb| format!("{gb:.1} GB"));
    label(&snapshot.name, &snapshot.id.to_string(), [age, size, detail])
}

fn age(age: SignedDuration) -> String {
    let units = [(age.as_hours() / 24, "day"), (age.as_hours(), "hour"), (age.as_mins().max(0), "minute")];
    let (count, unit) = units.into_iter().find(|(count, _)| *count > 0).unwrap_or((0, "minute"));
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} old")
}

/// The name gives way, the details stay.
fn label(name: &str, id: &str, details: [Option<String>; 3]) -> String {
    let mut tail = String::new();
    for detail in details.into_iter().flatten() {
        tail.push_str(" · ");
        tail.push_str(&detail);
    }
    let name: String = name.chars().filter_map(visible).collect();
    let name = if name.trim().is_empty() { id } else { name.trim() };
    let tail = cut(&tail, LONGEST / 2);
    let room = LONGEST - length(&tail);
    format!("{}{tail}", cut(name, room))
}

/// A character as it may stand in one line; none if it is invisible or turns the text around it.
fn visible(character: char) -> Option<char> {
    match character {
        '\u{2028}' | '\u{2029}' => Some(' '),
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}' => None,
        control if control.is_control() => Some(' '),
        other => Some(other),
    }
}

/// Discord counts as JavaScript does: a character outside the basic plane is two.
fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

fn cut(text: &str, room: usize) -> String {
    if length(text) <= room {
        return text.to_owned();
    }
    let mut left = room - 1;
    let fits = text.chars().take_while(|character| {
        let fits = character.len_utf16() <= left;
        left = left.saturating_sub(character.len_utf16());
        fits
    });
    fits.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_label_tells_name_and_details() {
        assert_eq!(label("web-1", "7", [Some("nyc3".into()), Some("25 GB".into()), None]), "web-1 · nyc3 · 25 GB");
        assert_eq!(label(" \n ", "7", [None, None, None]), "7");
        assert_eq!(label("a\u{202e}b\u{200b}\u{2028}c", "7", [None, None, None]), "ab c");
    }

    #[test]
    fn a_long_name_gives_way_to_the_details() {
        let label = label(&"ä".repeat(300), "7", [Some("nyc3".into()), None, None]);
        assert!(label.ends_with("…… · nyc3") || label.ends_with("ä… · nyc3"), "{label}");
        assert_eq!(label.chars().count(), LONGEST);
    }

    #[test]
    fn ages_read_like_speech() {
        assert_eq!(age(SignedDuration::from_secs(-5)), "0 minutes old");
        assert_eq!(age(SignedDuration::from_mins(1)), "1 minute old");
        assert_eq!(age(SignedDuration::from_hours(49)), "2 days old");
    }

    proptest! {
        #[test]
        fn no_label_is_empty_or_too_long(name: String, detail: String) {
            let label = label(&name, "7", [Some(detail.clone()), None, Some(detail)]);
            prop_assert!((1..=LONGEST).contains(&length(&label)), "{label:?}");
        }
    }
}
