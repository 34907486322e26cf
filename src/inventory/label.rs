//! The labels of choices: the name first, then what distinguishes it from others of the same name, within Discord's 100 characters.
//!
//! Used only by [`super`]. Foreign names are cut between characters, and characters that could break a line are removed.

use jiff::{SignedDuration, Timestamp};

use super::{Choice, listed::Listed};
use crate::{
    digitalocean::model::{Droplet, DropletStatus, Snapshot},
    operation::ids::DropletId,
    text::{length, shorten, visible},
};

/// Discord refuses longer labels, and empty ones.
const LONGEST: usize = 100;

/// How many characters of a label are for a Snapshot's name and its key: enough to identify it, and short on a phone.
const LONGEST_KEYED: usize = 48;

/// How many characters a label leaves free for a mark in front of it.
const MARK: usize = 4;

/// The forms of the date in our names.
const DATE: [&str; 1] = ["-00000000-0000"];

/// The separator between the parts of a label.
const BETWEEN: &str = " · ";

/// `web-1 · nyc3 · 25 GB · off`; a running Droplet has no state in its label.
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

/// `3 days ago · 12.4 GB · ada · web-1…7f3kq2xa`: first its age, then a detail that the inventory cannot know, such as who took it. Last
/// comes the key by which it is found if the label itself is submitted: the end of one of our names, or the id after any other name.
pub fn snapshot_label(snapshot: &Snapshot, detail: Option<String>, now: Timestamp) -> String {
    let age = snapshot.created_at.map(|made| age(now.duration_since(made)));
    let size = snapshot.size_gigabytes.map(size);
    let mut head = String::new();
    for part in [age, size, detail].into_iter().flatten() {
        head.push_str(&part);
        head.push_str(BETWEEN);
    }
    // This leaves room for a mark in front.
    let head = shorten(&head, LONGEST / 2 - MARK);
    let room = LONGEST - MARK - length(&head);
    format!("{head}{}", keyed_name(snapshot, room.min(LONGEST_KEYED)))
}

/// A Snapshot's name in at most `room` units, with its key at the end.
fn keyed_name(snapshot: &Snapshot, room: usize) -> String {
    let (id, name) = (snapshot.id.to_string(), visible_name(&snapshot.name, &snapshot.id.to_string()));
    match snapshot.operation() {
        Some(key) => {
            let tail = format!("…{key}");
            let stem = name.strip_suffix(&format!("-{key}")).unwrap_or(&name);
            let stem = DATE.iter().find_map(|date| undated(stem, date)).unwrap_or(stem);
            let stem = shorten(stem, room.saturating_sub(length(&tail)).max(2));
            format!("{}{tail}", stem.trim_end_matches('…'))
        }
        None if name == id => id,
        None => format!("{}{BETWEEN}{id}", shorten(&name, room.saturating_sub(length(&id) + 3).max(2))),
    }
}

/// The key at the end of a label: the last letters of one of our names, or the id after any other name.
fn key_of(label: &str) -> &str {
    let last = label.rsplit(BETWEEN).next().unwrap_or_default();
    last.rsplit('…').next().unwrap_or_default()
}

/// One of our names without its date, since the age already shows it.
fn undated<'n>(stem: &'n str, date: &str) -> Option<&'n str> {
    let at = stem.len().checked_sub(date.len())?;
    let (name, tail) = (stem.get(..at)?, stem.get(at..)?);
    let fits = tail.bytes().zip(date.bytes()).all(|(byte, wanted)| match wanted {
        b'0' => byte.is_ascii_digit(),
        other => byte == other,
    });
    (fits && !name.is_empty()).then_some(name)
}

/// Makes labels that are shown together distinct: equal ones get their ids, which are unique.
pub fn distinct(labelled: &mut [(String, String)]) {
    let labels: Vec<String> = labelled.iter().map(|(label, _)| label.clone()).collect();
    for (label, id) in labelled {
        if labels.iter().filter(|other| *other == label).count() > 1 {
            let tail = format!("{BETWEEN}{id}");
            *label = format!("{}{tail}", shorten(label, LONGEST - length(&tail)));
        }
    }
}

/// The labels of several items of the same name, so that people can tell them apart.
pub(super) fn told_apart<T: Listed>(items: Vec<&T>, label: impl Fn(&T) -> String) -> Vec<String> {
    let mut labelled: Vec<_> = items.into_iter().map(|item| (label(item), item.id().to_string())).collect();
    distinct(&mut labelled);
    labelled.into_iter().map(|(label, _)| label).collect()
}

/// Whether a text is a label of a Droplet, now or earlier: its power state may have changed.
pub(super) fn calls_droplet(text: &str, droplet: &Droplet) -> bool {
    let constant = [droplet.region.clone(), droplet.disk_gb.map(disk)];
    calls(text, &visible_name(&droplet.name, &droplet.id.to_string()), &droplet.id.to_string(), &constant)
}

