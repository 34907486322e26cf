//! What `/snapshot help` tells: the commands that this person may use, as mentions that can be clicked.

use crate::{
    access::{AdminsMay, Denial, Right},
    discord::messages::refusal,
};

/// A command, its right and what it does.
const COMMANDS: [(&str, Right, &str); 7] = [
    (
        "take",
        Right::Take,
        "takes a Snapshot of a Droplet: shuts it down, takes the Snapshot, turns it on again and tells you",
    ),
    ("restore", Right::Restore, "puts one of a Droplet's own Snapshots back onto it; asks first, and can be undone"),
    ("launch", Right::Restore, "makes a new Droplet from a Snapshot and tells you its address"),
    ("list", Right::View, "shows the Snapshots there are, with age, size and cost"),
    ("delete", Right::Restore, "deletes a Snapshot for good; asks first"),
    ("status", Right::View, "shows what is running and what ended last"),
    ("cancel", Right::Take, "stops what you asked for, where that is still possible"),
];

/// Help for a person with this right; `command` is the registered command's id, once known.
pub fn help(greatest: Option<Right>, denial: Option<&Denial>, admins: AdminsMay, command: Option<u64>) -> String {
    let mention = |sub: &str| match command {
        Some(id) => format!("</snapshot {sub}:{id}>"),
        None => format!("`/snapshot {sub}`"),
    };
    let mut lines = Vec::new();
    let may = COMMANDS.iter().filter(|(_, right, _)| greatest.is_some_and(|greatest| greatest >= *right));
    lines.extend(may.map(|(sub, _, what)| format!("{} {what}.", mention(sub))));
    lines.push(format!("{} shows this.", mention("help")));
    lines.extend((admins == AdminsMay::Everything).then(|| {
        "Members with **Administrator** or **Manage Server**, here or in any other server that I serve, may do everything to every \
         Droplet."
            .to_owned()
    }));
    if let Some(denial) = denial {
        lines.push(refusal::denied(denial));
    }
    lines.join("\n")
}
