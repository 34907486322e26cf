//! `/snapshot status` shows what runs now, with links to the progress messages, and what ended recently.

use serenity::builder::{AutocompleteChoice, CreateAutocompleteResponse};

use super::{CHOICES, Context, asking, granted};
use crate::{
    access::{Person, Right},
    discord::{
        incident::Fault,
        messages::{
            choice,
            help::Help,
            message::Message,
            refusal::Refusal,
            status::{self, Entry, LISTED, Overview},
        },
        press::Press,
        responder::{Answer, Stop},
        state::AppState,
    },
    operation::Operation,
    store,
};

/// The command's help line, and the right that it needs.
pub(super) const HELP: Help = Help {
    name: "snapshot status",
    right: Right::View,
    to: "see operations",
    does: "shows what is running and finished recently",
};

/// What's running and what finished recently
#[poise::command(slash_command)]
pub(super) async fn status(
    context: Context<'_>,
    #[description = "Details of this operation"]
    #[autocomplete = "operations"]
    operation: Option<String>,
) -> Result<(), Fault> {
    granted(context, HELP, |_, _| Box::pin(tell(context, operation))).await;
    Ok(())
}

async fn tell(context: Context<'_>, operation: Option<String>) -> Result<Answer, Stop> {
    let state = context.framework.user_data;
    let Some(text) = operation else {
        let overview = overview(state, &asking(context)).await?;
        return Ok(Answer::New(status::overview(&overview, state.clock.now())));
    };
    one(state, &asking(context), &text).await.map(Answer::New)
}

/// One operation in detail, given by its id or by the name of its Droplet.
pub(in crate::discord) async fn one(state: &AppState, who: &Person, text: &str) -> Result<Message, Stop> {
    let found = meant(state, who, text.trim()).await?;
    let operation = found.ok_or_else(|| Refusal::UnknownOperation { text: text.to_owned() })?;
    let timeline = state.store.timeline(operation.id).await?;
    let requester = operation.requester.user;
    let mut said = status::detail(&entry(state, operation).await?, &timeline, state.clock.now());
    // Only this person reads the answer, so it offers only the buttons that they may press.
    said.buttons.retain(|button| match button.press() {
        Some(Press::Instruction { act, .. }) => state.policy.authorize(who, act.right(requester, who.user)).is_ok(),
        _ => false,
    });
    Ok(said)
}

/// The operation with this id, or the latest with this name: a running one, else one that has ended.
async fn meant(state: &AppState, who: &Person, text: &str) -> Result<Option<Operation>, Stop> {
    if let Ok(id) = choice::key(text).parse()
        && let Some(stored) = state.store.operation(id).await?
    {
        return Ok(Some(stored.operation).filter(|operation| state.may_see(who, operation)));
    }
    let running = state.running_for(who).await?.into_iter().rev();
    let mut known = running.chain(recent(state, who, CHOICES).await?);
    Ok(known.find(|operation| operation.target.name.eq_ignore_ascii_case(text)))
}

/// The most recently ended operations that this person may see, newest first.
async fn recent(state: &AppState, who: &Person, limit: usize) -> Result<Vec<Operation>, store::Error> {
    let may_see_all = state.policy.authorize(who, Right::Restore).is_ok();
    let ended = match who.guild.filter(|_| !may_see_all) {
        Some(guild) => state.store.recent(guild, limit).await?,
        None => state.store.recent_everywhere(limit).await?,
    };
    Ok(ended.into_iter().map(|stored| stored.operation).filter(|operation| state.may_see(who, operation)).collect())
}

/// The running operations, and the most recently ended ones. An operation that ends between the two queries is removed from the running
/// ones.
async fn running_and_ended(
    state: &AppState,
    who: &Person,
    limit: usize,
) -> Result<(Vec<Operation>, Vec<Operation>), store::Error> {
    let mut running = state.running_for(who).await?;
    let ended = recent(state, who, limit).await?;
    running.retain(|operation| ended.iter().all(|ended| ended.id != operation.id));
    Ok((running, ended))
}

async fn overview(state: &AppState, who: &Person) -> Result<Overview, Stop> {
    let (running, ended) = running_and_ended(state, who, LISTED).await?;
    let mut overview = Overview { more: running.len().saturating_sub(LISTED), ..Overview::default() };
    for operation in running.into_iter().take(LISTED) {
        overview.running.push(entry(state, operation).await?);
    }
    for operation in ended {
        overview.ended.push(entry(state, operation).await?);
    }
    Ok(overview)
}

async fn entry(state: &AppState, operation: Operation) -> Result<Entry, Stop> {
    let progress = state.store.progress_message(operation.id).await?;
    Ok(Entry { operation, progress })
}

/// The operations that match a half-typed text. Empty for people who may not see them.
async fn operations<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let state = context.framework.user_data;
    let who = asking(context);
    if let Some(refused) = super::refused(context) {
        return refused;
    }
    let (running, ended) = running_and_ended(state, &who, CHOICES).await.unwrap_or_default();
    let known = running.into_iter().chain(ended);
    let requested = partial.trim().to_lowercase();
    let choices = known
        .map(|operation| (status::choice(&operation), operation.id))
        .filter(|(label, _)| label.to_lowercase().contains(&requested))
        .take(CHOICES)
        .map(|(label, id)| AutocompleteChoice::new(label, id.to_string()));
    CreateAutocompleteResponse::new().set_choices(choices.collect())
}
