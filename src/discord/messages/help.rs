//! The text of `/snapshot help`: the commands that this person may use, as clickable mentions.

use std::collections::BTreeMap;

use super::{
    lengths,
    message::{Colour, Embed, Message},
    refusal,
    text::shorten,
};
use crate::access::{AdminsMay, Denial, Right};

/// The help of a command. Each command's file defines its own.
#[derive(Clone, Copy, Debug)]
pub struct Help {
    /// The full name, as typed after the slash.
    pub name: &'static str,
    /// The right that a person needs to use it.
    pub right: Right,
    /// The purpose of the right, after "You need @Role to".
    pub to: &'static str,
    /// What the command does, after its name, in at most eight words.
    pub does: &'static str,
}

/// The headings of help, by what people want from a command.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Save", &["snapshot take", "snapshot take-group", "snapshot pin", "snapshot unpin"]),
    ("Bring back", &["snapshot restore", "snapshot launch"]),
    ("Look", &["snapshot list", "droplet show", "snapshot status", "snapshot cost", "snapshot orphans"]),
    (
        "On a schedule",
        &[
            "schedule add",
            "schedule edit",
            "schedule list",
            "schedule show",
            "schedule preview",
            "schedule run",
            "schedule pause",
            "schedule resume",
            "schedule take-over",
            "schedule remove",
        ],
    ),
    (
        "DigitalOcean's Backups",
        &["backups show", "backups enable", "backups change", "backups disable", "backups keep"],
    ),
];
/// The heading of commands that are in no group.
const OTHERS: &str = "Manage";

/// The mentions of a guild's commands. A click on one types the command.
#[derive(Clone, Debug, Default)]
pub struct Mentions(BTreeMap<String, u64>);

impl Mentions {
    /// Creates them from the names and ids of the registered commands.
    pub fn new(commands: impl IntoIterator<Item = (String, u64)>) -> Self {
        Self(commands.into_iter().collect())
    }

    /// A command by its full name (`snapshot take`): a mention, or plain text until its id is known.
    pub fn mention(&self, name: &str) -> String {
        let top = name.split(' ').next().unwrap_or(name);
        match self.0.get(top) {
            Some(id) => format!("</{name}:{id}>"),
            None => format!("`/{name}`"),
        }
    }
}

/// Help about these commands for a person with this right. It is in an embed, since message content is too short for all of them.
pub fn help(
    commands: &[Help],
    greatest: Option<Right>,
    denial: Option<&Denial>,
    admins: AdminsMay,
    mentions: &Mentions,
) -> Message {
    let may: Vec<&Help> =
        commands.iter().filter(|help| greatest.is_some_and(|greatest| greatest >= help.right)).collect();
    let line = |help: &&Help| format!("{} {}", mentions.mention(help.name), help.does);
    let is_grouped = |help: &Help| GROUPS.iter().any(|(_, names)| names.contains(&help.name));
    let groups = GROUPS.iter().map(|(title, names)| {
        let named = names.iter().filter_map(|name| may.iter().find(|help| help.name == *name));
        (*title, named.map(line).collect::<Vec<_>>())
    });
    let others = may.iter().filter(|help| !is_grouped(help)).map(line).collect();
    let groups = groups.chain([(OTHERS, others)]).filter(|(_, lines)| !lines.is_empty());
    let mut lines: Vec<String> = groups.map(|(title, lines)| format!("**{title}**\n{}", lines.join("\n"))).collect();
    lines.push(format!("-# {} shows this.", mentions.mention("snapshot help")));
    lines.extend((admins == AdminsMay::Everything).then(|| {
        "-# Members with **Administrator** or **Manage Server**, here or in any other server that I serve, may do everything."
            .to_owned()
    }));
    if let Some(denial) = denial {
        lines.push(refusal::denied(denial));
    }
    let framed = Embed {
        title: "What you can do here".to_owned(),
        description: shorten(&lines.join("\n"), lengths::DESCRIPTION),
        footer: String::new(),
        colour: Colour::Done,
    };
    Message { embeds: vec![framed], ..Message::default() }
}
