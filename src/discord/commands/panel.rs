//! `/snapshot panel` posts a message with buttons for the team to pin. This module also handles those buttons, and those under a Droplet.
//!
//! Every step checks the right again, answers only the person who pressed, and ends in the question that the command would ask.

use super::{Context, granted, labelled, list, restore, status, take};
use crate::{
    access::{Grant, Right},
    discord::{
        incident::Fault,
        interaction_info::InteractionInfo,
        lookup,
        messages::{
            help::Help,
            lengths::OPTIONS,
            message::Message,
            panel::{self as words, For},
            refusal::Refusal,
        },
        press::{Begun, Choosing, Order},
        responder::{Answer, Stop},
        start,
        state::AppState,
    },
    inventory::{Inspection, Origin, Snapshot},
    operation::{
        ids::{DropletId, SnapshotId},
        kinds::Safety,
    },
};

/// The command's help line, and the right that it needs.
pub(super) const HELP: Help = Help {
    name: "snapshot panel",
    right: Right::Restore,
    to: "post a panel",
    does: "posts buttons for this channel, to pin",
};

/// Post buttons to take, restore and list, for this channel to pin
#[poise::command(slash_command)]
pub(super) async fn panel(context: Context<'_>) -> Result<(), Fault> {
    let state = context.framework.user_data;
    granted(context, HELP, |info, _| async move {
        start::check(state, &info)?;
        Ok::<_, Stop>(Answer::Public(words::panel()))
    })
    .await;
    Ok(())
}

/// Handles *Take…*, *Restore…* and *List*.
pub(in crate::discord) async fn begin(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    (what, droplet): (Begun, Option<DropletId>),
) -> Result<Answer, Stop> {
    let said = match (what, droplet) {
        (Begun::List, of) => list::show(state, of, (1, None), Order::default()).await?,
        (Begun::Take, Some(droplet)) => take::question(state, info, grant, droplet, None).await?,
        (Begun::Restore, Some(droplet)) => snapshots(state, droplet).await?,
        (Begun::Take, None) => droplets(state, For::Taking).await?,
        (Begun::Restore, None) => droplets(state, For::Restoring).await?,
    };
    Ok(Answer::New(said))
}

/// Handles a choice from a menu.
pub(in crate::discord) async fn chosen(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    what: Choosing,
) -> Result<Answer, Stop> {
    let text = info.chosen.first().ok_or(Refusal::NothingChosen)?;
    let droplet = || text.parse::<DropletId>().map_err(|_| Refusal::NothingChosen);
    Ok(match what {
        Choosing::Snapshot => {
            text.parse::<SnapshotId>().map_err(|_| Refusal::NothingChosen)?;
            Answer::New(list::one(state, info, text).await?)
        }
        Choosing::Operation => Answer::New(status::one(state, &info.who, text).await?),
        Choosing::DropletToTake => Answer::Instead(take::question(state, info, grant, droplet()?, None).await?),
        Choosing::DropletToRestore => Answer::Instead(snapshots(state, droplet()?).await?),
    })
}

/// Handles the choice of one of this Droplet's Snapshots or backups.
pub(in crate::discord) async fn put_back(
    state: &AppState,
    info: &InteractionInfo,
    grant: &Grant,
    droplet: DropletId,
) -> Result<Answer, Stop> {
    let chosen = info.chosen.first().and_then(|text| text.parse::<SnapshotId>().ok());
    let asked = (chosen.ok_or(Refusal::NothingChosen)?, Safety::Snapshot, None);
    restore::of_droplet(state, info, grant, droplet, asked).await.map(Answer::Instead)
}

async fn droplets(state: &AppState, what: For) -> Result<Message, Stop> {
    let mut found = state.inventory.find_droplets("", OPTIONS + 1).await;
    if found.is_empty() {
        // The search also finds nothing while DigitalOcean is unreachable, although there may be Droplets, so the bot checks for an outage.
        state.inventory.listing(None).await.map_err(|unresolved| lookup::no_droplet("", unresolved))?;
        found = state.inventory.find_droplets("", OPTIONS + 1).await;
    }
    let has_more = found.len() > OPTIONS;
    let labelled: Vec<_> = found.into_iter().map(|choice| (choice.label, choice.id)).collect();
    Ok(words::droplets(what, &labelled, has_more, state.wording.rules.droplet_tag.as_deref()))
}

async fn snapshots(state: &AppState, droplet: DropletId) -> Result<Message, Stop> {
    let text = droplet.to_string();
    let found = state.inventory.resolve_droplet(&text).await;
    let droplet = found.map_err(|unresolved| lookup::no_droplet(&text, unresolved))?;
    let mut found = state.inventory.find_restorable(droplet.id, "", OPTIONS + 1).await;
    if found.is_empty() {
        // This request tells a Droplet without Snapshots from an outage.
        let inspected = state.inventory.inspect(droplet.id).await;
        let Inspection { images, backups, .. } =
            inspected.map_err(|unresolved| lookup::no_droplet(&text, unresolved))?;
        let origin = |image: &Snapshot| if backups.contains(&image.id) { Origin::Backup } else { Origin::Snapshot };
        found = images.into_iter().take(OPTIONS + 1).map(|image| (image.clone(), origin(&image))).collect();
    }
    let labelled = labelled(state, None, &found).await;
    Ok(words::snapshots((droplet.id, &droplet.name), &labelled, found.len() > OPTIONS))
}
