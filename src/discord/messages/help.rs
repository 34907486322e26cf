//! What `/snapshot help` tells: the commands that this person may use, as mentions that can be clicked.

use crate::{
    access::{AdminsMay, Denial, Right},
    discord::messages::refusal,
};

/// What there is to say about a command. It stands in the command's own file.
#[derive(Clone, Copy, Debug)]
pub struct Help {
    /// Its name under `/snapshot`.
    pub name: &'static str,
    /// What a person needs to use it.
    pub right: Right,
    /// What it does, after its name.
    pub does: &'static str,
}

/// Help about these commands for a person with this right; `command` is the registered command's id, once known.
pub fn help(
    commands: &[Help],
    greatest: Option<Right>,
    denial: Option<&Denial>,
    admins: AdminsMay,
    command: Option<u64>,
) -> String {
    let mention = |sub: &str| match command {
        Some(id) => format!("</snapshot {sub}:{id}>"),
        None => format!("`/snapshot {sub}`"),
    };
    let mut lines = Vec::new();
    let may = commands.iter().filter(|help| greatest.is_some_and(|greatest| greatest >= help.right));
    lines.extend(may.map(|help| format!("{} {}.", mention(help.name), help.does)));
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
