//! `/snapshot status`: what runs now, with ways to the progress messages, and what ended last.

use serenity::builder::{AutocompleteChoice, CreateAutocompleteResponse};

use super::{Context, answer, asking};
use crate::{
    access::Right,
    discord::{
        face::Face,
        incident::Fault,
        messages::{
            refusal::Refusal,
            status::{self, Entry},
        },
        responder::Stop,
    },
    operation::{Operation, ids::GuildId},
    store::Stored,
};

/// How many ended operations are listed.
const ENDED: usize = 10;
/// Discord takes no more choices.
const CHOICES: usize = 25;

/// See what is running and what ended last
#[poise::command(slash_command)]
pub(super) async fn status(
    context: Context<'_>,
    #[description = "One operation in detail"]
    #[autocomplete = "operations"]
    operation: Option<String>,
) -> Result<(), Fault> {
    answer(context, Box::pin(tell(context, operation))).await;
    Ok(())
}

async fn tell(context: Context<'_>, operation: Option<String>) -> Result<String, Stop> {
    let face = context.framework.user_data;
    let grant = face.policy.authorize(&asking(context), Right::View).map_err(Refusal::Denied)?;
    let Some(text) = operation else { return overview(face, grant.guild()).await };
    let unknown = || Refusal::UnknownOperation { text: text.clone() };
    let id = text.trim().parse().map_err(|_| unknown())?;
    let found = face.store.operation(id).await?.map(|stored| stored.operation);
    let operation = found.filter(|operation| operation.asker.guild == grant.guild()).ok_or_else(unknown)?;
    let timeline = face.store.timeline(id).await?;
    let told: Vec<_> = timeline.iter().filter_map(|event| Some((event.at, status::event(event)?))).collect();
    Ok(status::detail(&entry(face, operation).await?, &told))
}

async fn overview(face: &Face, guild: GuildId) -> Result<String, Stop> {
    let here = |stored: &Stored| stored.operation.asker.guild == guild;
    let mut running = Vec::new();
    for stored in face.store.running().await?.into_iter().filter(here) {
        running.push(entry(face, stored.operation).await?);
    }
    let mut ended = Vec::new();
    for stored in face.store.recent(ENDED).await?.into_iter().filter(here) {
        ended.push(entry(face, stored.operation).await?);
    }
    Ok(status::overview(&running, &ended))
}

async fn entry(face: &Face, operation: Operation) -> Result<Entry, Stop> {
    let progress = face.store.progress_message(operation.id).await?;
    Ok(Entry { operation, progress })
}

/// The operations that a half-typed text may mean; none for who may not look.
async fn operations<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let face = context.framework.user_data;
    let Ok(grant) = face.policy.authorize(&asking(context), Right::View) else {
        return CreateAutocompleteResponse::new();
    };
    let (running, ended) = tokio::join!(face.store.running(), face.store.recent(CHOICES));
    let known =
        running.into_iter().chain(ended).flatten().filter(|stored| stored.operation.asker.guild == grant.guild());
    let wanted = partial.trim().to_lowercase();
    let choices = known
        .map(|stored| (status::choice(&stored.operation), stored.operation.id))
        .filter(|(label, _)| label.to_lowercase().contains(&wanted))
        .take(CHOICES)
        .map(|(label, id)| AutocompleteChoice::new(label, id.to_string()));
    CreateAutocompleteResponse::new().set_choices(choices.collect())
}