/// Whether a text is a label of a Snapshot. Only its key counts: its age changes, and this module does not know who took it.
pub(super) fn calls_snapshot(text: &str, snapshot: &Snapshot) -> bool {
    if !text.contains(BETWEEN) && !text.contains('…') {
        return false;
    }
    let key = key_of(text);
    key == snapshot.id.to_string() || snapshot.operation().is_some_and(|operation| operation.to_string() == key)
}

/// Whether a text begins with a name, perhaps truncated, followed by all details that never change. If it ends with an id, the id decides.
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
    let name = visible(name);
    let name = name.trim();
    if name.is_empty() { id.to_owned() } else { name.to_owned() }
}

fn disk(gb: u64) -> String {
    format!("{gb} GB")
}

fn size(gb: f64) -> String {
    if gb < 0.1 { "< 0.1 GB".to_owned() } else { format!("{gb:.1} GB") }
}

/// How long ago something was, as text for a choice, which renders no timestamps.
pub fn age(age: SignedDuration) -> String {
    let units = [(age.as_hours() / 24, "day"), (age.as_hours(), "hour"), (age.as_mins(), "min")];
    match units.into_iter().find(|(count, _)| *count > 0) {
        None => "just now".to_owned(),
        Some((count, unit)) => {
            let plural = if count == 1 || unit == "min" { "" } else { "s" };
            format!("{count} {unit}{plural} ago")
        }
    }
}

/// A label of limited length: the name is shortened, the details are kept.
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
    }

    fn snapshot(id: u64, name: &str) -> Snapshot {
        let made = "2026-11-22T12:00:00Z";
        let json = serde_json::json!({"id": id.to_string(), "name": name, "created_at": made, "size_gigabytes": 2.4});
        serde_json::from_value(json).unwrap()
    }

    fn shown(snapshot: &Snapshot) -> String {
        snapshot_label(snapshot, Some("ada".to_owned()), "2026-11-25T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_snapshots_label_begins_with_its_age_and_ends_in_its_key() {
        for (name, label) in [
            ("web-1-20261122-1740-7f3kq2xa", "3 days ago · 2.4 GB · ada · web-1…7f3kq2xa"),
            ("before 1.21-7f3kq2xa", "3 days ago · 2.4 GB · ada · before 1.21…7f3kq2xa"),
            ("web-1-safety-20261122-1740-7f3kq2xa", "3 days ago · 2.4 GB · ada · web-1-safety…7f3kq2xa"),
            ("golden", "3 days ago · 2.4 GB · ada · golden · 51234"),
            (" \u{200b}", "3 days ago · 2.4 GB · ada · 51234"),
        ] {
            let snapshot = snapshot(51_234, name);
            assert_eq!(shown(&snapshot), label);
            assert!(calls_snapshot(label, &snapshot), "{label}");
            assert!(calls_snapshot(&label.replace("3 days", "4 days").replace("ada", "by me"), &snapshot), "{label}");
        }
    }

    #[test]
    fn a_label_means_no_other_snapshot_whatever_they_are_called() {
        let (one, other) = (snapshot(51_234, "a · b"), snapshot(51_235, "a · b"));
        assert_ne!(shown(&one), shown(&other));
        assert!(!calls_snapshot(&shown(&one), &other) && !calls_snapshot("a", &one) && !calls_snapshot("51234", &one));
        let long = snapshot(51_236, &format!("{}-7f3kq2xa", "ä".repeat(200)));
        assert!(shown(&long).ends_with("ä…7f3kq2xa") && length(&shown(&long)) <= LONGEST, "{}", shown(&long));
    }

    #[test]
    fn ages_read_like_speech() {
        assert_eq!(age(SignedDuration::from_secs(-5)), "just now");
        assert_eq!(age(SignedDuration::from_mins(1)), "1 min ago");
        assert_eq!(age(SignedDuration::from_hours(49)), "2 days ago");
    }

    proptest! {
        #[test]
        fn no_label_is_empty_or_too_long(name: String, detail: String) {
            let label = label(&name, "7", [Some(detail.clone()), None, Some(detail.clone())]);
            prop_assert!((1..=LONGEST).contains(&length(&label)), "{label:?}");
            let snapshot = snapshot(51_234, &name);
            let label = snapshot_label(&snapshot, Some(detail), "2026-11-25T12:00:00Z".parse().unwrap());
            prop_assert!((1..=LONGEST).contains(&length(&label)), "{label:?}");
            prop_assert!(calls_snapshot(&label, &snapshot) || !label.contains(BETWEEN), "{label:?}");
        }
    }
}
