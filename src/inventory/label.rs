//! What a choice is called: name first, then what tells it from its namesakes, within Discord's 100 characters.
//!
//! Used by [`super`] alone. Foreign names are cut at characters and lose what could break a line.

use jiff::{SignedDuration, Timestamp};

use super::{Choice, index::Listed};
use crate::{
    digitalocean::model::{Droplet, DropletStatus, Snapshot},
    operation::ids::DropletId,
    text::{length, shorten},
};

/// Discord refuses longer names of choices, and empty ones.
const LONGEST: usize = 100;

/// What stands between the parts of a label.
const BETWEEN: &str = " · ";

/// `web-1 · nyc3 · 25 GB · off`; a running Droplet does not say so.
pub(super) fn droplet(droplet: &Droplet) -> Choice<DropletId> {
    let status = match &droplet.status {
        DropletStatus::Active => None,
        DropletStatus::New => Some("new".to_owned()),
        DropletStatus::Off => Some("off".to_owned()),
        DropletStatus::Archive => Some("archived".to_owned()),
        DropletStatus::Other(word) => Some(word.clone()),
    };
    let details = [droplet.region.clone(), droplet.disk_gb.map(disk), status];
    Choice { label: label(&droplet.name, &droplet.id.to_string(), details), id: droplet.id }
}

/// `web-1-20261122-1740-7f3kq2xa · 3 days old · 12.4 GB`, and one more detail that the inventory cannot know, such as who took
/// it.
pub fn snapshot_label(snapshot: &Snapshot, detail: Option<String>, now: Timestamp) -> String {
    let age = snapshot.created_at.map(|made| age(now.duration_since(made)));
    let size = snapshot.size_gigabytes.map(size);
    label(&snapshot.name, &snapshot.id.to_string(), [age, size, detail])
}

/// Makes labels that are shown together differ: equal ones get their ids, which never are.
pub fn distinct(labelled: &mut [(String, String)]) {
    let labels: Vec<String> = labelled.iter().map(|(label, _)| label.clone()).collect();
    for (label, id) in labelled {
        if labels.iter().filter(|other| *other == label).count() > 1 {
            let tail = format!("{BETWEEN}{id}");
            *label = format!("{}{tail}", shorten(label, LONGEST - length(&tail)));
        }
    }
}

/// What several of one name are called, so that people see how they differ.
pub(super) fn told_apart<T: Listed>(items: Vec<&T>, label: impl Fn(&T) -> String) -> Vec<String> {
    let mut labelled: Vec<_> = items.into_iter().map(|item| (label(item), item.id().to_string())).collect();
    distinct(&mut labelled);
    labelled.into_iter().map(|(label, _)| label).collect()
}

/// Whether a text is what a Droplet was called in a choice, then or now: whether it is on may have changed.
pub(super) fn calls_droplet(text: &str, droplet: &Droplet) -> bool {
    let constant = [droplet.region.clone(), droplet.disk_gb.map(disk)];
    calls(text, &visible_name(&droplet.name, &droplet.id.to_string()), &droplet.id.to_string(), &constant)
}

/// The same for a Snapshot: it grows older, and who took it is not known here.
pub(super) fn calls_snapshot(text: &str, snapshot: &Snapshot) -> bool {
    let constant = [snapshot.size_gigabytes.map(size), None];
    calls(text, &visible_name(&snapshot.name, &snapshot.id.to_string()), &snapshot.id.to_string(), &constant)
}

/// Whether a text begins with a name, perhaps cut, and has all that never changes after it. Where it ends in an id, that decides.
fn calls(text: &str, name: &str, id: &str, constant: &[Option<String>; 2]) -> bool {
    let Some((head, tail)) = text.split_once(BETWEEN) else { return false };
    let after = match text.strip_prefix(name).and_then(|rest| rest.strip_prefix(BETWEEN)) {
        Some(after) => after,
        None if head.strip_suffix('…').is_some_and(|start| name.starts_with(start)) => tail,
        None => return false,
    };
    let details: Vec<&str> = after.split(BETWEEN).collect();
    let its_id = details.last().filter(|last| last.len() > 3 && last.bytes().all(|byte| byte.is_ascii_digit()));
    its_id.is_none_or(|last| *last == id) && constant.iter().flatten().all(|detail| details.contains(&detail.as_str()))
}

