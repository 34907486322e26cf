//! `/snapshot cancel` stops an operation where that is possible, as the *Cancel* button does.

use serenity::builder::{AutocompleteChoice, CreateAutocompleteResponse};

use super::{CHOICES, Context, asking, granted};
use crate::{
    access::{Person, Right},
    discord::{
        buttons,
        incident::Fault,
        interaction_info::InteractionInfo,
        messages::{choice, help::Help, refusal::Refusal, status},
        press::{Act, Press},
        responder::{Answer, Stop},
        state::AppState,
    },
    operation::{Operation, ids::OperationId},
};

/// The command's help line, and the right that it needs.
pub(super) const HELP: Help = Help {
    name: "snapshot cancel",
    right: Right::Take,
    to: "cancel operations",
    does: "stops a running operation; power is restored",
};

/// Stop a running operation; power is restored either way
#[poise::command(slash_command)]
pub(super) async fn cancel(
    context: Context<'_>,
    #[description = "What is running; type a part of the Droplet's name"]
    #[autocomplete = "stoppable"]
    operation: String,
) -> Result<(), Fault> {
    // A person who may stop nothing must not learn the names of what runs.
    granted(context, HELP, |info, _| Box::pin(stop(context, info, operation))).await;
    Ok(())
}

async fn stop(context: Context<'_>, info: InteractionInfo, text: String) -> Result<Answer, Stop> {
    let state = context.framework.user_data;
    let id = meant(state, &info.who, text.trim()).await?;
    buttons::hear(state, &info, Some(Press::Instruction { act: Act::Cancel, operation: id })).await
}

/// The operation that a submitted text means: the name of a Droplet with exactly one running operation, or an id. Names come first, since a
/// Droplet's name may look like an id.
async fn meant(state: &AppState, who: &Person, text: &str) -> Result<OperationId, Stop> {
    let running = state.running_for(who).await?;
    let is_named = |operation: &&Operation| operation.target.name.eq_ignore_ascii_case(text);
    let named: Vec<_> = running.iter().filter(is_named).collect();
    match (named.as_slice(), choice::key(text).parse()) {
        ([only], _) => Ok(only.id),
        ([], Ok(id)) => Ok(id),
        ([], Err(_)) => {
            let running = running.iter().map(|operation| operation.target.name.clone()).collect();
            Err(Refusal::NothingRunsOn { text: text.to_owned(), running }.into())
        }
        (several @ [_, _, ..], _) => {
            let labels = several.iter().map(|operation| status::choice(operation)).collect();
            Err(Refusal::AmbiguousOperation { text: text.to_owned(), labels }.into())
        }
    }
}

/// The running operations that this person may stop.
async fn stoppable<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let (state, who) = (context.framework.user_data, asking(context));
    if let Some(refused) = super::refused(context) {
        return refused;
    }
    let running = state.running_for(&who).await.unwrap_or_default();
    let requested = partial.trim().to_lowercase();
    let may_stop = |operation: &Operation| {
        operation.outcome.is_none()
            && operation.cancelled.is_none()
            && state.policy.authorize(&who, Right::over(operation.requester.user, who.user)).is_ok()
    };
    let choices = running
        .iter()
        .filter(|operation| may_stop(operation))
        .map(|operation| (status::choice(operation), operation.id))
        .filter(|(label, _)| label.to_lowercase().contains(&requested))
        .take(CHOICES)
        .map(|(label, id)| AutocompleteChoice::new(label, id.to_string()));
    CreateAutocompleteResponse::new().set_choices(choices.collect())
}
