//! `/snapshot list`: what there is, ten at a time. A page's button says which page it shows, so it works after a restart.

use serenity::builder::{AutocompleteChoice, CreateAutocompleteResponse};

use super::{Context, answer, asking};
use crate::{
    access::Right,
    discord::{
        incident::Fault,
        lookup,
        messages::{
            help::Help,
            list::{self, Entry, Page},
            message::Message,
            refusal::Refusal,
        },
        responder::{Answer, Stop},
        state::AppState,
    },
    inventory::DropletLocation,
    operation::ids::DropletId,
};

/// Discord takes no more.
const CHOICES: usize = 25;
/// How many Snapshots a page shows.
const PER_PAGE: usize = 10;

/// What help says of it, and the right that it takes.
pub(super) const HELP: Help =
    Help { name: "snapshot list", right: Right::View, does: "shows the Snapshots there are, with age, size and cost" };

/// Snapshots with age, size and monthly cost
#[poise::command(slash_command)]
pub(super) async fn list(
    context: Context<'_>,
    #[description = "Only those of this Droplet"]
    #[autocomplete = "droplets"]
    droplet: Option<String>,
) -> Result<(), Fault> {
    answer(context, |_| Box::pin(first(context, droplet))).await;
    Ok(())
}

async fn first(context: Context<'_>, droplet: Option<String>) -> Result<Answer, Stop> {
    let state = context.framework.user_data;
    state.policy.authorize(&asking(context), HELP.right).map_err(Refusal::Denied)?;
    let of = match droplet {
        Some(text) => {
            let found = state.inventory.resolve_droplet(&text).await;
            Some(found.map_err(|unresolved| lookup::no_droplet(&text, unresolved))?.id)
        }
        None => None,
    };
    show(state, of, 1).await.map(Answer::New)
}

/// Another page was asked for by a button.
pub(in crate::discord) async fn turn(state: &AppState, of: Option<DropletId>, number: u32) -> Result<Answer, Stop> {
    show(state, of, number).await.map(Answer::Instead)
}

/// The page with this number, or the nearest that there is: Snapshots come and go between two presses.
async fn show(state: &AppState, of: Option<DropletId>, number: u32) -> Result<Message, Stop> {
    let listing = state.inventory.listing(of).await.map_err(|unresolved| lookup::no_droplet("", unresolved))?;
    let count = listing.snapshots().count();
    let pages = count.div_ceil(PER_PAGE).max(1);
    let number = usize::try_from(number).unwrap_or(pages).clamp(1, pages);
    let shown: Vec<_> = listing.snapshots().skip((number - 1) * PER_PAGE).take(PER_PAGE).collect();
    let origins = state.store.origins(shown.iter().map(|snapshot| snapshot.name.as_str())).await?;
    let droplets = shown.iter().filter_map(|snapshot| snapshot.droplet).chain(of);
    let locations = state.inventory.locate(&listing, droplets).await;
    let where_is = |droplet: Option<DropletId>| {
        droplet.and_then(|id| locations.get(&id)).cloned().unwrap_or(DropletLocation::Unlisted)
    };
    let entries = shown.into_iter().map(|snapshot| Entry {
        snapshot,
        droplet: where_is(snapshot.droplet),
        taken_by: origins.get(&snapshot.name).map(|operation| operation.asker.user),
    });
    let page = Page {
        of: of.map(|id| (id, where_is(Some(id)))),
        number,
        pages,
        count,
        sizes: listing.snapshots().filter_map(|snapshot| snapshot.size_gigabytes).collect(),
        entries: entries.collect(),
    };
    Ok(list::page(&page, &state.wording))
}

/// The Droplets that a half-typed text may mean; none for who may not look.
async fn droplets<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let state = context.framework.user_data;
    if state.policy.authorize(&asking(context), HELP.right).is_err() {
        return CreateAutocompleteResponse::new();
    }
    let found = state.inventory.find_droplets(partial, CHOICES).await;
    let choices = found.into_iter().map(|choice| AutocompleteChoice::new(choice.label, choice.id.to_string()));
    CreateAutocompleteResponse::new().set_choices(choices.collect())
}
