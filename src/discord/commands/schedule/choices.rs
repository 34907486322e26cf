//! The suggestions for the options of a schedule.

use serenity::builder::{AutocompleteChoice, CreateAutocompleteResponse};

use super::{
    super::{CHOICES, Context, asking, refused, sibling},
    cost::cost,
    seen,
};
use crate::{
    discord::messages::{
        choice::key,
        lengths,
        schedule::{keeps, keeps_for, label, policy_in},
    },
    schedule::{
        group::Group,
        policy::Policy,
        rule::{Rule, Typed, zones_like},
    },
    text::length,
};

/// How often, as most people want it. Each label is as good as its value.
const EVERY: [(&str, &str); 7] = [
    ("every day", "day"),
    ("every 12 hours", "12h"),
    ("every 6 hours", "6h"),
    ("every week", "week"),
    ("every month", "month"),
    ("every hour", "1h"),
    ("weekdays at 03:00 · cron 0 3 * * 1-5", "cron 0 3 * * 1-5"),
];
/// How many tags are offered next to Droplets.
const TAGS: usize = 5;
/// The time zones that are offered before anything is typed.
const ZONES: [&str; 8] = [
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "America/New_York",
    "America/Los_Angeles",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Australia/Sydney",
];

fn response(choices: impl IntoIterator<Item = (String, String)>) -> CreateAutocompleteResponse {
    let fits = |(name, value): (String, String)| {
        let is_short = |text: &str| length(text) <= lengths::CHOICE;
        (is_short(&name) && is_short(&value)).then(|| AutocompleteChoice::new(name, value))
    };
    CreateAutocompleteResponse::new().set_choices(choices.into_iter().filter_map(fits).take(CHOICES).collect())
}

/// The schedules that match a half-typed text.
pub(super) async fn schedules<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    if let Some(refused) = refused(context) {
        return refused;
    }
    let seen = seen(context.framework.user_data, &asking(context)).await.unwrap_or_default();
    let labelled = seen.iter().map(|schedule| (label(schedule), schedule.id.to_string()));
    let wanted = partial.to_lowercase();
    response(labelled.filter(|(label, _)| label.to_lowercase().contains(&wanted)))
}

/// The Droplets and tags that match a half-typed text. After `tag:`, only tags.
pub(super) async fn subjects<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    if let Some(refused) = refused(context) {
        return refused;
    }
    let inventory = &context.framework.user_data.inventory;
    let label = |(tag, count): (String, usize)| {
        let value = format!("tag:{tag}");
        (crate::discord::messages::group::choice(&value, count), value)
    };
    if let Some(tag) = Group::tag_in(partial) {
        return response(inventory.find_tags(tag, CHOICES).await.into_iter().map(label));
    }
    let droplets = inventory.find_droplets(partial, CHOICES).await;
    let tags = inventory.find_tags(partial, TAGS).await;
    // Always include a few tags, so that people discover groups.
    let shown = droplets.into_iter().map(|choice| (choice.label, choice.id.to_string())).take(CHOICES - tags.len());
    response(shown.chain(tags.into_iter().map(label)))
}

/// The tags that match a half-typed text, with or without `tag:`.
pub(in crate::discord) async fn tags<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    if let Some(refused) = refused(context) {
        return refused;
    }
    let wanted = Group::tag_in(partial).unwrap_or(partial);
    let found = context.framework.user_data.inventory.find_tags(wanted, CHOICES).await;
    response(found.into_iter().map(|(tag, count)| (crate::discord::messages::group::choice(&tag, count), tag)))
}

/// Intervals. The typed one comes first if it makes sense.
pub(super) async fn every<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    if let Some(refused) = refused(context) {
        return refused;
    }
    let typed = Rule::read(Typed { every: key(partial), ..Typed::default() }).is_ok();
    let own = typed.then(|| (partial.to_owned(), partial.to_owned()));
    let wanted = partial.to_lowercase();
    let usual = EVERY.iter().filter(|(name, value)| name.contains(&wanted) || value.contains(&wanted));
    response(own.into_iter().chain(usual.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))))
}

/// Time zones that match a half-typed text.
pub(super) async fn timezones<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    if let Some(refused) = refused(context) {
        return refused;
    }
    let zones =
        if partial.trim().is_empty() { ZONES.map(str::to_owned).to_vec() } else { zones_like(partial, CHOICES) };
    response(zones.into_iter().map(|zone| (zone.clone(), zone)))
}

/// Retention policies, with their cost.
pub(super) async fn policies<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let state = context.framework.user_data;
    if let Some(refused) = refused(context) {
        return refused;
    }
    let droplet = match sibling(context, "what") {
        Some(typed) => state.inventory.peek_droplet(&typed).await,
        None => None,
    };
    let size = match droplet {
        Some(droplet) => cost(state, droplet, None).await.size(),
        None => None,
    };
    let every = sibling(context, "every");
    let rule = every.and_then(|every| Rule::read(Typed { every: key(&every), ..Typed::default() }).ok());
    let own = Policy::read(policy_in(partial)).ok();
    let offered = own.into_iter().chain(Policy::PRESETS.into_iter().filter(|_| own.is_none()));
    response(offered.map(|policy| (keeps_for(policy, rule.as_ref(), size, state.wording.price_per_gb), keeps(policy))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_comes_back_means_what_its_value_means() {
        let every = |text: &'static str| Rule::read(Typed { every: key(text), ..Typed::default() }).unwrap();
        for (label, value) in EVERY {
            assert_eq!(every(label), every(value), "{label}");
        }
        for policy in Policy::PRESETS {
            for (rule, size) in [(None, None), (None, Some(8.0)), (Some(&every("day")), Some(8.0))] {
                let label = keeps_for(policy, rule, size, 0.06);
                assert!(label.ends_with(&keeps(policy)), "{label}");
                assert_eq!(Policy::read(policy_in(&label)), Ok(policy), "{label}");
            }
        }
        let typed = "7 daily · 4 weekly";
        assert_eq!(Policy::read(policy_in(typed)), Policy::read("7d 4w"), "what is typed with dots is read whole");
    }
}
