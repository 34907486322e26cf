//! `/snapshot cancel`: stops an operation where that is possible, as the *Cancel* button does.

use serenity::builder::{AutocompleteChoice, CreateAutocompleteResponse};

use super::{Context, answer, asking};
use crate::{
    access::{Person, Right},
    discord::{
        asked::Asked,
        buttons,
        face::Face,
        incident::Fault,
        messages::{refusal::Refusal, status},
        press::Act,
        responder::Stop,
    },
    operation::{Operation, ids::OperationId},
    store,
};

/// Discord takes no more choices.
const CHOICES: usize = 25;

/// Stop an operation where that is possible; power goes back either way
#[poise::command(slash_command)]
pub(super) async fn cancel(
    context: Context<'_>,
    #[description = "What is running; type a part of the Droplet's name"]
    #[autocomplete = "stoppable"]
    operation: String,
) -> Result<(), Fault> {
    answer(context, Box::pin(stop(context, operation))).await;
    Ok(())
}

async fn stop(context: Context<'_>, text: String) -> Result<String, Stop> {
    let face = context.framework.user_data;
    let asked = Asked::from(context.interaction);
    face.policy.admit(&asked.who).map_err(Refusal::Denied)?;
    let id = meant(face, &asked.who, text.trim()).await?;
    buttons::wish(face, &asked, Act::Cancel, id).await
}

/// The operation that a submitted text means: an id, or a Droplet's name with which only one is running.
async fn meant(face: &Face, who: &Person, text: &str) -> Result<OperationId, Stop> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let mut named = running(face, who).await?;
    named.retain(|operation| operation.target.name.eq_ignore_ascii_case(text));
    match named.as_slice() {
        [only] => Ok(only.id),
        [] | [_, ..] => Err(Refusal::UnknownOperation { text: text.to_owned() }.into()),
    }
}

/// What runs here and can be seen by this person.
async fn running(face: &Face, who: &Person) -> Result<Vec<Operation>, store::Error> {
    let Some(guild) = who.guild else { return Ok(Vec::new()) };
    Ok(face.store.running_in(guild).await?.into_iter().map(|stored| stored.operation).collect())
}

/// The running operations that this person may stop.
async fn stoppable<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let (face, who) = (context.framework.user_data, asking(context));
    let running = running(face, &who).await.unwrap_or_default();
    let wanted = partial.trim().to_lowercase();
    let may_stop = |operation: &Operation| {
        operation.verdict.is_none()
            && operation.cancelled.is_none()
            && face.policy.authorize(&who, Right::over(operation.asker.user, who.user)).is_ok()
    };
    let choices = running
        .iter()
        .filter(|operation| may_stop(operation))
        .map(|operation| (status::choice(operation), operation.id))
        .filter(|(label, _)| label.to_lowercase().contains(&wanted))
        .take(CHOICES)
        .map(|(label, id)| AutocompleteChoice::new(label, id.to_string()));
    CreateAutocompleteResponse::new().set_choices(choices.collect())
}
