//! What `/snapshot help` tells: the commands that this person may use, as mentions that can be clicked.

use std::collections::BTreeMap;

use crate::{
    access::{AdminsMay, Denial, Right},
    discord::messages::refusal,
};

/// What there is to say about a command. It stands in the command's own file.
#[derive(Clone, Copy, Debug)]
pub struct Help {
    /// Its whole name, as it is typed after the slash.
    pub name: &'static str,
    /// What a person needs to use it.
    pub right: Right,
    /// What it does, after its name.
    pub does: &'static str,
}

/// How the commands of a guild are mentioned, so that a click types them.
#[derive(Clone, Debug, Default)]
pub struct Mentions(BTreeMap<String, u64>);

impl Mentions {
    /// From the names and ids of the commands that are registered.
    pub fn new(commands: impl IntoIterator<Item = (String, u64)>) -> Self {
        Self(commands.into_iter().collect())
    }

    /// A command by its whole name (`snapshot take`): a mention, or plain text until its id is known.
    pub fn mention(&self, name: &str) -> String {
        let top = name.split(' ').next().unwrap_or(name);
        match self.0.get(top) {
            Some(id) => format!("</{name}:{id}>"),
            None => format!("`/{name}`"),
        }
    }
}

/// Help about these commands for a person with this right.
pub fn help(
    commands: &[Help],
    greatest: Option<Right>,
    denial: Option<&Denial>,
    admins: AdminsMay,
    mentions: &Mentions,
) -> String {
    let mut lines = Vec::new();
    let may = commands.iter().filter(|help| greatest.is_some_and(|greatest| greatest >= help.right));
    lines.extend(may.map(|help| format!("{} {}.", mentions.mention(help.name), help.does)));
    lines.push(format!("{} shows this.", mentions.mention("snapshot help")));
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
