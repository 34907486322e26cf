//! The suggestions for the options of `/backups`: Droplets, their Backups, and the plans that DigitalOcean sells.

use serenity::builder::{AutocompleteChoice, CreateAutocompleteResponse};

use crate::{
    discord::{
        commands::{CHOICES, Context, refused, sibling},
        messages::{backups as words, choice},
    },
    inventory::{SupportedPolicy, Waiting, distinct, snapshot_label},
    operation::ids::DropletId,
};

/// The Droplet that was chosen in the same command.
async fn chosen(context: Context<'_>) -> Option<DropletId> {
    context.framework.user_data.inventory.peek_droplet(&sibling(context, "droplet")?).await
}

/// The Backups of the Droplet that was chosen.
pub(super) async fn images<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let (state, nothing) = (context.framework.user_data, CreateAutocompleteResponse::new());
    if let Some(refused) = refused(context) {
        return refused;
    }
    let Some(droplet) = chosen(context).await else { return nothing };
    let found = state.inventory.find_backups(droplet, partial, CHOICES).await;
    let now = state.clock.now();
    let mut labelled: Vec<_> = found.iter().map(|it| (snapshot_label(it, None, now), it.id.to_string())).collect();
    distinct(&mut labelled);
    nothing.set_choices(labelled.into_iter().map(|(label, id)| AutocompleteChoice::new(label, id)).collect())
}

pub(super) async fn plans<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let state = context.framework.user_data;
    if let Some(refused) = refused(context) {
        return refused;
    }
    let Some(droplet) = chosen(context).await else { return CreateAutocompleteResponse::new() };
    let droplet = state.inventory.peek_listed(droplet).await;
    let labelled = |plan: &SupportedPolicy| (words::plan(plan, droplet.as_ref()), plan.plan.clone());
    offered(offered_plans(context).await.iter().map(labelled), partial)
}

pub(super) async fn days<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    if let Some(refused) = refused(context) {
        return refused;
    }
    let plans = offered_plans(context).await;
    let days = plans.iter().map(|plan| &plan.days).find(|days| !days.is_empty()).cloned().unwrap_or_default();
    offered(days.iter().map(|day| (words::day(day), day.clone())), partial)
}

pub(super) async fn hours<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    if let Some(refused) = refused(context) {
        return refused;
    }
    let plans = offered_plans(context).await;
    let hours = plans.first().map(|plan| plan.hours.clone()).unwrap_or_default();
    offered(hours.iter().map(|hour| (words::hour(*hour), hour.to_string())), partial)
}

/// The plan that is typed in its option, or all plans.
async fn offered_plans(context: Context<'_>) -> Vec<SupportedPolicy> {
    let state = context.framework.user_data;
    let Ok(plans) = state.inventory.backup_plans(Waiting::Suggestion).await else { return Vec::new() };
    let typed = sibling(context, "plan").map(|text| choice::key(&text).to_lowercase());
    let is_typed = |plan: &&SupportedPolicy| typed.as_deref().is_some_and(|typed| plan.plan == typed);
    let one: Vec<_> = plans.iter().filter(is_typed).cloned().collect();
    if one.is_empty() { plans.to_vec() } else { one }
}

/// The choices that contain the typed text.
fn offered(labelled: impl Iterator<Item = (String, String)>, partial: &str) -> CreateAutocompleteResponse {
    let wanted = partial.trim().to_lowercase();
    let fitting = labelled.filter(|(label, _)| label.to_lowercase().contains(&wanted)).take(CHOICES);
    let choices = fitting.map(|(label, value)| AutocompleteChoice::new(label, value));
    CreateAutocompleteResponse::new().set_choices(choices.collect())
}