fn visible_name(name: &str, id: &str) -> String {
    let name: String = name.chars().filter_map(visible).collect();
    let name = name.trim();
    if name.is_empty() { id.to_owned() } else { name.to_owned() }
}

fn disk(gb: u64) -> String {
    format!("{gb} GB")
}

fn size(gb: f64) -> String {
    format!("{gb:.1} GB")
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
    let name = visible_name(name, id);
    let tail = shorten(&tail, LONGEST / 2);
    let room = LONGEST - length(&tail);
    format!("{}{tail}", shorten(&name, room))
}

/// A character as it may stand in one line; none if it is invisible or turns the text around it. What joins the parts of an emoji stays.
fn visible(character: char) -> Option<char> {
    match character {
        '\u{2028}' | '\u{2029}' => Some(' '),
        '\u{200b}'
        | '\u{200c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{61c}'
        | '\u{feff}' => None,
        control if control.is_control() => Some(' '),
        other => Some(other),
    }
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

    fn droplet_of(json: serde_json::Value) -> Droplet {
        serde_json::from_value(json).unwrap()
    }

    fn web(id: u64, region: &str, status: &str) -> Droplet {
        droplet_of(
            serde_json::json!({"id": id, "name": "web-1", "status": status, "disk": 25, "region": {"slug": region}}),
        )
    }

    #[test]
    fn equal_labels_get_their_ids_and_others_stay() {
        let mut labelled: Vec<_> = [web(101, "nyc3", "active"), web(102, "nyc3", "active"), web(103, "fra1", "active")]
            .iter()
            .map(|web| (droplet(web).label, web.id.to_string()))
            .collect();
        distinct(&mut labelled);
        let labels: Vec<_> = labelled.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels, ["web-1 · nyc3 · 25 GB · 101", "web-1 · nyc3 · 25 GB · 102", "web-1 · fra1 · 25 GB"]);
        let long = "ä".repeat(300);
        let mut labelled: Vec<_> =
            (1000..1002).map(|id| (label(&long, "7", [None, None, None]), id.to_string())).collect();
        distinct(&mut labelled);
        assert_ne!(labelled[0].0, labelled[1].0);
        assert!(labelled.iter().all(|(label, _)| length(label) <= LONGEST));
    }

    #[test]
    fn a_label_that_comes_back_calls_what_it_was_made_for() {
        let (here, there) = (web(1010, "nyc3", "active"), web(1020, "fra1", "off"));
        for web in [&here, &there] {
            assert!(calls_droplet(&droplet(web).label, web));
        }
        assert!(calls_droplet("web-1 · fra1 · 25 GB", &there), "it was on when it was offered");
        assert!(!calls_droplet(&droplet(&here).label, &there) && !calls_droplet("web-1", &here));
        assert!(calls_droplet("web-1 · nyc3 · 25 GB · 1010", &here));
        assert!(!calls_droplet("web-1 · nyc3 · 25 GB · 1020", &here), "the id decides");
        let snapshot: Snapshot = serde_json::from_value(serde_json::json!({
            "id": "5", "name": "a · b".to_owned() + &"c".repeat(120), "created_at": "2026-11-22T12:00:00Z", "size_gigabytes": 2.4
        }))
        .unwrap();
        let shown = snapshot_label(&snapshot, Some("by ada".to_owned()), "2026-11-25T12:00:00Z".parse().unwrap());
        assert!(shown.contains('…') && shown.ends_with("3 days old · 2.4 GB · by ada"), "{shown}");
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
