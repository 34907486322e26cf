//! The button that repeats a command that was refused only for the moment.
//!
//! The button exists only if it can carry everything that the command said. It checks the right again and asks for confirmation again.

use super::{Context, name, sibling};
use crate::{
    discord::press::{Begun, Press},
    operation::ids::{DropletId, SnapshotId},
};

/// The press with the same meaning as this command, if there is one.
pub(super) async fn press(context: Context<'_>) -> Option<Press> {
    let says_only = |options: &[&str]| context.args.iter().all(|given| options.contains(&given.name));
    match name(context).as_str() {
        // The question that the button opens asks about power.
        "snapshot take" if says_only(&["droplet", "power"]) => begin(context, Begun::Take).await,
        "snapshot restore" if says_only(&["droplet", "snapshot"]) => match snapshot(context) {
            Some(id) => Some(Press::Restore(id)),
            None => begin(context, Begun::Restore).await,
        },
        // The form that the button opens asks for the name.
        "snapshot launch" if says_only(&["snapshot", "name"]) => snapshot(context).map(Press::Launch),
        "snapshot delete" if says_only(&["snapshot"]) => snapshot(context).map(Press::Delete),
        "snapshot list" if says_only(&[]) => Some(Press::Begin { what: Begun::List, droplet: None }),
        "snapshot list" if says_only(&["droplet"]) => begin(context, Begun::List).await,
        _ => None,
    }
}

/// Adds the command's Droplet, as far as it is known without a request to DigitalOcean: suggestions carry its id.
async fn begin(context: Context<'_>, what: Begun) -> Option<Press> {
    let text = sibling(context, "droplet")?;
    let droplet = match text.trim().parse::<DropletId>() {
        Ok(id) => id,
        Err(_) => context.framework.user_data.inventory.peek_droplet(&text).await?,
    };
    Some(Press::Begin { what, droplet: Some(droplet) })
}

fn snapshot(context: Context<'_>) -> Option<SnapshotId> {
    sibling(context, "snapshot")?.trim().parse().ok()
}
