//! The panel that a team pins in its channel, and the menus that its buttons open.

use super::{
    list::way,
    message::{Button, Choice, Menu, Message, Style},
    text::{name, plain},
};
use crate::{
    discord::press::{Begun, Choosing, Press},
    operation::ids::DropletId,
};

/// The panel. Everybody in the channel sees it, so it names no Droplet.
pub fn panel() -> Message {
    let begin = |label: &'static str, style, what| Button::new(label, style, Press::Begin { what, droplet: None });
    Message {
        buttons: vec![
            begin("Take…", Style::Primary, Begun::Take),
            begin("Restore…", Style::Secondary, Begun::Restore),
            way(None),
        ],
        ..Message::text(
            "**Snapshots**\nPress what you want to do. Only you see what follows, and I ask before anything happens.",
        )
    }
}

/// What to do with the chosen Droplet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// Take a Snapshot of it.
    Taking,
    /// Put a Snapshot back onto it.
    Restoring,
}

/// Asks for a Droplet. `droplets` are the first ones, and there may be more. `tag` is the tag that a Droplet needs to be listed.
pub fn droplets(what: For, droplets: &[(String, DropletId)], has_more: bool, tag: Option<&str>) -> Message {
    let (question, press, command) = match what {
        For::Taking => ("Take a Snapshot of which Droplet?", Choosing::DropletToTake, "/snapshot take"),
        For::Restoring => ("Restore which Droplet?", Choosing::DropletToRestore, "/snapshot restore"),
    };
    let choices = droplets.iter().map(|(label, id)| Choice::new(label, "", id.to_string()));
    let Some(menu) = Menu::new(Press::Choose(press), "Choose a Droplet", choices) else {
        let (with_tag, add) = match tag {
            Some(tag) => (format!(" with the tag {}", name(tag)), "Give one that tag at DigitalOcean, or ask"),
            None => (String::new(), "Ask"),
        };
        return Message::text(format!(
            "I see no Droplets{with_tag}. {add} my operator to check the token's `droplet:read`."
        ));
    };
    let more =
        if has_more { format!("\nThese are the first 25; type `{command}` to find the rest.") } else { String::new() };
    Message { menus: vec![menu], ..Message::text(format!("{question}{more}")) }
}

/// Asks for one of the Droplet's Snapshots and backups.
pub fn snapshots(droplet: (DropletId, &str), labelled: &[(String, String)], has_more: bool) -> Message {
    let (id, called) = droplet;
    let choices = labelled.iter().map(|(label, id)| Choice::new(label, "", id.as_str()));
    let called = name(&plain(called, 60));
    let Some(menu) = Menu::new(Press::PutBack(id), "Choose a Snapshot", choices) else {
        return Message::text(format!(
            "{called} has no Snapshots yet, so there is nothing to restore. `/snapshot take` makes one."
        ));
    };
    let more = if has_more { "\nThese are the newest 25; type `/snapshot restore` to find the rest." } else { "" };
    Message { menus: vec![menu], ..Message::text(format!("Restore {called} from which Snapshot?{more}")) }
}
